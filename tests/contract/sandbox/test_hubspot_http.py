"""What HubSpot's HTTP looks like on the wire: paths, headers, refusals, limits, faults."""

from __future__ import annotations

import gzip
import json
import socket
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from crm_sandbox.clock import SandboxClock
from crm_sandbox.faults import FaultRule, FaultRuleError
from crm_sandbox.hubspot.errors import PortalFault
from crm_sandbox.hubspot.limits import LimitPlan, Limits
from crm_sandbox.hubspot.records import instant, parse_moment
from crm_sandbox.hubspot.routes import versioned
from crm_sandbox.inprocess import SandboxThread

CONTACTS = "/crm/v3/objects/contacts"


@pytest.fixture
def faults(sandbox: SandboxThread) -> Iterator[Any]:
    yield sandbox.world.faults
    sandbox.world.faults.clear()


@pytest.mark.parametrize(
    ("dated", "twin"),
    [
        ("/crm/objects/2026-09/contacts/5", "/crm/v3/objects/contacts/5"),
        ("/crm/objects/2026-09/0-1/batch/read/", "/crm/v3/objects/0-1/batch/read"),
        (
            "/crm/objects/2026-09/contact/1/associations/default/company/2",
            "/crm/v4/objects/contact/1/associations/default/company/2",
        ),
        ("/crm/associations/2026-09/a/b/batch/read", "/crm/v4/associations/a/b/batch/read"),
        ("/crm/owners/2026-09", "/crm/v3/owners"),
        ("/crm/lists/2026-03/7/memberships/add", "/crm/v3/lists/7/memberships/add"),
        ("/crm/v3/lists/", "/crm/v3/lists"),
    ],
)
def test_dated_paths_have_their_versioned_twin(dated: str, twin: str) -> None:
    assert versioned(dated) == twin


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/objects/contacts",
        "/crm/v3/objects/contact/",
        "/crm/v3/objects/0-1",
        "/crm/objects/2026-09/contacts",
        "/crm/v3/owners/",
        "/crm/owners/2026-09",
        "/crm/v3/properties/companies",
        "/crm/v4/associations/contacts/companies/labels",
        "/marketing/v3/forms/",
        "/account-info/v3/details",
        "/account-info/v3/api-usage/daily/private-apps",
    ],
)
def test_every_family_of_paths_is_served(portal_http: httpx.Client, path: str) -> None:
    reply = portal_http.get(path)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json;charset=utf-8"


def test_query_forms_of_the_known_clients(portal_http: httpx.Client) -> None:
    made = portal_http.post(CONTACTS, json={"properties": {"email": "q@http.test"}}).json()["id"]
    joined = portal_http.get(f"{CONTACTS}/{made}?properties=email,phone&archived=False").json()
    repeated = portal_http.get(f"{CONTACTS}/{made}?properties=email&properties=phone").json()
    assert joined == repeated
    assert set(joined["properties"]) == {
        "createdate",
        "email",
        "hs_object_id",
        "lastmodifieddate",
        "phone",
    }


def test_a_large_page_is_compressed_when_asked(sandbox: SandboxThread) -> None:
    described = sandbox.description["hubspot"]
    request = urllib.request.Request(
        f"{described['url']}/crm/v3/properties/contacts",
        headers={"Authorization": f"Bearer {described['token']}", "Accept-Encoding": "gzip"},
    )
    with urllib.request.urlopen(request) as reply:
        raw = reply.read()
        assert reply.headers["Content-Encoding"] == "gzip"
        assert int(reply.headers["Content-Length"]) == len(raw)
    assert json.loads(gzip.decompress(raw))["results"]


@pytest.mark.parametrize(
    ("header", "category"),
    [
        ({}, "INVALID_AUTHENTICATION"),
        ({"authorization": "Basic abc"}, "INVALID_AUTHENTICATION"),
        ({"authorization": "Bearer nobody"}, "EXPIRED_AUTHENTICATION"),
    ],
)
def test_without_a_good_token(
    sandbox: SandboxThread, header: dict[str, str], category: str
) -> None:
    reply = httpx.get(sandbox.description["hubspot"]["url"] + CONTACTS, headers=header)
    assert reply.status_code == 401
    assert reply.json()["category"] == category
    assert reply.json()["correlationId"]


def test_a_token_without_the_scope(sandbox: SandboxThread) -> None:
    sandbox.world.portal.tokens["reader"] = {"crm.objects.contacts.read"}
    url = sandbox.description["hubspot"]["url"] + CONTACTS
    headers = {"authorization": "Bearer reader"}
    assert httpx.get(url, headers=headers).status_code == 200
    refused = httpx.post(url, headers=headers, json={"properties": {}})
    assert refused.status_code == 403
    body = refused.json()
    assert body["category"] == "MISSING_SCOPES"
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{CONTACTS}/99", None, 404),
        ("GET", f"{CONTACTS}/nobody", None, 404),
        ("GET", "/crm/v3/objects/spaceships", None, 400),
        ("GET", "/crm/v9/objects/contacts", None, 404),
        ("PUT", CONTACTS, {}, 405),
        ("GET", f"{CONTACTS}?limit=101", None, 400),
        ("GET", f"{CONTACTS}?after=x", None, 400),
        ("POST", f"{CONTACTS}/batch/read", {"inputs": {}}, 400),
        ("POST", CONTACTS, {"properties": []}, 400),
        ("GET", f"{CONTACTS}?properties={'x' * 17000}", None, 414),
    ],
)
def test_refusals(
    portal_http: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    reply = portal_http.request(method, path, json=body)
    assert reply.status_code == status
    assert reply.json()["status"] == "error"


def test_a_body_that_is_not_json(portal_http: httpx.Client) -> None:
    reply = portal_http.post(f"{CONTACTS}/search", content=b"{nonsense")
    assert (reply.status_code, reply.json()["category"]) == (400, "VALIDATION_ERROR")


def test_numeric_and_other_unknown_ids_differ(portal_http: httpx.Client) -> None:
    assert "category" not in portal_http.get(f"{CONTACTS}/99").json()
    assert portal_http.get(f"{CONTACTS}/x@y.test").json()["category"] == "OBJECT_NOT_FOUND"


def test_rate_headers_on_all_but_search(portal_http: httpx.Client) -> None:
    listed = portal_http.get(CONTACTS)
    assert listed.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert int(listed.headers["X-HubSpot-RateLimit-Daily-Remaining"]) > 0
    found = portal_http.post(f"{CONTACTS}/search", json={})
    assert found.status_code == 200
    assert not [name for name in found.headers if "ratelimit" in name]


def test_form_submissions_newest_first(portal_http: httpx.Client, sandbox: SandboxThread) -> None:
    portal = sandbox.world.portal
    guid = portal.create_form("Newsletter")
    for n in range(5):
        portal_http.post(
            f"/submissions/v3/integration/submit/{portal.portal_id}/{guid}",
            json={"fields": [{"name": "email", "value": f"reader{n % 2}@form.test"}]},
        ).raise_for_status()
    base = f"/form-integrations/v1/submissions/forms/{guid}"
    first = portal_http.get(base, params={"limit": 3}).json()
    rest = portal_http.get(base, params={"limit": 3, "after": first["paging"]["next"]["after"]})
    rows = first["results"] + rest.json()["results"]
    assert len(rows) == 5
    assert "paging" not in rest.json()
    assert [r["submittedAt"] for r in rows] == sorted(
        (r["submittedAt"] for r in rows), reverse=True
    )
    contact = portal.find("contacts", "email", "reader0@form.test")
    assert contact is not None
    assert contact.properties["num_conversion_events"] == "3"
    assert contact.properties["num_unique_conversion_events"] == "1"
    assert contact.properties["recent_conversion_event_name"] == "Newsletter"
    assert contact.properties["lifecyclestage"] == "lead"


# ---- limits ----------------------------------------------------------------------------------


def limits(plan: LimitPlan, now: list[float], clock: SandboxClock | None = None) -> Limits:
    zone = ZoneInfo("America/New_York")
    return Limits(clock or SandboxClock(), zone, plan, timer=lambda: now[0])


def refusal(counted: Limits, **kind: bool) -> dict[str, Any]:
    with pytest.raises(PortalFault) as caught:
        counted.admit("t", **{"search": False, "burst": True, **kind})
    assert caught.value.status == 429
    return caught.value.body


def test_the_ten_second_window_rolls() -> None:
    now = [0.0]
    counted = limits(LimitPlan(ten_secondly=3), now)
    for second in range(3):
        now[0] = float(second)
        counted.admit("t", search=False, burst=True)
    body = refusal(counted)
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert (body["policyName"], body["errorType"]) == ("TEN_SECONDLY_ROLLING", "RATE_LIMIT")
    assert counted.headers("t")["x-hubspot-ratelimit-remaining"] == "0"
    counted.admit("another token", search=False, burst=True)
    counted.admit("t", search=False, burst=False)
    now[0] = 10.5
    counted.admit("t", search=False, burst=True)
    refusal(counted)


def test_search_has_a_limit_of_its_own() -> None:
    now = [0.0]
    counted = limits(LimitPlan(ten_secondly=1, search_per_second=5), now)
    for _ in range(5):
        counted.admit("t", search=True, burst=True)
    body = refusal(counted, search=True)
    assert body["message"] == "You have reached your secondly limit."
    counted.admit("t", search=False, burst=True)
    now[0] = 1.01
    counted.admit("t", search=True, burst=True)


def test_the_daily_limit_ends_at_midnight_of_the_portal() -> None:
    now = [0.0]
    clock = SandboxClock()
    counted = limits(LimitPlan(daily=2), now, clock)
    for _ in range(2):
        counted.admit("t", search=False, burst=True)
    assert refusal(counted)["policyName"] == "DAILY"
    reset = counted.resets_at()
    assert reset.astimezone(ZoneInfo("America/New_York")).hour == 0
    assert timedelta(0) < reset - clock.now() <= timedelta(hours=25)


def test_simulated_time_has_no_rate() -> None:
    counted = limits(LimitPlan(1, 1, 1), [0.0], SandboxClock(datetime(2026, 8, 1, tzinfo=UTC)))
    for _ in range(5):
        counted.admit("t", search=True, burst=True)


# ---- faults ----------------------------------------------------------------------------------


def test_a_429_has_hubspots_body_and_a_count(portal_http: httpx.Client, faults: Any) -> None:
    faults.add(FaultRule.from_json({"kind": "429", "api": "hubspot", "count": 1}))
    reply = portal_http.get(CONTACTS)
    assert reply.status_code == 429
    assert reply.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert "retry-after" not in reply.headers
    assert portal_http.get(CONTACTS).status_code == 200


def test_after_means_the_work_is_done(portal_http: httpx.Client, faults: Any) -> None:
    faults.add(FaultRule.from_json({"kind": "504", "when": "after", "method": "POST", "count": 1}))
    body = {"properties": {"email": "committed@fault.test"}}
    assert portal_http.post(CONTACTS, json=body).status_code == 504
    assert portal_http.post(CONTACTS, json=body).status_code == 409


def test_a_bad_gateway_is_a_page(portal_http: httpx.Client, faults: Any) -> None:
    faults.add(FaultRule.from_json({"kind": "502_html"}))
    reply = portal_http.get(CONTACTS)
    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html")


def test_a_partial_batch(portal_http: httpx.Client, faults: Any) -> None:
    faults.add(FaultRule.from_json({"kind": "partial", "path_regex": "batch/create"}))
    inputs = [
        {"objectWriteTraceId": str(n), "properties": {"email": f"p{n}@partial.test"}}
        for n in range(6)
    ]
    reply = portal_http.post(f"{CONTACTS}/batch/create", json={"inputs": inputs})
    assert reply.status_code == 207
    failed = {e["context"]["objectWriteTraceId"][0] for e in reply.json()["errors"]}
    made = {row["objectWriteTraceId"] for row in reply.json()["results"]}
    assert failed
    assert made
    assert failed | made == {str(n) for n in range(6)}
    assert not failed & made


def test_a_reset_drops_the_connection(sandbox: SandboxThread, faults: Any) -> None:
    faults.add(FaultRule.from_json({"kind": "reset"}))
    address = sandbox.description["hubspot"]["url"].removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=5) as raw:
        raw.sendall(b"GET /crm/v3/owners HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            raw.recv(100)


def test_a_timeout_never_answers(portal_http: httpx.Client, faults: Any) -> None:
    faults.add(FaultRule.from_json({"kind": "timeout", "seconds": 30}))
    with pytest.raises(httpx.ReadTimeout):
        portal_http.get(CONTACTS, timeout=0.2)


def test_a_truncated_answer(portal_http: httpx.Client, faults: Any) -> None:
    faults.add(FaultRule.from_json({"kind": "truncated", "count": 1}))
    with pytest.raises(httpx.RemoteProtocolError):
        portal_http.get("/crm/v3/properties/contacts")


def test_a_rate_is_seeded(portal_http: httpx.Client, faults: Any) -> None:
    def play() -> list[int]:
        faults.clear()
        faults.add(FaultRule.from_json({"kind": "503", "rate": 0.5, "seed": 3}))
        return [portal_http.get("/crm/v3/owners").status_code for _ in range(12)]

    first = play()
    assert first == play()
    assert set(first) == {200, 503}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"kind": "boom"}, "kind 'boom' is not known"),
        ({}, "kind is missing"),
        ({"kind": "429", "path": "x"}, "unknown key 'path'"),
        ({"kind": "429", "rate": 2}, "rate must lie between"),
        ({"kind": "429", "path_regex": "("}, "not a regular expression"),
        ({"kind": "429", "count": 0}, "count must be at least 1"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rule: dict[str, Any], says: str) -> None:
    with pytest.raises(FaultRuleError, match=says.replace("(", r"\(")):
        FaultRule.from_json(rule)


# ---- moments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1763620800123", "2025-11-20T06:40:00.123Z"),
        ("1763620800000", "2025-11-20T06:40:00Z"),
        ("2026-11-20T07:00:01+01:00", "2026-11-20T06:00:01Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
    ],
)
def test_moments_in_and_out(text: str, written: str) -> None:
    epoch = parse_moment(text)
    assert epoch is not None
    assert instant(datetime.fromtimestamp(epoch / 1000, UTC)) == written


@pytest.mark.parametrize("text", ["soon", "9" * 25, "-999999999999999", ""])
def test_what_is_no_moment(text: str) -> None:
    assert parse_moment(text) is None
