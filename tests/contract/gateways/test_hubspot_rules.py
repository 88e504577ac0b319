"""The parts of the HubSpot gateway that need no server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.connections import HubSpotConnection
from baton.crm.hubspot import ContactUpdate, HubSpotGateway
from baton.crm.hubspot.changes import PAGE, read_window
from baton.crm.hubspot.faults import BadRequestError, NotFoundError, error_of, record_error
from baton.crm.hubspot.pool import dated_path
from baton.crm.hubspot.rows import instant, merged_ids, milliseconds
from baton.crm.hubspot.updates import update_batch
from baton.crm.results import WriteResult, write_in_batches
from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ConfigurationError,
    ContractError,
    InvalidRecordError,
    PermissionDeniedError,
    RateLimitedError,
    RejectedRecordError,
    UnavailableError,
)
from baton.transport import UnlimitedRate

T0 = datetime(2026, 3, 1, tzinfo=UTC)


class Index:
    """A search index over rows that move while it is read."""

    def __init__(self, stamps: dict[int, int]) -> None:
        self.stamps, self.queries = stamps, []

    def __call__(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.queries.append(body)
        assert "after" not in body
        window, key = body["filterGroups"][0]["filters"]
        low, high, last = int(window["value"]), int(window["highValue"]), int(key["value"])
        hits = sorted(n for n, at in self.stamps.items() if low <= at <= high and n > last)
        rows = [
            {"id": str(n), "properties": {"lastmodifieddate": _iso(self.stamps[n])}} for n in hits
        ]
        return {"total": len(hits), "results": rows[: body["limit"]]}


def _iso(ms: int) -> str:
    at = datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)
    return at.isoformat().replace("+00:00", "Z")


def test_more_rows_than_a_query_may_return_on_one_timestamp() -> None:
    at = milliseconds(T0)
    index = Index(dict.fromkeys(range(1, 10_451), at))
    read = read_window(index, since=T0, until=T0)
    assert [row.id for row in read.rows] == [str(n) for n in range(1, 10_451)]
    assert read.next_id is None


def test_rows_modified_during_the_scan_are_not_lost_to_the_next_window() -> None:
    start = milliseconds(T0)
    index = Index({n: start + n for n in range(1, 1001)})
    until = T0 + timedelta(seconds=2)
    original = index.__call__

    def moving(body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = original(body)
        for n in (3, 501, 999):  # modified again while pages are read
            index.stamps[n] = milliseconds(until) + 5
        return answer

    seen = {row.id for row in read_window(moving, since=T0, until=until).rows}
    later = read_window(index, since=until, until=until + timedelta(seconds=1))
    assert seen | {row.id for row in later.rows} == {str(n) for n in range(1, 1001)}


def test_rows_newer_than_the_window_are_dropped_and_a_page_limit_is_told() -> None:
    index = Index({n: milliseconds(T0) for n in range(1, 2 * PAGE + 1)})

    def stale(body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = dict(index(body))
        for row in answer["results"][:1]:
            row["properties"]["lastmodifieddate"] = "2027-01-01T00:00:00Z"
        return answer

    read = read_window(stale, since=T0, until=T0, limit_pages=1)
    assert len(read.rows) == PAGE - 1
    assert read.next_id == str(PAGE)
    rest = read_window(stale, since=T0, until=T0, after_id=read.next_id)
    assert len(rest.rows) == PAGE - 1


def test_a_hot_poll_costs_one_call_and_a_sweep_asks_once_more() -> None:
    index = Index({1: milliseconds(T0)})
    read_window(index, since=T0, until=T0)
    assert len(index.queries) == 1
    read_window(index, since=T0, until=T0, thorough=True)
    assert len(index.queries) == 3


def test_a_search_that_ignores_the_key_does_not_go_round_for_ever() -> None:
    def broken(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"total": 900, "results": [{"id": "5", "properties": {}}] * PAGE}

    assert len(read_window(broken, since=T0, until=T0).rows) <= 2 * PAGE


class Writes:
    """Contacts that HubSpot refuses, has merged, or has lost."""

    def __init__(
        self,
        bad: Sequence[str] = (),
        *,
        merged: Mapping[str, str] | None = None,
        gone: Sequence[str] = (),
        mode: str = "207",
    ) -> None:
        self.bad, self.merged, self.gone, self.mode = set(bad), dict(merged or {}), set(gone), mode
        self.batches = 0

    def batch(self, inputs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        self.batches += 1
        ids = [str(one["id"]) for one in inputs]
        bad = [one for one in ids if one in self.bad]
        if bad and self.mode == "400":
            raise BadRequestError("x", InvalidRecordError("INVALID_OPTION", "no"))
        fine = [one for one in ids if one not in self.bad | self.gone and one not in self.merged]
        errors = [
            {"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": [one]}}
            for one in bad
        ]
        if self.gone & set(ids):
            errors.append(
                {"category": "OBJECT_NOT_FOUND", "context": {"ids": sorted(self.gone & set(ids))}}
            )
        return {"results": [{"id": one} for one in reversed(fine)], "errors": errors}

    def single(self, contact_id: str, properties: Mapping[str, str]) -> Mapping[str, Any]:
        if contact_id in self.gone:
            raise NotFoundError("x", "gone", status=404)
        return {"id": self.merged.get(contact_id, contact_id)}


def updates(*ids: str) -> list[ContactUpdate]:
    return [ContactUpdate(one, {"a": "1"}) for one in ids]


def test_each_record_of_a_mixed_batch_has_its_own_fate() -> None:
    writes = Writes(bad=["2"], merged={"3": "33"}, gone=["4"])
    results = update_batch(writes, updates("1", "2", "3", "4"))
    assert results["1"].ok
    assert results["1"].id == "1"
    assert isinstance(results["2"].error, RejectedRecordError)
    assert results["3"] == WriteResult("3", ok=True, id="33", created=False)
    assert results["4"].error is not None
    assert results["4"].error.code == "OBJECT_NOT_FOUND"  # type: ignore[union-attr]  # a RecordError


@given(st.sets(st.integers(1, 40)), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_a_refused_batch_is_cut_until_the_bad_records_stand_alone(bad: set[int], size: int) -> None:
    ids = [str(n) for n in range(1, size + 1)]
    writes = Writes(bad=[str(n) for n in bad], mode="400")
    results = update_batch(writes, updates(*ids))
    assert set(results) == set(ids)
    assert {key for key, one in results.items() if not one.ok} == set(ids) & {str(n) for n in bad}


def test_a_later_batch_that_fails_does_not_lose_the_results_of_earlier_ones() -> None:
    sent = []

    def write(batch: Sequence[str]) -> dict[str, WriteResult]:
        sent.append(list(batch))
        if "c" in batch:
            raise AmbiguousOutcomeError("x", "no answer")
        return {one: WriteResult(one, ok=True, id=one) for one in batch}

    results = write_in_batches(["a", "b", "c", "d", "e"], 2, str, write)
    assert results["a"].ok
    assert results["b"].ok
    assert isinstance(results["c"].error, AmbiguousOutcomeError)
    assert isinstance(results["d"].error, AmbiguousOutcomeError)
    assert isinstance(results["e"].error, UnavailableError), "never sent, so not ambiguous"
    assert sent == [["a", "b"], ["c", "d"]]
    with pytest.raises(AmbiguousOutcomeError):
        write_in_batches(["c", "a"], 1, str, write)


@pytest.mark.parametrize(
    ("status", "body", "headers", "changes", "kind"),
    [
        (401, {"category": "INVALID_AUTHENTICATION"}, {}, False, AuthenticationError),
        (530, "<html>", {}, False, AuthenticationError),
        (423, {}, {}, True, RateLimitedError),
        (477, {}, {"Retry-After": "60"}, True, RateLimitedError),
        (429, {"policyName": "DAILY"}, {}, False, RateLimitedError),
        (500, {}, {}, True, AmbiguousOutcomeError),
        (504, "<html>", {}, True, AmbiguousOutcomeError),
        (504, "<html>", {}, False, UnavailableError),
        (503, {}, {}, True, UnavailableError),
        (414, "<html>", {}, False, ContractError),
        (404, {"message": "resource not found"}, {}, False, NotFoundError),
        (400, {"category": "VALIDATION_ERROR"}, {}, True, BadRequestError),
    ],
)
def test_answers_become_typed_errors(
    status: int, body: object, headers: dict[str, str], changes: bool, kind: type[Exception]
) -> None:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    assert type(error_of("x", status, raw, headers, what="GET /p", changes=changes)) is kind


@pytest.mark.parametrize(
    ("body", "pause", "daily"),
    [
        ({"policyName": "SECONDLY"}, 1.0, False),
        ({"message": "You have reached your secondly limit."}, 1.0, False),
        ({"policyName": "TEN_SECONDLY_ROLLING"}, 10.0, False),
        ({"message": "You have reached your ten_secondly_rolling limit."}, 10.0, False),
        ({"message": "You have reached your daily limit."}, None, True),
    ],
)
def test_429_by_policy(body: dict[str, str], pause: float | None, daily: bool) -> None:
    error = error_of("x", 429, json.dumps(body).encode(), {}, what="w", changes=False)
    assert isinstance(error, RateLimitedError)
    assert (error.retry_after, error.daily) == (pause, daily)


def test_a_missing_scope_is_named() -> None:
    body = {
        "category": "MISSING_SCOPES",
        "errors": [{"context": {"requiredGranularScopes": ["crm.lists.write"]}}],
    }
    error = error_of("x", 403, json.dumps(body).encode(), {}, what="w", changes=True)
    assert isinstance(error, PermissionDeniedError)
    assert error.missing == ("crm.lists.write",)
    assert "crm.lists.write" in str(error)


def test_texts_never_quote_what_was_sent() -> None:
    body = {
        "message": 'Property values were not valid: [{"message": "ada@acme.test is bad"}]',
        "category": "VALIDATION_ERROR",
        "errors": [
            {
                "message": "ada@acme.test was not valid",
                "code": "INVALID_EMAIL",
                "context": {"propertyName": ["email"]},
            }
        ],
    }
    error = record_error(body)
    assert isinstance(error, InvalidRecordError)
    assert (error.code, error.fields) == ("INVALID_EMAIL", ("email",))
    assert "ada" not in str(error)
    quoted = record_error({"message": 'Ada said "my secret"', "category": "X"})
    assert "secret" not in str(quoted)


def test_instants_in_every_form_hubspot_has() -> None:
    expected = datetime(2026, 11, 1, 9, 12, 44, tzinfo=UTC)
    for text in ("2026-11-01T09:12:44Z", "2026-11-01T09:12:44.000Z", str(milliseconds(expected))):
        assert instant(text) == expected
    assert instant("soon") is None
    assert instant("") is None
    assert milliseconds(expected + timedelta(milliseconds=108)) % 1000 == 108


def test_merged_ids_from_both_properties() -> None:
    properties = {"hs_merged_object_ids": "1;2", "hs_calculated_merged_vids": "2:17;3:18"}
    assert merged_ids(properties) == ("1", "2", "3")
    assert merged_ids({"hs_merged_object_ids": None}) == ()


def test_date_based_paths() -> None:
    assert dated_path("/crm/v3/objects/contacts/search") == "/crm/objects/2026-09/contacts/search"
    assert dated_path("/crm/v3/lists/5/memberships/add") == "/crm/lists/2026-03/5/memberships/add"
    assert dated_path("/marketing/v3/forms/") == "/marketing/v3/forms/"


def test_the_gateway_refuses_a_client_that_would_call_another_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from hubspot.crm.contacts import Configuration

    monkeypatch.setattr(
        Configuration, "host", property(lambda _: "https://api.hubapi.com", lambda *_: None)
    )
    with pytest.raises(ConfigurationError, match="another host"):
        HubSpotGateway(
            HubSpotConnection("hubspot_default", token="t", host="http://127.0.0.1:9"),
            UnlimitedRate(),
        )
