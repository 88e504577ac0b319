"""Records that others made are adopted, never doubled; what a field does not take costs no lead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.integration.pipeline.relay import Relay

from baton.ledger.database.engine import transaction
from baton.pipeline.delivery.deliver import deliver_and_notify
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.versions.agreements import activate_policy
from baton.policy.bundle import PolicyBundle
from crm_sandbox.salesforce.conversion import convert_lead
from crm_sandbox.salesforce.own_rules import read_own_rules

SOFIA = "sofia.ricci@relay.test"


def agree(relay: Relay, old: str, new: str) -> None:
    """Activate the policy with another line in its section on Salesforce."""
    texts = dict(relay.bundle.texts)
    assert old in texts["agreement.yaml"]
    texts["agreement.yaml"] = texts["agreement.yaml"].replace(old, new)
    with transaction(relay.engine) as conn:
        changed = PolicyBundle(texts)
        activate_policy(conn, changed, by="tests", at=relay.now(), parent=relay.policy.hash)


def duplicate_rule(relay: Relay, *, blocks: bool = False) -> None:
    rule = {"object": "Lead", "field": "Company", "among": ["Lead"], "blocks": blocks}
    relay.org.own_rules = read_own_rules({"duplicates": [rule]}, relay.org.schema)


def test_the_record_of_hubspots_own_sync_is_waited_for_adopted_and_not_doubled(
    relay: Relay,
) -> None:
    agree(relay, "wait_for_native_sync: never", "wait_for_native_sync: 90 seconds")
    contact = relay.hot_contact()
    relay.run()
    assert list(relay.org.rows("Lead")) == []
    (effect,) = relay.effects(kind="salesforce_record")
    assert (effect["state"], effect["last_error_code"]) == ("waiting", "WAITS_FOR_NATIVE_SYNC")
    relay.wait(seconds=30)
    sync = relay.org.add_user("HubSpot Sync", "hs@relay.test")
    given = {"LastName": "Tester", "Company": "Softworks", "Email": relay.email(contact)}
    made = relay.org.insert("Lead", given, by=sync)

    relay.run()

    lead = relay.salesforce_lead(contact)
    assert lead["Id"] == made
    assert len(list(relay.org.rows("Lead"))) == 1
    assert relay.owner_name(lead) == relay.handoff(contact)["owner_key"] == SOFIA
    (effect,) = relay.effects(kind="salesforce_record")
    assert effect["result"]["adopted"] == "true"
    assert relay.handoff(contact)["state"] == "notified"

    other = relay.hot_contact()
    relay.run()
    relay.wait(seconds=95)  # that sync made nothing: we do
    relay.run()
    assert relay.owner_name(relay.salesforce_lead(other)) == relay.handoff(other)["owner_key"]


@pytest.mark.parametrize("rule", ["adopt", "allow", "alarm"])
def test_a_duplicate_is_adopted_allowed_or_told_as_the_policy_says(relay: Relay, rule: str) -> None:
    if rule != "adopt":
        agree(relay, "duplicates: adopt ", f"duplicates: {rule} ")
    contact = relay.hot_contact(relay.company(name="Softworks Twin"), company="Softworks Twin")
    given = {"LastName": "Tester", "Company": "Softworks Twin", "Email": "other@twin.test"}
    twin = relay.org.insert("Lead", given)
    duplicate_rule(relay)

    relay.run()

    (effect,) = relay.effects(kind="salesforce_record")
    leads = {row["Id"]: row for row in relay.org.rows("Lead")}
    if rule == "adopt":
        assert leads.keys() == {twin}
        assert leads[twin]["HubSpot_Contact_Id__c"] == contact
        assert relay.handoff(contact)["state"] == "notified"
    elif rule == "allow":
        assert len(leads) == 2
        assert relay.handoff(contact)["state"] == "notified"
    else:
        assert (effect["state"], effect["last_error_code"]) == ("rejected", "DUPLICATES_DETECTED")
        assert leads[twin]["HubSpot_Contact_Id__c"] is None


def test_a_duplicate_that_is_another_persons_record_is_never_taken(relay: Relay) -> None:
    contact = relay.hot_contact(relay.company(name="Softworks Twin"), company="Softworks Twin")
    given = {"LastName": "Tester", "Company": "Softworks Twin", "HubSpot_Contact_Id__c": "99"}
    twin = relay.org.insert("Lead", given)
    duplicate_rule(relay, blocks=True)

    relay.run()

    (effect,) = relay.effects(kind="salesforce_record")
    assert effect["state"] == "rejected"
    assert twin in effect["last_error"]
    assert relay.org.get("Lead", twin)["HubSpot_Contact_Id__c"] == "99"
    assert relay.handoff(contact)["state"] == "planned"


def test_a_value_that_a_field_does_not_take_costs_no_lead(relay: Relay) -> None:
    """Too long a name, a source that the picklist lacks, a mail that Salesforce refuses."""
    lead = relay.org.schema.get("Lead")
    source = lead.field("LeadSource")
    relay.org.store.schema = relay.org.schema = relay.org.schema.extended(
        {"Lead": [replace(source, restricted=True), replace(lead.field("FirstName"), length=5)]}, {}
    )
    contact = relay.hot_contact(firstname="Maximiliane", hs_analytics_source="PAID_SOCIAL")

    relay.run()

    made = relay.salesforce_lead(contact)
    assert made["FirstName"] == "Maxim"
    assert relay.handoff(contact)["state"] == "notified"
    found = {(row["field"], row["kind"]) for row in relay.rows("SELECT * FROM field_finding")}
    assert ("FirstName", "cut") in found


def test_a_lead_converted_whose_contact_is_gone_is_told_and_comes_back(relay: Relay) -> None:
    contact = relay.hot_contact()
    qualify_and_route(relay.ctx)
    given = {"LastName": "T", "Company": "Softworks", "HubSpot_Contact_Id__c": contact}
    made = relay.org.insert("Lead", given, by=relay.user(SOFIA))
    done = convert_lead(relay.org, made, by=relay.user(SOFIA), opportunity_name=None)
    relay.org.delete("Contact", done.contact_id)

    deliver_and_notify(relay.ctx)

    (effect,) = relay.effects(kind="salesforce_record")
    assert (effect["state"], effect["last_error_code"]) == ("rejected", "CONVERTED_CONTACT_GONE")
