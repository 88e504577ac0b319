"""The day's calls: who may still go, how fast, and when the others may. Rules alone, no database.

HubSpot counts from midnight to midnight in the portal's zone, Salesforce over the last 24 hours.
When little is left the run slows before it is refused: work that is not hot is spread over what is
left of the day. The last part is kept: first background work waits, then everything but hot leads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from baton.errors import BudgetShortError
from baton.transport import Lane

DAY = timedelta(hours=24)
HORIZON = timedelta(hours=1)
"""A rolling limit gives calls back all the time: what is left is spread over the next hour."""
LONGEST_PACE = 10.0
"""Seconds a call may wait for its turn; who would wait longer is told to come again."""
PROBE_EVERY = timedelta(minutes=5)
"""While a lane is refused, one call in this time passes, to see what the other side says now."""
COME_AGAIN = timedelta(minutes=15)
"""The longest a refused call is put off: budgets open earlier than we think, too."""

SYSTEMS: Mapping[str, str] = {"hubspot": "HubSpot", "salesforce": "Salesforce"}
"""The systems whose calls of a day are limited."""
MIDNIGHTS: Mapping[str, str] = {"hubspot": "UTC"}
"""Whose limit begins again at midnight, and in which zone unless we know better."""


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """Shares of the day's calls.

    `reserve` is kept for hot leads, twice of it from background work; below `slow_below` whatever
    is not hot is spread over the time that is left.
    """

    reserve: float = 0.10
    slow_below: float = 0.30

    def floor(self, lane: Lane) -> float:
        """Return the share below which a lane no longer goes."""
        return {Lane.HOT: 0.0, Lane.NORMAL: self.reserve, Lane.BACKGROUND: 2 * self.reserve}[lane]


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBudget:
    """A system's daily limit as last heard of, our own calls since taken off; `at` is now.

    `resets_at` None: it rolls. `ours` are our own calls of the last 24 hours, by the hour they
    were made in.
    """

    system: str
    at: datetime
    allowed: int
    remaining: int
    resets_at: datetime | None = None
    zone: str | None = None
    paced_until: datetime | None = None
    probed_at: datetime | None = None
    observed_at: datetime | None = None
    ours: Mapping[datetime, int] | None = None

    @property
    def share(self) -> float:
        """Return which share of the day's calls is left, 0 to 1."""
        return max(0.0, self.remaining / self.allowed) if self.allowed else 1.0

    @property
    def our_calls(self) -> int:
        """Return how many calls of the last 24 hours were ours."""
        return sum((self.ours or {}).values())

    def open_to(self, lane: Lane, terms: BudgetTerms) -> bool:
        """Tell whether work of this lane may go."""
        return self.remaining > self.allowed * terms.floor(lane)

    def waiting(self, terms: BudgetTerms) -> list[Lane]:
        """Return the lanes that have to wait, the hottest first."""
        return [lane for lane in Lane if not self.open_to(lane, terms)]

    def opens_at(self, lane: Lane, terms: BudgetTerms) -> datetime:
        """Return when a lane that waits may go again, at the latest.

        Of a rolling limit: once enough of our own calls are a day old. What others called comes
        back too, so it may be earlier.
        """
        if self.resets_at is not None:
            return self.resets_at
        missing = self.allowed * terms.floor(lane) - self.remaining
        for hour, calls in sorted((self.ours or {}).items()):
            missing -= calls
            if missing < 0:
                return max(self.at, hour + timedelta(hours=1) + DAY)
        return self.at + DAY

    def probe_due(self) -> bool:
        """Tell whether a refused call may pass, to learn what is left."""
        heard = max((one for one in (self.observed_at, self.probed_at) if one), default=None)
        return heard is None or self.at - heard >= PROBE_EVERY

    def turn(self, lane: Lane, cost: int, terms: BudgetTerms) -> tuple[float, datetime | None]:
        """Return the seconds to wait, and before when the next call should not go.

        Raises:
            BudgetShortError: this lane has to wait; it says for what and until when.
        """
        if not self.open_to(lane, terms):
            raise self.refusal(lane, terms)
        if lane is Lane.HOT or self.share >= terms.slow_below:
            return 0.0, None
        spare = self.remaining - self.allowed * terms.floor(lane)
        until = min(self.resets_at - self.at, DAY) if self.resets_at else HORIZON
        begins = max(self.at, self.paced_until or self.at)
        wait = (begins - self.at).total_seconds()
        if wait > LONGEST_PACE:
            raise self.refusal(lane, terms, at=begins)
        return wait, begins + max(until, timedelta(0)) * (cost / max(spare, 1.0))

    def refusal(
        self, lane: Lane, terms: BudgetTerms, *, at: datetime | None = None
    ) -> BudgetShortError:
        """Return the error for work of this lane that has to wait."""
        opens = at or self.opens_at(lane, terms)
        pause = min(opens - self.at, COME_AGAIN)
        return BudgetShortError(
            SYSTEMS[self.system],
            f"{left_in_words(self)}; {lane} work waits until {opens:%Y-%m-%d %H:%M} UTC"
            f"{'' if self.resets_at or at else ' at the latest'}",
            retry_after=max(1.0, pause.total_seconds()),
        )


def next_midnight(now: datetime, zone: str) -> datetime:
    """Return the next midnight of a zone, as a UTC instant."""
    local = now.astimezone(ZoneInfo(zone))
    tomorrow = local.date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def left_in_words(budget: DailyBudget) -> str:
    """Return what is left in words: "52,000 of 650,000 calls (8 %) are left today"."""
    day = "today" if budget.resets_at else "of any 24 hours"
    return (
        f"{max(0, budget.remaining):,} of {budget.allowed:,} calls ({100 * budget.share:.0f} %)"
        f" are left {day}"
    )
