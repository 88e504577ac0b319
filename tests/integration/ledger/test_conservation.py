from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from tests.integration.ledger.conftest import KINDS, START, minutes

from baton.leads.states import HandoffState
from baton.ledger.effects import outbox
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.intake import merges
from baton.ledger.proofs import conservation
from baton.ledger.proofs.conservation import Severity

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World


def healthy(world: World) -> HandoffRow:
    world.nurture(world.lead())
    handoff = world.handoff()
    world.chain(handoff)
    return handoff


def codes(world: World, *, at: float = 1) -> dict[str, int]:
    return dict(conservation.check(world.conn, now=minutes(at)).totals)


def test_a_healthy_ledger_has_nothing_to_report(world: World) -> None:
    healthy(world)
    world.lead()
    merged, into = world.lead(), world.lead()
    merges.merge_into(world.conn, into.id, [merged.id], at=START, by="hubspot")
    report = conservation.check(world.conn, now=minutes(1))
    assert report.findings == ()
    assert (report.ok, report.residual) == (True, 0)
    assert report.leads == {"in_handoff": 1, "merged": 1, "nurture": 1, "seen": 2}
    assert report.handoffs == {"planned": 1}
    assert report.effects == {"pending": 3}


FAULTS: dict[str, str] = {
    "lead_state_unrecorded": "UPDATE lead SET state = 'customer' WHERE state = 'nurture'",
    "lead_in_handoff_without_one": "UPDATE handoff SET state = 'cancelled'",
    "handoff_open_for_lead_elsewhere": "UPDATE lead SET state = 'customer'",
    "handoff_without_owner": "DELETE FROM hop",
    "handoff_written_but_planned": "UPDATE handoff SET owner_written_at = now()",
    "handoff_assigned_but_unwritten": "UPDATE handoff SET state = 'assigned'",
    "handoff_without_effects": "DELETE FROM effect",
    "effect_doubled": ("UPDATE effect SET state = 'done', kind = 'slack_message', done_at = now()"),
    "effect_lease_stuck": (
        "UPDATE effect SET state = 'leased', lease_owner = 'w',"
        " lease_until = '2026-11-01T00:00:00Z'"
    ),
    "lead_without_timer": (
        "ALTER TABLE lead DROP CONSTRAINT ck_lead_timer;"
        "UPDATE lead SET timer_at = NULL WHERE state = 'nurture'"
    ),
    "effect_lease_missing": (
        "ALTER TABLE effect DROP CONSTRAINT ck_effect_lease; UPDATE effect SET state = 'leased'"
    ),
    "merged_into_nobody": "UPDATE lead SET state = 'merged', timer_at = NULL WHERE cycle = 0",
    "person_of_gone_lead": "UPDATE lead SET state = 'erased', timer_at = NULL WHERE cycle = 0",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_with_cause_and_repair(world: World, fault: str) -> None:
    healthy(world)
    for statement in FAULTS[fault].split(";"):
        world.conn.execute(text(statement))
    report = conservation.check(world.conn, now=minutes(1))
    assert not report.ok
    found = [each for each in report.findings if each.code == fault]
    assert found
    assert all(each.severity is Severity.BROKEN for each in found)
    assert all(each.cause and each.repair and each.subject_id for each in found)


def test_every_broken_check_has_a_planted_fault() -> None:
    broken = {one.code for one in conservation._CHECKS if one.severity is Severity.BROKEN}
    assert broken == set(FAULTS)


def test_what_needs_a_person_is_told_but_breaks_nothing(world: World) -> None:
    handoff = healthy(world)
    (effect,) = _claim(world)
    outbox.dead(world.conn, effect.id, effect.fence, now=START, code="x", message="y")
    assert codes(world) == {"effect_failed": 1, "effect_waits_for_failed": 1}
    assert conservation.check(world.conn, now=minutes(1)).ok
    outbox.release(world.conn, [effect.id], at=START, by="ops@relay.test")
    assert codes(world, at=180) == {"effect_not_delivered": 1}
    (effect,) = _claim(world)
    outbox.ambiguous(world.conn, effect.id, effect.fence, now=START, code="x", message="y")
    assert codes(world) == {"effect_ambiguous": 1}
    assert handoff.state is HandoffState.PLANNED


def test_writing_one_record_again_is_no_double_but_another_record_is(world: World) -> None:
    handoff = healthy(world)
    second = outbox.NewEffect(
        key=f"{handoff.key}.1.salesforce_record.2",
        kind="salesforce_record",
        lead_id=handoff.lead_id,
        handoff_id=handoff.id,
        hop=1,
    )
    outbox.add(world.conn, [second], at=START)
    for effect in _claim(world, 2):
        outbox.done(world.conn, effect.id, effect.fence, now=START, result={"id": "00Q1"})
    assert codes(world) == {}
    world.conn.execute(
        text('UPDATE effect SET result = \'{"id": "00Q2"}\' WHERE key = :key'), {"key": second.key}
    )
    assert codes(world) == {"effect_doubled": 1}


def test_a_lead_that_sales_converted_is_no_double(world: World) -> None:
    handoff = healthy(world)
    news = outbox.NewEffect(
        key=f"{handoff.key}.1.salesforce_record.2",
        kind="salesforce_record",
        lead_id=handoff.lead_id,
        handoff_id=handoff.id,
        hop=1,
    )
    outbox.add(world.conn, [news], at=START)
    records = iter(({"id": "00Q1", "sobject": "Lead"}, {"id": "0031", "sobject": "Contact"}))
    for effect in _claim(world, 2):
        outbox.done(world.conn, effect.id, effect.fence, now=START, result=next(records))
    assert codes(world) == {}


def test_a_timer_that_nobody_acts_on_is_told(world: World) -> None:
    world.nurture(world.lead())
    report = conservation.check(world.conn, now=START + timedelta(days=91))
    assert report.totals == {"lead_timer_overdue": 1}


def test_findings_are_cut_off_but_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conservation, "MOST_FINDINGS", 2)
    for _ in range(5):
        world.handoff()
    world.conn.execute(text("DELETE FROM hop"))
    report = conservation.check(world.conn, now=minutes(1))
    assert report.totals["handoff_without_owner"] == report.residual == 5
    assert len(report.findings) == 2


def _claim(world: World, limit: int = 1) -> list[outbox.ClaimedEffect]:
    return outbox.claim(
        world.conn, worker="w", kinds=KINDS, limit=limit, now=minutes(1), lease_seconds=60
    )
