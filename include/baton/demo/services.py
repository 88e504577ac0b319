"""What the demo stands on: the embedded Postgres with fresh databases, and the CRM sandbox."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from baton.connections import HUBSPOT, SALESFORCE, SLACK, variable_of
from baton.demo.airflow_stack import free_port
from baton.demo.environment import StateFolders
from baton.demo.processes import Child, ProcessTable
from baton.errors import BatonError
from baton.ledger.database import embedded, migrate
from baton.ledger.database.embedded import DatabaseAddress

__all__ = ["SANDBOX", "SandboxAddresses", "fresh_ledger", "start_postgres", "start_sandbox"]

SANDBOX = "crm-sandbox"
_FIRST_PORT = 8801
_APIS = ("hubspot", "salesforce", "slack", "admin")
_READY_WITHIN_S = 60


class SandboxStartError(BatonError):
    """The sandbox said something that its starter does not understand."""


@dataclass(frozen=True, slots=True)
class SandboxAddresses:
    """The line that ``crm-sandbox serve --json`` prints: addresses and test credentials."""

    parts: Mapping[str, Mapping[str, Any]] = field(repr=False)

    def url(self, api: str) -> str:
        """Return the address of hubspot, salesforce, slack or admin."""
        return str(self.parts[api]["url"])

    @property
    def hubspot_token(self) -> str:
        """The token of HubSpot's test app."""
        return str(self.parts["hubspot"]["token"])

    def connections(self) -> dict[str, str]:
        """Return the three Airflow connections as environment variables."""
        hubspot, salesforce = self.parts["hubspot"], self.parts["salesforce"]
        slack = self.parts["slack"]
        extra = {
            "instance_url": salesforce["login_url"],
            "consumer_key": salesforce["consumer_key"],
            "consumer_secret": salesforce["consumer_secret"],
            "ca_file": salesforce["ca_file"],
        }
        given: dict[str, dict[str, Any]] = {
            HUBSPOT: {"conn_type": "hubspot", "password": hubspot["token"], "host": hubspot["url"]},
            SALESFORCE: {"conn_type": "salesforce", "extra": extra},
            SLACK: {
                "conn_type": "slack",
                "password": slack["token"],
                "extra": {"base_url": slack["url"]},
            },
        }
        return {variable_of(name): json.dumps(value) for name, value in given.items()}


def start_postgres(folders: StateFolders) -> DatabaseAddress:
    """Start the embedded server, or find it running.

    Raises:
        ConfigurationError: its folder cannot be used.
        LedgerUnavailableError: it does not come up.
    """
    return embedded.start(folders.postgres).address


def fresh_ledger(address: DatabaseAddress) -> str:
    """Replace the demo's ledger by an empty, migrated one; return its URL."""
    embedded.drop_database(address, embedded.LEDGER_DATABASE)
    embedded.ensure_database(address, embedded.LEDGER_DATABASE)
    url = address.ledger()
    migrate.upgrade(url)
    return url


def start_sandbox(
    table: ProcessTable,
    folders: StateFolders,
    *,
    seed: int,
    at: datetime | None,
    market: bool = True,
    metadata: Path | None = None,
    with_parent: bool = False,
) -> SandboxAddresses:
    """Start the sandbox, in simulated time when `at` is given, and wait until it answers.

    Raises:
        StartError: with the end of its log.
    """
    command = [sys.executable, "-m", "crm_sandbox", "serve", "--json"]
    for place, api in enumerate(_APIS):
        command += [f"--{api}-port", str(free_port(_FIRST_PORT + place))]
    command += ["--state-dir", str(folders.sandbox), "--seed", str(seed)]
    command += ["--at", at.isoformat()] if at else []
    command += ["--metadata", str(metadata)] if metadata else []
    command += [] if market else ["--no-market"]
    command += ["--with-parent"] if with_parent else []
    child = Child(
        name=SANDBOX,
        command=tuple(command),
        environment={**os.environ, "PYTHONUNBUFFERED": "1"},
        directory=folders.sandbox,
        grace_s=5.0,
    )
    running = table.start(child)
    log = Path(running.log)
    table.wait_ready(running, lambda: _described(log) is not None, timeout_s=_READY_WITHIN_S)
    described = _described(log)
    if described is None:
        raise SandboxStartError(f"the CRM sandbox has not said where it listens: see {log}")
    return SandboxAddresses({api: described[api] for api in _APIS})


def _described(log: Path) -> dict[str, Any] | None:
    """Return the line of addresses in the sandbox's log, once all of it is there."""
    for line in log.read_text(errors="replace").splitlines(keepends=True):
        if line.startswith("{") and line.endswith("\n"):
            found: dict[str, Any] = json.loads(line)
            return found
    return None
