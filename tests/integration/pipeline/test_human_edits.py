"""A human edit wins: it stays, is recorded with who made it, and is never flipped back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.pipeline.relay import Relay

from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.response.sales_activity import read_outcomes

SOFIA, JONAS = "sofia.ricci@relay.test", "jonas.keller@relay.test"
pytestmark = pytest.mark.requirement("002-06")


def overrides(relay: Relay) -> list[tuple[str, str | None, str | None, str | None]]:
    rows = relay.rows("SELECT field, ours, theirs, by_whom FROM human_override ORDER BY field, id")
    return [(row["field"], row["ours"], row["theirs"], row["by_whom"]) for row in rows]


def refresh(relay: Relay, contact: str, number: int = 1) -> None:
    """News of the lead for its open handoff, as a second hand raise gives them."""
    handoff, lead = relay.handoff(contact), relay.lead(contact)
    with transaction(relay.engine) as conn:
        conn.exec_driver_sql(
            "UPDATE handoff SET band = 'warm', trigger = %s WHERE id = %s",
            (f"news_{number}", handoff["id"]),
        )
        outbox.add(
            conn,
            [
                NewEffect(
                    key=f"{handoff['key']}.1.salesforce_record.news-{number}",
                    kind="salesforce_record",
                    lead_id=lead["id"],
                    handoff_id=handoff["id"],
                    hop=1,
                    params={"refresh": True},
                )
            ],
            at=relay.now(),
        )


def just_before(
    monkeypatch: pytest.MonkeyPatch, gateway: Any, name: str, act: Callable[[], None]
) -> None:
    """Let somebody act between our look and our write: at the first call of a gateway's method."""
    write, acted = getattr(gateway, name), []

    def late(*args: Any, **kw: Any) -> Any:
        if not acted:
            acted.append(True)
            act()
        return write(*args, **kw)

    monkeypatch.setattr(gateway, name, late)


def test_fields_of_the_package_that_a_rep_changed_stay_and_the_others_are_renewed(
    relay: Relay,
) -> None:
    contact = relay.hot_contact()
    relay.run()
    lead = relay.salesforce_lead(contact)
    relay.wait(minutes=1)
    theirs = {"Handoff_Band__c": "scorching", "Handoff_Package__c": "spoke to them: call in May"}
    relay.org.update("Lead", lead["Id"], theirs, by=relay.user(JONAS))
    relay.follow()

    for number in (1, 2):
        refresh(relay, contact, number)
        deliver_and_notify(relay.ctx)

    after = relay.salesforce_lead(contact)
    assert {name: after[name] for name in theirs} == theirs
    assert after["Handoff_Trigger__c"] == "news_2"
    assert "Reasons" not in {row[0] for row in overrides(relay)}
    found = {row[0]: row for row in overrides(relay)}
    assert found["Handoff_Band__c"] == ("Handoff_Band__c", "hot", "scorching", JONAS)
    assert found["Handoff_Package__c"][3] == JONAS
    assert "May" not in str(found)
    assert len(found) == len(overrides(relay)) == 2


@pytest.mark.parametrize("who", [JONAS, "integration of HubSpot"])
def test_an_owner_and_a_status_taken_before_our_first_write_stay(relay: Relay, who: str) -> None:
    """The record was there already; somebody took it between the decision and the delivery."""
    contact = relay.hot_contact()
    given = {"LastName": "Tester", "Company": "Softworks", "Email": relay.email(contact)}
    made = relay.org.insert("Lead", given, by=relay.user(SOFIA))
    by = relay.user(JONAS) if who == JONAS else relay.org.add_user("HubSpot Sync", "hs@relay.test")
    qualify_and_route(relay.ctx)
    relay.wait(seconds=5)
    change = {"OwnerId": relay.user(JONAS), "Status": "Working - Contacted"}
    relay.org.update("Lead", made, change, by=by)
    relay.wait(seconds=5)

    relay.run()
    relay.follow()

    after = relay.salesforce_lead(contact)
    assert after["Id"] == made
    assert relay.owner_name(after) == JONAS
    assert after["Status"] == "Working - Contacted"
    assert after["Handoff_Band__c"] == "hot"
    found = {row[0]: row for row in overrides(relay)}
    assert found["owner"][1:3] == (SOFIA, JONAS)
    assert found["status"][1:3] == ("Open - Not Contacted", "Working - Contacted")


def test_an_edit_between_our_look_and_our_write_is_put_back(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = relay.hot_contact()
    given = {"LastName": "Tester", "Company": "Softworks", "Email": relay.email(contact)}
    made = relay.org.insert("Lead", given)
    qualify_and_route(relay.ctx)
    change = {"OwnerId": relay.user(JONAS)}
    just_before(
        monkeypatch,
        relay.ctx.salesforce,
        "update",
        lambda: relay.org.update("Lead", made, change, by=relay.user(JONAS)),
    )
    relay.run()
    assert relay.owner_name(relay.salesforce_lead(contact)) == SOFIA  # ours, unseen by anybody
    relay.wait(seconds=30)

    read_outcomes(relay.ctx)
    write_back(relay.ctx)

    assert relay.owner_name(relay.salesforce_lead(contact)) == JONAS
    (row,) = relay.rows("SELECT * FROM human_override")
    assert (row["field"], row["ours"], row["theirs"], row["by_whom"]) == (
        "owner", SOFIA, JONAS, JONAS,
    )  # fmt: skip
    assert row["restored_at"] is not None
    relay.wait(minutes=1)
    refresh(relay, contact)
    relay.run()
    relay.follow()
    relay.follow()
    assert relay.owner_name(relay.salesforce_lead(contact)) == JONAS
    assert len(overrides(relay)) == 1
    assert len(relay.effects(kind="salesforce_restore")) == 1


def test_a_closed_or_edited_task_is_neither_reopened_nor_given_another_date(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    (task,) = relay.tasks()
    change = {"Status": "Completed", "ActivityDate": relay.now().date().replace(month=12, day=24)}
    relay.org.update("Task", task["Id"], change, by=task["OwnerId"])
    (record,) = relay.effects(kind="salesforce_task")
    with transaction(relay.engine) as conn:  # the answer was lost, and the worker died
        conn.exec_driver_sql(
            "UPDATE effect SET state = 'pending', done_at = NULL WHERE id = %s", (record["id"],)
        )
    late = {"Handoff_Key__c": task["Handoff_Key__c"], "WhoId": task["WhoId"], "Subject": "late"}

    relay.run()
    relay.ctx.salesforce.upsert(
        "Task", "Handoff_Key__c", [late]
    )  # without a status it stays closed

    (after,) = relay.tasks()
    assert (after["Status"], after["ActivityDate"]) == ("Completed", change["ActivityDate"])
    assert relay.handoff(contact)["state"] in ("notified", "working")


@pytest.mark.parametrize("source", ["CRM_UI", "SALESFORCE"])
def test_what_people_put_in_hubspot_stays_until_there_is_news(relay: Relay, source: str) -> None:
    """Typed in HubSpot, or in Salesforce, from where HubSpot's own sync brings it."""
    contact = relay.hot_contact()
    relay.run()
    assert relay.world.portal.get("contacts", contact).properties["lifecyclestage"] == (
        "marketingqualifiedlead"
    )
    relay.wait(minutes=2)
    by_hand = {"baton_band": "cool", "lifecyclestage": "customer"}
    relay.world.portal.update("contacts", contact, by_hand, source=source)
    lead = relay.lead(contact)

    for number in (1, 2):
        _write_back_again(relay, lead["id"], number)

    properties = relay.world.portal.get("contacts", contact).properties
    assert {name: properties[name] for name in by_hand} == by_hand
    assert overrides(relay) == [("hubspot.baton_band", "hot", "cool", source)]
    with transaction(relay.engine) as conn:
        conn.exec_driver_sql("UPDATE lead SET band = 'warm' WHERE id = %s", (lead["id"],))
    _write_back_again(relay, lead["id"], 3)
    assert relay.world.portal.get("contacts", contact).properties["baton_band"] == "warm"


def test_an_edit_in_hubspot_between_look_and_write_is_put_back(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.wait(minutes=2)
    relay.follow()
    lead = relay.lead(contact)
    with transaction(relay.engine) as conn:
        conn.exec_driver_sql("UPDATE lead SET band = 'warm' WHERE id = %s", (lead["id"],))
    just_before(
        monkeypatch,
        relay.ctx.hubspot,
        "update_contacts",
        lambda: relay.world.portal.update(
            "contacts", contact, {"baton_band": "cool"}, source="CRM_UI"
        ),
    )
    _write_back_again(relay, lead["id"], 1)
    assert relay.world.portal.get("contacts", contact).properties["baton_band"] == "warm"
    relay.wait(minutes=2)

    relay.follow()

    assert relay.world.portal.get("contacts", contact).properties["baton_band"] == "cool"
    (row,) = relay.rows("SELECT * FROM human_override")
    assert (row["field"], row["theirs"], row["by_whom"]) == (
        "hubspot.baton_band", "cool", "CRM_UI",
    )  # fmt: skip
    assert row["restored_at"] is not None


def _write_back_again(relay: Relay, lead_id: int, number: int) -> None:
    effect = NewEffect(
        key=f"L{lead_id}.again-{number}.hubspot_state", kind="hubspot_state", lead_id=lead_id
    )
    with transaction(relay.engine) as conn:
        outbox.add(conn, [effect], at=relay.now())
    write_back(relay.ctx)


def test_only_what_differs_is_written_and_a_stage_goes_back_the_way_hubspot_allows(
    relay: Relay,
) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.follow()
    lead = relay.lead(contact)
    before = relay.ctx.hubspot.calls["POST /crm/v3/objects/contacts/batch/update"]
    _write_back_again(relay, lead["id"], 1)
    assert relay.ctx.hubspot.calls["POST /crm/v3/objects/contacts/batch/update"] == before

    relay.wait(minutes=3)
    source = relay.world.portal.get("contacts", contact).properties["hs_analytics_source"]
    relay.give(relay.salesforce_lead(contact), "Recycle", "No budget yet")
    relay.follow()

    record = relay.world.portal.get("contacts", contact)
    assert record.properties["lifecyclestage"] == "lead"
    assert record.properties["hs_analytics_source"] == source
    written = [set(version.values) for version in record.versions if version.source == "API"]
    assert all("hs_analytics_source" not in names for names in written)
