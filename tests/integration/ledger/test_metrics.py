from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from tests.integration.ledger.conftest import START, minutes

from baton.leads.states import HandoffState, LeadState
from baton.ledger.handoffs import dispositions, handoffs, touches
from baton.ledger.handoffs.dispositions import NewDisposition
from baton.ledger.handoffs.touches import NewTouch
from baton.ledger.leads import leads
from baton.ledger.metrics import metrics

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World

DAY = date(2026, 11, 2)
LATER = START + timedelta(days=10)


def value(world: World, name: str, dimension: str = "all") -> Decimal | None:
    found = [
        one.value
        for one in metrics.read(world.conn, names=[name], dimension=dimension)
        if one.day == DAY
    ]
    assert len(found) == 1, f"{name} {dimension}: {found}"
    return found[0]


def touch(world: World, handoff_id: int, after: float, grade: int = 3) -> None:
    new = NewTouch(
        handoff_id=handoff_id,
        external_id=f"touch-{handoff_id}-{after}",
        at=minutes(after),
        kind="call",
        grade=grade,
    )
    touches.record(world.conn, [new])


def filled(world: World) -> None:
    """Four handoffs: one in a minute and accepted, one in four, one late, one never touched."""
    states = (HandoffState.ACCEPTED, HandoffState.NOTIFIED, HandoffState.WORKING, None)
    for state, after in zip(states, (1, 4, 50, None), strict=True):
        handoff = world.handoff(state=state or HandoffState.NOTIFIED)
        handoffs.stamp(world.conn, handoff.id, notified_at=START + timedelta(seconds=8))
        if after is not None:
            touch(world, handoff.id, after)


@pytest.mark.requirement("001-08")
@pytest.mark.requirement("002-29")
@pytest.mark.requirement("004-03")
def test_the_daily_figures_follow_their_definitions(world: World) -> None:
    filled(world)
    metrics.compute_daily(world.conn, DAY, now=LATER)
    assert value(world, "handoffs") == 4
    assert value(world, "speed_to_lead_median_seconds") == 240
    assert value(world, "touched_within_1_minute") == Decimal("0.25")
    assert value(world, "touched_within_5_minutes") == Decimal("0.5")
    assert value(world, "touched_within_60_minutes") == Decimal("0.75")
    assert value(world, "never_touched") == Decimal("0.25")
    # Due after five minutes: the one after fifty and the one never touched.
    assert value(world, "sla_breach_rate") == Decimal("0.5")
    assert value(world, "acceptance_rate_decided") == 1
    # All four deadlines are more than five days ago; two were accepted.
    assert value(world, "acceptance_rate") == Decimal("0.5")
    assert value(world, "system_latency_median_seconds") == 8
    assert value(world, "contact_rate") == Decimal("0.75")
    assert value(world, "handoffs", "band:hot") == 4
    assert value(world, "handoffs", "owner:amara@relay.test") == 4


def test_a_deadline_still_ahead_is_no_breach_and_no_denominator(world: World) -> None:
    world.handoff()
    metrics.compute_daily(world.conn, DAY, now=minutes(2))
    assert value(world, "sla_breach_rate") is None
    assert value(world, "never_touched") == 1


def test_computing_a_day_again_replaces_it(world: World) -> None:
    filled(world)
    first = metrics.compute_daily(world.conn, DAY, now=LATER)
    assert metrics.compute_daily(world.conn, DAY, now=LATER) == first
    assert len(metrics.read(world.conn)) == first


def test_what_was_only_observed_and_replayed_latency_never_count(world: World) -> None:
    world.handoff(mode="observe")
    past = world.handoff(mode="history", state=HandoffState.NOTIFIED)
    handoffs.stamp(world.conn, past.id, notified_at=minutes(99))
    metrics.compute_daily(world.conn, DAY, now=LATER)
    assert value(world, "handoffs") == 1
    assert value(world, "system_latency_median_seconds") is None


def test_a_day_is_a_day_of_the_installations_zone(world: World) -> None:
    world.handoff(at=START.replace(hour=23, minute=30))
    vienna = ZoneInfo("Europe/Vienna")
    assert metrics.daily_metrics(world.conn, DAY, now=LATER, zone=vienna)[0].value == 0
    following = metrics.daily_metrics(world.conn, date(2026, 11, 3), now=LATER, zone=vienna)
    assert next(one.value for one in following if one.name == "handoffs") == 1


def test_outcomes_and_revenue_by_source(world: World) -> None:
    won = world.handoff(state=HandoffState.WON)
    handoffs.stamp(world.conn, won.id, amount_cents=1_250_000, closed_at=minutes(90))
    lost = world.handoff(state=HandoffState.NOTIFIED)
    new = NewDisposition(
        handoff_id=lost.id,
        code="bad_timing",
        outcome="recycle",
        at=minutes(30),
        external_id="lead-history-1",
        return_at=minutes(999),
    )
    assert len(dispositions.record(world.conn, [new, new])) == 1
    metrics.compute_daily(world.conn, DAY, now=LATER)
    assert value(world, "revenue_cents", "source:PAID_SEARCH") == 1_250_000
    assert value(world, "win_rate") == 1
    assert value(world, "acceptance_rate_decided") == Decimal("0.5")
    assert value(world, "dispositions", "code:bad_timing") == 1
    assert value(world, "decisions", "outcome:handoff") == 2


@pytest.mark.requirement("003-06")
@pytest.mark.requirement("004-15")
def test_the_chain_counts_from_capture_to_won(world: World) -> None:
    filled(world)
    world.nurture(world.lead())
    won = world.handoff(state=HandoffState.WON)
    handoffs.stamp(world.conn, won.id, amount_cents=500, meeting_at=minutes(600))
    ended = world.handoff(state=HandoffState.NOTIFIED)
    handoffs.set_state(
        world.conn, ended.id, HandoffState.RECYCLED, at=minutes(9), cause="x", by="rep"
    )
    leads.set_state(
        world.conn,
        ended.lead_id,
        LeadState.RECYCLED,
        at=minutes(9),
        cause="x",
        by="rep",
        timer_at=minutes(99),
        timer_action="return",
    )
    counts = metrics.chain_counts(world.conn, START)
    told = {
        "captured": 7,
        "judged": 6,
        "nurture": 1,
        "handed_off": 6,
        "notified": 4,
        "touched": 3,
        "never_touched": 3,
        "accepted": 3,
        "meeting": 1,
        "opportunity": 1,
        "won": 1,
        "lost": 0,
        "recycled": 1,
        "disqualified": 0,
        "quarantined": 0,
        "won_cents": 500,
    }
    assert {name: getattr(counts, name) for name in told} == told
    assert counts.notify_median == 8
    assert counts.touch_median == 240
    assert counts.within_5_minutes == pytest.approx(2 / 6)
    nothing = metrics.chain_counts(world.conn, LATER)
    assert (nothing.captured, nothing.handed_off, nothing.touch_median) == (0, 0, None)
