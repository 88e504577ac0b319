"""simple-salesforce, unchanged, against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_external_id, format_soql

LEAD = {"LastName": "Kim", "Company": "Acme Works"}
NO_RULE = {"Sforce-Auto-Assign": "FALSE"}


class MyDomain(HTTPAdapter):
    """Leads the My Domain host to the sandbox, as DNS would."""

    def __init__(self, target):
        super().__init__()
        self.target = target

    def send(self, request, *args, **kwargs):
        request.url = request.url.replace("https://acme.my.salesforce.com", self.target, 1)
        return super().send(request, *args, **kwargs)


@pytest.fixture(scope="module")
def described(sandbox):
    return sandbox.description["salesforce"]


@pytest.fixture(scope="module")
def org(sandbox):
    return sandbox.world.org


@pytest.fixture
def session(described):
    with requests.Session() as session:
        session.trust_env = False
        session.verify = described["ca_file"]
        session.mount("https://acme.my.salesforce.com", MyDomain(described["url"]))
        yield session


@pytest.fixture
def client(described, session):
    return Salesforce(
        consumer_key=described["consumer_key"],
        consumer_secret=described["consumer_secret"],
        domain="acme.my",
        session=session,
        version="62.0",
    )


@pytest.fixture(scope="module")
def rep(org):
    return org.add_user("Dana Whitfield", "dana.whitfield@relay.test")


def test_logs_in_by_client_credentials_and_is_told_when_it_cannot(client, described, session):
    assert client.session_id.startswith(described["org_id"][:15] + "!")
    with pytest.raises(SalesforceAuthenticationFailed):
        Salesforce(
            consumer_key=described["consumer_key"],
            consumer_secret="wrong",
            domain="acme.my",
            session=session,
        )


def test_logs_in_by_jwt(described, session):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    client = Salesforce(
        username=described["username"],
        consumer_key=described["consumer_key"],
        privatekey=private.decode(),
        domain="acme.my",
        session=session,
    )
    assert client.limits()["DailyApiRequests"]["Max"] > 0


def test_rows(client, rep):
    made = client.Lead.create({**LEAD, "OwnerId": rep}, headers=NO_RULE)
    assert made["success"] is True
    assert client.Lead.update(made["id"], {"Title": "CTO"}, headers=NO_RULE) == 204
    read = client.Lead.get(made["id"])
    assert (read["Title"], read["OwnerId"]) == ("CTO", rep)
    assert client.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound) as caught:
        client.Lead.get(made["id"])
    assert caught.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"
    with pytest.raises(SalesforceMalformedRequest):
        client.Lead.create({"LastName": "Kim"})


def test_upserts_by_external_id(client, org):
    where = format_external_id("HubSpot_Contact_Id__c", "sf 1/a")
    assert client.Lead.upsert(where, LEAD) == 201
    assert client.Lead.upsert(where, {"Title": "CTO"}) == 200
    raw = client.Lead.upsert(where, {"Title": "CFO"}, raw_response=True).json()
    assert raw["created"] is False
    assert org.get("Lead", raw["id"])["HubSpot_Contact_Id__c"] == "sf 1/a"
    for _ in range(2):
        org.insert("Lead", {**LEAD, "Email": "twins@acme.test"})
    with pytest.raises(SalesforceMoreThanOneRecord) as caught:
        client.Lead.upsert("Email/twins@acme.test", {"Title": "x"})
    assert len(caught.value.content) == 2


def test_queries_with_its_own_formatter(client, org):
    org.insert("Lead", {**LEAD, "LastName": "O'Hara\\x", "Email": "ohara@acme.test"})
    text = format_soql(
        "SELECT Id, LastName, Owner.Name FROM Lead WHERE Email IN {} AND LastName LIKE '{:like}%' "
        "AND CreatedDate < {} AND IsConverted = {}",
        ["ohara@acme.test"],
        "o'hara\\",
        datetime.now(UTC) + timedelta(days=1),
        False,
    )
    found = client.query(text)
    assert found["totalSize"] == 1
    assert found["records"][0]["Owner"]["Name"] == "Lead Integration"


def test_reads_every_page(client, org):
    for number in range(4_500):
        org.insert("Account", {"Name": f"Bulk {number}"})
    text = "SELECT Name FROM Account WHERE Name LIKE 'Bulk %'"
    found = client.query_all(text)
    assert found["done"] is True
    assert len({row["Name"] for row in found["records"]}) == 4_500
    assert sum(1 for _ in client.query_all_iter(text)) == 4_500


def test_describe_limits_and_changes(client, org):
    names = [one["name"] for one in client.describe()["sobjects"]]
    assert {"Lead", "Task", "User"} <= set(names)
    fields = {one["name"] for one in client.Lead.describe()["fields"]}
    assert "Handoff_Package__c" in fields
    assert client.limits()["DailyApiRequests"]["Remaining"] > 0
    start = datetime.now(UTC) - timedelta(minutes=5)
    made = org.insert("Lead", LEAD)
    changed = client.Lead.updated(start, datetime.now(UTC) + timedelta(minutes=5))
    assert made in changed["ids"]


def test_collections_through_restful(client, org, rep):
    records = [
        {**LEAD, "attributes": {"type": "Lead"}, "HubSpot_Contact_Id__c": f"rf{n}", "OwnerId": rep}
        for n in range(200)
    ]
    results = client.restful(
        "composite/sobjects/Lead/HubSpot_Contact_Id__c",
        method="PATCH",
        json={"allOrNone": False, "records": records},
        headers=NO_RULE,
    )
    assert all(one["created"] for one in results)
    assert org.find("Lead", HubSpot_Contact_Id__c="rf199")["OwnerId"] == rep


def test_refreshes_an_expired_session_and_then_forgets_the_header(client, org, rep):
    org.sessions.expire_all()
    made = client.Lead.create({**LEAD, "OwnerId": rep}, headers=NO_RULE)
    # The client's second attempt goes out without per-call headers, so the rule strikes: whoever
    # writes owners must pin the header to the session.
    assert org.get("Lead", made["id"])["OwnerId"] == org.assignment_queue_id
    client.session.headers.update(NO_RULE)
    org.sessions.expire_all()
    kept = client.Lead.create({**LEAD, "OwnerId": rep})
    assert org.get("Lead", kept["id"])["OwnerId"] == rep
