"""``baton explain`` on a ledger that a whole relay has filled."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.pipeline.relay import Relay
from typer.testing import CliRunner

from baton.cli import app
from baton.ledger.database.engine import transaction

SOFIA = "sofia.ricci@relay.test"
Run = Callable[..., Any]


@pytest.fixture
def run(relay: Relay, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs `baton` on this relay's ledger."""
    monkeypatch.setenv("BATON_DATABASE_URL", ledger_url)
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.requirement("000-08")
@pytest.mark.requirement("002-16")
def test_a_handoff_is_told_by_each_of_its_names(relay: Relay, run: Run) -> None:
    contact = relay.hot_contact(firstname="Zerafina")
    relay.run()
    handoff = relay.handoff(contact)["key"]
    record = relay.salesforce_lead(contact)["Id"]
    relay.follow()
    mail = relay.email(contact)

    told = run("explain", contact)

    assert told.exit_code == 0, told.output
    assert "It was handed over to sales, to Sofia Ricci (sofia.ricci@relay.test)" in told.stdout
    assert "76 points: 40 for who they are (fit), 36" in told.stdout
    assert "+20 300 people, our size [size-fit]" in told.stdout
    assert "76 points are above 75: hot." in told.stdout
    assert f"Policy {relay.bundle.hash[:12]} (still the current one)" in told.stdout
    assert "would have made this lead only warm: " in told.stdout
    for name in (handoff.lower(), record, record[:15], mail.upper()):
        again = run("explain", name, "--no-names")
        assert again.exit_code == 0, again.output
        assert f"Lead {contact}, decision" in again.stdout
        assert "Zerafina" not in again.output
        assert mail not in again.output


def test_a_colleague_hears_why_it_was_not_theirs(relay: Relay, run: Run) -> None:
    contact = relay.hot_contact()
    relay.run()
    mira = run("explain", contact, "--rep", "mira.lindner@relay.test").stdout
    assert "Why not Mira Lindner" in mira
    assert "Rule sdr-dach (pool SDR DACH) applies too, but step ae-mid-emea comes first" in mira
    amara = run("explain", contact, "--rep", "amara.okafor@relay.test").stdout
    assert "asks that Territory is Americas, but it is DACH" in amara
    sofia = run("explain", contact, "--rep", SOFIA).stdout
    assert "Why Sofia Ricci" in sofia
    unknown = run("explain", contact, "--rep", "nobody@relay.test").stdout
    assert "was not in the roster when this was decided" in unknown


def test_an_older_decision_is_told_and_the_newest_with_an_outcome_comes_first(
    relay: Relay, run: Run
) -> None:
    contact = relay.contact()
    relay.run()
    relay.wait(minutes=1)
    relay.submit(contact, "Demo request")
    relay.run()
    relay.wait(minutes=1)
    relay.change(contact, hs_analytics_num_visits="9")
    relay.run()
    rows = relay.rows("SELECT id, outcome FROM decision ORDER BY id")
    assert [row["outcome"] for row in rows] == ["nurture", "handoff", "none"]

    newest = json.loads(run("explain", contact, "--json").stdout)
    oldest = json.loads(run("explain", contact, "--json", "--decision", rows[0]["id"]).stdout)

    assert newest["decision"] == rows[1]["id"]
    assert newest["other_decisions"] == [rows[2]["id"], rows[0]["id"]]
    assert oldest["outcome"] == "nurture"
    ways = [one for one in oldest["changes"] if one["goal"] == "handed_over"]
    assert any("Demo requested at" in one["facts"] for one in ways)
    owner = relay.handoff(contact)["owner_key"]
    assert oldest["has_it_now"] == owner
    listed = run("explain", contact, "--decision", rows[0]["id"]).stdout
    assert f"{owner} has it now." in listed
    assert f"handoff, {owner}" in listed
    wrong = run("explain", contact, "--decision", 999_999)
    assert wrong.exit_code == 2
    assert f"its newest are: {rows[2]['id']}" in wrong.stderr


@pytest.mark.parametrize("name", ["robin.nobody@softworks.test", "H999-1", "00Q000000000001", "?"])
def test_what_is_not_there_is_said_without_repeating_an_address(
    relay: Relay, run: Run, name: str
) -> None:
    missing = run("explain", name)
    assert missing.exit_code == 2
    assert "give a HubSpot id, an e-mail, a handoff (H12-1)" in missing.stderr
    assert "robin.nobody" not in missing.output


def test_a_mistyped_id_shows_the_ids_that_are_near(relay: Relay, run: Run) -> None:
    contact = relay.contact()
    relay.run()
    missing = run("explain", contact[:-1] + ("0" if contact[-1] != "0" else "1"))
    assert missing.exit_code == 2
    assert f"there is {contact}" in missing.stderr


def test_a_decision_of_a_policy_that_can_no_longer_be_read_tells_what_was_recorded(
    relay: Relay, run: Run
) -> None:
    contact = relay.hot_contact()
    relay.run()
    with transaction(relay.engine) as conn:
        broken = "UPDATE policy_version SET bundle = jsonb_build_object('a.yaml', 'older: words')"
        conn.execute(text(broken))
    told = run("explain", contact)
    assert told.exit_code == 0, told.output
    assert "+20 300 people, our size [size-fit]" in told.stdout
    assert "Only what was recorded is told" in told.stdout
    assert "What would have altered it" not in told.stdout


def test_replay_from_the_command_line(relay: Relay, run: Run) -> None:
    contact = relay.hot_contact()
    relay.run()
    (row,) = relay.rows("SELECT id FROM decision")

    good = run("replay", "--decision", row["id"])
    assert good.exit_code == 0, good.output
    assert "equal, byte for byte  1" in good.stdout
    assert run("replay", "--lead", contact).exit_code == 0
    counted = json.loads(run("replay", "--since", "2020-01-01", "--json").stdout)
    assert counted["equal"] == counted["decisions"] == 1

    with transaction(relay.engine) as conn:
        conn.execute(text("ALTER TABLE decision DISABLE TRIGGER USER"))
        conn.execute(text("UPDATE decision SET result = jsonb_set(result, '{band}', '\"warm\"')"))
        conn.execute(text("ALTER TABLE decision ENABLE TRIGGER USER"))
    bad = run("replay", "--decision", row["id"])
    assert bad.exit_code == 1
    assert "at      $.band" in bad.stdout
    assert 'stored  "warm"' in bad.stdout
    assert 'now     "hot"' in bad.stdout
    assert run("replay", "--decision", 999_999).exit_code == 2
    assert run("replay", "--since", "soon").exit_code == 2
