"""A row of Handoff__c for each handoff, and what becomes of the task of who has it no longer."""

from __future__ import annotations

from typing import Any

from tests.integration.pipeline.relay import Relay

from baton.ledger.database.engine import transaction
from baton.ledger.effects import crm_objects
from baton.ledger.effects.crm_objects import StoredObject


def rows(relay: Relay) -> list[dict[str, Any]]:
    return [dict(row) for row in relay.org.rows("Handoff__c")]


def test_one_row_a_handoff_follows_it_to_its_end(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    (row,) = rows(relay)
    handoff, lead = relay.handoff(contact), relay.salesforce_lead(contact)
    assert (row["Handoff_Key__c"], row["State__c"]) == (handoff["key"], "notified")
    assert (row["Lead__c"], row["Assigned_To__c"]) == (lead["Id"], lead["OwnerId"])
    assert (row["Cycle__c"], row["Hops__c"], row["Band__c"]) == (1, 1, "hot")
    assert row["Notified_At__c"] == handoff["notified_at"]

    relay.wait(minutes=3)
    relay.give(lead, "Recycle", "No budget yet")
    relay.follow()
    relay.follow()

    (row,) = rows(relay)
    assert (row["State__c"], row["Reason_Code__c"]) == ("recycled", "no_budget")
    assert row["Ended_At__c"] is not None
    assert {one["state"] for one in relay.effects(kind="salesforce_handoff")} == {"done"}


def test_an_org_without_the_object_gets_none_and_loses_nothing(relay: Relay) -> None:
    with transaction(relay.engine) as conn:
        none = StoredObject("Handoff__c", present=False, fields={}, described_at=relay.now())
        crm_objects.store(conn, none)
    contact = relay.hot_contact()

    relay.run()

    assert rows(relay) == []
    assert relay.handoff(contact)["state"] == "notified"
    assert relay.effects(kind="salesforce_handoff") == []


def test_the_task_of_a_withdrawn_lead_is_set_aside_and_not_completed(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    (task,) = relay.tasks()
    relay.wait(minutes=3)
    relay.change(contact, handoff_permission="false")

    relay.run()
    relay.run()

    assert relay.handoff(contact)["state"] == "cancelled"
    (after,) = relay.tasks()
    assert (after["Status"], after["IsClosed"]) == ("Deferred", False)
    assert after["Description"].startswith("Withdrawn ")
    assert after["Description"].count("Withdrawn ") == 1
    assert after["ActivityDate"] == task["ActivityDate"]
    assert relay.rows("SELECT * FROM touch") == []
    (row,) = rows(relay)
    assert row["State__c"] == "cancelled"


def test_an_owner_who_cannot_own_leads_any_more_is_replaced_at_once(relay: Relay) -> None:
    """Deactivated in Salesforce since the references were read: the next one gets the lead."""
    contact = relay.hot_contact()
    sofia = relay.user("sofia.ricci@relay.test")
    relay.org.update("User", sofia, {"IsActive": False})

    relay.run()
    relay.wait(minutes=1)
    relay.run()

    handoff = relay.handoff(contact)
    assert handoff["state"] == "notified"
    assert handoff["owner_key"] != "sofia.ricci@relay.test"
    assert relay.owner_name(relay.salesforce_lead(contact)) == handoff["owner_key"]
    assert len(relay.tasks()) == len(relay.messages()) == 1
