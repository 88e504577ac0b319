"""Today: batches that wait for an answer, and where the systems disagree."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine
from tests.web.conftest import NOW, Visitors
from tests.web.test_today import Ledger, agreed, ledger

from baton.ledger.database.engine import transaction
from baton.ledger.effects import crm_objects, holds
from baton.ledger.effects.crm_objects import Finding
from baton.ledger.effects.holds import NewHeldItem
from baton.ledger.proofs import checks, reconciliation
from baton.ledger.proofs.reconciliation import Found
from baton.pipeline.today.morning import Tone

__all__ = ["agreed", "ledger"]


def hold(made: Ledger) -> int:
    deadline = NOW + timedelta(hours=4)
    batch = holds.open_batch(made.conn, at=NOW, deadline=deadline, unanswered="keep", run=None)
    new = [NewHeldItem(kind="handoff", lead_id=made.lead()) for _ in range(3)]
    holds.put(made.conn, batch.id, new, at=NOW)
    return batch.id


def test_a_held_batch_wants_a_yes_or_no(
    visitors: Visitors, agreed: str, ledger_engine: Engine
) -> None:
    with transaction(ledger_engine) as conn:
        batch = hold(Ledger(conn))
    page = visitors.client(agreed).get("/").text
    assert f"Batch {batch} is held: 3 handoffs wait for a yes or no" in page
    assert "Without an answer it is kept back in 4 hours." in page
    assert f"baton release --batch {batch}" in page


def test_an_answered_batch_wants_nobody(ledger: Ledger) -> None:
    batch = hold(ledger)
    assert ledger.lines()[f"batch-{batch}"][0] is Tone.BAD
    for one in holds.items(ledger.conn, batch):
        holds.settle(ledger.conn, [one.id], at=NOW, result="released")
    assert f"batch-{batch}" not in ledger.lines()


def test_differences_are_one_line(ledger: Ledger) -> None:
    found = [Found(code="owner_differs", lead_id=ledger.lead(), field="owner") for _ in range(2)]
    reconciliation.record(ledger.conn, found, at=NOW)
    tone, title, link = ledger.lines()["differences"]
    assert (tone, link) == (Tone.WARN, "sync#reconciliation")
    assert title == "HubSpot, Salesforce and the ledger disagree in 2 places"
    reconciliation.settle(ledger.conn, [one.key for one in found], at=NOW, by="nadia")
    assert "differences" not in ledger.lines()


def test_what_a_person_changed_is_no_difference_to_mend(ledger: Ledger) -> None:
    kept = Found(code="property_edited", lead_id=ledger.lead(), field="baton_band")
    reconciliation.record(ledger.conn, [kept], at=NOW)
    assert "differences" not in ledger.lines()


def test_fields_that_do_not_serve_are_one_line(ledger: Ledger) -> None:
    assert "fields" not in ledger.lines()
    gone = {"gone contact property pain": 1}
    checks.record(ledger.conn, "fields.hubspot", at=NOW, ok=False, findings=gone)
    cut = Finding("Lead", "Industry", "not_a_value", "Fishing", ledger.lead())
    crm_objects.find(ledger.conn, [cut, cut], at=NOW)
    tone, title, link = ledger.lines()["fields"]
    assert (tone, link) == (Tone.WARN, "sync")
    assert title == "2 fields do not serve as the policy maps them"
    checks.record(ledger.conn, "fields.hubspot", at=NOW, ok=True, findings={})
    assert ledger.lines()["fields"][1] == "1 field does not serve as the policy maps it"
