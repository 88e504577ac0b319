"""What a test may do to the sandbox's org, and faults that strike as the real servers do."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from crm_sandbox.faults import FaultRule, Faults
from crm_sandbox.inprocess import SandboxThread

DATA = "/services/data/v64.0"
LEAD = {"attributes": {"type": "Lead"}, "LastName": "Kim", "Company": "Acme Works"}
Send = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def admin(sandbox: SandboxThread) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.description["admin"]["url"], trust_env=False) as found:
        yield found


@pytest.fixture
def steer(admin: httpx.Client) -> Iterator[Callable[..., dict[str, Any]]]:
    """Steer the org; afterwards it is as it was."""

    def do(**parts: Any) -> dict[str, Any]:
        answer = admin.post("/salesforce/org", json=parts)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    yield do
    do(refuse_sessions=False, daily_calls=100_000, assignment_rule=True)
    admin.delete("/faults")


@pytest.fixture
def call(sandbox: SandboxThread) -> Iterator[Send]:
    """Call the Salesforce API in a session of its own."""
    where = sandbox.description["salesforce"]
    context = ssl.create_default_context(cafile=where["ca_file"])
    with httpx.Client(base_url=where["url"], verify=context, trust_env=False) as http:
        form = {
            "grant_type": "client_credentials",
            "client_id": where["consumer_key"],
            "client_secret": where["consumer_secret"],
        }
        token = http.post("/services/oauth2/token", data=form).json()["access_token"]
        http.headers["authorization"] = f"Bearer {token}"
        yield lambda method, path, **more: http.request(method, DATA + path, **more)


def test_sessions_that_end_and_sessions_that_never_serve(
    steer: Callable[..., dict[str, Any]], call: Send
) -> None:
    assert call("GET", "/limits").status_code == 200
    steer(refuse_sessions=True)
    [refused] = call("GET", "/limits").json()
    assert refused["errorCode"] == "INVALID_SESSION_ID"
    assert "not valid for use with the REST API" in refused["message"]
    steer(refuse_sessions=False)
    assert call("GET", "/limits").status_code == 200

    assert steer(expire_sessions=True)["sessions_expired"] >= 1

    ended = call("GET", "/limits")
    assert (ended.status_code, ended.json()[0]["message"]) == (401, "Session expired or invalid")


def test_a_day_without_calls_left(steer: Callable[..., dict[str, Any]], call: Send) -> None:
    used = steer()["calls_used"]
    steer(daily_calls=used + 1)
    assert call("GET", "/limits").status_code == 200
    over = call("GET", "/limits")
    assert over.status_code == 403
    assert over.json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    assert over.headers["sforce-limit-info"] == f"api-usage={used + 1}/{used + 1}"


def test_the_assignment_rule_takes_the_owner_unless_told_not_to(
    sandbox: SandboxThread, steer: Callable[..., dict[str, Any]], call: Send
) -> None:
    rep = sandbox.world.org.add_user("Amara Okafor", "amara.steered@relay.test")
    queue = sandbox.world.org.assignment_queue_id

    def owner(**headers: str) -> str:
        sent = {"LastName": "Kim", "Company": "Acme Works", "OwnerId": rep}
        made = call("POST", "/sobjects/Lead", json=sent, headers=headers).json()["id"]
        found = call("GET", f"/sobjects/Lead/{made}?fields=OwnerId").json()
        return str(found["OwnerId"])

    assert owner() == queue
    assert owner(**{"Sforce-Auto-Assign": "FALSE"}) == rep
    steer(assignment_rule=False)
    assert owner() == rep


def test_nobody_inactive_can_own_a_lead(
    sandbox: SandboxThread, steer: Callable[..., dict[str, Any]], call: Send
) -> None:
    gone = sandbox.world.org.add_user("Bo Gone", "bo.gone@relay.test")
    steer(users={"bo.gone@relay.test": False})
    sent = {"LastName": "Kim", "Company": "Acme Works", "OwnerId": gone}
    headers = {"Sforce-Auto-Assign": "FALSE"}
    refused = call("POST", "/sobjects/Lead", json=sent, headers=headers)
    assert refused.json()[0]["errorCode"] == "INACTIVE_OWNER_OR_USER"
    steer(users={"bo.gone@relay.test": True})
    assert call("POST", "/sobjects/Lead", json=sent, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"colour": 1}, 400),
        ({"daily_calls": "many"}, 400),
        ({"users": {"nobody@x.test": True}}, 404),
    ],
)
def test_steering_that_makes_no_sense_is_refused(
    admin: httpx.Client, wrong: dict[str, Any], status: int
) -> None:
    assert admin.post("/salesforce/org", json=wrong).status_code == status


@pytest.mark.parametrize("wrong", [{"lag": 3}, {"lag_seconds": -1}, {"jitter_seconds": "some"}])
def test_a_lag_of_search_that_makes_no_sense_is_refused(
    admin: httpx.Client, wrong: dict[str, Any]
) -> None:
    assert admin.post("/hubspot/search", json=wrong).status_code == 400


def test_search_trails_when_told_to(
    sandbox: SandboxThread, admin: httpx.Client, portal_http: httpx.Client
) -> None:
    admin.post("/hubspot/search", json={"lag_seconds": 300}).raise_for_status()
    loaded = {"contacts": [{"email": "unseen@steered.test"}]}
    [late] = admin.post("/hubspot/contacts/load", json=loaded).json()["ids"]
    assert admin.post("/hubspot/search", json={}).status_code == 200
    found = portal_http.post("/crm/v3/objects/contacts/search", json={"query": "steered"}).json()
    assert late not in {one["id"] for one in found["results"]}
    assert portal_http.get(f"/crm/v3/objects/contacts/{late}").status_code == 200


def test_a_share_of_the_rows_meets_a_locked_row(
    admin: httpx.Client, steer: Callable[..., dict[str, Any]], call: Send
) -> None:
    rule = {"kind": "partial", "api": "salesforce", "path_regex": "composite/sobjects", "count": 1}
    admin.post("/faults", json=rule | {"share": 0.7, "seed": 3}).raise_for_status()
    body = {"allOrNone": False, "records": [LEAD] * 10}

    results = call("POST", "/composite/sobjects", json=body).json()

    codes = [one["errors"][0]["statusCode"] for one in results if not one["success"]]
    assert codes == ["UNABLE_TO_LOCK_ROW"] * 7


def test_a_fault_for_one_record_lets_the_others_pass(
    admin: httpx.Client, steer: Callable[..., dict[str, Any]], call: Send
) -> None:
    rule = {"kind": "503", "api": "salesforce", "path_regex": "/Lead$", "body_regex": "Unlucky"}
    admin.post("/faults", json=rule | {"count": 1}).raise_for_status()

    def create(name: str) -> int:
        return call("POST", "/sobjects/Lead", json={"LastName": name, "Company": "A"}).status_code

    assert [create(name) for name in ("Kim", "Unlucky", "Unlucky")] == [201, 503, 201]
    wrong = admin.post("/faults", json=rule | {"body_regex": "("})
    assert "body_regex is not a regular expression" in wrong.json()["error"]


@pytest.mark.parametrize(
    ("kind", "status", "begins"),
    [("406", 406, ""), ("420", 420, "{"), ("503_html", 503, "<html>"), ("502_html", 502, "<html>")],
)
def test_answers_of_the_edge_before_the_api(
    admin: httpx.Client,
    steer: Callable[..., dict[str, Any]],
    call: Send,
    kind: str,
    status: int,
    begins: str,
) -> None:
    admin.post("/faults", json={"kind": kind, "api": "salesforce", "count": 1}).raise_for_status()
    struck = call("GET", "/limits")
    assert struck.status_code == status
    assert struck.text.startswith(begins)
    assert bool(struck.text) == bool(begins)
    assert call("GET", "/limits").status_code == 200


def test_faults_of_a_rate_strike_the_same_requests_for_the_same_seed() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.add(FaultRule.from_json({"kind": "503", "rate": 0.3, "seed": seed, "skip": 2}))
        return [faults.strike("hubspot", "GET", "/x") is not None for _ in range(60)]

    assert struck(1) == struck(1) != struck(2)
    assert struck(1)[:2] == [False, False]
    assert 5 < sum(struck(1)) < 35
