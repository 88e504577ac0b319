"""Rules that an org's own admin sets, through simple-salesforce and the admin port."""

from __future__ import annotations

import httpx
import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

LEAD = {"LastName": "Kim", "Company": "Acme Works"}
ALLOWED = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}


@pytest.fixture(scope="module")
def client(sandbox):
    described = sandbox.description["salesforce"]
    with requests.Session() as session:
        session.trust_env = False
        session.verify = described["ca_file"]
        form = {
            "grant_type": "client_credentials",
            "client_id": described["consumer_key"],
            "client_secret": described["consumer_secret"],
        }
        token = session.post(f"{described['url']}/services/oauth2/token", data=form).json()
        client = Salesforce(
            session_id=token["access_token"], instance_url=described["url"], session=session
        )
        client.base_url = f"{described['url']}/services/data/v{client.sf_version}/"
        yield client


@pytest.fixture
def rules(sandbox):
    """Set rules; they are gone when the test ends."""
    with httpx.Client(base_url=sandbox.description["admin"]["url"], trust_env=False) as admin:
        yield lambda **given: admin.post("/salesforce/rules", json=given)
        admin.post("/salesforce/rules", json={}).raise_for_status()


def refusal(call, *given, **options):
    with pytest.raises(SalesforceMalformedRequest) as caught:
        call(*given, **options)
    (error,) = caught.value.content
    return error


def test_a_duplicate_is_alerted_and_saved_when_the_caller_allows_it(client, rules):
    first = client.Lead.create({**LEAD, "Email": "kim@dup.test"})["id"]
    rules(duplicates=[{"object": "Lead", "field": "Email", "among": ["Lead", "Contact"]}])
    error = refusal(client.Lead.create, {**LEAD, "Email": "KIM@dup.test"})
    assert error["errorCode"] == "DUPLICATES_DETECTED"
    result = error["duplicateResult"]
    assert result["allowSave"] is True
    (match,) = result["matchResults"]
    assert match["matchRecords"][0]["record"]["Id"] == first
    assert client.Lead.create({**LEAD, "Email": "kim@dup.test"}, headers=ALLOWED)["success"]


def test_a_rule_that_blocks_is_passed_by_nobody(client, rules):
    client.Contact.create({"LastName": "Kim", "Email": "kim@block.test"})
    rule = {"object": "Lead", "field": "Email", "among": ["Contact"], "blocks": True}
    rules(duplicates=[rule])
    error = refusal(client.Lead.create, {**LEAD, "Email": "kim@block.test"}, headers=ALLOWED)
    assert error["duplicateResult"]["allowSave"] is False


def test_a_change_that_leaves_the_field_alone_is_no_duplicate(client, rules):
    made = client.Lead.create({**LEAD, "Email": "two@dup.test"})["id"]
    client.Lead.create({**LEAD, "Email": "two@dup.test"})
    rules(duplicates=[{"object": "Lead", "field": "Email"}])
    assert client.Lead.update(made, {"Title": "CFO"}) == 204


def test_in_a_collection_the_duplicate_alone_is_refused(client, rules):
    client.Lead.create({**LEAD, "Email": "three@dup.test"})
    rules(duplicates=[{"object": "Lead", "field": "Email"}])
    attributes = {"attributes": {"type": "Lead"}}
    records = [
        {**attributes, **LEAD, "Email": "three@dup.test"},
        {**attributes, **LEAD, "Email": "four@dup.test"},
    ]
    results = client.restful(
        "composite/sobjects", method="POST", json={"allOrNone": False, "records": records}
    )
    assert [one["success"] for one in results] == [False, True]
    assert results[0]["errors"][0]["statusCode"] == "DUPLICATES_DETECTED"


def test_a_validation_rule_speaks_its_own_words(client, rules):
    rules(
        validations=[
            {"object": "Lead", "field": "Phone", "matches": r"^\+", "message": "Phone needs +."}
        ]
    )
    error = refusal(client.Lead.create, {**LEAD, "Phone": "030 1234"})
    assert (error["errorCode"], error["message"], error["fields"]) == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Phone needs +.",
        ["Phone"],
    )
    assert client.Lead.create({**LEAD, "Phone": "+49 30 1234"})["success"]


def test_a_long_commit_is_seen_with_an_older_stamp(client, rules):
    rules(late_commits={"every": 2, "seconds": 90})
    ids = [client.Lead.create(LEAD)["id"] for _ in range(2)]
    listed = ", ".join(f"'{one}'" for one in ids)
    query = f"SELECT CreatedDate, SystemModstamp FROM Lead WHERE Id IN ({listed}) ORDER BY Id"
    on_time, late = client.query(query)["records"]
    assert on_time["SystemModstamp"] == on_time["CreatedDate"]
    assert late["SystemModstamp"] < late["CreatedDate"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shoes": []}, "unknown key 'shoes'"),
        ({"duplicates": [{"object": "Shoe", "field": "Email"}]}, "there is no object 'Shoe'"),
        ({"duplicates": [{"object": "Lead", "field": "Sole"}]}, "Lead has no field 'Sole'"),
        ({"validations": [{"object": "Lead", "field": "Phone", "matches": "("}]}, "not a regular"),
        ({"late_commits": {"every": 0}}, "every >= 1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rules, given, message):
    answer = rules(**given)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
