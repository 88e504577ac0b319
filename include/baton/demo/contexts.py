"""Opening the pipeline for the demo: one pooled connection, no limits while time stands still."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine

from baton.clock import Clock
from baton.crm.hubspot import HubSpotGateway
from baton.crm.salesforce import SalesforceGateway
from baton.ledger.budget.rate_limits import LedgerRateLimiter
from baton.ledger.database.engine import ledger_engine
from baton.notify.slack import SlackGateway
from baton.pipeline.context import Connections, Context
from baton.settings import Mode
from baton.transport import RateLimiter, UnlimitedRate

__all__ = ["demo_engine", "open_demo"]


def demo_engine(url: str) -> Engine:
    """Return a pooled engine that does not wait for the disk at each commit.

    A demo that loses its last second to a crash of the machine starts anew anyway; the server
    itself stays durable for everybody else.
    """
    relaxed = "&" if "?" in url else "?"
    return ledger_engine(f"{url}{relaxed}options=-csynchronous_commit%3Doff", pooled=True)


def open_demo(
    engine: Engine,
    variables: Mapping[str, str],
    clock: Clock,
    *,
    mode: Mode,
    limited: bool = True,
) -> Context:
    """Return a Context on the sandbox whose connections stand in `variables`.

    `limited` False is for replays: the sandbox measures no calls while its clock stands still,
    and waiting for a rate would only make the replay slow.
    """
    limiter: RateLimiter = LedgerRateLimiter(engine) if limited else UnlimitedRate()
    connections = Connections.from_environment(variables)
    return Context(
        engine=engine,
        clock=clock,
        hubspot=HubSpotGateway(connections.hubspot, limiter),
        salesforce=SalesforceGateway(connections.salesforce, limiter),
        slack=SlackGateway(connections.slack, limiter),
        mode=mode,
    )
