from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.errors import BudgetShortError
from baton.ledger.budget.daily_budget import (
    COME_AGAIN,
    LONGEST_PACE,
    BudgetTerms,
    DailyBudget,
    next_midnight,
)
from baton.transport import Lane

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TERMS = BudgetTerms(reserve=0.10)


def budget(remaining: int, **more: Any) -> DailyBudget:
    given = {
        "system": "hubspot",
        "at": NOON,
        "allowed": 1000,
        "remaining": remaining,
        "resets_at": NOON + timedelta(hours=12),
        "observed_at": NOON,
    }
    return DailyBudget(**(given | more))


@pytest.mark.parametrize(
    ("remaining", "waiting"),
    [
        (1000, []),
        (201, []),
        (200, [Lane.BACKGROUND]),
        (101, [Lane.BACKGROUND]),
        (100, [Lane.NORMAL, Lane.BACKGROUND]),
        (1, [Lane.NORMAL, Lane.BACKGROUND]),
        (0, list(Lane)),
    ],
)
def test_background_waits_first_hot_leads_never_until_nothing_is_left(
    remaining: int, waiting: list[Lane]
) -> None:
    assert budget(remaining).waiting(TERMS) == waiting
    for lane in waiting:
        with pytest.raises(BudgetShortError, match=f"{lane} work waits until 2026-11-25 00:00"):
            budget(remaining).turn(lane, 1, TERMS)


def test_who_is_refused_comes_again_soon_since_the_day_may_open_early() -> None:
    with pytest.raises(BudgetShortError) as caught:
        budget(50).turn(Lane.NORMAL, 1, TERMS)
    assert caught.value.daily
    assert caught.value.retry_after == COME_AGAIN.total_seconds()
    assert "50 of 1,000 calls (5 %) are left today" in str(caught.value)


def test_what_is_left_is_spread_over_the_day_but_hot_leads_do_not_wait() -> None:
    short = budget(220, allowed=1000)  # 120 above the reserve, 12 hours to go: one in six minutes
    wait, following = short.turn(Lane.NORMAL, 1, TERMS)
    assert (wait, following) == (0.0, NOON + timedelta(minutes=6))
    assert short.turn(Lane.HOT, 1, TERMS) == (0.0, None)
    assert budget(300).turn(Lane.NORMAL, 1, TERMS) == (0.0, None)  # not short yet
    paced = budget(220, paced_until=NOON + timedelta(seconds=LONGEST_PACE))
    assert paced.turn(Lane.NORMAL, 1, TERMS)[0] == LONGEST_PACE
    late = budget(220, paced_until=NOON + timedelta(seconds=LONGEST_PACE + 1))
    with pytest.raises(BudgetShortError):
        late.turn(Lane.NORMAL, 1, TERMS)


def test_paced_to_the_end_a_day_lasts_and_the_reserve_is_whole() -> None:
    at, remaining, paced, calls = NOON, 40_000, None, 0
    while at < NOON + timedelta(hours=12):
        found = budget(
            remaining, allowed=200_000, at=at, paced_until=paced, resets_at=NOON + 12 * HOUR
        )
        try:
            _, paced = found.turn(Lane.NORMAL, 10, TERMS)
        except BudgetShortError:
            break
        remaining, calls, at = remaining - 10, calls + 1, max(at, paced or at)
    assert at >= NOON + timedelta(hours=11, minutes=59)
    assert 20_000 <= remaining <= 20_010


HOUR = timedelta(hours=1)


def test_a_rolling_limit_opens_when_enough_of_our_own_calls_are_a_day_old() -> None:
    ours = {NOON - 20 * HOUR: 30, NOON - 6 * HOUR: 25, NOON - HOUR: 500}
    rolling = budget(50, resets_at=None, system="salesforce", ours=ours)
    assert rolling.opens_at(Lane.NORMAL, TERMS) == NOON + 19 * HOUR  # 80 are not over 100, 105 are
    others = budget(50, resets_at=None, system="salesforce", ours={NOON - HOUR: 3})
    assert others.opens_at(Lane.NORMAL, TERMS) == NOON + 24 * HOUR
    with pytest.raises(BudgetShortError, match="at the latest"):
        others.turn(Lane.NORMAL, 1, TERMS)


def test_old_knowledge_is_looked_at_again() -> None:
    assert not budget(0, observed_at=NOON - timedelta(minutes=4)).probe_due()
    assert budget(0, observed_at=NOON - timedelta(minutes=5)).probe_due()
    looked = budget(0, observed_at=NOON - 2 * HOUR, probed_at=NOON - timedelta(minutes=1))
    assert not looked.probe_due()


def test_midnight_is_the_portals_also_when_its_clocks_change() -> None:
    assert next_midnight(NOON, "America/New_York") == datetime(2026, 11, 25, 5, tzinfo=UTC)
    before = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # 00:30 on a day of 25 hours in Berlin
    assert next_midnight(before, "Europe/Berlin") == datetime(2026, 10, 25, 23, tzinfo=UTC)
