"""The arithmetic behind the metrics, on plain rows. The ledger does the same in SQL for many rows."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

WITHIN_MINUTES = (1, 5, 60)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share with what it is made of, so that days can be added up."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """Return the share, or None where there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Speed:
    """Response times of a cohort, in seconds, always with the number of the never touched.

    Median, ninth decile and mean are over the touched handoffs only; the shares are over all.
    """

    touched: int
    never_touched: int
    median: float | None
    p90: float | None
    mean: float | None
    within: dict[int, Ratio]


@dataclass(frozen=True, slots=True)
class TimedHandoff:
    """A handoff as far as the clocks go. `due` is the deadline of the hop that was touched or is last."""

    captured_at: datetime
    first_touch_at: datetime | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class DecidedHandoff:
    """A handoff as far as acceptance goes.

    `outcome` is "accepted", "recycled", "disqualified" or None; `expired` means its time ran out
    without a decision; `automatic` that nobody accepted it in person.
    """

    outcome: str | None
    expired: bool = False
    automatic: bool = False


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` (0 to 1) of `values` lie, interpolated; None for none.

    The same rule as PostgreSQL's ``percentile_cont``. Raises ValueError for a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError("a share lies between 0 and 1")
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def median(values: Sequence[float]) -> float | None:
    """Return the middle value, or None for none."""
    return percentile(values, 0.5)


def speed(handoffs: Iterable[TimedHandoff]) -> Speed:
    """Return the buyer's clock of a cohort. A touch before the capture counts as zero seconds."""
    rows = list(handoffs)
    seconds = [
        max(0.0, (row.first_touch_at - row.captured_at).total_seconds())
        for row in rows
        if row.first_touch_at is not None
    ]
    within = {
        minutes: Ratio(sum(value <= minutes * 60 for value in seconds), len(rows))
        for minutes in WITHIN_MINUTES
    }
    mean = math.fsum(seconds) / len(seconds) if seconds else None
    return Speed(
        touched=len(seconds),
        never_touched=len(rows) - len(seconds),
        median=median(seconds),
        p90=percentile(seconds, 0.9),
        mean=mean,
        within=within,
    )


def breach_rate(handoffs: Iterable[TimedHandoff], now: datetime) -> Ratio:
    """Return handoffs whose deadline passed untouched, of those touched or past their deadline.

    Open ones that are not due yet, and those without a deadline, are left out. A touch at the
    deadline itself is in time.
    """
    breached = counted = 0
    for row in handoffs:
        if row.due is None:
            continue
        touch = row.first_touch_at if row.first_touch_at and row.first_touch_at <= now else None
        if touch is None and now <= row.due:
            continue
        counted += 1
        breached += touch is None or touch > row.due
    return Ratio(breached, counted)


def acceptance(handoffs: Iterable[DecidedHandoff], *, decided_only: bool = False) -> Ratio:
    """Return the accepted, of the decided and (unless `decided_only`) the expired undecided.

    Automatic acceptances are left out: they would flatter the rate.
    """
    rows = [row for row in handoffs if not (row.automatic and row.outcome == "accepted")]
    accepted = sum(row.outcome == "accepted" for row in rows)
    decided = sum(row.outcome in ("accepted", "recycled", "disqualified") for row in rows)
    expired = 0 if decided_only else sum(row.outcome is None and row.expired for row in rows)
    return Ratio(accepted, decided + expired)


def share_within(pairs: Collection[tuple[datetime, datetime | None]], window: timedelta) -> Ratio:
    """Return how many second instants follow their first within `window`, of all pairs."""
    reached = sum(end is not None and end - start <= window for start, end in pairs)
    return Ratio(reached, len(pairs))


def fairness(balances: Collection[Fraction]) -> tuple[float, float]:
    """Return the largest and the mean absolute distance from the fair share, in leads."""
    distances = [abs(balance) for balance in balances]
    if not distances:
        return 0.0, 0.0
    return float(max(distances)), float(sum(distances, Fraction(0)) / len(distances))
