"""What the chain is measured on: a sandbox process, an embedded PostgreSQL, and contexts on both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from deciding import POLICY, ROSTER, SHIPPED

from baton.clock import Clock, SystemClock
from baton.connections import HubSpotConnection, SalesforceConnection, SlackConnection
from baton.crm.hubspot import HubSpotGateway
from baton.crm.salesforce import SalesforceGateway
from baton.ledger.database import embedded, migrate
from baton.ledger.database.engine import ledger_engine, transaction
from baton.notify.slack import SlackGateway
from baton.pipeline.context import Context
from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.loader import read_bundle
from baton.settings import Mode
from baton.transport import RateLimiter, UnlimitedRate

UNBOUND = (
    "--hubspot-burst",
    "1000000",
    "--hubspot-search",
    "1000000",
    "--hubspot-daily",
    "9999999",
)
"""Options of a sandbox that limits nothing, as the real systems will not."""


@dataclass(frozen=True)
class Stage:
    """The ledger's address, and where the sandbox `process` listens with which credentials."""

    database_url: str
    where: dict[str, Any]
    process: int
    data: Path

    @property
    def admin(self) -> str:
        """Return the address of the sandbox's admin port."""
        return str(self.where["admin"]["url"])

    def context(self, *, clock: Clock | None = None, limiter: RateLimiter | None = None) -> Context:
        """Return a context as a new task would open it."""
        return context(self.database_url, self.where, clock=clock, limiter=limiter)

    def prepare(self, ctx: Context) -> None:
        """Activate the shipped policy and roster, create what HubSpot needs."""
        with transaction(ctx.engine) as conn:
            now = ctx.clock.now()
            activate_policy(conn, read_bundle(SHIPPED), by="benchmark", at=now, parent=None)
            adopt_roster(conn, ROSTER, by="benchmark", at=now)
        setup_hubspot(ctx.hubspot, hubspot_plan(POLICY))

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the requests that the sandbox has served after that number."""
        answer = httpx.get(f"{self.admin}/requests", params={"since": since}, timeout=60).json()
        found: list[dict[str, Any]] = answer["requests"]
        return found

    def load(self, contacts: list[dict[str, str | None]]) -> None:
        """Put contacts into HubSpot beside its API."""
        for start in range(0, len(contacts), 2000):
            part = contacts[start : start + 2000]
            url = f"{self.admin}/hubspot/contacts/load"
            loaded = httpx.post(url, json={"contacts": part}, timeout=300).json()
            if loaded["created"] != len(part):
                raise RuntimeError(f"not all contacts were loaded: {loaded['refused'][:3]}")

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the sandbox's process so far."""
        return _cpu(_stat(self.process), ended=False)

    def database_cpu_seconds(self) -> float:
        """Return the CPU seconds of the database's processes so far, those that have ended too."""
        server = int((self.data / "postmaster.pid").read_text().split()[0])
        mine = [one for one in map(_stat, _processes()) if one and one[1] == str(server)]
        return _cpu(_stat(server), ended=True) + sum(_cpu(one, ended=False) for one in mine)


@contextmanager
def stage(*options: str) -> Iterator[Stage]:
    """Start an empty, migrated ledger and a sandbox with these options; stop both at the end."""
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "postgres"
        server = embedded.start(data)
        try:
            migrate.upgrade(server.address.ledger())
            command = [sys.executable, "-m", "crm_sandbox", "serve", "--json", "--with-parent"]
            with subprocess.Popen(
                [*command, *options], stdout=subprocess.PIPE, text=True
            ) as sandbox:
                try:
                    assert sandbox.stdout is not None
                    where = json.loads(sandbox.stdout.readline())
                    yield Stage(server.address.ledger(), where, sandbox.pid, data)
                finally:
                    sandbox.terminate()
        finally:
            embedded.stop(data)


def context(
    database_url: str,
    where: dict[str, Any],
    *,
    clock: Clock | None = None,
    limiter: RateLimiter | None = None,
) -> Context:
    """Return a context on a sandbox, without limits of ours unless a limiter is given."""
    rate = limiter or UnlimitedRate()
    hubspot, salesforce, slack = where["hubspot"], where["salesforce"], where["slack"]
    return Context(
        engine=ledger_engine(database_url, pooled=True),
        clock=clock or SystemClock(),
        hubspot=HubSpotGateway(
            HubSpotConnection("hubspot_default", token=hubspot["token"], host=hubspot["url"]), rate
        ),
        salesforce=SalesforceGateway(
            SalesforceConnection(
                "salesforce_default",
                login_url=salesforce["login_url"],
                consumer_key=salesforce["consumer_key"],
                consumer_secret=salesforce["consumer_secret"],
                ca_file=salesforce["ca_file"],
            ),
            rate,
        ),
        slack=SlackGateway(
            SlackConnection("slack_default", token=slack["token"], base_url=slack["url"]), rate
        ),
        mode=Mode.LIVE,
    )


def bare_salesforce(where: dict[str, Any]) -> Any:
    """Return simple-salesforce as anybody would use it, logged in to the sandbox's org."""
    import requests
    from simple_salesforce.api import Salesforce

    salesforce = where["salesforce"]
    session = requests.Session()
    session.verify = salesforce["ca_file"]
    session.trust_env = False
    answer = session.post(
        f"{salesforce['login_url']}/services/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": salesforce["consumer_key"],
            "client_secret": salesforce["consumer_secret"],
        },
        timeout=30,
    ).json()
    return Salesforce(
        session_id=answer["access_token"], instance_url=answer["instance_url"], session=session
    )


def _processes() -> list[int]:
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]


def _stat(process: int) -> list[str]:
    """Return what /proc says of a process, from its state on; nothing when it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu(stat: list[str], *, ended: bool) -> float:
    """Return CPU seconds; with `ended` those of children that have ended too."""
    ticks = stat[11:15] if ended else stat[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)
