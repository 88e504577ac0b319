"""The sandbox through Singer's tap-hubspot, in an environment of its own: its pins are old ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path

import httpx
import pytest
from tests.contract.sandbox_server import SandboxServer

HERE = Path(__file__).parent
INSTALL_SECONDS, RUN_SECONDS = 240, 120


@pytest.fixture(scope="module")
def tap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the locked tap; return its Python."""
    folder = tmp_path_factory.mktemp("tap") / "venv"
    python = folder / "bin" / "python"
    needs = ["--require-hashes", "-r", str(HERE / "tap-requirements.txt")]
    if uv := shutil.which("uv"):
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--quiet", "--native-tls", "--python", str(python), *needs)
    else:
        venv.create(folder, with_pip=True)
        _run(str(python), "-m", "pip", "install", "--quiet", *needs)
    return python


def _run(*command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        pytest.fail(f"the tap could not be installed:\n{done.stdout}{done.stderr}")


@pytest.mark.timeout(INSTALL_SECONDS + RUN_SECONDS)
@pytest.mark.xdist_group("tap")
def test_the_tap_reads_every_contact(tap: Path, sandbox: SandboxServer) -> None:
    hubspot = sandbox.where["hubspot"]
    headers = {"authorization": f"Bearer {hubspot['token']}"}
    with httpx.Client(base_url=hubspot["url"], headers=headers, trust_env=False) as client:
        for at in range(120):
            body = {"properties": {"email": f"tap{at}@singer.test", "jobtitle": "Buyer"}}
            client.post("/crm/v3/objects/contacts", json=body).raise_for_status()
    done = subprocess.run(
        [str(tap), str(HERE / "singer_tap.py"), hubspot["url"], hubspot["token"]],
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    records = [one["record"] for one in messages if one["type"] == "RECORD"]
    times = Counter(record["id"] for record in records)
    assert set(times.values()) == {1}
    ours = [one for one in records if (one["property_email"] or "").endswith("@singer.test")]
    assert len(ours) == 120
    assert {one["property_jobtitle"] for one in ours} == {"Buyer"}
    (schema,) = [one["schema"] for one in messages if one["type"] == "SCHEMA"]
    assert schema["properties"]["property_email"]
    assert messages[-1]["value"]["bookmarks"]["contacts"]["updatedAt"]
