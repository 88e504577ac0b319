"""The sandbox through the clients of other people, written in another language.

Needs node 20 or later and npm; where they are missing, the tests say so and are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.contract.sandbox_server import SandboxServer

HERE = Path(__file__).parent
NODE, NPM = shutil.which("node"), shutil.which("npm")
INSTALL_SECONDS, RUN_SECONDS = 240, 120

pytestmark = [
    pytest.mark.skipif(
        NODE is None or NPM is None,
        reason="node and npm were not found: @hubspot/api-client and jsforce were not run",
    ),
    pytest.mark.xdist_group("node"),
]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the locked clients beside a copy of the scripts: nothing is left in the clone."""
    folder = tmp_path_factory.mktemp("conformance")
    for found in (*HERE.glob("*.json"), *HERE.glob("*.mjs")):
        shutil.copy(found, folder)
    command = [str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        pytest.fail(f"npm could not install the clients:\n{done.stdout}{done.stderr}")
    return folder


@pytest.mark.timeout(INSTALL_SECONDS + RUN_SECONDS)
@pytest.mark.parametrize("script", ["hubspot.test.mjs", "salesforce.test.mjs"])
def test_client_unchanged(suite: Path, script: str, sandbox: SandboxServer) -> None:
    environment = os.environ | {
        "SANDBOX": json.dumps(sandbox.where),
        "NODE_EXTRA_CA_CERTS": sandbox.where["salesforce"]["ca_file"],
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [str(NODE), "--test", "--test-reporter=tap", script],
        cwd=suite,
        env=environment,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# skipped 0" in done.stdout
