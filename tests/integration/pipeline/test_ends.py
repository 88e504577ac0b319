"""Outcomes refused for now, conversions without an opportunity, and leads that went cold."""

from __future__ import annotations

from typing import Any

from tests.integration.pipeline.relay import Relay

from baton.pipeline.timers import run_timers
from crm_sandbox.salesforce.conversion import convert_lead

NO_REPLY = "No reply yet"


def dispositions(relay: Relay) -> list[dict[str, Any]]:
    return relay.rows("SELECT code, at FROM disposition ORDER BY id")


def test_a_reason_given_too_early_is_told_and_taken_when_it_may_be(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.wait(minutes=3)
    lead = relay.salesforce_lead(contact)
    relay.give(lead, "Recycle", NO_REPLY)
    relay.follow()
    relay.follow()
    relay.run()
    assert dispositions(relay) == []
    (task,) = relay.tasks()
    assert task["Description"].startswith(f"Not taken yet: '{NO_REPLY}' may be given after")
    assert task["Description"].count("Not taken yet") == 1
    told = [one for one in relay.messages() if "Not taken yet" in str(one)]
    assert len(told) == 1

    for _ in range(6):
        relay.wait(days=2)
        relay.touch(lead)
        relay.follow()

    assert [row["code"] for row in dispositions(relay)] == ["no_reply"]
    assert relay.lead(contact)["state"] == "recycled"
    assert relay.rows("SELECT id FROM refused_disposition WHERE settled_at IS NULL") == []


def test_a_reason_that_the_rep_takes_back_is_not_taken_later(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.wait(minutes=3)
    lead = relay.salesforce_lead(contact)
    relay.give(lead, "Recycle", NO_REPLY)
    relay.follow()
    relay.wait(minutes=3)
    relay.org.update(
        "Lead",
        lead["Id"],
        {"Disposition__c": None, "Disposition_Reason__c": None},
        by=lead["OwnerId"],
    )
    relay.follow()

    for _ in range(6):
        relay.wait(days=2)
        relay.touch(lead)
    relay.follow()

    assert dispositions(relay) == []
    assert relay.lead(contact)["state"] == "in_handoff"


def test_an_opportunity_opened_after_the_conversion_is_found(relay: Relay) -> None:
    contact, account = converted(relay)
    relay.wait(days=3)
    deal = relay.opportunity(account, owner="sofia.ricci")

    relay.follow()

    assert relay.handoff(contact)["salesforce_opportunity_id"] == deal
    relay.org.update("Opportunity", deal, {"StageName": "Closed Won", "Amount": 5000.0})
    relay.wait(minutes=1)
    relay.follow()
    assert relay.handoff(contact)["state"] == "won"
    assert relay.lead(contact)["state"] == "customer"


def test_a_conversion_without_an_opportunity_comes_back_to_marketing(relay: Relay) -> None:
    contact, _ = converted(relay)
    relay.wait(days=29)
    relay.follow()
    assert relay.handoff(contact)["state"] == "converted"
    relay.wait(days=2)

    relay.follow()

    assert relay.handoff(contact)["state"] == "recycled"
    assert relay.lead(contact)["state"] == "nurture"


def converted(relay: Relay) -> tuple[str, str]:
    contact = relay.hot_contact()
    relay.run()
    relay.wait(minutes=3)
    lead = relay.salesforce_lead(contact)
    done = convert_lead(relay.org, lead["Id"], by=lead["OwnerId"], opportunity_name=None)
    relay.follow()
    assert relay.handoff(contact)["state"] == "converted"
    return contact, str(done.account_id)


def test_a_lead_without_activity_is_marked_cold_and_warm_again_when_something_happens(
    relay: Relay,
) -> None:
    contact = relay.contact()
    relay.run()
    assert relay.lead(contact)["state"] == "nurture"
    relay.wait(days=170)
    relay.change(contact, jobtitle="Head of Sales")
    relay.run()
    relay.wait(days=20)
    run_timers(relay.ctx)
    assert relay.lead(contact)["cold_since"] is None  # active twenty days ago

    relay.wait(days=170)
    run_timers(relay.ctx)
    relay.run()
    assert relay.lead(contact)["cold_since"] is not None
    properties = relay.world.portal.get("contacts", contact).properties
    assert properties["baton_cold_since"] == relay.now().date().isoformat()

    relay.wait(days=1)
    relay.change(contact, jobtitle="VP Sales")
    relay.run()
    assert relay.lead(contact)["cold_since"] is None
    assert not relay.world.portal.get("contacts", contact).properties.get("baton_cold_since")
