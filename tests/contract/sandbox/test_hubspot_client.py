"""The HubSpot sandbox through `hubspot-api-client`, unchanged."""

from __future__ import annotations

import json

import pytest
from hubspot import HubSpot
from hubspot.crm.companies.exceptions import ApiException as CompanyError
from hubspot.crm.contacts.exceptions import ApiException as ContactError
from hubspot.crm.contacts.exceptions import NotFoundException

from crm_sandbox.inprocess import SandboxThread


@pytest.fixture(scope="module")
def client(sandbox: SandboxThread) -> HubSpot:
    described = sandbox.description["hubspot"]
    return HubSpot(access_token=described["token"], host=described["url"])


def create(client: HubSpot, **properties: str) -> str:
    return client.crm.contacts.basic_api.create({"properties": properties}).id


def test_create_get_change_archive(client: HubSpot) -> None:
    api = client.crm.contacts.basic_api
    made_id = create(client, email="Ana.Lindqvist@north.test", firstname="Ana")

    read = api.get_by_id(made_id, properties=["email", "phone", "no_such_property"])
    assert read.properties["email"] == "ana.lindqvist@north.test"
    assert read.properties["phone"] is None
    assert "no_such_property" not in read.properties
    assert {"createdate", "hs_object_id", "lastmodifieddate"} <= set(read.properties)
    assert list(read.properties) == sorted(read.properties)

    changed = api.update(made_id, {"properties": {"firstname": "Anna"}})
    assert changed.properties["firstname"] == "Anna"
    by_email = api.get_by_id("ana.lindqvist@north.test", id_property="email")
    assert by_email.id == made_id

    api.archive(made_id)
    with pytest.raises(NotFoundException):
        api.get_by_id(made_id)
    assert api.get_by_id(made_id, archived=True).archived is True


def test_create_with_a_taken_email_is_a_conflict_that_names_the_id(client: HubSpot) -> None:
    made_id = create(client, email="twice@north.test")
    with pytest.raises(ContactError) as caught:
        create(client, email="TWICE@north.test")
    body = json.loads(caught.value.body)
    assert caught.value.status == 409
    assert body["category"] == "CONFLICT"
    assert body["message"] == f"Contact already exists. Existing ID: {made_id}"


def test_refused_values_are_named_with_their_codes(client: HubSpot) -> None:
    values = {
        "scor": "1",
        "email": "not an address",
        "hs_lead_status": "Sleeping",
        "num_conversion_events": "3",
        "hubspot_owner_id": "",
    }
    with pytest.raises(ContactError) as caught:
        create(client, **values)
    body = json.loads(caught.value.body)
    codes = {e["context"]["propertyName"][0]: e["code"] for e in body["errors"]}
    assert caught.value.status == 400
    assert codes == {
        "scor": "PROPERTY_DOESNT_EXIST",
        "email": "INVALID_EMAIL",
        "hs_lead_status": "INVALID_OPTION",
        "num_conversion_events": "READ_ONLY_VALUE",
    }
    assert body["message"].startswith("Property values were not valid: [{")


def test_an_unknown_owner_is_refused(client: HubSpot) -> None:
    with pytest.raises(ContactError) as caught:
        create(client, email="owned@north.test", hubspot_owner_id="12345")
    assert "INVALID_OWNER_ID" in caught.value.body


def test_list_pages_by_id_and_the_last_page_has_no_paging(client: HubSpot) -> None:
    made = [create(client, email=f"page{n}@list.test") for n in range(5)]
    seen: list[str] = []
    after = None
    while True:
        page = client.crm.contacts.basic_api.get_page(limit=2, after=after)
        seen += [row.id for row in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert set(made) <= set(seen)
    assert seen == sorted(seen, key=int)
    assert len(seen) == len(set(seen))


def test_batch_read_by_email_reports_the_missing_in_one_error(client: HubSpot) -> None:
    made_id = create(client, email="here@batch.test")
    inputs = [{"id": "here@batch.test"}, {"id": "gone1@batch.test"}, {"id": "gone2@batch.test"}]
    body = {"properties": ["email"], "idProperty": "email", "inputs": inputs}
    answer, status, _ = client.crm.contacts.batch_api.read_with_http_info(body)
    assert status == 207
    assert [row.id for row in answer.results] == [made_id]
    assert answer.num_errors == 1
    assert answer.errors[0].category == "OBJECT_NOT_FOUND"
    assert answer.errors[0].context["ids"] == ["gone1@batch.test", "gone2@batch.test"]


def test_batch_create_is_all_or_nothing_without_trace_ids(client: HubSpot) -> None:
    inputs = [{"properties": {"email": "ok@all.test"}}, {"properties": {"scor": "1"}}]
    with pytest.raises(ContactError) as caught:
        client.crm.contacts.batch_api.create({"inputs": inputs})
    assert caught.value.status == 400
    with pytest.raises(NotFoundException):
        client.crm.contacts.basic_api.get_by_id("ok@all.test", id_property="email")


def test_batch_create_with_trace_ids_answers_row_by_row(client: HubSpot) -> None:
    inputs = [
        {"objectWriteTraceId": "a", "properties": {"email": "ok@rows.test"}},
        {"objectWriteTraceId": "b", "properties": {"email": "nonsense"}},
    ]
    answer, status, _ = client.crm.contacts.batch_api.create_with_http_info({"inputs": inputs})
    assert status == 207
    assert len(answer.results) == 1
    assert answer.errors[0].context["objectWriteTraceId"] == ["b"]
    assert answer.errors[0].category == "VALIDATION_ERROR"


def test_batch_update_wants_record_ids(client: HubSpot) -> None:
    made_id = create(client, email="update@batch.test")
    api = client.crm.contacts.batch_api
    rows = [{"id": made_id, "properties": {"city": "Ghent"}}]
    assert api.update({"inputs": rows}).results[0].properties["city"] == "Ghent"
    by_email = [{"id": "update@batch.test", "idProperty": "email", "properties": {"city": "x"}}]
    with pytest.raises(ContactError) as caught:
        api.update({"inputs": by_email})
    assert "non-unique 0-1 property email" in caught.value.body
    unknown = [{"id": "99", "objectWriteTraceId": "t", "properties": {"city": "x"}}]
    answer, status, _ = api.update_with_http_info({"inputs": unknown})
    assert (status, answer.errors[0].category) == (207, "OBJECT_NOT_FOUND")


def test_batch_upsert_says_what_is_new(client: HubSpot) -> None:
    create(client, email="old@upsert.test")
    inputs = [
        {"id": "old@upsert.test", "idProperty": "email", "properties": {"city": "Bern"}},
        {"id": "new@upsert.test", "idProperty": "email", "properties": {"city": "Basel"}},
    ]
    answer = client.crm.contacts.batch_api.upsert({"inputs": inputs})
    assert {row.properties["city"]: row.new for row in answer.results} == {
        "Bern": False,
        "Basel": True,
    }


def test_batches_are_bounded(client: HubSpot) -> None:
    with pytest.raises(ContactError) as caught:
        client.crm.contacts.batch_api.read({"inputs": [{"id": str(n)} for n in range(101)]})
    assert caught.value.status == 400
    assert json.loads(caught.value.body)["category"] == "VALIDATION_ERROR"


def test_lifecycle_stage_moves_forward_only_unless_cleared(client: HubSpot) -> None:
    made_id = create(client, email="stage@north.test", lifecyclestage="marketingqualifiedlead")
    api = client.crm.contacts.basic_api
    api.update(made_id, {"properties": {"lifecyclestage": "lead"}})
    read = api.get_by_id(made_id, properties=["lifecyclestage"])
    assert read.properties["lifecyclestage"] == "marketingqualifiedlead"
    api.update(made_id, {"properties": {"lifecyclestage": ""}})
    api.update(made_id, {"properties": {"lifecyclestage": "lead"}})
    read = api.get_by_id(made_id, properties=["lifecyclestage"])
    assert read.properties["lifecyclestage"] == "lead"


def test_merge_keeps_the_old_id_alive_but_not_in_batch_update(client: HubSpot) -> None:
    kept = create(client, email="kept@merge.test", firstname="Kept")
    lost = create(client, email="lost@merge.test", phone="+4712345678")
    ids = {"primaryObjectId": kept, "objectIdToMerge": lost}
    client.crm.contacts.basic_api.merge(ids)

    read = client.crm.contacts.basic_api.get_by_id(
        lost, properties=["phone", "hs_merged_object_ids", "hs_additional_emails"]
    )
    assert read.id == kept
    assert read.properties["phone"] == "+4712345678"
    assert read.properties["hs_merged_object_ids"] == lost
    assert read.properties["hs_additional_emails"] == "lost@merge.test"
    batch = client.crm.contacts.batch_api.read({"inputs": [{"id": lost}], "properties": []})
    assert [row.id for row in batch.results] == [kept]
    rows = [{"id": lost, "objectWriteTraceId": "t", "properties": {"city": "Oslo"}}]
    answer, status, _ = client.crm.contacts.batch_api.update_with_http_info({"inputs": rows})
    assert (status, answer.results) == (200, [])
    with pytest.raises(ContactError) as caught:
        create(client, email="lost@merge.test")
    assert caught.value.status == 409


def test_associations_and_the_primary_company(client: HubSpot) -> None:
    company = client.crm.companies.basic_api.create({"properties": {"domain": "acme.test"}}).id
    other = client.crm.companies.basic_api.create({"properties": {"domain": "acme.test"}}).id
    linked = client.crm.contacts.basic_api.create(
        {
            "properties": {"email": "linked@acme.test"},
            "associations": [
                {
                    "to": {"id": company},
                    "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
                }
            ],
        }
    ).id
    alone = create(client, email="alone@acme.test")
    api = client.crm.associations.v4.batch_api
    answer, status, _ = api.get_page_with_http_info(
        "contacts", "companies", {"inputs": [{"id": linked}, {"id": alone}]}
    )
    assert status == 207
    assert answer.results[0]._from.id == linked
    assert str(answer.results[0].to[0].to_object_id) == company
    labels = {t.label for t in answer.results[0].to[0].association_types}
    assert labels == {"Primary", None}
    assert answer.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"

    api.create(
        "contacts",
        "companies",
        {
            "inputs": [
                {
                    "from": {"id": linked},
                    "to": {"id": other},
                    "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}],
                }
            ]
        },
    )
    read = client.crm.contacts.basic_api.get_by_id(
        linked, properties=["associatedcompanyid"], associations=["companies"]
    )
    assert read.properties["associatedcompanyid"] == other
    types = [(row.id, row.type) for row in read.associations["companies"].results]
    assert (other, "contact_to_company") in types
    assert (company, "contact_to_company_unlabeled") in types
    assert (company, "contact_to_company") not in types


def test_properties_can_be_read_and_created(client: HubSpot) -> None:
    api = client.crm.properties.core_api
    names = {row.name for row in api.get_all("contacts").results}
    assert {"email", "lifecyclestage", "recent_conversion_date"} <= names
    definition = {
        "name": "handoff_status",
        "label": "Handoff status",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "contactinformation",
        "options": [{"label": "Routed", "value": "routed", "hidden": False, "displayOrder": 0}],
    }
    api.create("contacts", definition)
    assert api.get_by_name("contacts", "handoff_status").options[0].value == "routed"
    create(client, email="defined@north.test", handoff_status="routed")
    with pytest.raises(ContactError, match="INVALID_OPTION"):
        create(client, email="defined2@north.test", handoff_status="Routed")
    batch = client.crm.properties.batch_api.create(
        "contacts", {"inputs": [{**definition, "name": "handoff_second"}]}
    )
    assert batch.results[0].name == "handoff_second"
    client.crm.properties.groups_api.create("contacts", {"name": "handoff", "label": "Handoff"})
    groups = client.crm.properties.groups_api.get_all("contacts").results
    assert "handoff" in {group.name for group in groups}


def test_a_unique_property_identifies_records(client: HubSpot) -> None:
    client.crm.properties.core_api.create(
        "companies",
        {
            "name": "account_code",
            "label": "Account code",
            "type": "string",
            "fieldType": "text",
            "groupName": "companyinformation",
            "hasUniqueValue": True,
        },
    )
    api = client.crm.companies
    made = api.basic_api.create({"properties": {"account_code": "A1", "name": "Unique Oy"}})
    found = api.basic_api.get_by_id("A1", id_property="account_code")
    assert found.id == made.id
    with pytest.raises(CompanyError) as caught:
        api.basic_api.create({"properties": {"account_code": "a1"}})
    assert caught.value.status == 409
    rows = [{"id": "A1", "idProperty": "account_code", "properties": {"city": "Turku"}}]
    assert api.batch_api.update({"inputs": rows}).results[0].properties["city"] == "Turku"


def test_lists_take_members_once(client: HubSpot) -> None:
    made_id = create(client, email="nurture@north.test")
    made = client.crm.lists.lists_api.create(
        {"name": "Nurture", "objectTypeId": "0-1", "processingType": "MANUAL"}
    )
    list_id = made.list.list_id
    added = client.crm.lists.memberships_api.add(list_id, [made_id, "42"])
    assert (added.records_ids_added, added.record_ids_missing) == ([made_id], ["42"])
    again = client.crm.lists.memberships_api.add(list_id, [made_id])
    assert again.records_ids_added == []
    page = client.crm.lists.memberships_api.get_page(list_id)
    assert [row.record_id for row in page.results] == [made_id]
    found = client.crm.lists.lists_api.do_search({"query": "nurt", "offset": 0, "count": 10})
    assert [row.list_id for row in found.lists] == [list_id]


def test_owners(client: HubSpot, sandbox: SandboxThread) -> None:
    owner_id = sandbox.world.portal.add_owner("rep@relay.test", "Rey", "Pine")
    gone_id = sandbox.world.portal.add_owner("gone@relay.test", "Gone", "Pine", archived=True)
    page = client.crm.owners.owners_api.get_page(email="rep@relay.test")
    assert [owner.id for owner in page.results] == [owner_id]
    assert client.crm.owners.owners_api.get_by_id(int(owner_id)).email == "rep@relay.test"
    archived = client.crm.owners.owners_api.get_page(archived=True).results
    assert [(owner.id, owner.user_id) for owner in archived] == [(gone_id, None)]


def test_forms_are_listed(client: HubSpot, sandbox: SandboxThread) -> None:
    guid = sandbox.world.portal.create_form("Demo request")
    forms = client.marketing.forms.forms_api.get_page(form_types=["hubspot", "captured"])
    assert (guid, "Demo request") in {(form.id, form.name) for form in forms.results}


def test_every_value_that_a_property_had(client: HubSpot) -> None:
    api = client.crm.contacts.basic_api
    made_id = create(client, email="history@north.test", jobtitle="Buyer")
    api.update(made_id, {"properties": {"jobtitle": "Head of Buying"}})
    api.update(made_id, {"properties": {"jobtitle": "Head of Buying", "city": "Graz"}})
    api.update(made_id, {"properties": {"jobtitle": ""}})

    read = api.get_by_id(made_id, properties_with_history=["jobtitle", "no_such_property"])
    assert list(read.properties_with_history) == ["jobtitle"]
    versions = read.properties_with_history["jobtitle"]
    assert [one.value for one in versions] == ["", "Head of Buying", "Buyer"]
    assert {one.source_type for one in versions} == {"API"}
    moments = [one.timestamp for one in versions]
    assert moments == sorted(moments, reverse=True)


def test_histories_are_read_in_smaller_batches(client: HubSpot) -> None:
    inputs = [{"id": str(n)} for n in range(1, 52)]
    body = {"inputs": inputs, "properties": [], "propertiesWithHistory": ["email"]}
    with pytest.raises(ContactError) as caught:
        client.crm.contacts.batch_api.read(body)
    assert caught.value.status == 400
    assert "for property histories is 50" in json.loads(caught.value.body)["message"]
