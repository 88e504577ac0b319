"""PostgreSQL for the tests, as a pytest plugin.

One embedded server serves a whole test run: the first process that needs it starts it and migrates
a template database, the last one that used it stops it and deletes its data. Each test that asks
for `ledger_url` gets an empty database that nobody else has (see `tests.kept_ledgers`);
`ledger_conn` is a transaction that is rolled back at the end, in a few milliseconds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Connection, Engine
from tests.kept_ledgers import KeptLedgers

from baton.ledger.database import embedded, migrate
from baton.ledger.database import engine as engines

TEMPLATE = "baton_template"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[embedded.DatabaseAddress]:
    """The server of this test run, shared by all its workers."""
    directory = _run_directory()
    with _locked(directory):
        _sweep(directory.parent)
        server = embedded.start(directory / "pg", durable=False)
        if embedded.ensure_database(server.address, TEMPLATE):
            migrate.upgrade(server.address.url(TEMPLATE))
        _join(directory)
    yield server.address
    with _locked(directory):
        if not _leave(directory):
            embedded.stop(directory / "pg")
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def new_database(postgres_server: embedded.DatabaseAddress) -> Callable[..., str]:
    """A function that creates an empty database and returns its SQLAlchemy URL."""

    def create(name: str | None = None, *, template: str | None = None) -> str:
        chosen = name or f"t_{uuid.uuid4().hex[:12]}"
        embedded.ensure_database(postgres_server, chosen, template=template)
        return postgres_server.url(chosen)

    return create


@pytest.fixture
def empty_url(
    postgres_server: embedded.DatabaseAddress, new_database: Callable[..., str]
) -> Iterator[str]:
    """The URL of a database without any table, dropped after the test."""
    url = new_database()
    yield url
    embedded.drop_database(postgres_server, engines.ledger_url(url).database or "")


@pytest.fixture(scope="session")
def _ledgers(
    postgres_server: embedded.DatabaseAddress, new_database: Callable[..., str]
) -> KeptLedgers:
    return KeptLedgers(postgres_server, lambda: new_database(template=TEMPLATE))


@pytest.fixture
def ledger_url(_ledgers: KeptLedgers) -> Iterator[str]:
    """The URL of a migrated, empty ledger that is this test's alone."""
    ledger = _ledgers.take()
    yield ledger.url
    _ledgers.give_back(ledger)


@pytest.fixture(scope="session")
def _engines() -> dict[str, Engine]:
    """An engine for each ledger: it remembers how each statement is compiled."""
    return {}


@pytest.fixture
def ledger_engine(ledger_url: str, _engines: dict[str, Engine]) -> Iterator[Engine]:
    """An engine for this test's own ledger, without connections; commits are allowed."""
    engine = _engines.get(ledger_url)
    if engine is None:
        engine = engines.ledger_engine(ledger_url, pooled=True, pool_size=8)
        _engines[ledger_url] = engine
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _worker_engine(new_database: Callable[..., str]) -> Iterator[Engine]:
    engine = engines.ledger_engine(new_database(template=TEMPLATE), pooled=True, pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger_conn(_worker_engine: Engine) -> Iterator[Connection]:
    """A connection to an empty ledger, in a transaction that is rolled back after the test."""
    with _worker_engine.connect() as connection:
        outer = connection.begin()
        yield connection
        if outer.is_active:
            outer.rollback()


def _run_directory() -> Path:
    # Outside the clone, because PostgreSQL must be able to enter every parent folder when the
    # super-user runs the tests, and short, because a socket's path may not be long.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}-{uuid.uuid4().hex[:6]}"
    base = Path(tempfile.gettempdir()) / f"baton-tests-{os.getuid()}"
    base.mkdir(exist_ok=True)
    directory = base / run[:16]
    directory.mkdir(exist_ok=True)
    return directory


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with (directory.parent / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _users(directory: Path) -> set[int]:
    try:
        listed = (directory / "users").read_text().split()
    except FileNotFoundError:
        return set()
    return {int(pid) for pid in listed if psutil.pid_exists(int(pid))}


def _join(directory: Path) -> None:
    users = _users(directory) | {os.getpid()}
    (directory / "users").write_text(" ".join(map(str, sorted(users))))


def _leave(directory: Path) -> set[int]:
    users = _users(directory) - {os.getpid()}
    (directory / "users").write_text(" ".join(map(str, sorted(users))))
    return users


def _sweep(base: Path) -> None:
    """Stop and delete what killed test runs have left behind."""
    for directory in base.iterdir():
        left_behind = (directory / "users").exists() and not _users(directory)
        if directory.is_dir() and left_behind:
            embedded.stop(directory / "pg")
            shutil.rmtree(directory, ignore_errors=True)
