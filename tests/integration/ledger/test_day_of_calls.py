"""The day's calls in the database: shared, charged, refilled at the portal's midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from tests.integration.ledger.conftest import START

from baton.errors import BudgetShortError
from baton.ledger.budget import rate_limits
from baton.ledger.budget.daily_budget import PROBE_EVERY, BudgetTerms, DailyBudget
from baton.ledger.budget.rate_limits import LedgerRateLimiter, Rate
from baton.ledger.database.engine import transaction
from baton.transport import Lane

RATES = {"hubspot.general": Rate(per_second=100, burst=50)}


class Watch:
    def __init__(self) -> None:
        self.at = START
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


def limiter(engine: Engine, watch: Watch, **rates: Rate) -> LedgerRateLimiter:
    return LedgerRateLimiter(engine, rates or RATES, sleep=watch.waits.append, now=watch.now)


def budgets(engine: Engine, watch: Watch) -> dict[str, DailyBudget]:
    with engine.connect() as conn:
        return {one.system: one for one in rate_limits.daily_budgets(conn, watch.at)}


def test_all_workers_take_off_one_number_between_the_headers(
    ledger_engine: Engine, watch: Watch
) -> None:
    first, second = (
        LedgerRateLimiter(
            ledger_engine, RATES, terms=BudgetTerms(slow_below=0), now=watch.now, sleep=print
        )
        for _ in range(2)
    )
    first.observe("hubspot.daily", 105, 1000)
    for _ in range(3):
        first.acquire("hubspot.general")
        second.acquire("hubspot.search", lane=Lane.HOT)
    with pytest.raises(BudgetShortError, match="HubSpot: 99 of 1,000"):
        second.acquire("hubspot.general")
    second.acquire("hubspot.general", lane=Lane.HOT)
    found = budgets(ledger_engine, watch)["hubspot"]
    assert found.remaining == 98  # who was refused took nothing
    assert found.our_calls == 7
    assert found.resets_at == datetime(2026, 11, 3, tzinfo=UTC)


def test_a_new_day_begins_full_at_the_portals_midnight(ledger_engine: Engine, watch: Watch) -> None:
    mine = limiter(ledger_engine, watch)
    mine.observe("hubspot.daily", 40, 1000)
    with transaction(ledger_engine) as conn:
        rate_limits.set_zone(conn, "hubspot", "America/New_York")
    with pytest.raises(BudgetShortError, match="2026-11-03 05:00 UTC"):
        mine.acquire("hubspot.general")
    watch.at = datetime(2026, 11, 3, 4, 59, tzinfo=UTC)
    mine.observe("hubspot.daily", 40, 1000)
    mine.acquire("hubspot.general", lane=Lane.HOT)
    assert budgets(ledger_engine, watch)["hubspot"].remaining == 39
    watch.at = datetime(2026, 11, 3, 5, 0, tzinfo=UTC)
    assert budgets(ledger_engine, watch)["hubspot"].remaining == 1000
    mine.acquire("hubspot.general", lane=Lane.BACKGROUND)
    found = budgets(ledger_engine, watch)["hubspot"]
    assert (found.remaining, found.resets_at) == (999, datetime(2026, 11, 4, 5, tzinfo=UTC))


def test_a_refused_lane_looks_once_in_a_while(ledger_engine: Engine, watch: Watch) -> None:
    mine = limiter(ledger_engine, watch)
    mine.observe("salesforce.daily", 0, 5000)
    with pytest.raises(BudgetShortError):
        mine.acquire("salesforce.general", lane=Lane.HOT)
    watch.at += PROBE_EVERY
    mine.acquire("salesforce.general")  # this one goes, to see
    with pytest.raises(BudgetShortError):
        mine.acquire("salesforce.general")
    mine.observe("salesforce.daily", 4000, 5000)
    mine.acquire("salesforce.general")
    assert budgets(ledger_engine, watch)["salesforce"].resets_at is None


def test_a_short_day_makes_the_others_go_slower_not_hot_leads(
    ledger_engine: Engine, watch: Watch
) -> None:
    mine = limiter(ledger_engine, watch)
    watch.at = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)
    mine.observe("hubspot.daily", 2000, 10_000)  # 1,000 above the reserve for an hour: 3.6 s each
    mine.acquire("hubspot.general")
    mine.acquire("hubspot.general", lane=Lane.HOT)
    mine.acquire("hubspot.general")
    assert watch.waits == [pytest.approx(3.6, abs=0.01)]


def test_the_rate_is_what_the_portal_says_it_may_be(ledger_engine: Engine, watch: Watch) -> None:
    told = {"hubspot.general": Rate(per_second=9.4, burst=4, window=10)}
    mine = limiter(ledger_engine, watch, **told)
    mine.acquire("hubspot.general")
    mine.observe("hubspot.general", 189, 190)
    watch.at += timedelta(seconds=10)
    for _ in range(8):
        mine.acquire("hubspot.general")
    # 7.6 at once, the rest at 17.86 a second
    assert watch.waits == [pytest.approx(0.4 / 17.86, abs=0.001)]


def test_old_counts_are_dropped(ledger_engine: Engine, watch: Watch) -> None:
    limiter(ledger_engine, watch).acquire("hubspot.general", lane=Lane.BACKGROUND)
    with transaction(ledger_engine) as conn:
        assert rate_limits.forget_usage(conn, START - timedelta(hours=1)) == 0
        assert rate_limits.forget_usage(conn, START + timedelta(hours=1)) == 1
        assert conn.execute(text("SELECT count(*) FROM api_usage")).scalar_one() == 0
