"""The sandbox as a process of its own, as a pytest plugin.

One `crm-sandbox serve` serves a whole test run (or one worker of it), with the market's staff,
channels, queues, accounts and forms. Tests keep apart by making records of their own, not by
restarts; faults that a test injects are cleared when it ends.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

INCLUDE = Path(__file__).resolve().parents[2] / "include"
START_SECONDS = 60.0
UNBOUND = ("--hubspot-burst", "100000", "--hubspot-search", "100000", "--hubspot-daily", "9999999")


@dataclass(frozen=True)
class SandboxServer:
    """A running sandbox: where its servers are, and its admin port."""

    where: dict[str, Any]
    admin: httpx.Client = field(repr=False)

    def connections(self) -> dict[str, str]:
        """Return the environment that points Airflow and Baton at this sandbox."""
        hubspot, salesforce, slack = (
            self.where[name] for name in ("hubspot", "salesforce", "slack")
        )
        parts = {
            "HUBSPOT": {
                "conn_type": "hubspot",
                "password": hubspot["token"],
                "host": hubspot["url"],
            },
            "SALESFORCE": {
                "conn_type": "salesforce",
                "extra": {
                    "instance_url": salesforce["login_url"],
                    "consumer_key": salesforce["consumer_key"],
                    "consumer_secret": salesforce["consumer_secret"],
                    "ca_file": salesforce["ca_file"],
                },
            },
            "SLACK": {
                "conn_type": "slack",
                "password": slack["token"],
                "extra": {"base_url": slack["url"]},
            },
        }
        return {f"AIRFLOW_CONN_{name}_DEFAULT": json.dumps(one) for name, one in parts.items()}

    def fault(self, kind: str, api: str, path: str, **rule: Any) -> None:
        """Make requests of `api` whose path matches fail; see crm_sandbox.faults.FaultRule."""
        body = {"kind": kind, "api": api, "path_regex": path, "count": 1} | rule
        self.admin.post("/faults", json=body).raise_for_status()

    def requests(self, api: str, since: int = 0) -> list[dict[str, Any]]:
        """Return the requests that `api` has had (paths without query values)."""
        answer = self.admin.get("/requests", params={"api": api, "since": since})
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found

    def messages(self) -> list[dict[str, Any]]:
        """Return every Slack message so far."""
        found: list[dict[str, Any]] = self.admin.get("/slack/messages").json()["messages"]
        return found


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """Serve the sandbox until the run ends."""
    folder = tmp_path_factory.mktemp("sandbox")
    command = [sys.executable, "-m", "crm_sandbox", "serve", "--json", "--with-parent", *UNBOUND]
    with (folder / "stderr.txt").open("w+") as errors:
        process = subprocess.Popen(
            [*command, "--state-dir", str(folder / "state")],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"PYTHONPATH": str(INCLUDE)},
        )
        try:
            where = json.loads(_first_line(process, errors))
            with httpx.Client(base_url=where["admin"]["url"], trust_env=False) as admin:
                yield SandboxServer(where, admin)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def faults(sandbox: SandboxServer) -> Iterator[SandboxServer]:
    """The sandbox, for a test that makes it fail; it is mended when the test ends."""
    sandbox.admin.delete("/faults").raise_for_status()
    yield sandbox
    sandbox.admin.delete("/faults").raise_for_status()


def _first_line(process: subprocess.Popen[str], errors: IO[str]) -> str:
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=START_SECONDS)
    except queue.Empty:
        line = ""
    if not line.strip():
        errors.seek(0)
        pytest.fail(f"the sandbox did not start: {errors.read()[-2000:]}")
    return line
