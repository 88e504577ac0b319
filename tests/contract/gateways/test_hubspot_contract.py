"""The HubSpot gateway against the sandbox, over HTTP."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from baton.connections import HubSpotConnection
from baton.crm.hubspot import ContactUpdate, HubSpotGateway, PropertyDefinition
from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ContractError,
    InvalidRecordError,
    RateLimitedError,
    RejectedRecordError,
    UnavailableError,
)
from baton.transport import RetryTerms, UnlimitedRate

PROPERTIES = ["email", "lastname", "jobtitle"]


def test_check_names_the_account(hubspot, sandbox) -> None:
    account = hubspot.check()
    assert account.portal_id in (None, str(sandbox.where["hubspot"]["portal_id"]))
    assert account.missing_scopes == ()


def test_a_wrong_token_is_told_at_once_and_not_shown(hubspot) -> None:
    wrong = dataclasses.replace(hubspot.connection, token="pat-secret-wrong")
    gateway = HubSpotGateway(wrong, UnlimitedRate())
    with pytest.raises(AuthenticationError) as caught:
        gateway.check()
    assert "hubspot_default" in str(caught.value)
    assert "pat-secret" not in str(caught.value)
    assert sum(gateway.calls.values()) == 1


def test_server_time(hubspot) -> None:
    assert abs((hubspot.server_now() - datetime.now(UTC)).total_seconds()) < 5


def test_changed_contacts_are_found_and_read(hubspot, make_contacts) -> None:
    before = hubspot.server_now() - timedelta(seconds=2)
    ids = make_contacts(3, jobtitle="CTO")
    until = hubspot.server_now() + timedelta(seconds=5)
    changed = {row.id: row.modified_at for row in hubspot.changed_contacts(before, until)}
    assert set(ids) <= set(changed)
    assert all(before <= at <= until for at in changed.values())
    read = hubspot.read_contacts([*ids, "999999999"], PROPERTIES)
    assert set(read.found) == set(ids)
    assert read.missing == ("999999999",)
    assert read.found[ids[0]].properties["jobtitle"] == "CTO"


def test_a_window_of_more_than_a_page_costs_one_search_a_page(hubspot, make_contacts) -> None:
    before = hubspot.server_now() - timedelta(seconds=1)
    ids = make_contacts(450)
    hubspot.calls.clear()
    read = hubspot.read_changes(before, hubspot.server_now() + timedelta(seconds=5))
    assert set(ids) <= {row.id for row in read.rows}
    assert read.next_id is None
    searches = hubspot.calls["POST /crm/v3/objects/contacts/search"]
    assert searches == -(-len(read.rows) // 200)


def test_hand_raises_are_found_by_the_moment_of_the_form(hubspot, sandbox, unique) -> None:
    since = hubspot.server_now() - timedelta(seconds=2)
    form = hubspot.forms()[0]
    email = f"{unique('raised')}@made.test"
    body = {"form": form.id, "values": {"email": email, "lastname": "Made"}}
    contact = sandbox.admin.post("/hubspot/forms/submit", json=body).json()["contact_id"]
    raised = {row.id: row.modified_at for row in hubspot.hand_raises(since)}
    assert contact in raised
    hubspot.update_contacts([ContactUpdate(contact, {"jobtitle": "CTO"})])
    again = {row.id: row.modified_at for row in hubspot.hand_raises(since)}
    assert again[contact] == raised[contact], "our own writes do not look like a hand raise"
    submissions = hubspot.form_submissions(form.id, since)
    assert email in [one.values["email"] for one in submissions]


def test_list_contacts_reads_everything_in_pages(hubspot, make_contacts) -> None:
    ids = make_contacts(120)
    pages = list(hubspot.list_contacts(["email"], after=ids[0]))
    seen = [row.id for page in pages for row in page]
    assert set(ids) <= set(seen)
    assert len(seen) == len(set(seen))
    assert all(len(page) <= 100 for page in pages)


def test_updates_are_mapped_by_id_in_batches_of_a_hundred(hubspot, make_contacts) -> None:
    ids = make_contacts(150)
    hubspot.calls.clear()
    results = hubspot.update_contacts([ContactUpdate(one, {"jobtitle": one}) for one in ids])
    assert all(results[one].ok for one in ids)
    assert hubspot.calls["POST /crm/v3/objects/contacts/batch/update"] == 2
    read = hubspot.read_contacts(ids, ["jobtitle"])
    assert all(read.found[one].properties["jobtitle"] == one for one in ids)


def test_one_bad_record_does_not_stop_the_batch(hubspot, make_contacts) -> None:
    good, bad = make_contacts(2)
    results = hubspot.update_contacts(
        [
            ContactUpdate(good, {"jobtitle": "CTO"}),
            ContactUpdate(bad, {"no_such_property_here": "ada@acme.test"}),
            ContactUpdate("999999998", {"jobtitle": "CTO"}),
        ]
    )
    assert results[good].ok
    assert isinstance(results[bad].error, InvalidRecordError)
    assert results[bad].error.fields == ("no_such_property_here",)
    assert "acme.test" not in str(results[bad].error)
    assert isinstance(results["999999998"].error, RejectedRecordError)
    assert hubspot.read_contacts([good], ["jobtitle"]).found[good].properties["jobtitle"] == "CTO"


def test_a_partly_failing_batch_has_a_result_for_every_record(
    hubspot, faults, make_contacts
) -> None:
    ids = make_contacts(6)
    faults.fault("partial", "hubspot", "contacts/batch/update")
    results = hubspot.update_contacts([ContactUpdate(one, {"jobtitle": "CTO"}) for one in ids])
    assert set(results) == set(ids)
    assert {one.ok for one in results.values()} == {True, False}
    read = hubspot.read_contacts(ids, ["jobtitle"])
    for one in ids:
        assert (read.found[one].properties["jobtitle"] == "CTO") == results[one].ok


def test_a_merged_contact_is_read_and_written_under_its_survivor(hubspot, make_contacts) -> None:
    winner, loser = make_contacts(2)
    merge = hubspot._api.crm.contacts.basic_api.merge
    merged = hubspot._client.call(merge, {"primaryObjectId": winner, "objectIdToMerge": loser})
    survivor = str(merged["id"])
    read = hubspot.read_contacts([loser], PROPERTIES)
    assert read.found[loser].id == survivor
    assert loser in read.found[loser].merged_ids
    results = hubspot.update_contacts([ContactUpdate(loser, {"jobtitle": "CTO"})])
    assert results[loser].ok
    assert results[loser].id == survivor


@pytest.mark.parametrize("kind", ["423", "500", "502_html", "503", "504", "reset", "truncated"])
def test_passing_trouble_is_ridden_out(hubspot, faults, make_contacts, kind) -> None:
    ids = make_contacts(1)
    if kind == "423":
        hubspot._client._terms = RetryTerms(longest_pause=3.0)
    for path in ("contacts/batch/update", "contacts/batch/read"):
        faults.fault(kind, "hubspot", path, when="after" if kind != "423" else "before")
    assert hubspot.update_contacts([ContactUpdate(ids[0], {"jobtitle": "CTO"})])[ids[0]].ok
    read = hubspot.read_contacts(ids, ["jobtitle"])
    assert read.found[ids[0]].properties["jobtitle"] == "CTO"


def test_a_rate_limit_is_waited_for(hubspot, faults, make_contacts) -> None:
    ids = make_contacts(1)
    faults.fault("429", "hubspot", "batch/read", retry_after=0, count=2)
    hubspot._client._terms = RetryTerms(longest_pause=10.0)
    faults.fault("429", "hubspot", "contacts/search", policy="SECONDLY")
    now = hubspot.server_now()
    begun = datetime.now(UTC)
    hubspot.changed_contacts(now, now)
    assert datetime.now(UTC) - begun >= timedelta(seconds=0.9)
    faults.admin.delete("/faults")
    faults.fault("429", "hubspot", "batch/read", policy="DAILY")
    with pytest.raises(RateLimitedError) as caught:
        hubspot.read_contacts(ids, ["email"])
    assert caught.value.daily


def test_no_answer_after_the_work_was_done_is_repeated_and_done_once(
    hubspot, faults, make_contacts
) -> None:
    ids = make_contacts(1)
    faults.fault("timeout", "hubspot", "batch/update", when="after")
    results = hubspot.update_contacts([ContactUpdate(ids[0], {"jobtitle": "CTO"})])
    assert results[ids[0]].ok


def test_no_answer_for_good_is_ambiguous_for_a_write_and_unavailable_for_a_read(
    hubspot, faults, make_contacts
) -> None:
    ids = make_contacts(1)
    hubspot._client._terms = RetryTerms(attempts=2, first_pause=0.01)
    faults.fault("reset", "hubspot", "batch/", count=9)
    with pytest.raises(AmbiguousOutcomeError):
        hubspot.update_contacts([ContactUpdate(ids[0], {"jobtitle": "CTO"})])
    with pytest.raises(UnavailableError):
        hubspot.read_contacts(ids, ["email"])


def test_nobody_there_is_unavailable_not_ambiguous() -> None:
    nowhere = HubSpotConnection("hubspot_default", token="t", host="http://127.0.0.1:1")
    gateway = HubSpotGateway(nowhere, UnlimitedRate(), terms=RetryTerms(attempts=1))
    with pytest.raises(UnavailableError):
        gateway.update_contacts([ContactUpdate("1", {"jobtitle": "x"})])


def test_companies_and_owners(hubspot, sandbox) -> None:
    owners = hubspot.owners()
    assert "amara.okafor@relay.test" in [one.email for one in owners]
    rows = next(hubspot.list_contacts(["associatedcompanyid"]))
    wanted = {row.properties.get("associatedcompanyid") for row in rows} - {None, ""}
    found = hubspot.read_companies([*wanted, "999999997"], ["name", "domain"])  # type: ignore[list-item]  # None is gone
    assert set(found) == wanted


def test_properties_and_groups_are_created_once(hubspot, unique) -> None:
    group, name = unique("g").replace("-", "_"), unique("p").replace("-", "_")
    assert hubspot.create_property_group(group, "A group")
    assert not hubspot.create_property_group(group, "A group")
    wanted = PropertyDefinition(name, "Label", "number", "number", group)
    assert hubspot.create_properties([wanted]) == (name,)
    assert hubspot.create_properties([wanted]) == ()
    defined = hubspot.property_definitions("contacts")[name]
    assert (defined.type, defined.group) == ("number", group)


def test_lists_are_made_once_and_membership_may_be_repeated(hubspot, make_contacts, unique) -> None:
    name = unique("Nurture: later")
    assert hubspot.find_list(name) is None
    list_id = hubspot.ensure_list(name)
    assert hubspot.ensure_list(name) == list_id
    ids = make_contacts(2)
    first = hubspot.add_to_list(list_id, [*ids, "999999996"])
    assert set(first.changed) == set(ids)
    assert first.missing == ("999999996",)
    assert hubspot.add_to_list(list_id, ids).changed == ()
    assert hubspot.remove_from_list(list_id, ids[:1]).changed == (ids[0],)


def test_threads_share_one_small_pool(hubspot, make_contacts) -> None:
    ids = make_contacts(1)
    with ThreadPoolExecutor(8) as pool:
        reads = list(pool.map(lambda _: hubspot.read_contacts(ids, ["email"]), range(32)))
    assert all(set(read.found) == set(ids) for read in reads)
    assert hubspot.calls["POST /crm/v3/objects/contacts/batch/read"] == 32


def test_no_personal_value_is_in_a_url(hubspot, sandbox, make_contacts) -> None:
    hubspot.read_contacts(make_contacts(1), ["email"])
    assert not any("@" in row["path"] for row in sandbox.requests("hubspot"))


def test_date_based_paths_serve_as_well(hubspot, make_contacts) -> None:
    ids = make_contacts(1)
    dated = HubSpotGateway(
        dataclasses.replace(hubspot.connection, api_paths="dated"), UnlimitedRate()
    )
    assert dated.update_contacts([ContactUpdate(ids[0], {"jobtitle": "CTO"})])[ids[0]].ok
    assert dated.read_contacts(ids, ["jobtitle"]).found[ids[0]].properties["jobtitle"] == "CTO"
    assert "POST /crm/objects/2026-09/contacts/batch/read" in dated.calls


# -- a server that is not HubSpot ----------------------------------------------------------------


class Odd(BaseHTTPRequestHandler):
    """Answers every path with what the path's first part says."""

    def do_GET(self) -> None:
        page = b"<html><body>Please log in to the hotel network</body></html>"
        if self.path.startswith("/crm/v3/objects/contacts"):
            self._send(200, page, "text/html")
        elif self.path.startswith("/crm/v3/owners"):
            self._send(410, b"{}", "application/json")
        elif self.path.startswith("/crm/owners/2026-09"):
            self._send(200, json.dumps({"results": []}).encode(), "application/json")
        elif self.path.startswith("/marketing"):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(403, SCOPES, "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


SCOPES = json.dumps(
    {
        "category": "MISSING_SCOPES",
        "errors": [{"context": {"requiredGranularScopes": ["crm.schemas.contacts.read"]}}],
    }
).encode()


@pytest.fixture
def odd() -> Iterator[HubSpotGateway]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    yield HubSpotGateway(HubSpotConnection("hubspot_default", "t", host), UnlimitedRate())
    server.shutdown()
    server.server_close()


def test_an_html_page_is_not_an_answer(odd) -> None:
    with pytest.raises(ContractError, match="not JSON but text/html"):
        list(odd.list_contacts(["email"]))


def test_a_missing_scope_is_named(odd) -> None:
    from baton.errors import PermissionDeniedError

    with pytest.raises(PermissionDeniedError, match=r"crm\.schemas\.contacts\.read"):
        odd.property_definitions()


def test_redirects_are_not_followed_with_the_token(odd) -> None:
    with pytest.raises(ContractError, match="302"):
        odd.forms()


def test_when_the_old_paths_are_switched_off_the_dated_ones_are_used(odd) -> None:
    assert odd.owners() == []
    assert odd.calls["GET /crm/owners/2026-09/"] == 1
    odd.owners()
    assert odd.calls["GET /crm/v3/owners/"] == 1, "asked once, not before every call"
