"""The command line as a newcomer meets it: help, clear messages, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli import app
from baton.cli.shell import exit_code_of
from baton.errors import LedgerUnavailableError, MissingConnectionError, SettingsError

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
HEAVY = ("sqlalchemy", "great_expectations", "pandas", "airflow", "hubspot", "simple_salesforce")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A function that runs `baton` with these arguments, no ledger named and no demo running."""
    monkeypatch.delenv("BATON_DATABASE_URL", raising=False)
    monkeypatch.setenv("BATON_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


def test_help_names_every_command(run):
    shown = run("--help").stdout
    for command in (
        "demo", "down", "policy", "roster", "db", "setup", "doctor", "run", "status",
        "stop-effects", "resume-effects",
    ):  # fmt: skip
        assert command in shown


def test_help_is_fast_because_nothing_heavy_is_imported():
    program = f"import sys, baton.cli\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command",
    [("status",), ("run", "chain"), ("policy", "show"), ("roster", "show"), ("setup", "hubspot")],
)
def test_without_a_ledger_it_says_how_to_name_one(run, command):
    result = run(*command)
    assert result.exit_code == 2
    assert "BATON_DATABASE_URL" in result.stderr
    assert "baton db url" in result.stderr
    assert "Traceback" not in result.output


def test_an_unreachable_ledger_is_a_failure_without_the_password(run, monkeypatch):
    monkeypatch.setenv("BATON_DATABASE_URL", "postgresql://baton:s3cret@127.0.0.1:9/baton")
    result = run("status")
    assert result.exit_code == 1
    assert "s3cret" not in result.output
    assert "Traceback" not in result.output


def test_a_policy_with_a_typo_is_shown_with_file_line_and_suggestion(run, tmp_path):
    for path in POLICY.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "lists").mkdir()
    for path in (POLICY / "lists").glob("*.csv"):
        (tmp_path / "lists" / path.name).write_text(path.read_text())
    rules = tmp_path / "scoring.yaml"
    rules.write_text(rules.read_text().replace("points:", "pionts:", 1))
    result = run("policy", "check", tmp_path)
    assert result.exit_code == 2
    assert "scoring.yaml:" in result.stderr
    assert "did you mean" in result.stderr.lower()


def test_the_shipped_policy_and_its_demo_overlay_pass_the_check(run):
    for more in ((), ("--overlay", POLICY / "overlays" / "demo.yaml")):
        result = run("policy", "check", POLICY, *more)
        assert result.exit_code == 0, result.output
        assert "hot above 75" in result.stdout


def test_a_policy_directory_that_is_not_there(run, tmp_path):
    result = run("policy", "check", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "there is no policy directory" in result.stderr


def test_no_database_server_says_how_to_start_one(run):
    result = run("db", "url")
    assert result.exit_code == 1
    assert "baton db start" in result.stderr
    assert run("db", "status").exit_code == 3


def test_a_wrong_argument_is_a_usage_error(run):
    assert run("roster", "away", "someone@relay.test").exit_code == 2
    assert run("run", "everything").exit_code == 2


def test_down_with_nothing_running_is_fine(run):
    result = run("down")
    assert result.exit_code == 0
    assert "nothing is running" in result.stdout


def test_exit_codes_tell_configuration_from_failure():
    assert exit_code_of(SettingsError("x")) == 2
    assert exit_code_of(MissingConnectionError("hubspot_default", "x")) == 2
    assert exit_code_of(LedgerUnavailableError("x")) == 1
