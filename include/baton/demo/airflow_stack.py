"""A real Airflow on this machine: API server, scheduler, Dag processor and triggerer.

Four processes of their own, not ``airflow standalone``: only the scheduler may import the heavy
libraries beforehand, because its task processes are forked from it.
"""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

import psycopg

from baton.demo.airflow_client import AirflowClient
from baton.demo.airflow_settings import ADMIN, AirflowPlan, AirflowSecrets, prepare_home
from baton.demo.processes import Child, ProcessTable, Running
from baton.errors import BatonError

__all__ = [
    "COMPONENTS",
    "AirflowMigrationError",
    "AirflowStack",
    "free_port",
    "port_is_free",
]

# In the order of their start: whoever takes longest comes first.
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    # Logs are read from the disk; nobody needs the scheduler's and triggerer's log servers.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
_HEALTH_NAMES: Mapping[str, str] = {
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}
_MIGRATE_TIMEOUT_S = 300
_HEALTHY_TIMEOUT_S = 240
_MIGRATED_FILE = "migrated.txt"
_PREFIX = "airflow-"

Progress = Callable[[str, float], None]


class AirflowMigrationError(BatonError):
    """Airflow's own database could not be brought up to date."""


@dataclass(slots=True)
class AirflowStack:
    """Start, watch and stop one Airflow; its processes are kept in `table`."""

    plan: AirflowPlan
    table: ProcessTable

    def prepare(self) -> AirflowSecrets:
        """Write AIRFLOW_HOME and return the keys and log-ins."""
        return prepare_home(self.plan)

    def migrate(self) -> float:
        """Create or upgrade Airflow's metadata tables; return the seconds it took.

        The command takes ten seconds even when it has nothing to do, so it is left out when the
        tables are those that this version of Airflow left behind.

        Raises:
            AirflowMigrationError: with the end of what Airflow said.
        """
        began = time.monotonic()
        stamp = self.plan.home / _MIGRATED_FILE
        before = self._schema()
        if before is not None and stamp.exists() and stamp.read_text() == before:
            return time.monotonic() - began
        done = subprocess.run(
            (sys.executable, "-m", "airflow", "db", "migrate"),
            env=self.plan.environment(),
            cwd=self.plan.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_MIGRATE_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            words = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
            raise AirflowMigrationError(f"`airflow db migrate` failed:\n{words}")
        stamp.write_text(self._schema() or "")
        return time.monotonic() - began

    def start(self, progress: Progress = lambda _name, _seconds: None) -> dict[str, float]:
        """Start every component and wait until all are healthy and the pools are there.

        `progress` is told each component's name and the seconds until it was healthy; the same
        is returned.

        Raises:
            StartError: a component ended, or was not healthy in time; the others are stopped.
        """
        began = time.monotonic()
        started = {name: self.table.start(self._child(name)) for name in COMPONENTS}
        try:
            return self._wait_healthy(started, began, progress)
        except BaseException:
            self.stop()
            raise

    def stop(self, progress: Callable[[str], None] = lambda _name: None) -> list[str]:
        """Stop every component, the scheduler first so that no new task starts."""
        order = ("scheduler", "triggerer", "dag-processor", "api-server")
        return self.table.stop([_PREFIX + name for name in order], progress=progress)

    def client(self, user: str = ADMIN) -> AirflowClient:
        """Return a client of the REST API, logged in as `user`."""
        passwords = prepare_home(self.plan).passwords
        return AirflowClient(self.plan.base_url, user, passwords[user])

    def _pools(self) -> dict[str, tuple[int, str]]:
        # A task whose pool does not exist waits for ever: the file serves containers as well.
        pools = json.loads((self.plan.config_source / "pools.json").read_text())
        return {name: (pool["slots"], pool["description"]) for name, pool in pools.items()}

    def _schema(self) -> str | None:
        """Return Airflow's version and the revision of its tables, None while there are none."""
        url = self.plan.database_url.replace("postgresql+psycopg://", "postgresql://")
        try:
            with psycopg.connect(url, connect_timeout=10) as connection:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.Error:
            return None
        return f"{version('apache-airflow-core')} {row[0]}" if row else None

    def _child(self, name: str) -> Child:
        environment = self.plan.environment()
        if name == "scheduler" and self.plan.preload:
            environment["BATON_PRELOAD"] = "1"
        courtesy = ("nice", "-n", str(self.plan.niceness)) if self.plan.niceness else ()
        return Child(
            name=_PREFIX + name,
            command=(*courtesy, sys.executable, "-m", "airflow", *_ARGUMENTS[name]),
            environment=environment,
            directory=self.plan.home,
            # The scheduler waits for running tasks; demo tasks take seconds.
            grace_s=20.0 if name == "scheduler" else 8.0,
        )

    def _wait_healthy(
        self, started: Mapping[str, Running], began: float, progress: Progress
    ) -> dict[str, float]:
        took: dict[str, float] = {}
        with self.client() as client:

            def healthy(name: str) -> bool:
                seen = client.health()
                if name == "api-server":
                    return bool(seen)
                return seen.get(_HEALTH_NAMES[name]) == "healthy"

            for name, running in started.items():
                probe = functools.partial(healthy, name)
                self.table.wait_ready(running, probe, timeout_s=_HEALTHY_TIMEOUT_S)
                took[name] = time.monotonic() - began
                progress(name, took[name])
                if name == "api-server":
                    client.set_pools(self._pools())
                    client.warm_up()
        return took


def port_is_free(port: int) -> bool:
    """Tell whether a server can listen on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(preferred: int | None = None) -> int:
    """Return `preferred` when it is free, else a port that the system chooses."""
    if preferred is not None and port_is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
