"""Past days through the pipeline's own functions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration.demo.conftest import START

from baton.clock import HistoryClock
from baton.demo.history import Day, play_history
from baton.demo.verify import all_hold, unknown_contacts, verify
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.handoffs import handoffs
from baton.ledger.metrics import metrics
from baton.ledger.proofs import conservation
from baton.settings import Mode

DAYS = 4


@pytest.mark.slow
def test_days_are_played_through_the_whole_chain_and_nothing_is_announced(stand, contexts):
    seen: list[Day] = []
    end = START + timedelta(days=DAYS, hours=9)
    report = play_history(contexts, stand.admin, START, end, lambda day, _report: seen.append(day))

    assert [day.number for day in seen] == list(range(1, DAYS + 2))
    assert seen[-1].until == end == stand.world.clock.now()
    assert report.counts["qualify: handoff"] > 0
    assert report.counts["outcomes: accepted"] > 0
    assert report.counts["write back: hubspot_state done"] > 0
    assert not stand.world.workspace.messages

    with transaction(stand.engine) as conn:
        rows = handoffs.page(conn, limit=500)
        counts = metrics.chain_counts(conn, START, end)
        measured = {one.day for one in metrics.read(conn)}
        findings = conservation.check(conn, now=end).findings
    assert {row.mode for row in rows} == {Mode.HISTORY.value}
    assert counts.handed_off == len(rows) == report.counts["qualify: handoff"]
    assert counts.touched > 0
    assert len(measured) == DAYS + 1
    assert not findings

    # Each lead is decided right after its capture, although the pipeline ran at the day's end.
    for row in rows:
        assert row.captured_at <= row.decided_at
    prompt = [row for row in rows if row.decided_at - row.captured_at <= timedelta(seconds=5)]
    assert len(prompt) > len(rows) / 2

    # The same stretch again finds nothing new to do.
    with transaction(stand.engine) as conn:
        sent = _done(conn)
    again = play_history(contexts, stand.admin, end, end)
    assert again.counts["qualify: handoff"] == 0
    with transaction(stand.engine) as conn:
        assert _done(conn) == sent

    ctx = stand.context(HistoryClock(end))
    checks = verify(ctx, stand.admin, live_since=None, grace=timedelta(0))
    assert all_hold(checks), checks


def _done(conn) -> int:
    return sum(one.count for one in outbox.depth(conn) if one.state.value == "done")


def test_a_contact_that_nobody_pulled_counts_as_lost(stand):
    ctx = stand.context(HistoryClock(START + timedelta(hours=1)))
    there = stand.world.portal.count("contacts")
    assert unknown_contacts(ctx, older_than=START + timedelta(hours=1)) == there > 0
    assert unknown_contacts(ctx, older_than=START - timedelta(days=4000)) == 0
    checks = {
        one.name: one for one in verify(ctx, stand.admin, live_since=None, grace=timedelta(0))
    }
    assert not checks["nothing lost"].holds
    assert checks["conservation"].holds


def test_two_leads_of_one_person_are_found(stand):
    ctx = stand.context(HistoryClock(START))
    for number in (1, 2):
        fields = {"LastName": "Doe", "Company": "X", "Email": "twice@buyer.test"}
        stand.world.org.insert("Lead", {**fields, "Handoff_Key__c": f"H{number}-1.1"})
    checks = {
        one.name: one for one in verify(ctx, stand.admin, live_since=None, grace=timedelta(0))
    }
    assert not checks["one Lead each"].holds
    assert "twice@buyer.test" not in checks["one Lead each"].words


@pytest.mark.requirement("000-10")
def test_no_live_handoff_at_all_is_a_failure(stand):
    ctx = stand.context(HistoryClock(START))
    checks = {
        one.name: one for one in verify(ctx, stand.admin, live_since=START, grace=timedelta(0))
    }
    assert not checks["in time"].holds
