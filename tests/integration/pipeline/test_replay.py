"""Promise 6 over a whole relay: every stored decision comes out the same again, byte for byte."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.pipeline.relay import Relay

from baton.decision import ENGINE_VERSION
from baton.decision.canonical import canonical_bytes, hash_of
from baton.leads.states import LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.leads import leads
from baton.ledger.leads.persons import delete_people
from baton.ledger.record.decisions import Selection
from baton.pipeline.past.replay import ReplayReport, Standing, replay
from baton.pipeline.versions.agreements import activate_policy
from baton.policy.bundle import PolicyBundle

ALL = Selection()
REASSIGN = """
sla:
  demo_request:
    reassign_at: 20 minutes
"""


def replayed(relay: Relay, selection: Selection = ALL) -> ReplayReport:
    return replay(relay.engine, selection)


def tamper(relay: Relay, sql: str, **values: Any) -> None:
    """Change what must not be changed: the ledger forbids it, so its guard is put aside."""
    with transaction(relay.engine) as conn:
        conn.execute(text("ALTER TABLE decision DISABLE TRIGGER USER"))
        conn.execute(text(sql), values)
        conn.execute(text("ALTER TABLE decision ENABLE TRIGGER USER"))


def with_policy(relay: Relay, **texts: str) -> None:
    bundle = PolicyBundle({**relay.bundle.texts, **texts})
    with transaction(relay.engine) as conn:
        parent = relay.bundle.hash
        activate_policy(conn, bundle, by="tests", at=relay.now(), parent=parent)
    relay.bundle = bundle


def play(relay: Relay) -> str:
    """A demo request that is reassigned, a second form, a quiet lead, a throw-away address."""
    with_policy(relay, **{"overlays/reassign.yaml": REASSIGN})
    company = relay.company(numberofemployees="30")
    busy = relay.contact(company)
    relay.submit(busy, "Demo request")
    relay.contact()
    relay.hot_contact()
    relay.contact(email="somebody@mailinator.test")
    relay.everything()
    relay.wait(minutes=5)
    relay.take_quiz(busy, 90)
    relay.everything()
    relay.wait(minutes=40)
    relay.everything()
    relay.wait(hours=2)
    relay.everything()
    return busy


def test_a_whole_relay_comes_out_the_same_byte_for_byte(relay: Relay) -> None:
    busy = play(relay)
    kinds = relay.rows(
        "SELECT outcome, reason_code, inputs->>'had_it' AS had_it, engine_version FROM decision"
    )
    assert {"handoff", "update", "nurture"} <= {row["outcome"] for row in kinds}
    moved = [row for row in kinds if row["had_it"] is not None]
    assert any(row["outcome"] == "handoff" for row in moved)
    assert {row["engine_version"] for row in kinds} == {ENGINE_VERSION}

    done: list[int] = []
    report = replay(relay.engine, ALL, progress=done.append)

    assert report.all_equal
    assert report.counts[Standing.EQUAL] == len(kinds)
    assert done[-1] == len(kinds)
    of_one = replayed(relay, Selection(lead_id=relay.lead(busy)["id"]))
    assert 3 <= of_one.total < report.total
    assert replayed(relay, Selection(newest=2)).total == 2
    assert replayed(relay, Selection(since=relay.now() + timedelta(days=1))).total == 0


def test_a_stored_decision_that_was_changed_shows_the_exact_place(relay: Relay) -> None:
    relay.hot_contact()
    relay.run()
    (row,) = relay.rows("SELECT id, result FROM decision")
    points = row["result"]["score"]["reasons"][2]["points_milli"]
    row["result"]["score"]["reasons"][2]["points_milli"] = points + 1000
    tamper(relay, "UPDATE decision SET result = CAST(:new AS jsonb)", new=json.dumps(row["result"]))

    report = replayed(relay)

    assert not report.all_equal
    found = report.first
    assert found is not None
    assert found.decision_id == row["id"]
    assert found.difference is not None
    assert found.difference.path == "$.score.reasons[2].points_milli"
    assert found.difference.before == str(points + 1000)
    assert found.difference.after == str(points)
    assert "changed after it was recorded" in found.words


def test_a_decision_of_another_engine_is_named_as_such(relay: Relay) -> None:
    relay.hot_contact()
    relay.run()
    (row,) = relay.rows("SELECT result FROM decision")
    result = {**row["result"], "words": "as an older engine put it"}
    tamper(
        relay,
        "UPDATE decision SET engine_version = '1', result = CAST(:new AS jsonb), result_hash = :h",
        new=json.dumps(result),
        h=hash_of(canonical_bytes(result)),
    )

    report = replayed(relay)

    assert report.first is not None
    assert f"engine {ENGINE_VERSION} decides otherwise than engine 1" in report.first.words
    assert report.different_by_engine == {"1": 1}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE decision SET inputs = inputs - 'facts' WHERE id = :id", "hash differs"),
        ("UPDATE decision SET inputs = '[]', inputs_hash = :empty WHERE id = :id", "decided again"),
        ("UPDATE decision SET result = result - 'consulted' WHERE id = :id", "consulted"),
    ],
)
def test_damaged_rows_are_named_and_the_rest_goes_on(relay: Relay, damage: str, words: str) -> None:
    relay.hot_contact()
    relay.contact()
    relay.run()
    first, second = (row["id"] for row in relay.rows("SELECT id FROM decision ORDER BY id"))
    tamper(relay, damage, **_named(damage, id=first, empty=hash_of(canonical_bytes([]))))

    report = replayed(relay)

    assert report.total == 2
    assert report.counts[Standing.EQUAL] == 1
    (finding,) = report.findings
    assert finding.decision_id == first != second
    assert words in finding.words or (finding.difference and words in finding.difference.path)


def _named(sql: str, **values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in sql}


def test_a_policy_of_the_past_that_cannot_be_read_any_more_is_said_once_and_counted(
    relay: Relay,
) -> None:
    relay.hot_contact()
    relay.run()
    old = relay.bundle.hash
    with_policy(relay, **{"overlays/new.yaml": "name: Another agreement\n"})
    relay.hot_contact()
    relay.run()
    with transaction(relay.engine) as conn:
        conn.execute(
            text(
                "UPDATE policy_version SET bundle = jsonb_build_object("
                "'a.yaml', 'word_of_an_older_grammar: 1') WHERE hash = :old"
            ),
            {"old": old},
        )

    report = replayed(relay)

    assert report.counts[Standing.UNREADABLE] == 1
    assert report.counts[Standing.EQUAL] == 1
    (words,) = report.unreadable
    assert "can no longer be read" in words
    assert report.unreadable[words] == 1


def test_erased_people_are_excepted_and_counted(relay: Relay) -> None:
    gone = relay.contact()
    relay.hot_contact()
    relay.run()
    with transaction(relay.engine) as conn:
        row = relay.lead(gone)["id"]
        leads.set_state(conn, row, LeadState.ERASED, at=relay.now(), cause="asked", by="tests")
        delete_people(conn, [row])

    report = replayed(relay)

    assert report.all_equal
    assert report.counts[Standing.ERASED] == 1
    assert report.counts[Standing.EQUAL] == 1
