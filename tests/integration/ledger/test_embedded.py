from __future__ import annotations

import os
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from baton.errors import ConfigurationError
from baton.ledger.database import embedded, migrate
from baton.ledger.database.embedded import DatabaseAddress
from baton.ledger.database.engine import ledger_engine


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Short, and open to another user: pytest's own directories are neither.
    with tempfile.TemporaryDirectory(prefix="baton-pg-") as folder:
        yield Path(folder) / "pg"
        embedded.stop(Path(folder) / "pg")


def test_it_starts_is_private_survives_a_crash_and_stops(data_dir: Path) -> None:
    server = embedded.start(data_dir, durable=False)
    assert server.address.host == str(data_dir.resolve())
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert not [one for one in psutil.Process(server.pid).net_connections() if one.family != 1]
    assert embedded.start(data_dir) == server
    with server.address.connect("baton") as conn:
        conn.execute("CREATE TABLE kept (x int)")
        conn.execute("CHECKPOINT")
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(server.pid)] if psutil.pid_exists(server.pid) else [], 10)
    again = embedded.start(data_dir, durable=False)
    assert again.pid != server.pid
    with again.address.connect("baton") as conn:
        assert conn.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert embedded.stop(data_dir)
    assert embedded.status(data_dir) is None
    assert not embedded.stop(data_dir)


def test_a_started_server_has_both_databases_and_takes_the_migrations(data_dir: Path) -> None:
    assert embedded.status(data_dir) is None
    server = embedded.start(data_dir, durable=False)
    assert migrate.upgrade(server.address.ledger()) == migrate.head()
    migrate.check_current(ledger_engine(server.address.ledger()))
    with server.address.connect("airflow") as conn:
        assert conn.execute("SELECT current_database()").fetchone() == ("airflow",)
    assert embedded.ensure_database(server.address, "airflow") is False


def test_a_path_too_long_for_a_socket_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="BATON_DATA_DIR"):
        embedded.start(tmp_path / ("x" * 100))


def test_data_of_another_version_is_left_alone(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "PG_VERSION").write_text("9\n")
    began = time.monotonic()
    with pytest.raises(ConfigurationError, match="made by PostgreSQL 9"):
        embedded.start(data_dir)
    assert time.monotonic() - began < 5


def test_addresses_over_tcp_and_over_a_socket() -> None:
    tcp = DatabaseAddress("127.0.0.1", 6432, "baton", "secret")
    assert tcp.ledger() == "postgresql+psycopg://baton:secret@127.0.0.1:6432/baton"
    assert tcp.airflow_async() == "postgresql+psycopg://baton:secret@127.0.0.1:6432/airflow"
    socket = DatabaseAddress("/run/pg")
    assert socket.airflow() == "postgresql+psycopg://postgres@/airflow?host=/run/pg"
    assert "secret" not in repr(tcp)


def test_where_the_data_live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert embedded.default_data_dir({}) == tmp_path / "baton" / "postgres"
    home = {"BATON_HOME": str(tmp_path / "home")}
    assert embedded.default_data_dir(home) == tmp_path / "home" / "ledger" / "postgres"
    given = home | {"BATON_DATA_DIR": str(tmp_path)}
    assert embedded.default_data_dir(given) == tmp_path / "postgres"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert embedded.default_data_dir({}) == Path("/var/lib/baton/postgres")


def test_a_variable_does_not_hide_a_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    home = {"BATON_HOME": str(tmp_path / "home")}
    usual, place = tmp_path / "baton" / "postgres", tmp_path / "home" / "ledger" / "postgres"
    for one, meant in ((usual, usual), (place, place)):
        one.mkdir(parents=True)
        (one / "PG_VERSION").write_text("16")
        assert embedded.default_data_dir(home) == meant
