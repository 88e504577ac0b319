"""Salesforce records that bear a handoff's key which the ledger does not hold are told, and left."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.pipeline.relay import Relay

from baton.pipeline.reconciling.differences import KINDS, READING, WRITING, in_words
from baton.pipeline.reconciling.reconcile import Comparison, reconcile, reconcile_by_night

HUBSPOT_ID, KEY = "HubSpot_Contact_Id__c", "Handoff_Key__c"


def found(done: Comparison) -> dict[str | None, str]:
    """The codes by Salesforce record."""
    return {one.salesforce_id: one.code for one in done.found}


def foreign_lead(relay: Relay, **fields: Any) -> str:
    given = {"LastName": "Stranger", "Company": "C", "OwnerId": relay.user("jonas.keller")}
    return str(relay.org.insert("Lead", given | fields))


def test_keys_that_the_ledger_does_not_hold_are_told_with_the_mend_and_nothing_is_changed(
    relay: Relay,
) -> None:
    contact = relay.hot_contact()
    relay.run()
    mine, org = relay.salesforce_lead(contact), relay.org
    handoff = relay.handoff(contact)["key"]
    lost = foreign_lead(relay, **{KEY: "H977-1.1", HUBSPOT_ID: "55501"})
    beyond = foreign_lead(relay, **{KEY: f"{handoff}.7"})
    typed = foreign_lead(relay, **{KEY: "my own words"})
    taken = foreign_lead(relay, **{KEY: f"{handoff}.1", HUBSPOT_ID: "55502"})
    copied = foreign_lead(relay, **{KEY: f"{handoff}.1"})
    person = org.insert("Contact", {"LastName": "Stranger", KEY: "H978-2.1"})
    task = org.insert("Task", {"Subject": "Call", "WhoId": lost, KEY: "H977-1.1.task"})
    row = org.insert("Handoff__c", {"Name": "H977-1", KEY: "H977-1"})
    before = relay.outside_picture()

    done = reconcile(relay.ctx, repairs=READING | WRITING)

    assert found(done) == {
        lost: "key_unknown",
        beyond: "key_unknown",
        typed: "key_unknown",
        taken: "key_of_another",
        person: "key_unknown",
        task: "task_unknown",
        row: "row_unknown",
    }
    assert copied not in found(done), "a copy of the record is for 'second lead', by who it is"
    assert done.remaining == done.found, "nothing of it is mended from here"
    assert relay.outside_picture() == before
    assert org.get("Handoff__c", row) is not None
    assert relay.salesforce_lead(contact)["Id"] == mine["Id"]
    (said,) = [in_words(one) for one in done.found if one.salesforce_id == task]
    assert f"Salesforce {task}" in said
    assert "Handoff_Key__c: ours empty, theirs H977-1.1.task" in said
    for code in found(done).values():
        assert "restored from an older copy" in KINDS[code].mend


def test_after_a_merge_the_key_of_either_is_the_persons_own(relay: Relay) -> None:
    """HubSpot merges two that sales has as two Leads: both keys belong to the survivor."""
    kept, merged = relay.hot_contact(), relay.hot_contact()
    relay.run()
    relay.wait(minutes=5)
    other = relay.salesforce_lead(merged)["Id"]
    relay.world.portal.merge(kept, merged)
    relay.run()
    assert relay.lead(merged)["merged_into"] == relay.lead(kept)["id"]
    assert relay.org.get("Lead", other)["HubSpot_Contact_Id__c"] == merged
    relay.org.update("Lead", relay.salesforce_lead(kept)["Id"], {KEY: None})
    relay.org.update("Lead", other, {KEY: f"{relay.handoffs(kept)[0]['key']}.1"})

    codes = found(reconcile(relay.ctx)).values()

    assert "key_of_another" not in codes
    assert "key_unknown" not in codes


def test_after_two_merges_in_a_row_the_first_ones_record_still_bears_its_own_key(
    relay: Relay,
) -> None:
    """The first went into the second, that one into the third: all are one person."""
    first, second, third = (relay.hot_contact() for _ in range(3))
    relay.run()
    relay.wait(minutes=5)
    record = relay.salesforce_lead(first)["Id"]
    for kept, merged in ((second, first), (third, second)):
        relay.world.portal.merge(kept, merged)
        relay.run()
        relay.wait(minutes=5)
        assert relay.lead(merged)["merged_into"] == relay.lead(kept)["id"]
    assert relay.org.get("Lead", record)["HubSpot_Contact_Id__c"] == first
    stranger = foreign_lead(
        relay, **{KEY: f"{relay.handoffs(third)[0]['key']}.1", HUBSPOT_ID: "55502"}
    )

    codes = found(reconcile(relay.ctx))

    assert record not in codes
    assert codes[stranger] == "key_of_another"


def test_the_records_are_read_page_by_page_and_a_night_goes_on_where_it_stopped(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = relay.hot_contact()
    relay.run()
    monkeypatch.setattr("baton.crm.salesforce.gateway._PAGE", 2)
    strangers = {foreign_lead(relay, **{KEY: f"H9{number}-1.1"}) for number in range(10, 15)}

    reports = []
    while (report := reconcile_by_night(relay.ctx, seconds=0.0)) != {}:
        reports.append(report)

    stored = relay.rows("SELECT salesforce_id, settled_at FROM difference")
    assert {one["salesforce_id"] for one in stored} == strangers
    assert [one["differences"] for one in reports if one.get("differences")] == [1, 2, 2], (
        f"{relay.salesforce_lead(contact)['Id']} comes first, then two records a run"
    )
    for one in strangers:
        relay.org.update("Lead", one, {KEY: None})

    assert reconcile(relay.ctx).found == []

    assert not relay.rows("SELECT * FROM difference WHERE settled_at IS NULL")


def test_an_org_without_the_handoff_object_is_compared_all_the_same(relay: Relay) -> None:
    relay.hot_contact()
    relay.run()
    with relay.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE crm_object SET present = false WHERE name = 'Handoff__c'")
    stranger = foreign_lead(relay, **{KEY: "H977-1.1"})

    assert found(reconcile(relay.ctx)) == {stranger: "key_unknown"}
