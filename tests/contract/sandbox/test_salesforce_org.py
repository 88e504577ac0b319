"""The org's rules, through its Python methods."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crm_sandbox.clock import SandboxClock
from crm_sandbox.salesforce.conversion import convert_lead
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.ids import normalise_id
from crm_sandbox.salesforce.org import Org
from crm_sandbox.salesforce.own_rules import SaveOptions

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEAD = {"LastName": "Kim", "Company": "Acme Works", "Email": "kim@acme.test"}


@pytest.fixture
def clock():
    return SandboxClock(START)


@pytest.fixture
def org(clock):
    return Org(clock)


@pytest.fixture
def rep(org):
    return org.add_user("Amara Okafor", "amara.okafor@relay.test", zone="America/New_York")


def refused(call, *args, **kwargs):
    with pytest.raises(OrgFault) as caught:
        call(*args, **kwargs)
    return caught.value


def test_id_checksum_follows_the_published_rule():
    # A bit for each capital: the third place of the first block, the last place of the third.
    assert normalise_id("00QxxxxxxxxxxxX") == "00QxxxxxxxxxxxXEAQ"
    assert normalise_id("00QxxxxxxxxxxxXEAQ") == "00QxxxxxxxxxxxXEAQ"
    assert normalise_id("short") is None


def test_custom_fields_and_statuses_come_from_the_deployable_metadata(org):
    task, event = org.schema.get("Task"), org.schema.get("Event")
    assert task.field("handoff_key__c").unique
    assert event.field("Handoff_Key__c").external_id
    statuses = [row["MasterLabel"] for row in org.rows("LeadStatus")]
    assert statuses == [
        "Open - Not Contacted",
        "Accepted",
        "Working - Contacted",
        "Qualified",
        "Recycled",
        "Unqualified",
    ]
    assert org.find("LeadStatus", IsConverted=True)["MasterLabel"] == "Qualified"


def test_every_custom_field_is_in_the_permission_set(org):
    from crm_sandbox.salesforce.metadata import default_metadata_dir

    [path] = default_metadata_dir().rglob("Lead_Handoff_Integration.permissionset-meta.xml")
    text = path.read_text()
    for name in ("Lead", "Contact", "Task", "Event"):
        for field in org.schema.get(name).fields.values():
            if field.custom:
                assert f"<field>{name}.{field.name}</field>" in text


def test_new_lead_has_defaults_stamps_and_history(org, rep):
    lead = org.get("Lead", org.insert("Lead", {**LEAD, "FirstName": "Ada", "OwnerId": rep}, by=rep))
    assert lead["Name"] == "Ada Kim"
    assert lead["Status"] == "Open - Not Contacted"
    assert lead["CreatedById"] == lead["LastModifiedById"] == rep
    assert lead["CreatedDate"] == lead["SystemModstamp"] == START
    assert [row["Field"] for row in org.rows("LeadHistory")] == ["created"]


def test_stamps_have_whole_seconds_and_never_go_back(org, clock):
    lead_id = org.insert("Lead", LEAD, at=START + timedelta(seconds=5, microseconds=900_000))
    assert org.get("Lead", lead_id)["SystemModstamp"] == START + timedelta(seconds=5)
    org.update("Lead", lead_id, {"Title": "Director"}, at=START)
    assert org.get("Lead", lead_id)["SystemModstamp"] == START + timedelta(seconds=5)


AUDITED = {
    "CreatedDate": START - timedelta(hours=6),
    "LastModifiedDate": START - timedelta(hours=5),
}


def test_integration_user_may_date_what_it_creates(org, rep):
    lead_id, _ = org.upsert("Lead", "HubSpot_Contact_Id__c", "88", {**LEAD, **AUDITED})
    lead = org.get("Lead", lead_id)
    assert {name: lead[name] for name in AUDITED} == AUDITED
    assert lead["SystemModstamp"] == START

    task = {"OwnerId": rep, "WhoId": lead_id, **AUDITED, "CreatedById": rep}
    kept = org.get("Task", org.insert("Task", task))
    assert (kept["CreatedDate"], kept["CreatedById"]) == (AUDITED["CreatedDate"], rep)
    # An activity of a person is touched again as it is saved.
    assert kept["LastModifiedDate"] == kept["SystemModstamp"] == START

    undated = org.get("Lead", org.insert("Lead", {**LEAD, "CreatedDate": None}))
    assert undated["CreatedDate"] == START


def test_dates_are_refused_on_update_by_others_and_without_the_permission(org, rep):
    code = "INVALID_FIELD_FOR_INSERT_UPDATE"
    day = {"CreatedDate": START - timedelta(days=1)}
    lead_id, _ = org.upsert("Lead", "HubSpot_Contact_Id__c", "89", LEAD)
    assert refused(org.update, "Lead", lead_id, day).error_code == code
    assert refused(org.upsert, "Lead", "HubSpot_Contact_Id__c", "89", day).error_code == code
    assert refused(org.insert, "Lead", {**LEAD, **day}, by=rep).error_code == code
    stamp = {"SystemModstamp": START}
    assert refused(org.insert, "Lead", {**LEAD, **stamp}).error_code == code
    user = {"LastName": "Kim", "Username": "kim@relay.test"}
    assert refused(org.insert, "User", {**user, **day}).error_code == code
    org.integration_sets_audit_fields = False
    fault = refused(org.insert, "Lead", {**LEAD, **day})
    assert (fault.error_code, fault.fields) == (code, ["CreatedDate"])


def test_what_is_recorded_later_keeps_its_moment_and_is_stamped_now(org, clock, rep):
    lead_id = org.insert("Lead", {**LEAD, "OwnerId": rep})
    now, then = START + timedelta(hours=8), START + timedelta(hours=1)
    clock.set(now)
    org.update("Lead", lead_id, {"Description": "by a machine"})
    with org.recorded_now():
        touch = org.insert("Task", {"OwnerId": rep, "WhoId": lead_id}, by=rep, at=then)
        org.update("Task", touch, {"Status": "Completed"}, by=rep, at=then)
        org.update("Lead", lead_id, {"Status": "Accepted"}, by=rep, at=then)
        done = convert_lead(org, lead_id, by=rep, at=then, opportunity_name="Acme deal")
    task, lead = org.get("Task", touch), org.get("Lead", lead_id)
    assert task["CreatedDate"] == task["CompletedDateTime"] == task["LastModifiedDate"] == then
    assert lead["LastModifiedDate"] == then
    assert lead["CreatedDate"] == START
    deal = org.get("Opportunity", done.opportunity_id)
    assert deal["CreatedDate"] == then
    assert {row["SystemModstamp"] for row in (task, lead, deal)} == {now}
    assert org.find("OpportunityHistory", OpportunityId=deal["Id"])["SystemModstamp"] == now
    moments = {row["Field"]: row["CreatedDate"] for row in org.rows("LeadHistory")}
    assert moments["Status"] == moments["leadConverted"] == then
    again = org.insert("Task", {"OwnerId": rep}, at=then)
    assert org.get("Task", again)["SystemModstamp"] == then


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Company": None}, "REQUIRED_FIELD_MISSING"),
        ({"Rating": "Lava"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Status": "Nurture"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Disposition_Reason__c": "Because"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Company": "x" * 256}, "STRING_TOO_LONG"),
        ({"Email": "foo"}, "INVALID_EMAIL_ADDRESS"),
        ({"Handoff_Score__c": 100_000}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"NumberOfEmployees": "many"}, "JSON_PARSER_ERROR"),
        ({"Company": 7}, "JSON_PARSER_ERROR"),
        ({"Return_Date__c": "tomorrow"}, "JSON_PARSER_ERROR"),
        ({"Handoff_Due__c": "2026-03-01T10:00:00"}, "JSON_PARSER_ERROR"),
        ({"ConvertedDate": date(2026, 3, 1)}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Shoe_Size__c": 43}, "INVALID_FIELD"),
        ({"OwnerId": "005Bt0000000999"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"OwnerId": "003Bt0000000001"}, "MALFORMED_ID"),
        ({"OwnerId": "amara"}, "MALFORMED_ID"),
    ],
)
def test_bad_values_are_refused_with_salesforces_codes(org, fields, code):
    fault = refused(org.insert, "Lead", {**LEAD, **fields})
    assert fault.error_code == code
    assert list(org.rows("Lead")) == []


def test_refusals_do_not_show_personal_data_in_their_text(org):
    assert "foo" not in str(refused(org.insert, "Lead", {**LEAD, "Email": "foo"}))


def test_numbers_are_rounded_to_their_scale_and_blank_text_is_empty(org):
    values = {"Handoff_Score__c": 81.25, "Title": "  ", "NumberOfEmployees": "12"}
    lead = org.get("Lead", org.insert("Lead", {**LEAD, **values}))
    assert lead["Handoff_Score__c"] == 81.3
    assert lead["Title"] is None
    assert lead["NumberOfEmployees"] == 12


def test_unique_key_is_refused_across_tasks_and_events(org, rep):
    first = org.insert("Task", {"OwnerId": rep, "Handoff_Key__c": "H1-1.1.task"})
    fault = refused(org.insert, "Task", {"OwnerId": rep, "Handoff_Key__c": "H1-1.1.task"})
    assert fault.error_code == "DUPLICATE_VALUE"
    assert first[:15] in fault.message
    meeting = {
        "OwnerId": rep,
        "Handoff_Key__c": "H1-1.1.task",
        "StartDateTime": START,
        "DurationInMinutes": 30,
    }
    assert refused(org.insert, "Event", meeting).error_code == "DUPLICATE_VALUE"
    org.insert("Task", {"OwnerId": rep, "Handoff_Key__c": "h1-1.1.TASK"})  # case counts


def test_upsert_creates_then_updates_the_same_record(org):
    first, created = org.upsert("Lead", "HubSpot_Contact_Id__c", "123", LEAD)
    again, created_again = org.upsert("Lead", "HubSpot_Contact_Id__c", "123", {"Title": "CTO"})
    assert (created, created_again) == (True, False)
    assert first == again
    assert org.get("Lead", first)["Title"] == "CTO"


def test_upsert_by_a_key_that_two_records_have_is_ambiguous(org):
    ids = [org.insert("Lead", LEAD), org.insert("Lead", LEAD)]
    fault = refused(org.upsert, "Lead", "Email", "KIM@acme.test", {"Title": "CTO"})
    assert fault.http_status == 300
    assert fault.records == [f"Lead/{one}" for one in ids]


def test_owner_is_an_active_user_or_a_lead_queue(org, rep):
    away = org.add_user("Gone Person", "gone@relay.test", active=False)
    queue = org.add_queue("Inbound triage", "Inbound_triage")
    other = org.insert("Group", {"Name": "Cases", "DeveloperName": "Cases", "Type": "Queue"})
    assert refused(org.insert, "Lead", {**LEAD, "OwnerId": away}).error_code == (
        "INACTIVE_OWNER_OR_USER"
    )
    assert refused(org.insert, "Lead", {**LEAD, "OwnerId": other}).message == (
        "Queue not associated with this SObject type"
    )
    lead_id = org.insert("Lead", {**LEAD, "OwnerId": queue})
    assert org.get("Lead", lead_id)["OwnerId"] == queue
    assert refused(org.insert, "Task", {"OwnerId": queue}).error_code == (
        "INVALID_CROSS_REFERENCE_KEY"
    )
    org.insert("Task", {"OwnerId": away})  # tasks may belong to somebody who left


def test_seed_repeats_the_credentials():
    first, again, other = (Org(SandboxClock(START), seed=seed) for seed in (7, 7, 8))
    assert first.app == again.app
    assert first.app.consumer_secret != other.app.consumer_secret


def test_deployed_queue_is_not_made_twice(org):
    before = len(list(org.rows("Group")))
    assert org.add_queue("Inbound DACH", "Inbound_DACH") == org.add_queue("Inbound DACH", "other")
    assert len(list(org.rows("Group"))) == before


def test_assignment_rule_overwrites_the_owner_on_insert_and_update(org, rep):
    lead_id = org.insert("Lead", {**LEAD, "OwnerId": rep}, options=SaveOptions(auto_assign=True))
    assert org.get("Lead", lead_id)["OwnerId"] == org.assignment_queue_id
    org.update("Lead", lead_id, {"OwnerId": rep})
    assert org.get("Lead", lead_id)["OwnerId"] == rep
    org.update("Lead", lead_id, {"Title": "CTO"}, options=SaveOptions(auto_assign=True))
    assert org.get("Lead", lead_id)["OwnerId"] == org.assignment_queue_id


def test_owner_change_leaves_two_history_rows(org, rep):
    queue = org.add_queue("Inbound triage", "Inbound_triage")
    lead_id = org.insert("Lead", {**LEAD, "OwnerId": queue})
    later = START + timedelta(minutes=3)
    org.update("Lead", lead_id, {"OwnerId": rep, "Status": "Accepted"}, by=rep, at=later)
    rows = [
        (row["Field"], row["OldValue"], row["NewValue"])
        for row in org.find_all("LeadHistory", LeadId=lead_id)
        if row["CreatedDate"] == later and row["CreatedById"] == rep
    ]
    assert rows == [
        ("Status", "Open - Not Contacted", "Accepted"),
        ("Owner", "Inbound triage", "Amara Okafor"),
        ("Owner", queue, rep),
    ]


def test_closing_a_task_sets_its_completion_time_once(org, rep):
    task_id = org.insert("Task", {"OwnerId": rep, "Subject": "Call"})
    assert org.get("Task", task_id)["IsClosed"] is False
    closed = START + timedelta(minutes=4)
    org.update("Task", task_id, {"Status": "Completed"}, at=closed)
    org.update("Task", task_id, {"Description": "done"}, at=closed + timedelta(hours=1))
    task = org.get("Task", task_id)
    assert task["IsClosed"] is True
    assert task["CompletedDateTime"] == closed
    org.update("Task", task_id, {"Status": "In Progress"}, at=closed + timedelta(hours=2))
    assert org.get("Task", task_id)["CompletedDateTime"] is None


def test_task_of_a_lead_relates_to_nothing_else(org, rep):
    lead_id = org.insert("Lead", LEAD)
    account = org.insert("Account", {"Name": "Acme Works"})
    fault = refused(org.insert, "Task", {"OwnerId": rep, "WhoId": lead_id, "WhatId": account})
    assert fault.error_code == "FIELD_INTEGRITY_EXCEPTION"


def test_conversion_makes_records_moves_activities_and_locks_the_lead(org, rep):
    lead_id, _ = org.upsert(
        "Lead", "HubSpot_Contact_Id__c", "77", {**LEAD, "OwnerId": rep, "LeadSource": "Web"}
    )
    task_id = org.insert("Task", {"OwnerId": rep, "WhoId": lead_id, "Handoff_Key__c": "H7"})
    later = START + timedelta(days=2)
    done = convert_lead(org, lead_id, by=rep, at=later, opportunity_name="Acme deal", amount=9000)

    lead = org.get("Lead", lead_id)
    assert (lead["IsConverted"], lead["Status"]) == (True, "Qualified")
    assert lead["ConvertedDate"] == later.date()
    assert lead["ConvertedOpportunityId"] == done.opportunity_id
    contact = org.get("Contact", done.contact_id)
    assert contact["HubSpot_Contact_Id__c"] == "77"
    assert contact["AccountId"] == done.account_id
    assert org.get("Opportunity", done.opportunity_id)["OwnerId"] == rep
    task = org.find("Task", Handoff_Key__c="H7")
    assert task["Id"] == task_id
    assert (task["WhoId"], task["WhatId"]) == (done.contact_id, done.opportunity_id)
    assert org.find("LeadHistory", LeadId=lead_id, Field="leadConverted") is not None

    refusal = refused(org.update, "Lead", lead_id, {"Title": "CTO"})
    assert refusal.error_code == "CANNOT_UPDATE_CONVERTED_LEAD"
    assert refused(
        org.upsert, "Lead", "HubSpot_Contact_Id__c", "77", {"Title": "CTO"}
    ).error_code == ("CANNOT_UPDATE_CONVERTED_LEAD")
    again = refused(convert_lead, org, lead_id, by=rep, opportunity_name=None)
    assert again.error_code == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_conversion_joins_the_known_account_and_contact(org, rep):
    account = org.insert("Account", {"Name": "ACME works"})
    contact = org.insert(
        "Contact", {"LastName": "Kim", "Email": "kim@acme.test", "AccountId": account}
    )
    queue = org.add_queue("Inbound triage", "Inbound_triage")
    lead_id = org.insert("Lead", {**LEAD, "OwnerId": queue})
    done = convert_lead(org, lead_id, by=rep, opportunity_name=None)
    assert (done.account_id, done.contact_id) == (account, contact)
    assert done.opportunity_id is None


def test_opportunity_keeps_a_history_of_its_stages(org, rep):
    deal = org.insert(
        "Opportunity",
        {"Name": "Deal", "StageName": "Prospecting", "CloseDate": date(2026, 5, 1), "Amount": 100},
    )
    org.update("Opportunity", deal, {"NextStep": "call"})
    org.update("Opportunity", deal, {"StageName": "Closed Won"}, by=rep)
    row = org.get("Opportunity", deal)
    assert (row["IsWon"], row["IsClosed"], row["Probability"]) == (True, True, 100.0)
    stages = [one["StageName"] for one in org.rows("OpportunityHistory")]
    assert stages == ["Prospecting", "Closed Won"]


def test_deleted_record_leaves_reads_and_frees_its_key(org):
    lead_id, _ = org.upsert("Lead", "HubSpot_Contact_Id__c", "5", LEAD)
    org.delete("Lead", lead_id)
    assert org.get("Lead", lead_id) is None
    assert org.get("Lead", lead_id, include_deleted=True)["IsDeleted"] is True
    assert refused(org.update, "Lead", lead_id, {}).error_code == "ENTITY_IS_DELETED"
    other, created = org.upsert("Lead", "HubSpot_Contact_Id__c", "5", LEAD)
    assert created
    assert other != lead_id


def test_transaction_undoes_rows_history_and_indexes(org):
    kept = org.insert("Lead", {**LEAD, "HubSpot_Contact_Id__c": "1"})

    def two_changes():
        with org.transaction():
            org.update("Lead", kept, {"Status": "Accepted", "Email": "new@acme.test"})
            org.insert("Lead", {**LEAD, "HubSpot_Contact_Id__c": "1"})

    history = len(list(org.rows("LeadHistory")))
    assert refused(two_changes).error_code == "DUPLICATE_VALUE"
    assert org.get("Lead", kept)["Status"] == "Open - Not Contacted"
    assert org.find("Lead", Email="new@acme.test") is None
    assert org.find("Lead", Email="kim@acme.test")["Id"] == kept
    assert len(list(org.rows("LeadHistory"))) == history


def test_last_activity_date_follows_tasks_without_touching_the_stamp(org, rep):
    lead_id = org.insert("Lead", LEAD)
    day = date(2026, 3, 9)
    later = START + timedelta(hours=1)
    org.insert("Task", {"OwnerId": rep, "WhoId": lead_id, "ActivityDate": day}, at=later)
    lead = org.get("Lead", lead_id)
    assert lead["LastActivityDate"] == day
    assert lead["SystemModstamp"] == START


def test_history_cannot_be_written_and_users_cannot_be_deleted(org, rep):
    assert refused(org.insert, "LeadHistory", {}).error_code == "INVALID_TYPE_FOR_OPERATION"
    assert refused(org.delete, "User", rep).error_code == "INVALID_TYPE_FOR_OPERATION"
