"""A whole installation for tests: a sandbox, and a ledger with policy and roster, joined.

The sandbox is one of its own, served from a thread: a test may let people act in it as they would
in HubSpot and Salesforce, without the API and its log-in in between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
from tests.contract.sandbox_server import SandboxServer

from baton.connections import HubSpotConnection
from baton.crm.hubspot import HubSpotGateway
from baton.ledger.agreements import policies, rosters
from baton.ledger.database.engine import ledger_engine, transaction
from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot
from baton.policy.bundle import read_bundle
from baton.policy.loader import parse_policy, read_roster
from baton.settings import SHIPPED_POLICY_DIR
from baton.transport import UnlimitedRate
from crm_sandbox.hubspot.limits import LimitPlan
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.world import ServeOptions, World

T = TypeVar("T")

ROOMY = LimitPlan(ten_secondly=100_000, search_per_second=100_000, daily=9_999_999)


@dataclass(frozen=True)
class Installation:
    """A sandbox and a ledger that belong together."""

    ledger_url: str
    server: SandboxServer
    thread: SandboxThread

    def environment(self) -> dict[str, str]:
        """Return the variables that a process of Baton needs."""
        return self.server.connections() | {"BATON_DATABASE_URL": self.ledger_url}

    def act(self, deed: Callable[[World], T], *, timeout_s: float = 30.0) -> T:
        """Do something in the sandbox as a person would, between two requests; return its result."""
        loop = self.thread._loop
        assert loop is not None, "the sandbox does not run"
        done = threading.Event()
        results: list[T] = []
        errors: list[BaseException] = []

        def do() -> None:
            try:
                results.append(deed(self.thread.world))
            except BaseException as error:
                errors.append(error)
            finally:
                done.set()

        loop.call_soon_threadsafe(do)
        assert done.wait(timeout_s), "the sandbox does not get round to it"
        if errors:
            raise errors[0]
        return results[0]

    def submit_form(self, form: str, **values: str) -> str:
        """Submit a form on the website; return the contact's id."""
        answer = self.server.admin.post(
            "/hubspot/forms/submit", json={"form": form, "values": values}
        )
        answer.raise_for_status()
        return str(answer.json()["contact_id"])

    def request_demo(self, **values: str) -> str:
        """Ask for a demo as the website's form does; return the contact's id."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return self.submit_form("Demo request", demo_requested_at=now, **values)

    def contact(self, contact_id: str) -> dict[str, str | None]:
        """Return a contact's properties, as somebody in HubSpot sees them."""
        found = self.act(lambda world: world.portal.get("contacts", contact_id))
        assert found is not None
        return dict(found.properties)

    def salesforce(self, sobject: str, **equals: Any) -> list[dict[str, Any]]:
        """Return the Salesforce records with these field values, Owner's e-mail as `owner`."""

        def look(world: World) -> list[dict[str, Any]]:
            emails = {user["Id"]: user["Email"] for user in world.org.rows("User")}
            return [
                {**row, "owner": emails.get(row.get("OwnerId"))}
                for row in world.org.rows(sobject)
                if all(row.get(name) == value for name, value in equals.items())
            ]

        return self.act(look)

    def answer_lead(self, lead_id: str, **fields: Any) -> None:
        """Let the owner of a Salesforce lead fill in its fields."""

        def answer(world: World) -> None:
            owner = world.org.get("Lead", lead_id)["OwnerId"]
            world.org.update("Lead", lead_id, fields, by=owner)

        self.act(answer)


@contextmanager
def installation(
    ledger_url: str, *, search_lag_s: float = 0.0, overlay: Path | None = None
) -> Iterator[Installation]:
    """Serve a sandbox, put policy and roster into the (migrated, empty) ledger, set HubSpot up."""
    options = ServeOptions(search_lag_seconds=search_lag_s, limits=ROOMY)
    with SandboxThread(options) as thread:
        where = thread.description
        with httpx.Client(base_url=where["admin"]["url"], trust_env=False) as admin:
            joined = Installation(ledger_url, SandboxServer(where, admin), thread)
            _agree(ledger_url, overlay, joined.server.connections())
            yield joined


def _agree(ledger_url: str, overlay: Path | None, connections: dict[str, str]) -> None:
    at = datetime.now(UTC)
    bundle = read_bundle(SHIPPED_POLICY_DIR, overlay)
    engine = ledger_engine(ledger_url)
    with transaction(engine) as conn:
        policies.store(conn, bundle, at=at)
        policies.activate(conn, bundle.hash, parent=None, by="tests", at=at)
        rosters.store(conn, read_roster(SHIPPED_POLICY_DIR / "roster.yaml"), by="tests", at=at)
    engine.dispose()
    gateway = HubSpotGateway(HubSpotConnection.from_environment(connections), UnlimitedRate())
    setup_hubspot(gateway, hubspot_plan(parse_policy(bundle)))
