"""``baton policy``, ``roster``, ``status`` and the kill switch, on a real ledger."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli import app
from baton.ledger.database.engine import ledger_engine, transaction
from baton.ledger.effects import crm_objects
from baton.ledger.effects.crm_objects import Finding, StoredObject

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"


@pytest.fixture
def run(ledger_url: str, monkeypatch: pytest.MonkeyPatch):
    """A function that runs `baton` on this test's own ledger."""
    monkeypatch.setenv("BATON_DATABASE_URL", ledger_url)
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


def test_a_policy_is_activated_once_and_the_record_says_by_whom(run):
    dry = run("policy", "activate", POLICY, "--dry-run")
    assert dry.exit_code == 0
    assert "dry run" in dry.stdout
    assert run("policy", "show").exit_code == 1
    assert "is current now" in run("policy", "activate", POLICY, "--by", "revops").stdout
    assert "nothing to do" in run("policy", "activate", POLICY).stdout
    shown = run("policy", "show")
    assert shown.exit_code == 0
    assert "by revops" in shown.stdout


def test_a_policy_made_from_another_than_the_current_is_refused(run):
    run("policy", "activate", POLICY)
    overlay = POLICY / "overlays" / "demo.yaml"
    stale = run("policy", "activate", POLICY, "--overlay", overlay, "--parent", "0" * 64)
    assert stale.exit_code == 2
    assert "somebody has activated another" in stale.stderr
    assert "cases" not in stale.stdout
    also = ("--overlay", overlay, "--dry-run", "--parent")
    assert run("policy", "activate", POLICY, *also, "0" * 64).exit_code == 2
    current = re.search(r"· ([0-9a-f]{12})", run("policy", "show").stdout)
    assert current is not None
    assert run("policy", "activate", POLICY, *also, current[1][:5]).exit_code == 0
    assert "demonstration" not in run("policy", "show").stdout
    assert run("policy", "activate", POLICY, "--overlay", overlay).exit_code == 0
    assert "demonstration" in run("policy", "show").stdout


def test_a_broken_roster_is_refused_with_its_reason(run, tmp_path):
    file = tmp_path / "roster.yaml"
    file.write_text("people: {a@relay.test: {name: A, manager: nobody@relay.test}}\n")
    result = run("roster", "import", file)
    assert result.exit_code == 2
    assert "not in the roster" in result.stderr


def test_status_and_the_kill_switch(run):
    assert "none is active" in run("status").stdout
    assert run("stop-effects", "--by", "ops").exit_code == 0
    assert "stopped" in run("status").stdout
    assert run("resume-effects").exit_code == 0
    assert "go out" in run("status").stdout


def test_a_ledger_that_was_never_migrated_names_the_command(empty_url, monkeypatch):
    monkeypatch.setenv("BATON_DATABASE_URL", empty_url)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 1
    assert "baton db migrate" in result.stderr
    assert CliRunner().invoke(app, ["db", "migrate"]).exit_code == 0
    assert CliRunner().invoke(app, ["status"]).exit_code == 0


def test_doctor_and_setup_find_what_is_missing_and_create_it(run, sandbox, monkeypatch):
    blind = run("doctor")
    assert blind.exit_code == 1
    assert "AIRFLOW_CONN_HUBSPOT_DEFAULT" in blind.stdout
    for name, value in sandbox.connections().items():
        monkeypatch.setenv(name, value)
    run("policy", "activate", POLICY)
    run("roster", "import", POLICY / "roster.yaml")
    assert run("setup", "salesforce").exit_code == 0
    assert run("setup", "hubspot").exit_code == 0
    assert "would create" not in run("setup", "hubspot", "--dry-run").stdout
    well = run("doctor")
    assert well.exit_code == 0, well.stdout
    assert "all is well" in well.stdout
    assert "everybody is an active Salesforce user" in well.stdout


def test_doctor_tells_which_values_salesforce_did_not_take(run, sandbox, monkeypatch, ledger_url):
    for name, value in sandbox.connections().items():
        monkeypatch.setenv(name, value)
    engine = ledger_engine(ledger_url)
    now = datetime.now(UTC)
    first = now - timedelta(days=20)
    with transaction(engine) as conn:
        refused = Finding("Lead", "Rating", "not_a_value", "Fishing")
        for at in (first, now):
            crm_objects.find(conn, [refused], at=at)
    engine.dispose()
    result = run("doctor")
    assert result.exit_code == 1
    said = " ".join(result.stdout.split())
    assert "✘ Salesforce salesforce_default: Lead.Rating has no value 'Fishing'" in said
    assert f"2 times since {first:%d %B %Y}, last on {now:%d %B} at" in said
    assert "→ add the value to the picklist in Salesforce" in result.stdout


def test_doctor_drops_what_was_mended_and_warns_of_what_no_definition_tells(
    run, sandbox, monkeypatch, ledger_url
):
    for name, value in sandbox.connections().items():
        monkeypatch.setenv(name, value)
    run("policy", "activate", POLICY)
    run("roster", "import", POLICY / "roster.yaml")
    assert run("setup", "salesforce").exit_code == 0
    assert run("setup", "hubspot").exit_code == 0
    at = datetime.now(UTC)
    short = {"type": "string", "length": 3, "createable": True, "updateable": True, "values": []}
    engine = ledger_engine(ledger_url)
    with transaction(engine) as conn:
        fields = {"Title": short | {"name": "Title", "restricted": False}}
        crm_objects.store(conn, StoredObject("Lead", True, fields, at))
        mended = [
            Finding("Lead", "Rating", "not_a_value", "warm"),
            Finding("Lead", "Title", "cut", ""),
        ]
        told_by_none = Finding("Lead", "Phone", "not_writable", "")
        crm_objects.find(conn, [*mended, told_by_none], at=at)

    result = run("doctor")

    assert result.exit_code == 0, result.stdout
    said = " ".join(result.stdout.split())
    assert "! Salesforce salesforce_default: Lead.Phone was refused" in said
    assert "nothing is known to be wrong; 1 to look at" in said
    assert "Lead.Rating" not in said
    assert "Lead.Title" not in said
    with transaction(engine) as conn:
        assert [one.field for one in crm_objects.findings(conn)] == ["Phone"]
        lead = crm_objects.stored(conn, ["Lead"])["Lead"]
        assert lead.fields["Title"]["length"] > 3, "the next lead is cut no more"
    engine.dispose()


def test_doctor_names_the_connection_whose_token_is_refused(run, sandbox, monkeypatch):
    for name, value in sandbox.connections().items():
        monkeypatch.setenv(name, value)
    token = sandbox.where["hubspot"]["token"]
    wrong = sandbox.connections()["AIRFLOW_CONN_HUBSPOT_DEFAULT"].replace(token, "wrong-token")
    monkeypatch.setenv("AIRFLOW_CONN_HUBSPOT_DEFAULT", wrong)
    result = run("doctor")
    assert result.exit_code == 1
    assert "✘ HubSpot" in result.stdout
    assert "✔ Salesforce" in result.stdout
    assert "wrong-token" not in result.output
    assert "Traceback" not in result.output


def test_replay_and_whatif_read_a_stretch_of_time_alike(run):
    policy = ("whatif", "--policy", POLICY)
    for text, said in (("-5d", "is negative"), ("5", "lacks its unit"), ("2090-01-01", "future")):
        for command in (("replay",), policy):
            result = run(*command, "--since", text)
            assert result.exit_code == 2, result.output
            assert said in result.stderr
