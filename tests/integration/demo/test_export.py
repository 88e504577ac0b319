"""``baton demo --leads``: an export through the chain, everything stopped at the end."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from baton.demo.attachment import find_demo
from baton.demo.conduct import conduct, stop_demo
from baton.demo.environment import state_home
from baton.demo.options import DemoOptions
from baton.demo.processes import ProcessTable
from baton.demo.screen import Screen
from baton.errors import ConfigurationError
from baton.ledger.database import embedded

ROWS = """Email,First name,Last name,Company name,Job title,Country
ada@alpwerk.test,Ada,Marlow,Alpwerk GmbH,VP Sales,Germany
bo@birch.test,Bo,Lindt,Birch Ltd,CMO,United Kingdom
,No,Mail,Nowhere,Analyst,France
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of this test's own, short enough for a socket; nothing is left running."""
    folder = Path(tempfile.mkdtemp(prefix="bt-"))
    monkeypatch.setenv("BATON_HOME", str(folder))
    yield folder
    stop_demo(quiet())
    shutil.rmtree(folder, ignore_errors=True)


def quiet() -> Screen:
    return Screen(Console(file=io.StringIO(), width=160))


def shown(screen: Screen) -> str:
    text: str = screen.console.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.slow
def test_an_export_goes_through_the_chain_runs_on_and_is_found_by_commands(home, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(ROWS)
    screen = quiet()
    assert conduct(DemoOptions(leads=file), screen) == 0, shown(screen)
    text = shown(screen)
    assert "3 leads of contacts.csv" in text
    assert "quarantined" in text
    assert "✔ nothing lost" in text

    demo = find_demo({"BATON_HOME": str(home)})
    assert demo is not None
    assert json.loads(demo.variables["AIRFLOW_CONN_HUBSPOT_DEFAULT"])["conn_type"] == "hubspot"

    # A second one while this runs is told where everything is, and starts nothing.
    second = quiet()
    assert conduct(DemoOptions(leads=file), second) == 0
    assert "is running already" in shown(second)
    assert conduct(DemoOptions(leads=file, once=True), quiet()) == 1

    assert stop_demo(screen) == 0
    folders = state_home({"BATON_HOME": str(home)})
    assert not ProcessTable(folders.run, folders.logs).running()
    assert embedded.status(folders.postgres) is None
    assert find_demo({"BATON_HOME": str(home)}) is None


def test_a_file_that_is_not_there_stops_before_anything_starts(home):
    with pytest.raises(ConfigurationError, match="there is no file"):
        conduct(DemoOptions(leads=Path("nowhere.csv")), quiet())
    folders = state_home({"BATON_HOME": str(home)})
    assert not ProcessTable(folders.run, folders.logs).running()
    assert embedded.status(folders.postgres) is None
