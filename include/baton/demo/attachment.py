"""What a running demo is, written down for the commands that come after it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from baton.demo.environment import StateFolders, state_home
from baton.demo.processes import ProcessTable
from baton.errors import ConfigurationError

__all__ = ["DemoRecord", "find_demo", "forget_demo", "read_record", "write_record"]

_FILE = "demo.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRecord:
    """A demo as started. `variables` let a command join it; `addresses` are for its user.

    `processes` are the names of all that should be running.
    """

    variables: Mapping[str, str] = field(repr=False)
    addresses: Mapping[str, str]
    processes: Sequence[str]
    logins: Mapping[str, str] = field(repr=False, default_factory=dict)


def find_demo(env: Mapping[str, str] | None = None) -> DemoRecord | None:
    """Return the demo of this clone while any of its processes runs, else None."""
    try:
        folders = state_home(env if env is not None else os.environ)
    except ConfigurationError:
        # Not installed from a clone: there is no demo here.
        return None
    if not folders.run.is_dir() or not ProcessTable(folders.run, folders.logs).running():
        return None
    return read_record(folders)


def read_record(folders: StateFolders) -> DemoRecord | None:
    """Return what the last start wrote, or None when nothing usable is there."""
    try:
        return DemoRecord(**json.loads(_path(folders).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_record(folders: StateFolders, record: DemoRecord) -> None:
    """Write the record, readable for its owner alone: it holds passwords and tokens."""
    path = _path(folders)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(record), file)
    draft.replace(path)


def forget_demo(folders: StateFolders) -> None:
    """Delete the record."""
    _path(folders).unlink(missing_ok=True)


def _path(folders: StateFolders) -> Path:
    return folders.run / _FILE
