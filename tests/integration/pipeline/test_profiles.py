"""Answers of several interactions, through the chain: kept, dated, shown, and forgotten."""

from __future__ import annotations

import json

import pytest
from tests.integration.pipeline.relay import Relay

pytestmark = [pytest.mark.requirement("002-17"), pytest.mark.requirement("002-18")]


def package_text(relay: Relay, contact: str) -> str:
    return json.dumps(relay.handoff(contact)["package"], ensure_ascii=False)


def test_an_answer_survives_a_form_that_leaves_it_out(relay: Relay) -> None:
    contact = relay.contact()
    relay.submit(contact, "Contact sales", decision_timeline="this_quarter")
    relay.run()
    relay.wait(days=40)
    relay.change(contact, decision_timeline="")
    relay.submit(contact, "Demo request")

    relay.run()

    said = package_text(relay, contact)
    assert "Decision timeline: This quarter (said on 2026-11-24 in Contact sales)" in said
    (decision,) = relay.rows(
        "SELECT * FROM decision WHERE outcome = 'handoff' ORDER BY id DESC LIMIT 1"
    )
    assert decision["inputs"]["facts"]["Decision timeline"] == "This quarter"


def test_a_vague_answer_does_not_replace_a_specific_one(relay: Relay) -> None:
    contact = relay.contact(decision_timeline="this_month")
    relay.run()
    relay.wait(days=2)
    relay.submit(contact, "Demo request", decision_timeline="just_looking")

    relay.run()

    assert "Decision timeline: This month (said on" in package_text(relay, contact)
    answers = relay.rows("SELECT value FROM lead_answer ORDER BY said_at")
    assert [row["value"] for row in answers] == ["This month", "Just looking"], "both are on record"


def test_a_personal_answer_stands_in_the_person_table_alone(relay: Relay) -> None:
    contact = relay.contact(message="zq-secret: call my sister")
    relay.run()
    relay.wait(days=2)
    relay.change(contact, message="")
    relay.submit(contact, "Demo request")

    relay.run()

    assert relay.rows("SELECT * FROM lead_answer WHERE label = 'Message'") == []
    lead = relay.lead(contact)["id"]
    (person,) = relay.rows("SELECT profile FROM person WHERE lead_id = :id", id=lead)
    assert person["profile"]["Message"][0]["value"] == "zq-secret: call my sister"
    decisions = relay.rows("SELECT inputs, result FROM decision")
    assert "zq-secret" not in json.dumps(decisions)
    assert "Message: {Message} (said on 2026-11-24" in package_text(relay, contact)


def test_running_again_adds_nothing(relay: Relay) -> None:
    relay.contact(decision_timeline="this_month", budget_range="over_200k")
    relay.run()
    before = relay.rows("SELECT * FROM lead_answer ORDER BY label")
    assert [row["label"] for row in before] == ["Budget range", "Decision timeline"]

    relay.run()

    assert relay.rows("SELECT * FROM lead_answer ORDER BY label") == before
