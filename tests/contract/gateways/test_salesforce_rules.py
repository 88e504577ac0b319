"""The parts of the Salesforce gateway that need no server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.exceptions import NewConnectionError, ProtocolError

from baton.connections import SalesforceConnection
from baton.crm.salesforce import ContactRecord, LeadRecord, People, SalesforceGateway
from baton.crm.salesforce.faults import error_of, login_error, record_error, session_expired
from baton.crm.salesforce.rows import cents, instant
from baton.crm.salesforce.session import SalesforceSession
from baton.crm.salesforce.tokens import TokenSource
from baton.crm.salesforce.writes import COLLECTION, write_collection
from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ContractError,
    FatalGatewayError,
    InvalidRecordError,
    InvariantError,
    OwnerInactiveError,
    PermissionDeniedError,
    RateLimitedError,
    RejectedRecordError,
    RetriableRecordError,
    UnavailableError,
)
from baton.transport import RetryTerms, UnlimitedRate

CONNECTION = SalesforceConnection(
    "salesforce_default", "https://org.test", consumer_key="k", consumer_secret="s"
)
QUICK = RetryTerms(attempts=2, total_seconds=2, first_pause=0.001, longest_pause=0.01)


def body(code: str, message: str = "m") -> bytes:
    return json.dumps([{"errorCode": code, "message": message}]).encode()


@pytest.mark.parametrize(
    ("status", "raw", "changes", "kind"),
    [
        (401, body("INVALID_SESSION_ID", "Session expired or invalid"), False, AuthenticationError),
        (401, b"<html>", False, AuthenticationError),
        (403, body("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), 0, RateLimitedError),
        (403, body("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests x"), True, RateLimitedError),
        (403, body("API_DISABLED_FOR_ORG"), False, PermissionDeniedError),
        (503, body("SERVER_UNAVAILABLE"), True, UnavailableError),
        (500, body("UNKNOWN_EXCEPTION"), True, AmbiguousOutcomeError),
        (500, body("UNKNOWN_EXCEPTION"), False, UnavailableError),
        (502, b"<html>", True, AmbiguousOutcomeError),
        (406, b"", False, UnavailableError),
        (420, b"<html>", True, UnavailableError),
        (400, b"<html>Access Declined</html>", False, UnavailableError),
        (400, body("QUERY_TIMEOUT"), False, UnavailableError),
        (400, body("MALFORMED_QUERY"), False, FatalGatewayError),
        (414, b"<h1>Bad Message 414</h1>", False, ContractError),
    ],
)
def test_answers_become_typed_errors(
    status: int, raw: bytes, changes: bool, kind: type[Exception]
) -> None:
    assert type(error_of("x", status, raw, what="GET /query", changes=changes)) is kind


def test_daily_and_concurrent_limits_differ() -> None:
    daily = error_of(
        "x", 403, body("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit"), what="", changes=False
    )
    busy = error_of(
        "x", 403, body("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests"), what="", changes=False
    )
    assert isinstance(daily, RateLimitedError)
    assert isinstance(busy, RateLimitedError)
    assert (daily.daily, busy.daily, busy.retry_after) == (True, False, 30.0)


def test_a_missing_field_says_how_to_get_it() -> None:
    message = "No such column 'Handoff_Key__c' on entity 'Lead'. If you are …"
    error = error_of("x", 400, body("INVALID_FIELD", message), what="q", changes=False)
    assert "Lead has no field Handoff_Key__c" in str(error)
    assert "include/salesforce" in str(error)


def test_which_401_a_new_login_mends() -> None:
    assert session_expired(401, body("INVALID_SESSION_ID", "Session expired or invalid"))
    permanent = "This session is not valid for use with the REST API"
    assert not session_expired(401, body("INVALID_SESSION_ID", permanent))
    for odd in (b"<html>", b"{}", b"[]", b'{"errorCode": 1}', b"null", b'["x"]'):
        assert not session_expired(401, odd)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("REQUIRED_FIELD_MISSING", InvalidRecordError),
        ("STRING_TOO_LONG", InvalidRecordError),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", RejectedRecordError),
        ("CANNOT_UPDATE_CONVERTED_LEAD", RejectedRecordError),
        ("DUPLICATE_VALUE", RejectedRecordError),
        ("SOMETHING_NEW", RejectedRecordError),
        ("UNABLE_TO_LOCK_ROW", RetriableRecordError),
        ("INACTIVE_OWNER_OR_USER", OwnerInactiveError),
    ],
)
def test_record_errors_by_code(code: str, kind: type[Exception]) -> None:
    assert type(record_error([{"statusCode": code, "message": "m", "fields": []}])) is kind


def test_record_texts_do_not_quote_values() -> None:
    long = record_error(
        [{"statusCode": "STRING_TOO_LONG", "message": "Company: data value too large: Ada Corp"}]
    )
    assert "Ada" not in str(long)
    rule = record_error(
        [
            {
                "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "message": "No phone for ada@acme.test",
                "fields": ["Phone"],
            }
        ]
    )
    assert "No phone for" in str(rule)
    assert "acme.test" not in str(rule)
    assert record_error([]).code == "UNKNOWN_EXCEPTION"


def test_login_errors_say_what_to_look_at() -> None:
    raw = json.dumps({"error": "invalid_client", "error_description": "invalid client credentials"})
    assert "consumer_secret" in str(login_error("x", 400, raw.encode()))
    assert isinstance(login_error("x", 400, b"<html>"), ContractError)
    assert isinstance(login_error("x", 502, b"<html>"), UnavailableError)


# -- writes -----------------------------------------------------------------------------------


class Org:
    """Answers collections; the rows of `bad` fail by code, `once` only the first time."""

    def __init__(self, bad: Mapping[str, str] | None = None, once: Sequence[str] = ()) -> None:
        self.bad, self.once, self.sent = dict(bad or {}), set(once), []

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        self.sent.append([row["K"] for row in rows])
        answer = []
        for row in rows:
            code = self.bad.get(row["K"])
            if row["K"] in self.once:
                self.once.discard(row["K"])
                self.bad.pop(row["K"])
            if code:
                answer.append({"success": False, "errors": [{"statusCode": code}]})
            else:
                answer.append({"id": f"id-{row['K']}", "success": True, "created": True})
        return answer


def records(*keys: str) -> list[dict[str, Any]]:
    return [{"K": key, "Company": "c"} for key in keys]


@given(st.lists(st.integers(0, 300), max_size=450), st.sets(st.integers(0, 300)))
@settings(max_examples=25, deadline=None)
def test_every_key_gets_the_result_of_its_own_record(keys: list[int], bad: set[int]) -> None:
    org = Org({str(key): "REQUIRED_FIELD_MISSING" for key in bad})
    results = write_collection("x", "Lead", "K", records(*map(str, keys)), org)
    assert set(results) == {str(key) for key in keys}
    assert all(len(batch) <= COLLECTION for batch in org.sent)
    for key, result in results.items():
        assert result.ok == (int(key) not in bad)
        assert result.id == (f"id-{key}" if result.ok else None)


def test_the_same_key_twice_is_joined_the_later_value_winning() -> None:
    seen: list[dict[str, Any]] = []

    def send(rows: list[dict[str, Any]]) -> Any:
        seen.extend(rows)
        return [{"success": True, "id": "1"} for _ in rows]

    twice = [{"K": "a", "x": 1, "y": 1}, {"K": "a", "x": 2}]
    write_collection("x", "Lead", "K", twice, send)
    assert seen == [{"attributes": {"type": "Lead"}, "K": "a", "x": 2, "y": 1}]


def test_a_lost_race_or_a_lock_is_tried_once_more_and_only_for_its_records() -> None:
    org = Org({"b": "DUPLICATE_VALUE", "c": "UNABLE_TO_LOCK_ROW"}, once=["b"])
    results = write_collection("x", "Lead", "K", records("a", "b", "c"), org)
    assert org.sent == [["a", "b", "c"], ["b", "c"]]
    assert results["b"].ok
    assert isinstance(results["c"].error, RetriableRecordError)


def test_two_workers_meet_the_rows_that_salesforce_locks_in_one_order() -> None:
    tasks = [
        {"K": key, "WhoId": who} for key, who in (("d", "2"), ("a", "3"), ("c", "1"), ("b", "2"))
    ]
    one, other = Org(), Org()
    write_collection("x", "Task", "K", tasks, one)
    write_collection("x", "Task", "K", tasks[::-1], other)
    assert one.sent == other.sent == [["c", "b", "d", "a"]], "by person, then by key"


def test_an_answer_of_another_length_is_not_trusted() -> None:
    with pytest.raises(AmbiguousOutcomeError):
        write_collection("x", "Lead", "K", records("a", "b"), lambda _: [{"success": True}])


def test_records_without_a_key_are_our_own_bug() -> None:
    with pytest.raises(InvariantError):
        write_collection("x", "Lead", "K", [{"Company": "c"}], Org())
    with pytest.raises(InvariantError):
        write_collection("x", "Lead/../x", "K", records("a"), Org())


# -- session and tokens ------------------------------------------------------------------------


class Wire:
    """Stands for the network below the session: answers what it is told, keeps what was sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: object) -> None:
        self.answers, self.sent = list(answers), []
        monkeypatch.setattr(requests.Session, "request", self._request)

    def _request(self, method: str, url: str, **kw: Any) -> requests.Response:
        self.sent.append((method, url, kw))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, payload, headers = answer  # type: ignore[misc]  # a triple
        response = requests.Response()
        response.status_code = status
        response._content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        response.headers.update({"Content-Type": "application/json;charset=UTF-8"} | headers)
        return response


TOKEN = (200, {"access_token": "t", "instance_url": "https://org.test/", "id": "x/00Dx/005x"}, {})
EXPIRED = (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}], {})


def gateway() -> SalesforceGateway:
    return SalesforceGateway(CONNECTION, UnlimitedRate(), terms=QUICK)


def test_every_data_call_is_pinned_timed_and_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    wire = Wire(monkeypatch, TOKEN, (200, {"records": [], "done": True}, {}))
    session = SalesforceSession(conn_id="x", limiter=UnlimitedRate(), ca_file="/own-ca.pem")
    session.post("https://org.test/services/oauth2/token", data={})
    session.request("GET", "https://org.test/services/data/v62.0/query", headers={"a": "b"})
    for _, _, kw in wire.sent:
        assert kw["timeout"] == (3.05, 60.0)
        assert kw["verify"] == "/own-ca.pem"
        assert kw["allow_redirects"] is False
    headers = wire.sent[1][2]["headers"]
    assert headers["Sforce-Auto-Assign"] == "FALSE"
    assert headers["X-PrettyPrint"] is None
    assert headers["a"] == "b"


def test_auto_assign_stays_off_on_the_repeat_after_an_expired_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire(monkeypatch, TOKEN, EXPIRED, TOKEN, (200, [{"success": True, "id": "1"}], {}))
    monkeypatch.setattr("baton.crm.salesforce.tokens._FRESH_SECONDS", 0.0)
    results = gateway().upsert("Lead", "K", records("a"))
    assert results["a"].ok
    writes = [kw for method, _, kw in wire.sent if method == "PATCH"]
    assert len(writes) == 2
    assert all(kw["headers"]["Sforce-Auto-Assign"] == "FALSE" for kw in writes)


def test_a_session_that_no_login_mends_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, TOKEN, EXPIRED)
    with pytest.raises(AuthenticationError, match="right after a new login"):
        list(gateway().query("SELECT Id FROM Lead"))
    assert len(wire.sent) <= 6
    assert sum("oauth2" in url for _, url, _ in wire.sent) == 1


def test_a_storm_of_logins_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baton.crm.salesforce.tokens._FRESH_SECONDS", 0.0)
    wire = Wire(monkeypatch, TOKEN)
    session = SalesforceSession(conn_id="x", limiter=UnlimitedRate())
    tokens = TokenSource(CONNECTION, session)
    for _ in range(6):
        tokens()
    with pytest.raises(AuthenticationError, match="too many logins"):
        tokens()
    assert len(wire.sent) == 6


def test_one_login_serves_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    wire = Wire(monkeypatch, TOKEN)
    tokens = TokenSource(CONNECTION, SalesforceSession(conn_id="x", limiter=UnlimitedRate()))
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: tokens(), range(32)))
    assert got == {("t", "org.test")}
    assert len(wire.sent) == 1
    assert tokens.identity == ("00Dx", "005x")


def test_jwt_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    wire = Wire(monkeypatch, TOKEN)
    connection = SalesforceConnection(
        "s", "https://org.test", consumer_key="k", username="svc", private_key=pem
    )
    TokenSource(connection, SalesforceSession(conn_id="s", limiter=UnlimitedRate()))()
    form = wire.sent[0][2]["data"]
    claims = jwt.decode(
        form["assertion"], key.public_key(), algorithms=["RS256"], audience="https://org.test"
    )
    assert (claims["iss"], claims["sub"]) == ("k", "svc")
    broken = SalesforceConnection(
        "s", "https://org.test", consumer_key="k", username="svc", private_key="no PEM"
    )
    with pytest.raises(AuthenticationError, match="PEM"):
        TokenSource(broken, SalesforceSession(conn_id="s", limiter=UnlimitedRate()))()


def _refused() -> requests.ConnectionError:
    class InnerError(Exception):
        reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]  # the pool matters not

    return requests.ConnectionError(InnerError())


@pytest.mark.parametrize(
    ("trouble", "on_write", "on_read"),
    [
        (requests.ConnectTimeout(), UnavailableError, UnavailableError),
        (_refused(), UnavailableError, UnavailableError),
        (requests.ReadTimeout(), AmbiguousOutcomeError, UnavailableError),
        (
            requests.ConnectionError(ProtocolError("Connection aborted.")),
            AmbiguousOutcomeError,
            UnavailableError,
        ),
        (requests.exceptions.ChunkedEncodingError(), AmbiguousOutcomeError, UnavailableError),
        (requests.exceptions.SSLError(), FatalGatewayError, FatalGatewayError),
        ((502, b"<html>", {}), AmbiguousOutcomeError, UnavailableError),
        ((503, [{"errorCode": "SERVER_UNAVAILABLE"}], {}), UnavailableError, UnavailableError),
        ((200, b"<html>", {"Content-Type": "text/html"}), ContractError, ContractError),
        ((200, b'{"half', {}), AmbiguousOutcomeError, UnavailableError),
        ((302, b"", {"Location": "https://evil.test"}), ContractError, ContractError),
    ],
)
def test_outcomes_of_reads_and_writes(
    monkeypatch: pytest.MonkeyPatch,
    trouble: object,
    on_write: type[Exception],
    on_read: type[Exception],
) -> None:
    wire = Wire(monkeypatch, TOKEN, trouble)
    with pytest.raises(on_write) as caught:
        gateway().upsert("Lead", "K", records("a"))
    assert type(caught.value) is on_write
    if on_write is AmbiguousOutcomeError:
        assert len(wire.sent) == 2, "an ambiguous write is not repeated"
    Wire(monkeypatch, TOKEN, trouble)
    with pytest.raises(on_read) as caught:
        list(gateway().query("SELECT Id FROM Lead"))
    assert type(caught.value) is on_read


def test_values_travel_in_bodies_never_in_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = {"body": {"records": [], "done": True}, "httpStatusCode": 200}
    parts = [empty | {"referenceId": f"q{n}"} for n in range(4)]
    wire = Wire(monkeypatch, TOKEN, (200, {"compositeResponse": parts}, {}))
    org = gateway()
    list(org.query("SELECT Id FROM Lead WHERE Email = 'ada@acme.test'"))
    list(org.query_in("SELECT Id FROM Lead WHERE LastName IN {values}", ["O'Neill"]))
    org.people(["1"], ["ada@acme.test"])
    list(org.query("SELECT Id FROM Lead WHERE Id IN (" + ", ".join(["'x'"] * 2000) + ")"))
    urls = " ".join(url for _, url, _ in wire.sent)
    assert "ada" not in urls
    assert "Neill" not in urls
    assert max(len(url) for _, url, _ in wire.sent) < 200
    assert list(org.query_in("SELECT Id FROM Lead WHERE Id IN {values}", [])) == []
    assert list(org.query_in("SELECT Id FROM Lead WHERE Id IN {values}", ["", ""])) == []


def test_a_query_that_fails_inside_a_composite_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    part = {
        "body": [
            {"errorCode": "INVALID_FIELD", "message": "No such column 'X__c' on entity 'Lead'"}
        ],
        "httpStatusCode": 400,
        "referenceId": "q0",
    }
    Wire(monkeypatch, TOKEN, (200, {"compositeResponse": [part]}, {}))
    with pytest.raises(FatalGatewayError, match="Lead has no field X__c"):
        list(gateway().query_in("SELECT Id FROM Lead WHERE Id IN {values}", ["1"]))


def test_usage_and_server_time_are_learned_from_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int | None, int | None]] = []

    class Limiter(UnlimitedRate):
        def observe(self, bucket: str, remaining: int | None, limit: int | None) -> None:
            seen.append((bucket, remaining, limit))

    headers = {
        "Sforce-Limit-Info": "api-usage=25/5000; per-app-api-usage=17/250(appName=x)",
        "Date": "Fri, 20 Nov 2026 10:00:00 GMT",
    }
    Wire(monkeypatch, TOKEN, (200, {"records": [], "done": True}, headers))
    org = SalesforceGateway(CONNECTION, Limiter())
    list(org.query("SELECT Id FROM Lead"))
    assert org.api_usage == (25, 5000)
    assert seen == [("salesforce.daily", 4975, 5000)]
    assert abs((org.server_now() - datetime(2026, 11, 20, 10, tzinfo=UTC)).total_seconds()) < 2


def test_pages_are_read_by_done_and_changes_by_keyset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baton.crm.salesforce.gateway._PAGE", 3)

    def row(key: str) -> dict[str, str]:
        return {"Id": key, "SystemModstamp": "2026-03-01T09:30:00.000+0000"}

    more = {
        "records": [row("1")],
        "done": False,
        "nextRecordsUrl": "/services/data/v62.0/query/0r8-1",
    }
    wire = Wire(
        monkeypatch,
        TOKEN,
        (200, more, {}),
        (200, {"records": [row("2"), row("3")], "done": True}, {}),
        (200, {"records": [], "done": True}, {}),
    )
    since, until = datetime(2026, 3, 1, 9, 0, 0, 5, UTC), datetime(2026, 3, 1, 10, 0, 0, 5, UTC)
    rows = list(gateway().changed("Lead", ["Status"], since, until, where="IsConverted = true"))
    assert [one["Id"] for one in rows] == ["1", "2", "3"]
    first, page, second = (wire.sent[n] for n in (1, 2, 3))
    assert "SystemModstamp >= 2026-03-01T09:00:00" in first[2]["params"]["q"]
    assert "SystemModstamp < 2026-03-01T10:00:01" in first[2]["params"]["q"]
    assert page[1].endswith("/query/0r8-1")
    assert "Id > '3'" in second[2]["params"]["q"]
    assert "(IsConverted = true)" in second[2]["params"]["q"]


# -- people ------------------------------------------------------------------------------------


def lead(record_id: str, **parts: Any) -> LeadRecord:
    whole: dict[str, Any] = {
        "hubspot_id": None, "email": None, "owner_id": "005", "owner_name": None,
        "owner_is_queue": False, "status": None, "company": None, "handoff_key": None,
        "is_converted": False, "converted_contact_id": None, "converted_account_id": None,
        "converted_opportunity_id": None, "is_deleted": False, "master_id": None,
        "modified_at": datetime(2026, 3, 1, tzinfo=UTC),
    }  # fmt: skip
    return LeadRecord(id=record_id, **(whole | parts))


def contact(record_id: str, **parts: Any) -> ContactRecord:
    whole: dict[str, Any] = {
        "hubspot_id": None, "email": None, "owner_id": "005", "account_id": None,
        "account_name": None, "account_owner_id": None, "account_type": None,
        "handoff_key": None, "is_deleted": False, "master_id": None,
        "modified_at": datetime(2026, 3, 1, tzinfo=UTC),
    }  # fmt: skip
    return ContactRecord(id=record_id, **(whole | parts))


def people(leads: Sequence[LeadRecord] = (), contacts: Sequence[ContactRecord] = ()) -> People:
    return People({one.id: one for one in leads}, {one.id: one for one in contacts})


def test_the_stamped_id_beats_the_address() -> None:
    known = people([lead("a", hubspot_id="7"), lead("b", email="X@acme.test")])
    match = known.match("7", "x@acme.test")
    assert (match.lead and match.lead.id, match.matched_by) == ("a", "hubspot_id")


def test_by_address_whatever_its_case_but_never_another_persons_record() -> None:
    known = people([lead("a", email="X@Acme.test"), lead("b", email="x@acme.test", hubspot_id="9")])
    match = known.match("7", "x@acme.TEST ")
    assert (match.lead and match.lead.id, match.matched_by, match.ambiguous) == (
        "a",
        "email",
        False,
    )
    assert known.match("7", None).lead is None
    assert known.match("7", "").lead is None


def test_a_converted_lead_leads_to_its_contact() -> None:
    known = people(
        [lead("a", hubspot_id="7", is_converted=True, converted_contact_id="c")], [contact("c")]
    )
    match = known.match("7", None)
    assert match.lead is None
    assert match.converted
    assert match.contact
    assert match.contact.id == "c"


def test_a_merged_lead_leads_to_its_survivor_and_loops_end() -> None:
    known = people(
        [
            lead("a", hubspot_id="7", is_deleted=True, master_id="b"),
            lead("b", is_deleted=True, master_id="c"),
            lead("c"),
        ]
    )
    match = known.match("7", None)
    assert match.lead
    assert match.lead.id == "c"
    loop = people(
        [
            lead("a", hubspot_id="7", is_deleted=True, master_id="b"),
            lead("b", is_deleted=True, master_id="a"),
        ]
    )
    assert loop.match("7", None).lead is None


def test_deleted_records_are_told_but_not_taken() -> None:
    match = people([lead("a", hubspot_id="7", is_deleted=True)]).match("7", None)
    assert (match.lead, match.deleted_ids) == (None, ("a",))


def test_several_live_records_by_address_are_ambiguous_and_the_last_changed_is_taken() -> None:
    later = datetime(2026, 4, 1, tzinfo=UTC)
    known = people([lead("a", email="x@a.test", modified_at=later), lead("b", email="x@a.test")])
    match = known.match("7", "x@a.test")
    assert match.ambiguous
    assert match.lead
    assert match.lead.id == "a"


def test_values() -> None:
    assert cents(1234.565) == 123456
    assert cents(None) is None
    assert instant("2026-03-01T09:30:00.000+0000") == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
