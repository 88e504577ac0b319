"""A worker: a process of its own that runs steps of the chain, as a task of Airflow would.

It is forked from a process that has everything imported and no threads. Its director, who holds the
sandbox, tells it what to run, and may stop it at one call: to let it die there by SIGKILL, or to do
something meanwhile and let it go on.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Client, Connection
from typing import Any

from sqlalchemy import Engine
from tests.faults.catalogue import Call, Moment
from tests.faults.wire import Tripwire, watch

from baton.clock import Clock, SystemClock
from baton.connections import HubSpotConnection, SalesforceConnection, SlackConnection
from baton.crm.hubspot import HubSpotGateway
from baton.crm.salesforce import SalesforceGateway
from baton.errors import BatonError
from baton.ledger.database.engine import ledger_engine
from baton.notify.slack import SlackGateway
from baton.pipeline.context import Context
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.report import StepReport
from baton.pipeline.response.sales_activity import read_outcomes
from baton.pipeline.response.sla_watch import watch_clocks
from baton.settings import Mode
from baton.transport import RetryTerms, UnlimitedRate

STEPS: Mapping[str, Callable[[Context], StepReport]] = {
    step.__name__: step
    for step in (
        qualify_and_route,
        deliver_and_notify,
        write_back,
        read_outcomes,
        watch_clocks,
        read_references,
    )
}
INSISTENT = RetryTerms(attempts=3, total_seconds=10, first_pause=0.005, longest_pause=0.05)
AT, DONE, FAILED, BROKEN = "at", "done", "failed", "broken"
GO_ON, DIE = "go on", "die"


class SharedClock(SystemClock):
    """A clock that the director sets and every worker of a case reads, whatever it is doing."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8)

    def now(self) -> datetime:
        (stamp,) = struct.unpack("d", self._memory[:8])
        return datetime.fromtimestamp(stamp, UTC)

    def set(self, at: datetime) -> None:
        self._memory[:8] = struct.pack("d", at.timestamp())


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do. `stop_at`: the call and the moment at which it reports and waits."""

    ledger: str
    sandbox: Mapping[str, Any]
    steps: tuple[str, ...]
    patience: float = 5.0
    stop_at: tuple[Call, Moment] | None = None


def serve(orders: Connection, clock: SharedClock) -> None:
    """Fork a worker for each order (where its director listens, and the job) until none comes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        try:
            order = orders.recv()
        except EOFError:
            order = None
        if order is None:
            os._exit(0)
        address, job = order
        if os.fork() == 0:
            orders.close()
            _work(Client(address), job, clock)
            os._exit(0)


def _work(director: Connection, job: Job, clock: SharedClock) -> None:
    director.send(os.getpid())
    engine = ledger_engine(job.ledger, pooled=True, pool_size=2)
    if job.stop_at is not None:
        watch(Tripwire(*job.stop_at, apis=_ports(job.sandbox), stop=_Stop(director)), engine)
    ctx = context(engine, clock, job.sandbox, job.patience)
    try:
        report = StepReport()
        for step in job.steps:
            report.update(STEPS[step](ctx))
    except BatonError as error:
        director.send((FAILED, f"{type(error).__name__}: {error}", time.process_time()))
    except BaseException:
        director.send((BROKEN, traceback.format_exc(), time.process_time()))
    else:
        director.send((DONE, report.counts(), time.process_time()))


def context(engine: Engine, clock: Clock, sandbox: Mapping[str, Any], patience: float) -> Context:
    """A context as a task would open it, with short pauses; it waits `patience` s for answers."""
    free, at = UnlimitedRate(), sandbox["salesforce"]
    hubspot = HubSpotConnection(
        conn_id="hubspot_default",
        token=sandbox["hubspot"]["token"],
        host=sandbox["hubspot"]["url"],
    )
    salesforce = SalesforceConnection(
        conn_id="salesforce_default",
        login_url=at["login_url"],
        consumer_key=at["consumer_key"],
        consumer_secret=at["consumer_secret"],
        username=None,
        private_key=None,
        ca_file=at["ca_file"],
    )
    slack = SlackConnection(
        conn_id="slack_default", token=sandbox["slack"]["token"], base_url=sandbox["slack"]["url"]
    )
    return Context(
        engine=engine,
        clock=clock,
        hubspot=HubSpotGateway(hubspot, free, terms=INSISTENT, read_seconds=patience),
        salesforce=SalesforceGateway(salesforce, free, terms=INSISTENT, timeout=(3.05, patience)),
        slack=_slack(slack, patience),
        mode=Mode.LIVE,
    )


def _slack(connection: SlackConnection, patience: float) -> SlackGateway:
    seconds: Any = patience  # urllib takes fractions, which the signature does not promise
    return SlackGateway(connection, UnlimitedRate(), terms=INSISTENT, timeout_seconds=seconds)


@dataclass(frozen=True, slots=True)
class _Stop:
    director: Connection

    def __call__(self) -> None:
        self.director.send((AT, None, 0.0))
        if self.director.recv() == DIE:
            os.kill(os.getpid(), signal.SIGKILL)


def _ports(sandbox: Mapping[str, Any]) -> dict[int, str]:
    def port(url: str) -> int:
        return int(url.split("/")[2].rpartition(":")[2])

    return {port(sandbox[api]["url"]): api for api in ("hubspot", "salesforce", "slack")}
