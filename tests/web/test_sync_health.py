"""Sync health: how each connection is, what to do about it, and the switch that stops all writes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from tests.web.conftest import NOW, Visitors, viewer

from baton.ledger.budget.daily_budget import BudgetTerms
from baton.ledger.database.engine import transaction
from baton.ledger.effects import crm_objects, outbox, switches
from baton.ledger.effects.crm_objects import Finding
from baton.ledger.effects.effects import NewEffect
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.pages import page_sync
from baton.ledger.proofs import checks, reconciliation
from baton.ledger.proofs.reconciliation import Found
from baton.ledger.sources import watermarks
from baton.pipeline.by_hand.effects_switch import RUNNING, SUBJECT
from baton.pipeline.today import sync_health
from baton.pipeline.today.sync_health import ConnectionHealth
from baton.web.access import Visitor

_KINDS = ("salesforce_record", "salesforce_task", "slack_message", "hubspot_state")


@pytest.fixture
def used(ledger_engine: Engine, ledger_url: str) -> str:
    """A ledger in use: everything read a minute ago, a write of each kind done."""
    with transaction(ledger_engine) as conn:
        for source in ("hubspot.contacts", "salesforce.task"):
            watermarks.set(conn, source, NOW.isoformat(), at=NOW - timedelta(minutes=1))
        seen = SeenLead(
            hubspot_id="9001",
            modified_at=NOW,
            seen_at=NOW,
            captured_at=NOW,
            content_hash="hash",
            content={},
        )
        lead = seen_leads.upsert_seen(conn, [seen])["9001"].id
        news = [NewEffect(key=kind, kind=kind, lead_id=lead) for kind in _KINDS]
        outbox.add(conn, news, at=NOW - timedelta(hours=2))
        conn.execute(
            text("UPDATE effect SET state = 'done', done_at = :at"),
            {"at": NOW - timedelta(minutes=2)},
        )
    return ledger_url


def health(engine: Engine, name: str) -> ConnectionHealth:
    with transaction(engine) as conn:
        found = sync_health.read(conn, NOW, BudgetTerms())
    return next(one for one in found.connections if one.name == name)


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {str(name): str(value) for name, value in found}


def test_when_all_is_well(visitors: Visitors, used: str, ledger_engine: Engine) -> None:
    page = visitors.client(used).get("/sync")
    assert page.status_code == 200
    assert page.text.count(">well<") == 3
    assert "wants somebody" not in page.text
    assert "going out" in page.text
    assert "as this version needs" in page.text
    assert "Nobody has checked yet" in page.text
    hubspot = health(ledger_engine, "HubSpot")
    assert hubspot.pulled_at == NOW - timedelta(minutes=1)
    assert hubspot.pushed_at == NOW - timedelta(minutes=2)


def test_an_empty_ledger(visitors: Visitors, ledger_url: str) -> None:
    page = visitors.client(ledger_url).get("/sync").text
    assert page.count("not used yet") == 3
    assert "The outbox is empty" in page


def test_each_trouble_says_what_to_do(visitors: Visitors, used: str, ledger_engine: Engine) -> None:
    with transaction(ledger_engine) as conn:
        watermarks.set(conn, "hubspot.contacts", "x", at=NOW - timedelta(hours=5))
        conn.execute(
            text(
                "UPDATE effect SET state = 'dead', last_error_code = 'REQUIRED_FIELD_MISSING'"
                " WHERE kind = 'salesforce_task'"
            )
        )
        conn.execute(
            text(
                "INSERT INTO attempt (effect_id, at, outcome) SELECT id, :at, 'dead' FROM effect"
                " WHERE state = 'dead'"
            ),
            {"at": NOW - timedelta(hours=1)},
        )
        conn.execute(
            text("UPDATE effect SET state = 'pending', done_at = NULL WHERE kind = 'slack_message'")
        )
        conn.execute(
            text(
                "INSERT INTO rate_bucket (name, tokens, refilled_at, remaining, allowed,"
                " blocked_until) VALUES ('salesforce.daily', 0, :at, 900, 100000, NULL),"
                " ('hubspot.general', 0, :at, 3, 190, :until)"
            ),
            {"at": NOW, "until": NOW + timedelta(minutes=10)},
        )
        checks.record(
            conn, checks.CONSERVATION, at=NOW, ok=False, findings={"lead_without_timer": 2}
        )
    page = visitors.client(used).get("/sync").text
    for said in (
        "Nothing has been read for 5 hours.",
        "Dag lead_handoff is paused or red",
        "1 write has failed for good.",
        "REQUIRED_FIELD_MISSING",
        "1 write waits, the oldest for 2 hours.",
        "Only 1 % of today&#39;s calls are left.",
        "HubSpot asked us to be silent until 09:10 UTC.",
        "lead without timer",
    ):
        assert said in page
    assert page.count("wants somebody") == 3


@pytest.mark.parametrize(("reserve", "told"), [("10", False), ("30", True)])
def test_who_waits_for_calls_follows_the_installations_own_reserve(
    visitors: Visitors,
    used: str,
    ledger_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    reserve: str,
    told: bool,
) -> None:
    monkeypatch.setenv("BATON_HOT_RESERVE", reserve)
    with transaction(ledger_engine) as conn:
        conn.execute(
            text(
                "INSERT INTO rate_bucket (name, tokens, refilled_at, observed_at, remaining,"
                " allowed) VALUES ('salesforce.daily', 0, :at, :at, 25000, 100000)"
            ),
            {"at": NOW},
        )
    page = visitors.client(used).get("/sync").text
    assert ("all but hot leads wait" in page) is told


def test_stopping_and_resuming_is_recorded_under_the_name(
    visitors: Visitors, used: str, ledger_engine: Engine
) -> None:
    client = visitors.client(used)
    form = hidden(client.get("/sync").text)
    assert form["seen"] == RUNNING
    answer = client.post("/sync/stop", data={**form, "reason": "wrong owners"})
    assert answer.status_code == 200
    assert "nadia stopped them" in answer.text
    assert "wrong owners" in answer.text
    again = client.post("/sync/stop", data={**form, "reason": "wrong owners"})
    assert again.status_code == 200, "the same form again is done already"

    form = hidden(again.text)
    answer = client.post("/sync/resume", data={**form, "reason": "mended <b>"})
    assert "going out" in answer.text
    assert "mended &lt;b&gt;" in answer.text
    with transaction(ledger_engine) as conn:
        assert not switches.effects_stopped(conn)
        entries = page_sync.actions_on(conn, SUBJECT, limit=9)
    assert [(one.action, one.by_whom, one.result) for one in entries] == [
        ("resume_effects", "nadia", "done"),
        ("stop_effects", "nadia", "done"),
    ]


def test_a_stale_page_does_nothing(visitors: Visitors, used: str, ledger_engine: Engine) -> None:
    client = visitors.client(used)
    form = hidden(client.get("/sync").text)
    with transaction(ledger_engine) as conn:
        switches.stop_effects(conn, by="ops", at=NOW)
    answer = client.post("/sync/stop", data={**form, "reason": "me too"})
    assert answer.status_code == 409
    assert "ops has stopped all writes meanwhile" in answer.text
    with transaction(ledger_engine) as conn:
        assert switches.all_switches(conn)[0].by_whom == "ops"


@pytest.mark.parametrize(
    ("path", "changed", "status"),
    [
        ("/sync/stop", {"reason": "  "}, 422),
        ("/sync/stop", {"reason": "x" * 501}, 422),
        ("/sync/explode", {}, 422),
        ("/sync/stop", {"form": ""}, 422),
        ("/sync/stop", {"seal": "1.x"}, 403),
    ],
)
def test_what_makes_no_sense_is_refused(
    visitors: Visitors,
    used: str,
    ledger_engine: Engine,
    path: str,
    changed: dict[str, str],
    status: int,
) -> None:
    client = visitors.client(used)
    form = {**hidden(client.get("/sync").text), "reason": "why", **changed}
    answer = client.post(path, data=form)
    assert answer.status_code == status
    assert "Nothing was done" in answer.text
    with transaction(ledger_engine) as conn:
        assert not switches.effects_stopped(conn)


def test_who_may_only_look_sees_no_switch_and_cannot_use_it(visitors: Visitors, used: str) -> None:
    client: TestClient = visitors.client(used, viewer)
    page = client.get("/sync").text
    assert "Stop all writes" not in page
    assert client.post("/sync/stop", data={"reason": "x", "form": "f"}).status_code == 403


def test_names_of_people_are_text(visitors: Visitors, used: str, ledger_engine: Engine) -> None:
    async def odd(_request: object) -> Visitor:
        return Visitor("<script>x</script>")

    with transaction(ledger_engine) as conn:
        switches.stop_effects(conn, by="<script>y</script>", at=NOW)
        switches.put(conn, "mode:form:<b>", "observe", by="z", at=NOW)
    page = visitors.client(used, odd).get("/sync").text
    assert "<script>x" not in page
    assert "<script>y" not in page
    assert "&lt;b&gt;" in page


def test_a_field_that_does_not_serve_is_told_at_its_connection_with_the_mend(
    visitors: Visitors, used: str, ledger_engine: Engine
) -> None:
    assert health(ledger_engine, "HubSpot").troubles == ()
    with transaction(ledger_engine) as conn:
        gone = {"gone contact property pain_point": 1}
        checks.record(conn, "fields.hubspot", at=NOW, ok=False, findings=gone)
        crm_objects.find(
            conn, [Finding("Lead", "Industry", "not_a_value", "Fishing", None)], at=NOW
        )
        old = NOW - timedelta(days=8)
        crm_objects.find(conn, [Finding("Lead", "City", "cut", "", None)], at=old)
    ((hubspot, mend),) = health(ledger_engine, "HubSpot").troubles
    assert hubspot == "contact property pain_point is gone."
    assert "correct the field in the policy" in mend
    ((salesforce, mend),) = health(ledger_engine, "Salesforce").troubles
    assert "Lead.Industry has no value 'Fishing'" in salesforce
    assert "1 time, last on" in salesforce
    assert "add the value to the picklist" in mend
    assert "until 'baton doctor' sees it mended" in mend
    page = visitors.client(used).get("/sync").text
    assert "contact property pain_point is gone." in page


def test_the_comparison_of_the_three_systems_says_how_it_ended(
    visitors: Visitors, used: str, ledger_engine: Engine
) -> None:
    assert "They have not been compared yet" in visitors.client(used).get("/sync").text
    with transaction(ledger_engine) as conn:
        checks.record(conn, reconciliation.CHECK, at=NOW, ok=True, findings={})
    assert "say the same" in visitors.client(used).get("/sync").text
    with transaction(ledger_engine) as conn:
        differing = Found(code="second_lead", hubspot_id="9001", salesforce_id="00Q1")
        reconciliation.record(conn, [differing], at=NOW)
    page = visitors.client(used).get("/sync").text
    assert re.search(r"1 ×</span> second lead", page)
