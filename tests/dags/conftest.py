"""One Airflow for the tests of this folder, with its own database, joined to a sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from tests.installation import Installation, installation

from baton.demo.airflow_settings import AirflowPlan, prepare_home

PROJECT = Path(__file__).resolve().parents[2]
DAGS = PROJECT / "dags"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class DagRunResult:
    """How a run went: its state, its tasks' states, and what the tasks handed to Airflow."""

    state: str
    tasks: dict[str, str]
    returned: dict[str, Any]


class AirflowProcess:
    """The process that has parsed the Dags and runs them on demand."""

    def __init__(self, process: subprocess.Popen[str], log: IO[str]) -> None:
        self._process, self._log = process, log
        described = self._read()
        self.dags: dict[str, dict[str, Any]] = described["dags"]
        self.import_errors: dict[str, str] = described["import_errors"]
        self.parse_costs: dict[str, dict[str, Any]] = described["parse_costs"]

    def run(self, dag_id: str) -> DagRunResult:
        """Run a Dag from beginning to end with `dag.test()`."""
        assert self._process.stdin is not None
        print(json.dumps({"run": dag_id}), file=self._process.stdin, flush=True)
        return DagRunResult(**self._read())

    def log(self) -> str:
        """Return everything that Airflow and the tasks have logged."""
        self._log.seek(0)
        return self._log.read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"Airflow ended:\n{self.log()[-3000:]}"
        answer: dict[str, Any] = json.loads(line)
        return answer


@pytest.fixture(scope="session")
def relay(new_database: Callable[..., str]) -> Iterator[Installation]:
    """A sandbox and a ledger for the runs of this folder. Clocks run in seconds."""
    ledger_url = new_database(template="baton_template")
    with installation(ledger_url, overlay=HERE / "clocks_in_seconds.yaml") as joined:
        yield joined


@pytest.fixture(scope="session")
def airflow(
    relay: Installation,
    new_database: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[AirflowProcess]:
    """Airflow with a migrated database of its own, the Dags parsed."""
    plan = AirflowPlan(
        home=tmp_path_factory.mktemp("airflow"),
        dags_folder=DAGS,
        plugins_folder=PROJECT / "plugins",
        config_source=PROJECT / "config",
        database_url=new_database(),
        api_port=9,  # nobody listens: `dag.test()` needs no API server
        variables=relay.environment(),
    )
    prepare_home(plan)
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "airflow_process.py"), str(DAGS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=plan.home,
            env=plan.environment(),
        )
        try:
            yield AirflowProcess(process, log)
        finally:
            assert process.stdin is not None
            assert process.stdout is not None
            # It has nothing to finish; a proper end would take Airflow seconds.
            process.kill()
            process.wait(10)
            process.stdin.close()
            process.stdout.close()
