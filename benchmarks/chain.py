"""The chain's three steps between a sandbox process and an embedded PostgreSQL, over real HTTP.

Airflow is left out: this is what the steps themselves cost. Rate limits are lifted, which the
real systems will not do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from deciding import POLICY, ROSTER, SHIPPED
from figures import Figure
from generated import contacts

from baton.clock import SystemClock
from baton.connections import HubSpotConnection, SalesforceConnection, SlackConnection
from baton.crm.hubspot import HubSpotGateway
from baton.crm.salesforce import SalesforceGateway
from baton.ledger import embedded, migrate
from baton.ledger.engine import ledger_engine, transaction
from baton.notify.slack import SlackGateway
from baton.pipeline.agreements import activate_policy, adopt_roster
from baton.pipeline.context import Context
from baton.pipeline.deliver import deliver_and_notify, write_back
from baton.pipeline.qualify import qualify_and_route
from baton.pipeline.references import read_references
from baton.pipeline.setup import hubspot_plan, setup_hubspot
from baton.policy.loader import read_bundle
from baton.settings import Mode
from baton.transport import UnlimitedRate
from baton.validation.verdicts import preload

_UNBOUND = (
    "--hubspot-burst",
    "1000000",
    "--hubspot-search",
    "1000000",
    "--hubspot-daily",
    "9999999",
)


def chain(quick: bool) -> list[Figure]:
    """Load generated contacts into a sandbox and time each step over all of them."""
    preload()
    count = 60 if quick else 500
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "postgres"
        server = embedded.start(data)
        try:
            migrate.upgrade(server.address.ledger())
            return _with_sandbox(server.address.ledger(), count)
        finally:
            embedded.stop(data)


def _with_sandbox(database_url: str, count: int) -> list[Figure]:
    command = [sys.executable, "-m", "crm_sandbox", "serve", "--json", "--with-parent", *_UNBOUND]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            assert sandbox.stdout is not None
            where = json.loads(sandbox.stdout.readline())
            return _measured(database_url, where, count)
        finally:
            sandbox.terminate()


def _measured(database_url: str, where: dict[str, Any], count: int) -> list[Figure]:
    ctx = _context(database_url, where)
    with transaction(ctx.engine) as conn:
        now = datetime.now(UTC)
        activate_policy(conn, read_bundle(SHIPPED), by="benchmark", at=now, parent=None)
        adopt_roster(conn, ROSTER, by="benchmark", at=now)
    setup_hubspot(ctx.hubspot, hubspot_plan(POLICY))
    read_references(ctx)
    qualify_and_route(ctx)  # whoever the sandbox began with
    deliver_and_notify(ctx)
    write_back(ctx)
    before = len(_requests(where))
    loaded = httpx.post(
        f"{where['admin']['url']}/hubspot/contacts/load",
        json={"contacts": contacts(count, now=datetime.now(UTC))},
        timeout=60,
    ).json()
    assert loaded["created"] == count, loaded["refused"][:3]
    time.sleep(1.5)  # HubSpot's Date header, which ends the window, counts whole seconds
    ctx = _context(database_url, where)  # as a new task would open it
    figures = []
    steps: tuple[tuple[str, Callable[[Context], Any]], ...] = (
        ("pull, judge, decide", qualify_and_route),
        ("record, task, message", deliver_and_notify),
        ("write back", write_back),
    )
    for name, step in steps:
        began = time.perf_counter()
        counts = step(ctx).counts()
        seconds = time.perf_counter() - began
        done = ", ".join(f"{what} {number}" for what, number in sorted(counts.items()))
        figures.append(Figure(name, f"{count} leads: {done}", seconds, "s"))
    calls = len(_requests(where)) - before
    figures.append(Figure("calls to all three systems", f"{count} leads", calls, "calls"))
    ctx.engine.dispose()
    return figures


def _requests(where: dict[str, Any]) -> list[Any]:
    answer = httpx.get(f"{where['admin']['url']}/requests", timeout=30).json()
    found: list[Any] = answer["requests"]
    return found


def _context(database_url: str, where: dict[str, Any]) -> Context:
    free = UnlimitedRate()
    hubspot, salesforce, slack = where["hubspot"], where["salesforce"], where["slack"]
    return Context(
        engine=ledger_engine(database_url, pooled=True),
        clock=SystemClock(),
        hubspot=HubSpotGateway(
            HubSpotConnection("hubspot_default", token=hubspot["token"], host=hubspot["url"]), free
        ),
        salesforce=SalesforceGateway(
            SalesforceConnection(
                "salesforce_default",
                login_url=salesforce["login_url"],
                consumer_key=salesforce["consumer_key"],
                consumer_secret=salesforce["consumer_secret"],
                ca_file=salesforce["ca_file"],
            ),
            free,
        ),
        slack=SlackGateway(
            SlackConnection("slack_default", token=slack["token"], base_url=slack["url"]), free
        ),
        mode=Mode.LIVE,
    )
