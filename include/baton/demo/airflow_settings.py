"""The environment of a local Airflow: every setting that differs from Airflow's own default."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ADMIN", "VIEWER", "AirflowPlan", "AirflowSecrets", "prepare_home"]

ADMIN = "admin"
VIEWER = "viewer"
_LOCAL_SETTINGS = Path("config") / "airflow_local_settings.py"
_SECRETS_FILE = "secrets.json"
_PASSWORDS_FILE = "passwords.json"


@dataclass(frozen=True, slots=True)
class AirflowSecrets:
    """Generated once per state folder; the log-ins are those of the Airflow UI."""

    fernet_key: str
    jwt_secret: str
    secret_key: str
    passwords: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowPlan:
    """A local Airflow to start.

    `variables` go to every component: connections (AIRFLOW_CONN_…) and Baton's own settings.
    `database_url` is a SQLAlchemy URL with the psycopg driver, which serves both the synchronous
    and the asynchronous half of Airflow. `niceness` above 0 lets others go first (see nice(1)).
    """

    home: Path
    dags_folder: Path
    plugins_folder: Path
    config_source: Path
    database_url: str
    api_port: int
    variables: Mapping[str, str] = field(default_factory=dict)
    parallelism: int = 4
    preload: bool = True
    paused_at_creation: bool = True
    parse_every_s: int = 30
    idle_sleep_s: float = 0.2
    niceness: int = 0

    @property
    def base_url(self) -> str:
        """The address of the UI and the REST API."""
        return f"http://127.0.0.1:{self.api_port}"

    def environment(self, given: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of every component: `given` (os.environ) without its AIRFLOW_…,
        then the settings of this plan, then `variables`.
        """
        inherited = os.environ if given is None else given
        # Someone's own Airflow settings must not leak into this one; connections are passed on.
        kept = {
            name: value
            for name, value in inherited.items()
            if not name.startswith("AIRFLOW_") or name.startswith("AIRFLOW_CONN_")
        }
        kept.pop("BATON_PRELOAD", None)
        return {
            **kept,
            **self._process_settings(kept),
            **self._airflow_settings(),
            **self.variables,
        }

    def _process_settings(self, kept: Mapping[str, str]) -> dict[str, str]:
        local = "127.0.0.1,localhost"
        before = kept.get("NO_PROXY") or kept.get("no_proxy")
        no_proxy = f"{before},{local}" if before else local
        return {
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
            "GX_ANALYTICS_ENABLED": "false",
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", ""))),
            "PYTHONUNBUFFERED": "1",
            # Two cores do not get faster by threads inside numpy, and forks stay cheap.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }

    def _airflow_settings(self) -> dict[str, str]:
        keys = read_secrets(self.home)
        settings = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags_folder),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.plugins_folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(self.parallelism),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(self.paused_at_creation),
            "AIRFLOW__CORE__FERNET_KEY": keys.fernet_key,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin,{VIEWER}:viewer",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / _PASSWORDS_FILE),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.base_url}/execution/",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.api_port),
            "AIRFLOW__API__BASE_URL": self.base_url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": keys.secret_key,
            "AIRFLOW__API__INSTANCE_NAME": "Baton",
            "AIRFLOW__API_AUTH__JWT_SECRET": keys.jwt_secret,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database_url,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": self.database_url,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "3",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW": "5",
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "great_expectations=WARNING",
            # Idle sleep is what stands between two tasks: a second by default.
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": str(self.idle_sleep_s),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "10",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "120",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "30",
            # A supervisor that sees its task's sockets close before its exit looks again only after
            # this interval (5 s by default): so long the worker would stand idle after each task.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            # A busy machine answers late; giving up after 5 s (the default) only asks twice.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(self.parse_every_s),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": str(self.parse_every_s),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        if sys.platform == "linux":
            # Python 3.14 would spawn, and every task would import everything again.
            settings["AIRFLOW__SCHEDULER__MP_START_METHOD"] = "fork"
        return settings


def prepare_home(plan: AirflowPlan) -> AirflowSecrets:
    """Write AIRFLOW_HOME: generated keys and log-ins (kept when there), local settings."""
    plan.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = plan.home / "config"
    config.mkdir(exist_ok=True)
    shutil.copyfile(plan.config_source / _LOCAL_SETTINGS.name, config / _LOCAL_SETTINGS.name)
    if not (plan.home / _SECRETS_FILE).exists():
        _write_private(
            plan.home / _SECRETS_FILE,
            {
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "jwt_secret": secrets.token_urlsafe(48),
                "secret_key": secrets.token_urlsafe(48),
            },
        )
    if not (plan.home / _PASSWORDS_FILE).exists():
        passwords = {user: secrets.token_urlsafe(9) for user in (ADMIN, VIEWER)}
        _write_private(plan.home / _PASSWORDS_FILE, passwords)
    return read_secrets(plan.home)


def read_secrets(home: Path) -> AirflowSecrets:
    """Return what `prepare_home` wrote."""
    keys = json.loads((home / _SECRETS_FILE).read_text())
    passwords = json.loads((home / _PASSWORDS_FILE).read_text())
    return AirflowSecrets(**keys, passwords=passwords)


def _write_private(path: Path, content: Mapping[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(dict(content), file)
