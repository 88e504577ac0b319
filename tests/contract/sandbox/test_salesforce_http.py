"""The REST API over HTTPS, call by call."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from crm_sandbox.faults import FaultRule

V = "/services/data/v62.0"
NO_RULE = {"Sforce-Auto-Assign": "FALSE"}


@pytest.fixture(scope="module")
def described(sandbox):
    return sandbox.description["salesforce"]


@pytest.fixture(scope="module")
def org(sandbox):
    return sandbox.world.org


@pytest.fixture(scope="module")
def rep(org):
    return org.add_user("Luis Ferreira", "luis.ferreira@relay.test")


@pytest.fixture(scope="module")
def web(described):
    context = ssl.create_default_context(cafile=described["ca_file"])
    with httpx.Client(base_url=described["url"], verify=context, trust_env=False) as client:
        yield client


def log_in(web, described, **form):
    credentials = {
        "client_id": described["consumer_key"],
        "client_secret": described["consumer_secret"],
    }
    data = {"grant_type": "client_credentials", **credentials, **form}
    return web.post("/services/oauth2/token", data=data)


@pytest.fixture
def api(web, described):
    web.headers["authorization"] = f"Bearer {log_in(web, described).json()['access_token']}"
    yield web
    del web.headers["authorization"]


@pytest.fixture
def key():
    """A contact id nobody else uses."""
    key.number += 1
    return f"k{key.number}"


key.number = 0


def lead(key, **fields):
    return {
        "attributes": {"type": "Lead"},
        "HubSpot_Contact_Id__c": key,
        "LastName": "Kim",
        "Company": "Acme Works",
        **fields,
    }


def lead_body(**fields):
    return {"LastName": "Kim", "Company": "Acme Works", **fields}


def upsert_leads(api, *records, headers=NO_RULE, **body):
    path = f"{V}/composite/sobjects/Lead/HubSpot_Contact_Id__c"
    return api.patch(path, json={"records": list(records), **body}, headers=headers)


# -- logging in -------------------------------------------------------------------------------


def test_client_credentials_by_form_and_by_basic(web, described):
    body = log_in(web, described).json()
    assert body["token_type"] == "Bearer"
    assert body["instance_url"] == described["url"]
    assert body["id"].split("/")[-2] == described["org_id"]
    assert not {"refresh_token", "expires_in"} & body.keys()
    basic = httpx.BasicAuth(described["consumer_key"], described["consumer_secret"])
    again = web.post(
        "/services/oauth2/token", data={"grant_type": "client_credentials"}, auth=basic
    )
    assert again.status_code == 200
    assert again.json()["access_token"] != body["access_token"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client_id"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid_grant"),
    ],
)
def test_login_refusals(web, described, form, error):
    reply = log_in(web, described, **form)
    assert reply.status_code == 400
    assert reply.json()["error"] == error
    assert reply.json()["error_description"]


def test_login_host_does_not_take_client_credentials(web, described):
    data = {"grant_type": "client_credentials", "client_id": described["consumer_key"]}
    headers = {"host": "login.salesforce.com"}
    reply = web.post("/services/oauth2/token", data=data, headers=headers)
    assert reply.json()["error_description"] == "request not supported on this domain"


def test_password_grant(web, described, org):
    form = {"grant_type": "password", "username": described["username"]}
    reply = log_in(web, described, **form, password=org.app.password + "TOKEN")
    assert reply.status_code == 200


def test_jwt_bearer_with_the_string_expiry_that_clients_send(web, described, org):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    before, org.app = org.app, org.app.with_certificate(public.decode())
    claims = {
        "iss": described["consumer_key"],
        "sub": described["username"],
        "aud": "https://acme.my.salesforce.com",
        "exp": str(int(time.time()) + 60),
    }
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def attempt(signer=private, **changed):
        # PyJWT checks that `exp` is a number only when it decodes.
        assertion = jwt.encode({**claims, **changed}, signer, algorithm="RS256")
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
        return web.post("/services/oauth2/token", data={**form, "assertion": assertion})

    try:
        assert attempt().status_code == 200
        assert attempt(other).json()["error_description"] == "invalid assertion"
        assert attempt(aud="https://elsewhere.test").json()["error_description"] == (
            "audience is invalid"
        )
        assert attempt(exp=str(int(time.time()) - 5)).json()["error"] == "invalid_grant"
        assert attempt(sub="nobody@relay.test").json()["error"] == "invalid_grant"
    finally:
        org.app = before


def test_calls_need_a_live_session(api, org):
    assert api.get(f"{V}/limits/").status_code == 200
    org.sessions.expire_all()
    reply = api.get(f"{V}/limits/")
    assert reply.status_code == 401
    assert reply.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]


def test_session_that_is_refused_for_good(api, org):
    org.sessions.refused = True
    try:
        reply = api.get(f"{V}/limits")
    finally:
        org.sessions.refused = False
    assert reply.status_code == 401
    assert "not valid for use with the REST API" in reply.json()[0]["message"]


# -- around the data --------------------------------------------------------------------------


def test_versions_and_resources(api):
    versions = api.get("/services/data/").json()
    assert {"label", "url", "version"} == versions[-1].keys()
    assert "62.0" in [one["version"] for one in versions]
    resources = api.get(V).json()
    assert resources["sobjects"] == f"{V}/sobjects"
    identity = api.get(resources["identity"]).json()
    assert identity["username"] == "integration@relay.test"
    assert api.get("/services/data/nonsense/limits").status_code == 404


def test_every_call_tells_the_usage_and_the_quota_ends(api, org):
    used = org.quota.used
    reply = api.get(f"{V}/sobjects")
    assert reply.headers["sforce-limit-info"] == f"api-usage={used + 1}/{org.quota.limit}"
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"
    before, org.quota.limit = org.quota.limit, org.quota.used
    try:
        refused = api.get(f"{V}/sobjects")
    finally:
        org.quota.limit = before
    assert refused.status_code == 403
    assert refused.json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_describe_is_made_from_the_schema(api):
    described = api.get(f"{V}/sobjects/Task/describe").json()
    fields = {one["name"]: one for one in described["fields"]}
    assert fields["Handoff_Key__c"]["externalId"]
    assert fields["Handoff_Key__c"]["unique"]
    assert fields["WhoId"]["referenceTo"] == ["Lead", "Contact"]
    assert [one["value"] for one in fields["Priority"]["picklistValues"]] == [
        "High",
        "Normal",
        "Low",
    ]
    history = api.get(f"{V}/sobjects/LeadHistory/describe").json()["fields"]
    assert not next(one for one in history if one["name"] == "OldValue")["filterable"]
    assert api.get(f"{V}/sobjects/Nope/describe").status_code == 404


# -- rows -------------------------------------------------------------------------------------


def test_create_read_update_delete(api, rep):
    made = api.post(f"{V}/sobjects/Lead/", json=lead_body(OwnerId=rep), headers=NO_RULE)
    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "success": True, "errors": []}
    path = f"{V}/sobjects/Lead/{made.json()['id']}"
    assert made.headers["location"] == path
    assert api.patch(path, json={"Title": "CTO"}, headers=NO_RULE).status_code == 204
    read = api.get(path, params={"fields": "Title,ownerid"}).json()
    assert read == {"attributes": {"type": "Lead", "url": path}, "Title": "CTO", "OwnerId": rep}
    assert api.delete(path).status_code == 204
    gone = api.get(path)
    assert (gone.status_code, gone.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    assert api.get(f"{V}/sobjects/Lead/00QBt0000099999").status_code == 404
    wrong = api.put(path, json={})
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


def test_without_the_header_the_assignment_rule_takes_the_owner(api, org, rep):
    made = api.post(f"{V}/sobjects/Lead", json=lead_body(OwnerId=rep)).json()["id"]
    assert org.get("Lead", made)["OwnerId"] == org.assignment_queue_id
    kept = api.post(f"{V}/sobjects/Lead", json=lead_body(OwnerId=rep), headers=NO_RULE)
    assert org.get("Lead", kept.json()["id"])["OwnerId"] == rep
    api.patch(f"{V}/sobjects/Lead/{kept.json()['id']}", json={"Title": "CTO"})
    assert org.get("Lead", kept.json()["id"])["OwnerId"] == org.assignment_queue_id


def test_upsert_by_external_id(api, key):
    path = f"{V}/sobjects/Lead/HubSpot_Contact_Id__c/{key}"
    made = api.patch(path, json=lead_body(), headers=NO_RULE)
    assert (made.status_code, made.json()["created"]) == (201, True)
    again = api.patch(path, json={"Title": "CTO"}, headers=NO_RULE)
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["id"] == made.json()["id"]
    old = path.replace("v62.0", "v45.0")
    assert api.patch(old, json={"Title": "CFO"}, headers=NO_RULE).status_code == 204
    assert api.get(path).json()["Title"] == "CFO"
    doubled = api.patch(path, json={"HubSpot_Contact_Id__c": key, "Title": "CEO"})
    assert doubled.json()[0]["errorCode"] == "INVALID_FIELD"
    no_field = api.patch(f"{V}/sobjects/Lead/Website/x", json=lead_body())
    assert (no_field.status_code, no_field.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    only = api.patch(f"{path}-new", params={"updateOnly": "true"}, json=lead_body())
    assert only.status_code == 404


def test_ambiguous_key_gives_300_and_writes_nothing(api, org, key):
    address = f"{key}@twins.test"
    ids = [org.insert("Lead", lead_body(Email=address)) for _ in range(2)]
    reply = api.patch(f"{V}/sobjects/Lead/Email/{address}", json={"Title": "CTO"})
    assert reply.status_code == 300
    assert reply.json() == [f"{V}/sobjects/Lead/{one}" for one in ids]
    assert org.get("Lead", ids[0])["Title"] is None


def test_key_with_reserved_characters_is_one_path_segment(api, key):
    odd = f"{key}/a b+c?d#e%"
    path = f"{V}/sobjects/Lead/HubSpot_Contact_Id__c/{quote(odd, safe='')}"
    assert api.patch(path, json=lead_body()).status_code == 201
    assert api.get(path).json()["HubSpot_Contact_Id__c"] == odd


def test_bodies_that_are_not_json_objects(api):
    bad = api.post(f"{V}/sobjects/Lead", content=b"{nope")
    assert (bad.status_code, bad.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    bad = api.post(f"{V}/sobjects/Lead", json=[1])
    assert (bad.status_code, bad.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_optimistic_lock(api, org):
    made = org.insert("Lead", lead_body())
    old = {"If-Unmodified-Since": "Mon, 02 Mar 2020 09:00:00 GMT"}
    assert (
        api.patch(f"{V}/sobjects/Lead/{made}", json={"Title": "x"}, headers=old).status_code == 412
    )


def test_updated_and_deleted(api, org):
    start = datetime.now(UTC).replace(microsecond=0)
    kept, gone = (org.insert("Lead", lead_body()) for _ in range(2))
    org.delete("Lead", gone)
    window = {"start": start.isoformat(), "end": "2999-01-01T00:00:00+00:00"}
    updated = api.get(f"{V}/sobjects/Lead/updated/", params=window).json()
    assert kept in updated["ids"]
    assert gone not in updated["ids"]
    assert updated["latestDateCovered"] < "2999"
    deleted = api.get(f"{V}/sobjects/Lead/deleted/", params=window).json()
    removed = [one["id"] for one in deleted["deletedRecords"]]
    assert gone in removed
    assert kept not in removed


# -- queries ----------------------------------------------------------------------------------


def test_pages_are_clamped_and_sometimes_short(api, org):
    for number in range(650):
        org.insert("Account", {"Name": f"Page {number}", "Type": "Prospect"})
    headers = {"Sforce-Query-Options": "batchSize=1"}
    text = "SELECT Name FROM Account WHERE Name LIKE 'Page %' ORDER BY Id"
    page = api.get(f"{V}/query/", params={"q": text}, headers=headers).json()
    sizes, names = [], []
    while True:
        sizes.append(len(page["records"]))
        names += [row["Name"] for row in page["records"]]
        assert page["totalSize"] == 650
        if page["done"]:
            break
        page = api.get(page["nextRecordsUrl"]).json()
    assert names == [f"Page {number}" for number in range(650)]
    assert sizes == [200, 180, 200, 70]
    assert "nextRecordsUrl" not in page
    bad = api.get(f"{V}/query/0r8000000000000AAA-200")
    assert bad.json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_query_errors_and_query_all(api, org, key):
    reply = api.get(f"{V}/query", params={"q": "SELECT Foo__c FROM Lead"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert api.get(f"{V}/query").json()[0]["errorCode"] == "MALFORMED_QUERY"
    record = org.insert("Lead", lead_body(HubSpot_Contact_Id__c=key))
    org.delete("Lead", record)
    text = {"q": f"SELECT Id, IsDeleted FROM Lead WHERE HubSpot_Contact_Id__c = '{key}'"}
    assert api.get(f"{V}/query", params=text).json()["totalSize"] == 0
    assert api.get(f"{V}/queryAll", params=text).json()["records"][0]["IsDeleted"] is True


def test_too_long_an_address_is_refused_in_html(api):
    reply = api.get(f"{V}/query", params={"q": "x" * 17_000})
    assert reply.status_code == 414
    assert reply.headers["content-type"].startswith("text/html")


# -- collections ------------------------------------------------------------------------------


def test_collection_upsert_keeps_the_order_and_reports_each_record(api, org, key):
    reply = upsert_leads(
        api, lead(f"{key}a"), lead(f"{key}b", LastName=""), lead(f"{key}c", Rating="Lava")
    )
    assert reply.status_code == 200
    first, second, third = reply.json()
    assert first == {"id": first["id"], "success": True, "errors": [], "created": True}
    assert org.get("Lead", first["id"])["HubSpot_Contact_Id__c"] == f"{key}a"
    assert second["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert second["errors"][0]["fields"] == ["LastName"]
    assert third["errors"][0]["statusCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    [again] = upsert_leads(api, lead(f"{key}a", Title="CTO")).json()
    assert (again["id"], again["created"]) == (first["id"], False)


def test_collection_all_or_none(api, org, key):
    reply = upsert_leads(api, lead(f"{key}a"), lead(f"{key}b", LastName=""), allOrNone=True).json()
    assert [one["errors"][0]["statusCode"] for one in reply] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert org.find("Lead", HubSpot_Contact_Id__c=f"{key}a") is None


def test_collection_refuses_one_key_twice(api, key):
    results = upsert_leads(api, lead(key), lead(f"{key}b"), lead(key)).json()
    assert [one["success"] for one in results] == [False, True, False]
    assert "Duplicate external id specified" in results[0]["errors"][0]["message"]


def test_collection_limits(api, key):
    reply = upsert_leads(api, *[lead(f"{key}-{number}") for number in range(201)])
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
    mixed = [
        {"attributes": {"type": kind}, "Name": "x", "LastName": "x"}
        for kind in ["Account", "Contact"] * 6
    ]
    chunks = api.post(f"{V}/composite/sobjects", json={"records": mixed})
    assert (chunks.status_code, chunks.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_collection_create_update_retrieve_delete(api, org, rep):
    records = [
        {"attributes": {"type": "Account"}, "Name": "Collected"},
        {"attributes": {"type": "Contact"}, "LastName": "Lind"},
    ]
    made = api.post(f"{V}/composite/sobjects", json={"records": records}).json()
    account, contact = (one["id"] for one in made)
    changes = [
        {"attributes": {"type": "Contact"}, "id": contact, "AccountId": account},
        {"attributes": {"type": "Contact"}, "id": "003Bt0000099999", "Title": "x"},
    ]
    results = api.patch(f"{V}/composite/sobjects", json={"records": changes}).json()
    assert [one["success"] for one in results] == [True, False]
    assert results[1]["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    assert org.get("Contact", contact)["AccountId"] == account
    wanted = {"ids": [contact, "003Bt0000099999"], "fields": ["LastName"]}
    found = api.post(f"{V}/composite/sobjects/Contact", json=wanted).json()
    assert found[0]["LastName"] == "Lind"
    assert found[1] is None
    ids = {"ids": f"{contact},{account}", "allOrNone": "true"}
    removed = api.delete(f"{V}/composite/sobjects", params=ids).json()
    assert all(one["success"] for one in removed)
    assert org.get("Contact", contact) is None


def test_creating_may_be_dated_and_updating_may_not(api, org, key):
    day = "2026-03-02T10:00:05.000+0000"
    body = {"LastName": "Kim", "Company": "Acme Works", "CreatedDate": day}
    place = f"{V}/sobjects/Lead/HubSpot_Contact_Id__c/{key}"
    made = api.patch(place, json=body)
    assert made.status_code == 201
    assert api.get(place).json()["CreatedDate"] == day
    again = api.patch(place, json=body)
    assert again.status_code == 400
    assert again.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"

    first, second = upsert_leads(
        api, lead(f"{key}a", CreatedDate=day), lead(key, CreatedDate=day)
    ).json()
    assert org.get("Lead", first["id"])["CreatedDate"] == datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
    assert second["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_parent_may_be_named_by_its_key(api, org, rep, key):
    owner = {"attributes": {"type": "User"}, "Username": "luis.ferreira@relay.test"}
    [result] = upsert_leads(api, lead(key, Owner=owner)).json()
    assert org.get("Lead", result["id"])["OwnerId"] == rep


def test_injected_partial_failure_locks_some_rows(api, sandbox, key):
    sandbox.world.faults.add(FaultRule.from_json({"kind": "partial", "api": "salesforce"}))
    try:
        results = upsert_leads(api, *[lead(f"{key}-{number}") for number in range(6)]).json()
    finally:
        sandbox.world.faults.clear()
    codes = [one["errors"][0]["statusCode"] for one in results if not one["success"]]
    assert codes == ["UNABLE_TO_LOCK_ROW"] * 2


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("401", 401, "INVALID_SESSION_ID"),
        ("423", 400, "UNABLE_TO_LOCK_ROW"),
        ("429", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("500", 500, "UNKNOWN_EXCEPTION"),
        ("503", 503, "SERVER_UNAVAILABLE"),
    ],
)
def test_injected_faults_speak_salesforce(api, sandbox, kind, status, code):
    rule = {"kind": kind, "api": "salesforce", "count": 1}
    sandbox.world.faults.add(FaultRule.from_json(rule))
    try:
        reply = api.get(f"{V}/limits")
    finally:
        sandbox.world.faults.clear()
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (status, code)


# -- composite --------------------------------------------------------------------------------


def pair(key, rep, **task):
    """A lead and its task, the task referring to the lead."""
    return [
        {
            "method": "PATCH",
            "url": f"{V}/sobjects/Lead/HubSpot_Contact_Id__c/{key}",
            "referenceId": "lead",
            "httpHeaders": NO_RULE,
            "body": lead_body(OwnerId=rep),
        },
        {
            "method": "PATCH",
            "url": f"{V}/sobjects/Task/Handoff_Key__c/{key}.task",
            "referenceId": "task",
            "body": {"WhoId": "@{lead.id}", "OwnerId": rep, "Subject": "Call", **task},
        },
    ]


def composite(api, nodes, **body):
    reply = api.post(f"{V}/composite", json={"compositeRequest": nodes, **body})
    assert reply.status_code == 200, reply.text
    return reply.json()["compositeResponse"]


def test_composite_refers_to_earlier_replies(api, org, rep, key):
    made, task = composite(api, pair(key, rep), allOrNone=True)
    assert (made["httpStatusCode"], task["httpStatusCode"]) == (201, 201)
    assert made["httpHeaders"]["Location"].endswith(made["body"]["id"])
    assert made["referenceId"] == "lead"
    row = org.find("Task", Handoff_Key__c=f"{key}.task")
    assert row["WhoId"] == made["body"]["id"]
    assert org.get("Lead", made["body"]["id"])["OwnerId"] == rep
    again, _ = composite(api, pair(key, rep), allOrNone=True)
    assert again["body"] == {**made["body"], "created": False}


def test_headers_of_the_outer_call_do_not_reach_the_parts(api, org, rep, key):
    nodes = pair(key, rep)
    del nodes[0]["httpHeaders"]
    body = {"compositeRequest": nodes}
    made = api.post(f"{V}/composite", json=body, headers=NO_RULE).json()["compositeResponse"][0]
    assert org.get("Lead", made["body"]["id"])["OwnerId"] == org.assignment_queue_id


def test_composite_all_or_none_undoes_everything(api, org, rep, key):
    first, second = composite(api, pair(key, rep, Priority="Now"), allOrNone=True)
    assert first["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert second["body"][0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert org.find("Lead", HubSpot_Contact_Id__c=key) is None


def test_composite_without_it_skips_only_what_depends(api, rep, key):
    nodes = [
        *pair(key, rep),
        {"method": "GET", "url": f"{V}/limits", "referenceId": "limits"},
    ]
    nodes[0]["body"]["Rating"] = "Lava"
    first, second, third = composite(api, nodes, allOrNone=False)
    assert first["httpStatusCode"] == 400
    assert second["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert third["httpStatusCode"] == 200


def test_composite_carries_a_query(api, org, key):
    org.insert("Lead", lead_body(HubSpot_Contact_Id__c=key))
    soql = quote(f"SELECT Id FROM Lead WHERE HubSpot_Contact_Id__c = '{key}'")
    node = {"method": "GET", "url": f"{V}/query?q={soql}", "referenceId": "q1"}
    [reply] = composite(api, [node])
    assert reply["body"]["totalSize"] == 1


@pytest.mark.parametrize(
    ("nodes", "code"),
    [
        ([("limits", f"r{number}") for number in range(26)], "LIMIT_EXCEEDED"),
        ([("query?q=x", f"r{number}") for number in range(6)], "LIMIT_EXCEEDED"),
        ([("limits", "twice"), ("limits", "twice")], "INVALID_INPUT"),
        ([("limits", "not a name")], "INVALID_INPUT"),
        ([], "INVALID_INPUT"),
    ],
)
def test_composite_refuses_the_whole(api, nodes, code):
    requests = [
        {"method": "GET", "url": f"{V}/{path}", "referenceId": name} for path, name in nodes
    ]
    reply = api.post(f"{V}/composite", json={"compositeRequest": requests})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, code)


def graphs(api, *listed):
    reply = api.post(f"{V}/composite/graph", json={"graphs": list(listed)})
    return reply.status_code, reply.json()


def test_each_graph_stands_or_falls_alone(api, org, rep, key):
    good = {"graphId": "good", "compositeRequest": pair(f"{key}g", rep)}
    bad = {"graphId": "bad", "compositeRequest": pair(f"{key}b", rep, Status="Gone")}
    status, body = graphs(api, bad, good)
    assert status == 200
    outcomes = {one["graphId"]: one["isSuccessful"] for one in body["graphs"]}
    assert outcomes == {"bad": False, "good": True}
    assert org.find("Lead", HubSpot_Contact_Id__c=f"{key}b") is None
    assert org.find("Task", Handoff_Key__c=f"{key}g.task") is not None


def test_after_fourteen_failed_graphs_the_rest_is_halted(api, org, rep, key):
    bad = [
        {"graphId": f"g{n}", "compositeRequest": pair(f"{key}-{n}", rep, Status="Gone")}
        for n in range(14)
    ]
    last = {"graphId": "last", "compositeRequest": pair(f"{key}-last", rep)}
    _, body = graphs(api, *bad, last)
    answer = body["graphs"][-1]
    assert answer["isSuccessful"] is False
    halted = answer["graphResponse"]["compositeResponse"][0]["body"][0]["errorCode"]
    assert halted == "PROCESSING_HALTED"
    assert org.find("Lead", HubSpot_Contact_Id__c=f"{key}-last") is None


def test_graph_limits(api, rep):
    many = [{"graphId": f"g{n}", "compositeRequest": pair(f"x{n}", rep)} for n in range(76)]
    assert graphs(api, *many)[0] == 400
    node = {"method": "GET", "url": f"{V}/limits", "referenceId": "a"}
    assert graphs(api, {"graphId": "g", "compositeRequest": [node]})[0] == 400


def test_batch_counts_each_part_and_can_halt(api, org):
    used = org.quota.used
    requests = [
        {"method": "GET", "url": "v62.0/limits"},
        {"method": "GET", "url": "v62.0/sobjects/Nope"},
        {"method": "GET", "url": "v62.0/limits"},
    ]
    body = {"batchRequests": requests, "haltOnError": True}
    reply = api.post(f"{V}/composite/batch", json=body).json()
    assert reply["hasErrors"] is True
    assert [one["statusCode"] for one in reply["results"]] == [200, 404, 412]
    assert reply["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert org.quota.used == used + 3
