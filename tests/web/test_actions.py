"""What can be done by hand: only by whom it may, once, never against what changed meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, text
from tests.web.conftest import NOW, SECRET, Visitors, viewer
from tests.web.furnished import JONAS, MIRA, Furnished

from baton.ledger.database.engine import transaction
from baton.web.access import Visitor
from baton.web.seals import LIFE, Seals

FORM = re.compile(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', re.S)
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@pytest.fixture
def ground(ledger_engine: Engine) -> Iterator[Furnished]:
    with transaction(ledger_engine) as conn:
        yield Furnished(conn)


@pytest.fixture
def client(visitors: Visitors, ledger_url: str) -> TestClient:
    return visitors.client(ledger_url)


def form_of(client: TestClient, page: str, action: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = {path: dict(FIELD.findall(body)) for path, body in FORM.findall(client.get(page).text)}
    return {name: value.replace("&#39;", "'") for name, value in found[action].items()}


def send(client: TestClient, path: str, form: dict[str, str], **given: str) -> Response:
    return client.post(path, data={"reason": "because", **form, **given}, follow_redirects=False)


def entries(engine: Engine) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(text("SELECT * FROM admin_action ORDER BY id")).mappings())


def owner_of(engine: Engine, lead_id: int) -> str:
    query = (
        "SELECT owner_key FROM hop JOIN handoff h ON h.id = handoff_id WHERE h.lead_id = :id"
        " ORDER BY number DESC LIMIT 1"
    )
    with engine.connect() as conn:
        return str(conn.execute(text(query), {"id": lead_id}).scalar_one())


def test_a_lead_is_reassigned_and_the_page_says_so(
    ground: Furnished, client: TestClient, ledger_engine: Engine
) -> None:
    row = ground.handed_over()
    ground.conn.commit()
    page, path = f"/lead/{row.lead_id}", f"/lead/{row.lead_id}/reassign"
    answer = send(client, path, form_of(client, page, path), to=f"person {JONAS}")
    assert answer.status_code == 303, answer.text
    told = client.get(answer.headers["location"]).text
    assert f"Done: {row.key} went from {MIRA} to {JONAS}" in told
    assert "because" in told
    assert owner_of(ledger_engine, row.lead_id) == JONAS
    (entry,) = entries(ledger_engine)
    assert (entry["by_whom"], entry["action"], entry["reason"], entry["result"]) == (
        "nadia",
        "reassign",
        "because",
        "done",
    )


def test_the_second_of_two_admins_is_told_who_did_what(
    ground: Furnished, visitors: Visitors, ledger_url: str, ledger_engine: Engine
) -> None:
    async def greg(_request: object) -> Visitor:
        return Visitor("greg")

    row = ground.handed_over()
    ground.conn.commit()
    page, path = f"/lead/{row.lead_id}", f"/lead/{row.lead_id}/reassign"
    nadia, other = visitors.client(ledger_url), visitors.client(ledger_url, greg)
    first, second = form_of(nadia, page, path), form_of(other, page, path)
    assert send(nadia, path, first, to=f"person {JONAS}").status_code == 303
    answer = send(other, path, second, to="policy", reason="<i>mine</i>")
    assert answer.status_code == 409
    for words in ("Somebody was quicker", "nothing was done", f"to {JONAS}", "by nadia"):
        assert words in answer.text
    assert "&lt;i&gt;mine&lt;/i&gt;" in answer.text
    assert owner_of(ledger_engine, row.lead_id) == JONAS
    assert [(one["by_whom"], one["result"]) for one in entries(ledger_engine)] == [
        ("nadia", "done"),
        ("greg", "refused"),
    ]


def test_a_form_sent_twice_acts_once(
    ground: Furnished, client: TestClient, ledger_engine: Engine
) -> None:
    row = ground.handed_over()
    ground.conn.commit()
    page, path = f"/lead/{row.lead_id}", f"/lead/{row.lead_id}/reassign"
    form = form_of(client, page, path)
    answers = [send(client, path, form, to=f"person {JONAS}") for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 303]
    assert len(entries(ledger_engine)) == 1


@pytest.mark.parametrize(
    ("what", "given", "after"),
    [
        ("release", {}, "release"),
        ("re-check", {}, "re_check"),
        ("hold", {"until": "2026-12-24T09:00"}, "re_check"),
        ("dismiss", {"to": "nurture"}, "nurture"),
        ("dismiss", {"to": "suppressed"}, "suppressed"),
    ],
)
def test_what_is_held_can_be_moved(
    ground: Furnished,
    client: TestClient,
    ledger_engine: Engine,
    what: str,
    given: dict[str, str],
    after: str,
) -> None:
    lead_id = ground.held("blast_radius")
    ground.conn.commit()
    path = f"/lead/{lead_id}/{what}"
    answer = send(client, path, form_of(client, f"/lead/{lead_id}", path), **given)
    assert answer.status_code == 303
    with ledger_engine.connect() as conn:
        lead = conn.execute(text("SELECT * FROM lead WHERE id = :id"), {"id": lead_id}).one()
    assert after in (lead.state, lead.timer_action)
    assert len(entries(ledger_engine)) == 1


@pytest.mark.parametrize(
    ("what", "state", "given", "after"),
    [
        ("retry", "dead", {}, "pending"),
        ("retry", "ambiguous", {}, "pending"),
        ("dismiss", "rejected", {"to": "superseded"}, "superseded"),
    ],
)
def test_what_failed_can_be_settled(
    ground: Furnished,
    client: TestClient,
    ledger_engine: Engine,
    what: str,
    state: str,
    given: dict[str, str],
    after: str,
) -> None:
    effect_id = ground.failed(state)
    lead_id = ground.conn.execute(text("SELECT lead_id FROM effect LIMIT 1")).scalar_one()
    ground.conn.commit()
    path = f"/effect/{effect_id}/{what}"
    answer = send(client, path, form_of(client, f"/lead/{lead_id}", path), **given)
    assert answer.status_code == 303, answer.text
    with ledger_engine.connect() as conn:
        row = conn.execute(text("SELECT * FROM effect WHERE id = :id"), {"id": effect_id}).one()
    assert (row.state, row.maybe_sent) == (after, True)
    assert entries(ledger_engine)[0]["effect_id"] == effect_id


ROUTES = (
    "/lead/1/reassign",
    "/lead/1/hold",
    "/lead/1/release",
    "/lead/1/re-check",
    "/lead/1/dismiss",
    "/effect/1/retry",
    "/effect/1/release",
    "/effect/1/dismiss",
    "/review/quarantine",
    "/review/unrouted",
    "/review/accounts",
    "/review/duplicates",
    "/review/overrides",
    "/review/effects",
)


@pytest.mark.parametrize("path", ROUTES)
def test_nobody_acts_who_may_not(
    ground: Furnished, visitors: Visitors, ledger_url: str, ledger_engine: Engine, path: str
) -> None:
    ground.handed_over()
    ground.conn.commit()
    nadia, vera = visitors.client(ledger_url), visitors.client(ledger_url, viewer)
    seal = Seals(SECRET).make("nadia", NOW)
    form = {"reason": "because", "form": "a-form-of-tests", "to": "policy", "chosen": "1:"}
    for why, client, seal_sent, headers in (
        ("a viewer", vera, Seals(SECRET).make("vera", NOW), {}),
        ("no seal", nadia, "", {}),
        ("a stale seal", nadia, Seals(SECRET).make("nadia", NOW - 2 * LIFE), {}),
        ("somebody else's", nadia, Seals(SECRET).make("greg", NOW), {}),
        ("another site", nadia, seal, {"sec-fetch-site": "cross-site"}),
    ):
        answer = client.post(path, data={**form, "seal": seal_sent}, headers=headers)
        assert answer.status_code == 403, (why, answer.status_code)
    assert entries(ledger_engine) == []
    assert nadia.get(path).status_code in (404, 405, 422), "nothing is done by looking"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reason": ""}, "a reason is needed"),
        ({"reason": "   "}, "a reason is needed"),
        ({"reason": "é" * 501}, "too long: 501"),
        ({"to": "person nobody@made.test"}, "Choose a person"),
        ({"to": f"person {MIRA}"}, "has it already"),
        ({"to": "<script>"}, "Choose a person"),
        ({"form": ""}, "form is not whole"),
        ({"form": "x" * 500}, "form is not whole"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    ground: Furnished, client: TestClient, ledger_engine: Engine, given: dict[str, str], words: str
) -> None:
    row = ground.handed_over()
    ground.conn.commit()
    page, path = f"/lead/{row.lead_id}", f"/lead/{row.lead_id}/reassign"
    answer = send(client, path, form_of(client, page, path) | {"to": "policy"} | given)
    assert answer.status_code == 422
    assert words in answer.text
    assert "<script>" not in answer.text.replace("<script src=", "")
    assert owner_of(ledger_engine, row.lead_id) == MIRA
    assert entries(ledger_engine) == []


@pytest.mark.parametrize("until", ["2026-11-01T09:00", "2030-01-01T00:00", "tomorrow", ""])
def test_a_hold_needs_a_time_that_makes_sense(
    ground: Furnished, client: TestClient, until: str
) -> None:
    lead_id = ground.held("no_rule")
    ground.conn.commit()
    path = f"/lead/{lead_id}/hold"
    answer = send(client, path, form_of(client, f"/lead/{lead_id}", path), until=until)
    assert answer.status_code == 422
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/lead/999/re-check", 404),
        (f"/lead/{10**25}/re-check", 404),
        ("/lead/abc/re-check", 422),
        ("/lead/1/explode", 422),
        ("/lead/1/retry", 422),
        ("/effect/999/retry", 404),
        ("/effect/1/hold", 422),
        ("/review/nothing", 404),
    ],
)
def test_what_does_not_exist_is_said(
    client: TestClient, ledger_engine: Engine, path: str, status: int
) -> None:
    seal = Seals(SECRET).make("nadia", NOW)
    form = {"seal": seal, "form": "a-form-of-tests", "chosen": "1:"}
    answer = send(client, path, form)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert entries(ledger_engine) == []


def test_a_lead_forgotten_while_its_page_was_open(
    ground: Furnished, client: TestClient, ledger_engine: Engine
) -> None:
    from baton.leads.states import LeadState
    from baton.ledger.leads import persons

    lead_id = ground.held("no_rule")
    ground.conn.commit()
    path = f"/lead/{lead_id}/re-check"
    form = form_of(client, f"/lead/{lead_id}", path)
    with transaction(ledger_engine) as conn:
        ground.conn = conn
        ground.move(lead_id, LeadState.ERASED)
        persons.delete_people(conn, [lead_id])
    answer = send(client, path, form)
    assert answer.status_code == 410
    assert "was forgotten" in answer.text
    assert [one["result"] for one in entries(ledger_engine)] == ["refused"]


def test_what_a_run_holds_can_be_tried_again(
    ground: Furnished, client: TestClient, ledger_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from baton.pipeline.by_hand import admin_actions

    monkeypatch.setattr(admin_actions, "_WAIT", "50ms")
    lead_id = ground.held("no_rule")
    ground.conn.commit()
    path = f"/lead/{lead_id}/release"
    form = form_of(client, f"/lead/{lead_id}", path)
    with transaction(ledger_engine) as conn:
        conn.execute(text("SELECT 1 FROM lead FOR UPDATE"))
        answer = send(client, path, form)
    assert answer.status_code == 409
    assert "A run is working on it at this moment" in answer.text
    assert [one["result"] for one in entries(ledger_engine)] == ["refused"]
