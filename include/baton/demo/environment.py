"""Where the demo keeps what it needs: one folder per clone, never inside the clone."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from baton.errors import SettingsError

__all__ = ["StateFolders", "project_root", "state_home"]

_CLONE_MARKS = ("dags", "include/policy")


@dataclass(frozen=True, slots=True)
class StateFolders:
    """The folders under one state home. All but the database's are closed to other users.

    Embedded PostgreSQL, run as root, opens every folder above its data to all users. Secrets and
    logs therefore stand beside the database, each in a closed folder, never above it.
    """

    home: Path

    @property
    def postgres(self) -> Path:
        """Data of the embedded PostgreSQL server."""
        return self.home / "postgres"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME: configuration, log-ins, task logs."""
        return self.home / "airflow"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """Process records and the lock."""
        return self.home / "run"

    @property
    def sandbox(self) -> Path:
        """What the sandbox writes: its certificate authority, its addresses."""
        return self.home / "sandbox"

    def create(self) -> StateFolders:
        """Create what is missing and close what must be closed; return self.

        Raises:
            SettingsError: the folder cannot be made or belongs to someone else.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.airflow, self.logs, self.run, self.sandbox):
                folder.mkdir(exist_ok=True, mode=0o700)
                folder.chmod(0o700)
        except OSError as error:
            raise SettingsError(
                f"the state folder {self.home} cannot be used ({error.strerror}): "
                "set BATON_HOME to a folder of your own"
            ) from error
        return self


def state_home(
    environment: Mapping[str, str] | None = None, *, clone: Path | None = None
) -> StateFolders:
    """Return the state folders of a clone: BATON_HOME, or a folder of its own per clone.

    Two clones never share state: the folder's name ends in a hash of the clone's path. Root's
    home would be opened to all users by embedded PostgreSQL, so root's state stands in /var/lib.

    Raises:
        SettingsError: BATON_HOME lies inside the clone or is not absolute.
    """
    env = os.environ if environment is None else environment
    root = (clone or project_root()).resolve()
    if named := env.get("BATON_HOME", "").strip():
        home = Path(named).expanduser()
        if not home.is_absolute():
            raise SettingsError(f"BATON_HOME must be an absolute path, not '{named}'")
        if home.resolve().is_relative_to(root):
            raise SettingsError(
                f"BATON_HOME must lie outside the clone ({root}): state and secrets do not "
                "belong among the sources"
            )
        return StateFolders(home)
    key = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    return StateFolders(_data_home(env) / "baton" / f"{root.name}-{key}")


def _data_home(env: Mapping[str, str]) -> Path:
    if sys.platform == "linux" and os.geteuid() == 0:
        return Path("/var/lib")
    if named := env.get("XDG_DATA_HOME", "").strip():
        return Path(named)
    user = Path(env.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return user / "Library" / "Application Support"
    return user / ".local" / "share"


def project_root() -> Path:
    """Return the clone that this package was installed from.

    Raises:
        SettingsError: the package was not installed from a clone, so there are no Dags to run.
    """
    for folder in Path(__file__).resolve().parents:
        if all((folder / mark).is_dir() for mark in _CLONE_MARKS):
            return folder
    raise SettingsError(
        "the demo needs a clone of the project (its dags/ and include/policy/): "
        "run it there, with `make demo`"
    )
