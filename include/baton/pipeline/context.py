"""What a pipeline step needs from outside: ledger, clock, gateways and the mode it runs in."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.engine import Engine

from baton.clock import Clock, SystemClock
from baton.connections import (
    HubSpotConnection,
    RawConnection,
    SalesforceConnection,
    SlackConnection,
)
from baton.crm.hubspot import HubSpotGateway
from baton.crm.salesforce import SalesforceGateway
from baton.ledger.budget.daily_budget import BudgetTerms
from baton.ledger.budget.rate_limits import LedgerRateLimiter
from baton.ledger.database.engine import ledger_engine
from baton.ledger.database.migrate import check_current
from baton.notify.slack import SlackGateway
from baton.settings import Mode, Settings


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Standing(Protocol):
    """Clock and mode alone: what planning in the ledger needs, without any gateway."""

    @property
    def clock(self) -> Clock:
        """Return where instants come from."""
        ...

    @property
    def mode(self) -> Mode:
        """Return the mode it runs in."""
        ...


class LedgerContext(Protocol):
    """Ledger and clock: what a step needs that calls nothing outside."""

    @property
    def engine(self) -> Engine:
        """Return the ledger's engine."""
        ...

    @property
    def clock(self) -> Clock:
        """Return where instants come from."""
        ...


@dataclass(frozen=True, slots=True)
class LedgerOnly:
    """A ledger without any connection: what is to go out goes with the next delivery."""

    engine: Engine
    clock: Clock
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The outside of one task or command.

    `worker` names this process in leases; it is new for each Context, so that a process which
    died and came back never inherits the lease of its former life. `raw_connection` finds the
    connections that only some policies need (those of enrichment providers), by their id. `run`
    names the Airflow run that asks, so that its leads can be found from there. `budget` says which
    part of a day's calls is kept for hot leads. `pages_url` is where people open the pages; empty
    if nobody said.
    """

    engine: Engine
    clock: Clock
    hubspot: HubSpotGateway
    salesforce: SalesforceGateway
    slack: SlackGateway
    mode: Mode
    worker: str = field(default_factory=_worker_name)
    raw_connection: Callable[[str], RawConnection] = RawConnection.from_environment
    run: str | None = None
    budget: BudgetTerms = field(default_factory=BudgetTerms)
    pages_url: str = ""

    @property
    def replays(self) -> bool:
        """Tell whether past time is replayed: then our clock rules, not the servers'."""
        return self.mode is Mode.HISTORY


@dataclass(frozen=True, slots=True)
class Connections:
    """The three connections of the chain."""

    hubspot: HubSpotConnection
    salesforce: SalesforceConnection
    slack: SlackConnection

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Connections:
        """Read the connections from `AIRFLOW_CONN_…` variables.

        Raises:
            MissingConnectionError, SettingsError: with the variable to set and an example.
        """
        return cls(
            HubSpotConnection.from_environment(env),
            SalesforceConnection.from_environment(env),
            SlackConnection.from_environment(env),
        )


def open_context(
    settings: Settings,
    connections: Connections,
    *,
    clock: Clock | None = None,
    mode: Mode | None = None,
    pooled: bool = False,
    raw_connection: Callable[[str], RawConnection] = RawConnection.from_environment,
    run: str | None = None,
) -> Context:
    """Open the ledger and build the gateways; nothing is called outside yet.

    `pooled` keeps the connections that are in use at once, mostly one, until the engine is disposed
    of: every call outside asks the ledger for its turn first, and opening a connection for each
    costs PostgreSQL more than all else of it.

    Raises:
        LedgerUnavailableError: the ledger does not answer.
        MigrationNeededError: its tables are not those of this version.
    """
    engine = ledger_engine(settings.database_url, pooled=pooled)
    check_current(engine)
    budget = BudgetTerms(reserve=settings.hot_reserve)
    limiter = LedgerRateLimiter(engine, terms=budget)
    return Context(
        engine=engine,
        clock=clock or SystemClock(),
        hubspot=HubSpotGateway(connections.hubspot, limiter),
        salesforce=SalesforceGateway(connections.salesforce, limiter),
        slack=SlackGateway(connections.slack, limiter),
        mode=mode or settings.mode,
        raw_connection=raw_connection,
        run=run,
        budget=budget,
        pages_url=settings.pages_url,
    )
