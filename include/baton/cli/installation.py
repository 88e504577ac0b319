"""Which installation a command works on: that of the environment, else the running demo."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from baton.pipeline.context import Context, LedgerOnly
    from baton.settings import Settings

__all__ = ["environment", "ledger", "ledger_context", "pipeline_context", "settings"]

_LEDGER = "BATON_DATABASE_URL"


def environment() -> Mapping[str, str]:
    """Return the environment, completed by the running demo's when it names no ledger.

    All or nothing: a ledger of one installation never meets the connections of another.
    """
    given = dict(os.environ)
    if given.get(_LEDGER, "").strip():
        return given
    from baton.demo.attachment import find_demo

    demo = find_demo(given)
    return given if demo is None else {**given, **demo.variables}


def settings() -> Settings:
    """Return the settings. Raises SettingsError, which says what to set."""
    from baton.settings import Settings

    return Settings.from_environment(environment())


@contextmanager
def ledger() -> Iterator[Connection]:
    """Open one transaction on the ledger, after checking that its tables are ours.

    Raises:
        SettingsError: no ledger is named.
        LedgerUnavailableError, MigrationNeededError: it does not answer, or needs migrating.
    """
    from baton.ledger.database.engine import transaction

    with ledger_context() as desk, transaction(desk.engine) as conn:
        yield conn


@contextmanager
def ledger_context() -> Iterator[LedgerOnly]:
    """Open the ledger for steps that call nothing outside: no connection is needed.

    Raises:
        SettingsError: no ledger is named.
        LedgerUnavailableError, MigrationNeededError: it does not answer, or needs migrating.
    """
    from baton.clock import SystemClock
    from baton.ledger.database.engine import ledger_engine
    from baton.ledger.database.migrate import check_current
    from baton.pipeline.context import LedgerOnly

    found = settings()
    engine = ledger_engine(found.database_url)
    try:
        check_current(engine)
        yield LedgerOnly(engine, SystemClock(), found.mode)
    finally:
        engine.dispose()


@contextmanager
def pipeline_context() -> Iterator[Context]:
    """Open ledger and gateways for pipeline steps.

    Raises:
        ConfigurationError: a setting or connection is missing.
        LedgerUnavailableError, MigrationNeededError: the ledger is not ready.
    """
    from baton.pipeline.context import Connections, open_context
    from baton.settings import Settings

    env = environment()
    found = Settings.from_environment(env)
    ctx = open_context(found, Connections.from_environment(env), pooled=True)
    try:
        yield ctx
    finally:
        ctx.engine.dispose()
