"""Engines for the ledger: one driver, one time zone, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from baton.errors import LedgerUnavailableError, SettingsError
from baton.ledger.database.json_text import json_text

DRIVER = "postgresql+psycopg"
EXAMPLE_URL = "postgresql+psycopg://baton:secret@db.example.com:5432/baton"
CONNECT_TIMEOUT_SECONDS = 10


def ledger_engine(url: str, *, pooled: bool = False, pool_size: int = 4) -> Engine:
    """Return an engine for the ledger at `url`.

    Without a pool (the default) each connection is closed after use: the embedded server has only a
    hundred connections for everybody. Who talks to the ledger all the time (a task, a command that
    runs steps, the pages) passes ``pooled=True`` and disposes of the engine at the end.

    Raises SettingsError if `url` is not a PostgreSQL address.
    """
    parsed = ledger_url(url)
    arguments = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "baton",
        # The lock of a crashed peer must not hold a task until its execution time-out.
        "options": "-c timezone=UTC -c lock_timeout=30s",
    }
    sizes: dict[str, Any] = {"poolclass": NullPool}
    if pooled:
        sizes = {"pool_size": pool_size, "max_overflow": pool_size, "pool_pre_ping": True}
    engine = create_engine(
        parsed,
        connect_args=arguments,
        json_serializer=json_text,
        hide_parameters=True,
        **sizes,
    )
    event.listen(engine, "connect", _no_prepared_statements)
    event.listen(engine, "handle_error", _without_values)
    return engine


def ledger_url(url: str) -> URL:
    """Return `url` with the driver Baton uses; raise SettingsError if it cannot be a ledger."""
    try:
        parsed = make_url(url.strip())
    except ArgumentError:
        # The text itself is not shown: it may hold a password.
        raise SettingsError(
            f"the ledger's database URL cannot be read; it should look like {EXAMPLE_URL}"
        ) from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise SettingsError(
            f"the ledger needs PostgreSQL, not '{parsed.get_backend_name()}'; "
            f"its URL should look like {EXAMPLE_URL}"
        )
    return parsed.set(drivername=DRIVER)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Open one transaction: committed at the end, rolled back on any error.

    Raises LedgerUnavailableError, with the mend, if there is no server or no such database.
    """
    try:
        connection = engine.connect()
    except OperationalError as error:
        raise unavailable(engine, error) from None
    try:
        with connection, connection.begin():
            yield connection
    except DBAPIError as error:
        if error.connection_invalidated:
            raise unavailable(engine, error) from None
        raise


def expect_cheap_lookups(conn: Connection) -> None:
    """Tell the planner, for this transaction, that look-ups by index and some memory cost little.

    PostgreSQL's defaults are those of turning disks and small machines: a page that asks about a
    month would read years, and sort its handoffs on disk.
    """
    conn.exec_driver_sql("SET LOCAL random_page_cost = 1.1; SET LOCAL work_mem = '32MB'")


def check_reachable(engine: Engine) -> None:
    """Raise LedgerUnavailableError, with the mend, unless the ledger's database answers."""
    with transaction(engine) as connection:
        connection.exec_driver_sql("SELECT 1")


def unavailable(engine: Engine, error: DBAPIError) -> LedgerUnavailableError:
    """Say where we looked, what the server answered, and what to do, but never a password."""
    url = engine.url
    socket = url.query.get("host")
    place = url.host or (socket if isinstance(socket, str) else None) or "the local server"
    if url.port:
        place = f"{place}:{url.port}"
    answer = str(error.orig).strip().splitlines()
    reason = answer[-1].strip() if answer else "no answer"
    return LedgerUnavailableError(
        f"the ledger's database '{url.database}' at {place} cannot be reached ({reason}). "
        "Start the embedded server with 'baton db start', or set BATON_DATABASE_URL to the "
        "address of a running PostgreSQL"
    )


def _no_prepared_statements(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # Server-side prepared statements break behind a transaction-pooling proxy (PgBouncer).
    connection.prepare_threshold = None


def _without_values(context: ExceptionContext) -> None:
    """Cut an error of the server down to what holds no values of rows: it may end up in a log.

    PostgreSQL adds the failing row, personal data included, as the error's detail.
    """
    original, wrapped = context.original_exception, context.sqlalchemy_exception
    if not isinstance(original, psycopg.Error) or not original.diag.message_primary:
        return
    where = original.diag.constraint_name or original.diag.table_name
    shown = original.diag.message_primary + (f" ({where})" if where else "")
    original.args = (shown,)
    if wrapped is not None:
        wrapped.args = (f"{type(original).__name__}: {shown}",)
