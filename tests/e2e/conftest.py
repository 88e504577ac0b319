"""One real Airflow for the tests of this folder, joined to a sandbox whose search index lags."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from psycopg import sql
from tests.e2e.live import LiveRelay
from tests.installation import installation

from baton.demo.airflow_settings import AirflowPlan
from baton.demo.airflow_stack import AirflowStack, free_port
from baton.demo.processes import ProcessTable, wait_until
from baton.ledger.database import embedded, migrate

PROJECT = Path(__file__).resolve().parents[2]
SEARCH_LAG_SECONDS = 2.0
START_SECONDS = 120.0
DAGS = {file.stem for file in (PROJECT / "dags").glob("*.py")}


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the components of Airflow print to."""
    return tmp_path_factory.mktemp("process-logs")


@pytest.fixture(scope="session")
def own_server() -> Iterator[embedded.EmbeddedServer]:
    """A PostgreSQL that these tests may stop and start: nobody else is on it."""
    folder = Path(tempfile.mkdtemp(prefix="baton-e2e-"))
    server = embedded.start(folder / "pg")
    with server.address.connect("postgres") as connection:
        # Commits must survive the end of the server, not that of the machine.
        for setting in ("fsync", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    migrate.upgrade(server.address.ledger())
    try:
        yield server
    finally:
        embedded.stop(server.data_dir)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def live(
    own_server: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> Iterator[LiveRelay]:
    """API server, scheduler, Dag processor and triggerer; afterwards nothing of them is left."""
    home = tmp_path_factory.mktemp("airflow")
    table = ProcessTable(tmp_path_factory.mktemp("run"), logs)
    with installation(own_server.address.ledger(), search_lag_s=SEARCH_LAG_SECONDS) as joined:
        stack = AirflowStack(
            AirflowPlan(
                home=home,
                dags_folder=PROJECT / "dags",
                plugins_folder=PROJECT / "plugins",
                config_source=PROJECT / "config",
                database_url=own_server.address.airflow(),
                api_port=free_port(),
                variables=joined.environment(),
            ),
            table,
        )
        stack.prepare()
        took = {"migrate": stack.migrate()}
        try:
            took |= stack.start()
            with stack.client() as client:
                yield LiveRelay(stack, joined, client, own_server.data_dir, took)
        finally:
            stack.stop()
            table.stop()
    assert table.running() == []
    assert _left_over(home) == []


@pytest.fixture(scope="session")
def running(live: LiveRelay) -> LiveRelay:
    """All Dags are known, the references have been read, and `lead_handoff` waits for leads."""
    assert wait_until(lambda: live.client.dag_ids() == DAGS, timeout_s=START_SECONDS, every_s=0.5)
    assert live.client.import_errors() == []
    live.client.pause("crm_reference_sync", paused=False)
    assert wait_until(
        lambda: has_succeeded(live, "crm_reference_sync"), timeout_s=START_SECONDS, every_s=0.5
    )
    live.client.pause("lead_handoff", paused=False)
    # The first run reads everything there is; from then on the trigger watches.
    assert wait_until(
        lambda: has_succeeded(live, "lead_handoff"), timeout_s=START_SECONDS, every_s=0.5
    )
    assert wait_until(lambda: trigger_looks(live), timeout_s=START_SECONDS, every_s=0.2)
    return live


def has_succeeded(live: LiveRelay, dag_id: str) -> bool:
    """Tell whether one of the latest runs of a Dag has succeeded."""
    return any(run["state"] == "success" for run in live.client.runs(dag_id, limit=5))


def trigger_looks(live: LiveRelay) -> bool:
    """Tell whether the trigger has asked HubSpot's search at least twice: its first look is over."""
    rows = live.installation.server.requests("hubspot")
    return sum(row["path"].endswith("/contacts/search") for row in rows) >= 3


def _left_over(home: Path) -> list[str]:
    """Return the processes that still run with this AIRFLOW_HOME, other than this one."""
    found = []
    for process in psutil.process_iter(["pid", "name"]):
        try:
            if process.pid != os.getpid() and process.environ().get("AIRFLOW_HOME") == str(home):
                found.append(f"{process.pid} {process.info['name']}")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
