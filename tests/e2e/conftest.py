"""One real Airflow for the tests of this folder, joined to a sandbox whose search index lags."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from tests.installation import Installation, installation

from baton.demo.airflow_client import AirflowClient
from baton.demo.airflow_settings import AirflowPlan
from baton.demo.airflow_stack import AirflowStack, free_port
from baton.demo.processes import ProcessTable

PROJECT = Path(__file__).resolve().parents[2]
SEARCH_LAG_SECONDS = 2.0


@dataclass(frozen=True)
class LiveRelay:
    """A running Airflow and what it is joined to."""

    stack: AirflowStack
    installation: Installation
    client: AirflowClient
    started_in: dict[str, float] = field(default_factory=dict)

    def task_logs(self) -> str:
        """Return every log that a task or the trigger has written."""
        found = sorted((self.stack.plan.home / "logs").rglob("*.log"))
        return "\n".join(log.read_text(errors="replace") for log in found)

    def process_logs(self, folder: Path) -> str:
        """Return what the components of Airflow have printed."""
        return "\n".join(log.read_text(errors="replace") for log in folder.glob("*.log"))


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the components of Airflow print to."""
    return tmp_path_factory.mktemp("process-logs")


@pytest.fixture(scope="session")
def live(
    new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> Iterator[LiveRelay]:
    """API server, scheduler, Dag processor and triggerer; afterwards nothing of them is left."""
    home = tmp_path_factory.mktemp("airflow")
    table = ProcessTable(tmp_path_factory.mktemp("run"), logs)
    ledger_url = new_database(template="baton_template")
    with installation(ledger_url, search_lag_s=SEARCH_LAG_SECONDS) as joined:
        stack = AirflowStack(
            AirflowPlan(
                home=home,
                dags_folder=PROJECT / "dags",
                plugins_folder=PROJECT / "plugins",
                config_source=PROJECT / "config",
                database_url=new_database(),
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
                yield LiveRelay(stack, joined, client, took)
        finally:
            stack.stop()
    assert table.running() == []
    assert _left_over(home) == []


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
