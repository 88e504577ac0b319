"""The Salesforce gateway against the sandbox, over HTTPS with a private CA."""

from __future__ import annotations

import dataclasses
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from baton.crm.salesforce import SalesforceGateway
from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    FatalGatewayError,
    InvalidRecordError,
    OwnerInactiveError,
    RateLimitedError,
    RejectedRecordError,
    UnavailableError,
)
from baton.transport import RetryTerms, UnlimitedRate

KEY = "HubSpot_Contact_Id__c"


@pytest.fixture
def staff(salesforce) -> dict[str, str]:
    return {user.email: user.id for user in salesforce.users() if user.email}


@pytest.fixture
def amara(staff) -> str:
    return staff["amara.okafor@relay.test"]


@pytest.fixture
def a_lead(unique):
    def make(**fields: Any) -> dict[str, Any]:
        key = unique("hs")
        whole = {KEY: key, "LastName": "Made", "Company": "Made Ltd", "Email": f"{key}@made.test"}
        return whole | fields

    return make


def owner_of(salesforce: SalesforceGateway, lead_id: str) -> str:
    (row,) = salesforce.query(f"SELECT OwnerId FROM Lead WHERE Id = '{lead_id}'")
    return str(row["OwnerId"])


def test_check_logs_in_once_and_knows_the_org(salesforce, sandbox) -> None:
    org = salesforce.check()
    assert org.org_id == sandbox.where["salesforce"]["org_id"]
    assert org.user_id
    assert org.api_limit
    salesforce.check()
    assert salesforce.calls["POST /services/oauth2/token"] == 1


def test_wrong_secrets_are_told_at_once_and_not_shown(salesforce) -> None:
    wrong = dataclasses.replace(salesforce.connection, consumer_secret="shh-wrong")
    gateway = SalesforceGateway(wrong, UnlimitedRate())
    with pytest.raises(AuthenticationError, match="invalid_client") as caught:
        gateway.check()
    assert "shh" not in str(caught.value)
    assert sum(gateway.calls.values()) == 1


def test_an_unknown_ca_is_a_clear_error(salesforce, monkeypatch) -> None:
    stranger = dataclasses.replace(salesforce.connection, ca_file=None)
    gateway = SalesforceGateway(stranger, UnlimitedRate())
    with pytest.raises(FatalGatewayError, match="set ca_file"):
        gateway.check()
    # A bundle named by the environment does not get in the way of the connection's own.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    assert SalesforceGateway(salesforce.connection, UnlimitedRate()).check().org_id


def test_upsert_creates_once_then_updates(salesforce, a_lead, amara) -> None:
    record = a_lead(OwnerId=amara, Handoff_Score__c=82.5)
    first = salesforce.upsert("Lead", KEY, [record])[record[KEY]]
    again = salesforce.upsert("Lead", KEY, [record])[record[KEY]]
    assert (first.ok, first.created) == (True, True)
    assert (again.ok, again.created, again.id) == (True, False, first.id)
    assert first.id is not None
    assert owner_of(salesforce, first.id) == amara


def test_more_than_a_collection_holds(salesforce, a_lead) -> None:
    records = [a_lead(Title=str(n)) for n in range(230)]
    salesforce.check()
    salesforce.calls.clear()
    results = salesforce.upsert("Lead", KEY, records)
    assert set(results) == {one[KEY] for one in records}
    assert all(one.ok for one in results.values())
    assert sum(salesforce.calls.values()) == 2
    rows = salesforce.query_in(
        f"SELECT {KEY}, Id, Title FROM Lead WHERE {KEY} IN {{values}}",
        [one[KEY] for one in records],
    )
    found = {row[KEY]: row for row in rows}
    for one in records:
        assert found[one[KEY]]["Title"] == one["Title"]
        assert found[one[KEY]]["Id"] == results[one[KEY]].id


def test_one_bad_record_does_not_stop_the_others(salesforce, a_lead) -> None:
    good, bad = a_lead(), a_lead(LastName="")
    results = salesforce.upsert("Lead", KEY, [bad, good])
    assert results[good[KEY]].ok
    assert isinstance(results[bad[KEY]].error, InvalidRecordError)
    assert "LastName" in str(results[bad[KEY]].error)


def test_a_partly_failing_batch_has_a_result_for_every_record(salesforce, faults, a_lead) -> None:
    records = [a_lead() for _ in range(6)]
    faults.fault("partial", "salesforce", "composite/sobjects")
    results = salesforce.upsert("Lead", KEY, records)
    assert set(results) == {one[KEY] for one in records}
    stored = salesforce.people([one[KEY] for one in records], [])
    for one in records:
        assert results[one[KEY]].ok == (stored.match(one[KEY], None).lead is not None)


def test_a_missing_custom_field_says_what_to_deploy(salesforce, a_lead) -> None:
    with pytest.raises(FatalGatewayError, match="has no field Missing__c") as caught:
        list(salesforce.query("SELECT Missing__c FROM Lead"))
    assert "include/salesforce" in str(caught.value)
    record = a_lead(Missing__c="x")
    try:
        error: object = salesforce.upsert("Lead", KEY, [record])[record[KEY]].error
    except FatalGatewayError as whole_batch:
        error = whole_batch
    assert "Missing__c" in str(error)


def test_an_inactive_owner_asks_for_another_route(salesforce, a_lead, staff) -> None:
    inactive = [user.id for user in salesforce.users() if not user.active]
    if not inactive:
        pytest.skip("the market has no inactive user")
    record = a_lead(OwnerId=inactive[0])
    result = salesforce.upsert("Lead", KEY, [record])[record[KEY]]
    assert isinstance(result.error, OwnerInactiveError)


# -- the owner stays the one we routed to --------------------------------------------------------


def raw_http(where: dict[str, str]) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=where["ca_file"])
    return httpx.Client(base_url=where["url"], verify=trusted, trust_env=False)


def without_header(sandbox, salesforce, record: dict[str, Any]) -> str:
    """Create a Lead as a client that forgets the header would; return its id."""
    where, client = sandbox.where["salesforce"], salesforce._salesforce()
    with raw_http(where) as http:
        answer = http.post(
            "/services/data/v62.0/sobjects/Lead/",
            json=record,
            headers={"Authorization": f"Bearer {client.session_id}"},
        )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_the_org_would_overwrite_the_owner_without_the_header(
    salesforce, sandbox, a_lead, amara
) -> None:
    lead_id = without_header(sandbox, salesforce, a_lead(OwnerId=amara))
    assert owner_of(salesforce, lead_id) != amara


@pytest.mark.parametrize("how", ["revoked", "fault"])
def test_the_owner_survives_an_expired_session(
    salesforce, faults, a_lead, amara, how, monkeypatch
) -> None:
    monkeypatch.setattr("baton.crm.salesforce.tokens._FRESH_SECONDS", 0.0)
    salesforce.check()
    if how == "revoked":
        where, token = faults.where["salesforce"], salesforce._salesforce().session_id
        with raw_http(where) as http:
            http.post("/services/oauth2/revoke", data={"token": token}).raise_for_status()
    else:
        faults.fault("401", "salesforce", "composite/sobjects")
    record = a_lead(OwnerId=amara)
    result = salesforce.upsert("Lead", KEY, [record])[record[KEY]]
    assert result.ok
    assert result.id is not None
    assert salesforce.calls["POST /services/oauth2/token"] == 2
    assert salesforce.calls[f"PATCH /composite/sobjects/Lead/{KEY}"] == 2
    assert owner_of(salesforce, result.id) == amara
    update = {"Id": result.id, "Title": "CTO"}
    assert salesforce.update("Lead", [update])[result.id].ok
    assert owner_of(salesforce, result.id) == amara


def test_a_session_that_stays_refused_ends_in_an_error(salesforce, faults) -> None:
    salesforce.check()
    faults.fault("401", "salesforce", "/services/data", count=500)
    with pytest.raises(AuthenticationError):
        salesforce.check()
    assert sum(salesforce.calls.values()) < 12


def test_threads_share_one_login(salesforce, sandbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: list(salesforce.query("SELECT Id FROM User")), range(24)))
    assert salesforce.calls["POST /services/oauth2/token"] == 1


# -- outcomes of writes --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["timeout", "reset", "502_html", "500", "truncated"])
def test_an_answer_lost_after_the_work_was_done_is_ambiguous_and_can_be_read_back(
    salesforce, faults, a_lead, kind
) -> None:
    record = a_lead()
    salesforce.check()
    faults.fault(kind, "salesforce", "composite/sobjects", when="after")
    with pytest.raises(AmbiguousOutcomeError) as caught:
        salesforce.upsert("Lead", KEY, [record])
    assert record["Email"] not in str(caught.value)
    found = salesforce.people([record[KEY]], []).match(record[KEY], None)
    assert found.lead is not None, "it had been done"
    assert salesforce.calls[f"PATCH /composite/sobjects/Lead/{KEY}"] == 1, "and was not repeated"
    again = salesforce.upsert("Lead", KEY, [record], repeat_ambiguous=True)[record[KEY]]
    assert (again.id, again.created) == (found.lead.id, False)


def test_repeating_an_ambiguous_upsert_on_purpose_makes_no_double(
    salesforce, faults, a_lead
) -> None:
    record = a_lead()
    faults.fault("reset", "salesforce", "composite/sobjects", when="after")
    assert salesforce.upsert("Lead", KEY, [record], repeat_ambiguous=True)[record[KEY]].ok
    rows = list(salesforce.query(f"SELECT Id FROM Lead WHERE {KEY} = '{record[KEY]}'"))
    assert len(rows) == 1


def test_a_refusal_before_anything_was_done_is_ridden_out(salesforce, faults, a_lead) -> None:
    record = a_lead()
    faults.fault("503", "salesforce", "composite/sobjects", count=2)
    assert salesforce.upsert("Lead", KEY, [record])[record[KEY]].ok
    faults.fault("503", "salesforce", "composite/sobjects", count=99)
    with pytest.raises(UnavailableError):
        salesforce.upsert("Lead", KEY, [a_lead()])


@pytest.mark.parametrize(("policy", "daily"), [("daily", True), (None, False)])
def test_limits_are_told_apart(salesforce, faults, policy, daily) -> None:
    rule = {"policy": policy} if policy else {}
    faults.fault("429", "salesforce", "/query", count=9, **rule)
    with pytest.raises(RateLimitedError) as caught:
        list(salesforce.query("SELECT Id FROM User"))
    assert caught.value.daily is daily


@pytest.mark.parametrize("kind", ["502_html", "503", "reset", "truncated", "timeout"])
def test_reads_are_repeated(salesforce, faults, kind) -> None:
    salesforce.check()
    faults.fault(kind, "salesforce", "/query", when="after")
    assert list(salesforce.query("SELECT Id FROM User"))


def test_nobody_there_is_unavailable(salesforce) -> None:
    nowhere = dataclasses.replace(salesforce.connection, login_url="https://127.0.0.1:1")
    gateway = SalesforceGateway(nowhere, UnlimitedRate(), terms=RetryTerms(attempts=1))
    with pytest.raises(UnavailableError):
        gateway.upsert("Lead", KEY, [{KEY: "1"}])


# -- reads ---------------------------------------------------------------------------------------


def test_users_queues_accounts_and_opportunities(salesforce, sandbox) -> None:
    users = {user.email: user for user in salesforce.users()}
    amara = users["amara.okafor@relay.test"]
    assert amara.active
    assert amara.zone
    assert amara.manager_id == users["nadia.petrov@relay.test"].id
    assert {"Inbound triage", "Inbound DACH"} <= {queue.name for queue in salesforce.queues()}
    accounts = {account.id: account for account in salesforce.accounts()}
    opportunities = list(salesforce.open_opportunities(datetime(2020, 1, 1, tzinfo=UTC)))
    assert accounts
    assert all(one.account_id in accounts for one in opportunities if one.account_id)
    later = list(salesforce.open_opportunities(salesforce.server_now() + timedelta(days=1)))
    assert not any(one.is_closed for one in later)
    assert len(later) <= len(opportunities)


def test_describe_shows_our_fields(salesforce) -> None:
    lead = salesforce.describe("Lead")
    assert lead.fields[KEY].unique
    assert lead.fields[KEY].external_id
    assert "Recycle" in lead.fields["Disposition__c"].values


def test_people_by_id_and_by_address_converted_ones_too(
    salesforce, sandbox, a_lead, amara, unique
) -> None:
    by_id, by_mail, converted = a_lead(), a_lead(), a_lead(OwnerId=amara)
    mail = f"{unique('o')}'neill@made.test"
    by_mail |= {"Email": mail}
    results = salesforce.upsert("Lead", KEY, [by_id, by_mail, converted])
    assert all(one.ok for one in results.values())
    lead_id = results[converted[KEY]].id
    answer = sandbox.admin.post("/salesforce/convert", json={"lead_id": lead_id})
    answer.raise_for_status()
    salesforce.calls.clear()
    people = salesforce.people([by_id[KEY], converted[KEY]], [mail.upper(), "nobody@made.test"])
    found = people.match(by_id[KEY], None)
    assert found.lead
    assert found.matched_by == "hubspot_id"
    was = people.match(converted[KEY], None)
    assert was.lead is None
    assert was.converted
    assert was.contact
    assert was.contact.id == answer.json()["contact_id"]
    assert was.contact.account_id == answer.json()["account_id"]
    stranger = people.match("no-such-id", mail)
    assert stranger.lead is None, "it bears another person's HubSpot id"
    assert salesforce.calls["POST /composite"] <= 2
    assert not any("made.test" in row["path"] for row in sandbox.requests("salesforce"))


def test_deleted_leads_are_seen_as_such(salesforce, a_lead) -> None:
    record = a_lead()
    result = salesforce.upsert("Lead", KEY, [record])[record[KEY]]
    salesforce._call("DELETE", f"sobjects/Lead/{result.id}")
    match = salesforce.people([record[KEY]], [record["Email"]]).match(record[KEY], None)
    assert match.lead is None
    assert match.deleted_ids == (result.id,)


def test_tasks_are_found_by_key(salesforce, a_lead, amara, unique) -> None:
    record = a_lead(OwnerId=amara)
    lead_id = salesforce.upsert("Lead", KEY, [record])[record[KEY]].id
    key = unique("H1-1") + ".1.task"
    task = {"Handoff_Key__c": key, "WhoId": lead_id, "OwnerId": amara, "Subject": "Call"}
    made = salesforce.upsert("Task", "Handoff_Key__c", [task])[key]
    assert made.created
    found = salesforce.tasks_by_key([key, "no-such-key"])
    assert set(found) == {key}
    assert (found[key].who_id, found[key].owner_id, found[key].is_closed) == (lead_id, amara, False)
    assert made.id is not None
    salesforce.update("Task", [{"Id": made.id, "Status": "Completed"}])
    closed = salesforce.tasks_by_key([key])[key]
    assert closed.is_closed
    assert closed.completed_at


def test_changes_are_read_by_stamp(salesforce, a_lead) -> None:
    since = salesforce.server_now() - timedelta(seconds=1)
    records = [a_lead() for _ in range(30)]
    salesforce.upsert("Lead", KEY, records)
    until = salesforce.server_now() + timedelta(seconds=2)
    rows = list(salesforce.changed("Lead", [KEY, "Status"], since, until))
    assert {one[KEY] for one in records} <= {row[KEY] for row in rows}
    stamps = [(row["SystemModstamp"], row["Id"]) for row in rows]
    assert stamps == sorted(stamps)
    assert list(salesforce.changed("Lead", [KEY], until, until + timedelta(hours=1))) == []
    history = salesforce.changed(
        "LeadHistory", ["LeadId", "Field"], since, until, stamp="CreatedDate"
    )
    assert isinstance(list(history), list)


def test_changes_over_several_pages_with_one_stamp(salesforce, a_lead, monkeypatch) -> None:
    monkeypatch.setattr("baton.crm.salesforce.gateway._PAGE", 7)
    since = salesforce.server_now() - timedelta(seconds=1)
    records = [a_lead() for _ in range(30)]
    salesforce.upsert("Lead", KEY, records)
    until = salesforce.server_now() + timedelta(seconds=2)
    rows = [row[KEY] for row in salesforce.changed("Lead", [KEY], since, until)]
    assert {one[KEY] for one in records} <= set(rows)
    assert len(rows) == len(set(rows))


def test_quotes_in_values_cannot_break_out(salesforce) -> None:
    nasty = ["O'Neill", "x') OR (Id != null", "back\\slash", 'quo"te']
    rows = salesforce.query_in("SELECT Id FROM Lead WHERE LastName IN {values}", nasty)
    assert list(rows) == []


def test_a_rejected_record_says_why(salesforce, a_lead, sandbox) -> None:
    record = a_lead()
    lead_id = salesforce.upsert("Lead", KEY, [record])[record[KEY]].id
    sandbox.admin.post("/salesforce/convert", json={"lead_id": lead_id}).raise_for_status()
    assert lead_id is not None
    result = salesforce.update("Lead", [{"Id": lead_id, "Title": "CTO"}])[lead_id]
    assert isinstance(result.error, RejectedRecordError)
    assert result.error.code == "CANNOT_UPDATE_CONVERTED_LEAD"
