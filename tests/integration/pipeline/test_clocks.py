"""The response clock: nobody touches a lead, and it is not left lying."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.integration.pipeline.relay import START, Relay

from baton.ledger.database.engine import transaction
from baton.pipeline.intake.references import read_references

SOFIA = "sofia.ricci@relay.test"
GREG = "greg.lawson@relay.test"


def demo_request(relay: Relay) -> str:
    contact = relay.contact()
    relay.submit(contact, "Demo request")
    relay.run()
    return contact


def events(relay: Relay) -> list[tuple[str, timedelta]]:
    """What the clock recorded, with its due time after the assignment."""
    rows = relay.rows("SELECT kind, due_at FROM sla_event ORDER BY due_at, kind")
    return [(row["kind"], row["due_at"] - START) for row in rows]


@pytest.mark.requirement("002-21")
@pytest.mark.requirement("002-25")
def test_silence_after_a_demo_request_reminds_and_tells_the_manager(relay: Relay) -> None:
    """Demo request at ten; by half past the owner was reminded and the manager knows."""
    contact = demo_request(relay)
    told = []
    for minute in (2, 4, 6, 16, 17, 30):
        relay.world.clock.set(START)
        relay.wait(minutes=minute)
        relay.watch()
        told.append((minute, [one.to for one in relay.messages()[1:]]))

    assert told == [
        (2, []),
        (4, [SOFIA]),
        (6, [SOFIA]),
        (16, [SOFIA, GREG]),
        (17, [SOFIA, GREG]),
        (30, [SOFIA, GREG]),
    ]
    minutes = [("remind", 3), ("breach", 5), ("tell_manager", 15)]
    assert events(relay) == [(kind, timedelta(minutes=number)) for kind, number in minutes]
    assert relay.handoff(contact)["state"] == "notified"
    assert "Nobody has touched this lead in time" in relay.messages()[-1].says


@pytest.mark.requirement("002-21")
def test_a_late_run_finds_the_same_breach_at_the_same_due_time(relay: Relay) -> None:
    demo_request(relay)
    relay.wait(minutes=50)

    relay.watch()

    assert [kind for kind, _ in events(relay)] == ["remind", "breach", "tell_manager"]
    assert events(relay)[1] == ("breach", timedelta(minutes=5))


def test_a_call_in_time_stops_the_clock(relay: Relay) -> None:
    contact = demo_request(relay)
    relay.follow()
    relay.wait(minutes=2)
    relay.touch(relay.salesforce_lead(contact))
    relay.wait(minutes=58)

    relay.watch()

    assert events(relay) == []
    assert len(relay.messages()) == 1


def test_a_late_call_leaves_the_breach_and_stops_the_rest(relay: Relay) -> None:
    contact = demo_request(relay)
    relay.follow()
    relay.wait(minutes=7)
    relay.touch(relay.salesforce_lead(contact))
    relay.wait(minutes=30)

    relay.watch()

    assert [kind for kind, _ in events(relay)] == ["breach"]
    assert len(relay.messages()) == 1


def test_what_the_integration_user_does_is_no_touch(relay: Relay) -> None:
    contact = demo_request(relay)
    lead = relay.salesforce_lead(contact)
    fields = {"Subject": "Call", "TaskSubtype": "Call", "Status": "Completed", "WhoId": lead["Id"]}
    relay.org.insert("Task", fields)  # by the integration user
    relay.wait(minutes=6)

    relay.watch()

    assert [kind for kind, _ in events(relay)] == ["remind", "breach"]


@pytest.mark.requirement("002-25")
def test_an_sdr_who_never_answers_loses_the_lead_to_another(relay: Relay) -> None:
    """One SDR keeps silent: after an hour the other has it, with a clock of their own."""
    contact = relay.contact()
    relay.take_quiz(contact, 80)
    relay.run()
    first = relay.handoff(contact)
    relay.wait(minutes=61)

    relay.watch()

    second = relay.handoff(contact)
    assert second["owner_key"] != first["owner_key"]
    assert second["first_touch_due"] == relay.now() + timedelta(minutes=5)
    lead = relay.salesforce_lead(contact)
    assert relay.owner_name(lead) == second["owner_key"]
    assert lead["Handoff_Key__c"] == f"{second['key']}.2"
    assert [relay.owner_name(task) for task in relay.tasks()] == [
        first["owner_key"],
        second["owner_key"],
    ]


@pytest.mark.requirement("002-25")
def test_a_customers_lead_stays_with_the_account_team_and_their_manager_is_told(
    relay: Relay,
) -> None:
    """The clock of a demo request reassigns after an hour; not what belongs to the account team."""
    relay.account("Softworks", "softworks-k.test", owner="ines.moreau", Type="Customer - Direct")
    read_references(relay.ctx)
    contact = relay.contact(relay.company(name="Softworks", domain="softworks-k.test"))
    relay.submit(contact, "Demo request")
    relay.run()
    first = relay.handoff(contact)
    # A handoff of before the rule: its terms still name a time to give it away.
    with transaction(relay.engine) as conn:
        conn.execute(
            text("UPDATE hop SET terms = terms || CAST(:more AS jsonb)"),
            {"more": json.dumps({"reassign_at": (START + timedelta(hours=1)).isoformat()})},
        )
    relay.wait(hours=3)

    report = relay.watch()

    assert report["reassigned"] == 0
    assert relay.handoff(contact)["owner_key"] == first["owner_key"]
    assert len(relay.tasks()) == 1
    told = [one.to for one in relay.messages() if "Nobody has touched this lead" in one.says]
    assert told == [GREG]


def test_a_lead_of_the_night_waits_for_the_owners_morning(relay: Relay) -> None:
    """Captured at 23:00 in Rome: due five minutes after nine, and nobody is told at night."""
    relay.world.clock.set(START + timedelta(hours=12))
    relay.wait()
    contact = demo_request(relay)
    relay.wait(hours=8)

    relay.watch()

    assert relay.handoff(contact)["first_touch_due"] == START + timedelta(hours=22, minutes=5)
    assert events(relay) == []


def test_the_timer_of_nurture_turns_a_lead_cold_and_keeps_it(relay: Relay) -> None:
    contact = relay.contact()
    relay.run()
    relay.wait(days=181)

    relay.everything()

    lead = relay.lead(contact)
    assert lead["state"] == "nurture"
    assert lead["timer_at"] > relay.now()
