"""What the page Metrics asks: the figures of a stretch of time as they stand now, in one scan.

What counts, and how, is said once: in `metric_sql`, from which the daily figures come too.
Medians cannot be put together from days, so the times themselves are brought along: PostgreSQL
counts by the smallest groups there are, in one go, and what the page shows is put together from
those. Its own GROUPING SETS sort the handoffs anew for each.
"""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from baton.ledger.database import packed
from baton.ledger.metrics.metric_sql import facts
from baton.ledger.metrics.metrics import EXPIRED_AFTER

SPLITS: Final = ("source", "band", "segment")

_COUNTS: Final = {
    "handoffs": "true",
    "asked": "is_asked",
    "touched": "to_touch IS NOT NULL",
    "within_1": "to_touch <= 60",
    "within_5": "to_touch <= 300",
    "within_60": "to_touch <= 3600",
    "breached": "due < coalesce(first_touch_at, :now)",
    "clock_decided": "due < :now OR (due IS NOT NULL AND first_touch_at IS NOT NULL)",
    "accepted": "is_accepted",
    "verdicts": "is_accepted OR is_refused",
    "verdicts_or_expired": "is_accepted OR is_refused OR due < :expired_before",
    "worked": "is_accepted AND first_touch_at IS NOT NULL",
    "converted": "is_opportunity",
    "won": "state = 'won'",
    "closed": "state IN ('won', 'lost')",
}
"""What is counted: the condition by name."""

# Materialised, because PostgreSQL would work out every fact again for each figure that uses it.
_TALLIES: Final = text(
    f"""
    WITH facts AS MATERIALIZED ({
        facts(
            *SPLITS,
            *("decided_at", "state", "first_touch_at", "due", "to_touch", "to_message"),
            *("is_asked", "is_accepted", "is_refused", "is_opportunity"),
            within=True,
        )
    })
    SELECT decided_at >= :since AND decided_at < :until AS inside,
        CASE WHEN decided_at >= :first_week AND decided_at < :now
            THEN date_trunc('week', decided_at, 'UTC') END AS week,
        {", ".join(SPLITS)},
        {
        ", ".join(f"count(*) FILTER (WHERE {words}) AS {name}" for name, words in _COUNTS.items())
    },
        string_agg(float8send(to_touch), '') AS touch_times,
        string_agg(float8send(to_message), '') AS message_times
    FROM facts GROUP BY 1, 2, 3, 4, 5
    """
)
# Without the 0 the least id is looked for from the very first handoff on, year by year.
_IDS: Final = text(
    """
    SELECT min(id + 0) AS least, max(id + 0) AS most FROM handoff
    WHERE decided_at >= :start AND decided_at < :end
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of a group of handoffs. Times in seconds, None where nobody was touched.

    `asked`: a buyer asked for it, so the buyer's clock runs; the shares of touched are of these.
    `worked`: accepted and touched by a person.
    """

    handoffs: int = 0
    asked: int = 0
    touched: int = 0
    within_1: int = 0
    within_5: int = 0
    within_60: int = 0
    touch_median: float | None = None
    touch_p90: float | None = None
    breached: int = 0
    clock_decided: int = 0
    accepted: int = 0
    verdicts: int = 0
    verdicts_or_expired: int = 0
    worked: int = 0
    converted: int = 0
    won: int = 0
    closed: int = 0

    @property
    def never_touched(self) -> int:
        """Return how many of those whose buyer asked nobody has touched yet."""
        return self.asked - self.touched


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The figures of one value of source, band or segment; None where it is not known."""

    by: str
    value: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class SystemClock:
    """From capture to message, in seconds, of handoffs told by the running chain."""

    measured: int
    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The figures of a stretch of time: of all, split, by week (its Monday), and how fast told.

    Weeks without a handoff are left out. `system_of` is the system's clock by band.
    """

    whole: Figures
    splits: tuple[Split, ...]
    weeks: dict[datetime, Figures]
    system: SystemClock
    system_of: dict[str | None, SystemClock]

    def of_band(self, band: str | None) -> tuple[Figures, SystemClock]:
        """Return the figures and the system's clock of one band; of all without one."""
        if band is None:
            return self.whole, self.system
        figures = next(
            (one.figures for one in self.splits if (one.by, one.value) == ("band", band)), Figures()
        )
        return figures, self.system_of.get(band, SystemClock(0, None, None))


def measured(
    conn: Connection, since: datetime, until: datetime, *, first_week: datetime, now: datetime
) -> Measured:
    """Return the figures of the handoffs decided in [since, until), and by week up to `now`.

    The weeks, in UTC, begin with the Monday `first_week`, whatever the stretch.
    """
    asked = {
        "since": since,
        "until": until,
        "first_week": first_week,
        "now": now,
        "expired_before": now - EXPIRED_AFTER,
    }
    tallies: list[Any] = []
    for start, end in _scans((since, until), (first_week, now)):
        ids = conn.execute(_IDS, {"start": start, "end": end}).one()
        if ids.least is None:
            continue
        bounds = {"start": start, "end": end, "least": ids.least, "most": ids.most}
        tallies += conn.execute(_TALLIES, asked | bounds)
    inside = [one for one in tallies if one.inside]
    weeks = sorted({one.week for one in tallies if one.week is not None})
    return Measured(
        whole=_figures(inside),
        splits=tuple(_splits(inside)),
        weeks={week: _figures([one for one in tallies if one.week == week]) for week in weeks},
        system=_system(inside),
        system_of={
            band: _system([one for one in inside if one.band == band])
            for band in {one.band for one in inside}
        },
    )


def _scans(
    window: tuple[datetime, datetime], weeks: tuple[datetime, datetime]
) -> Iterator[tuple[datetime, datetime]]:
    """Yield what to read: both stretches in one go, where they overlap."""
    if window[0] <= weeks[1] and weeks[0] <= window[1]:
        yield min(window[0], weeks[0]), max(window[1], weeks[1])
    else:
        yield from (window, weeks)


def _splits(tallies: Sequence[Any]) -> Iterator[Split]:
    for by in SPLITS:
        groups: dict[str | None, list[Any]] = {}
        for one in tallies:
            groups.setdefault(getattr(one, by), []).append(one)
        for value, group in groups.items():
            yield Split(by=by, value=value, figures=_figures(group))


def _figures(tallies: Sequence[Any]) -> Figures:
    counts = {name: sum(getattr(one, name) for one in tallies) for name in _COUNTS}
    touches = packed.unpack(one.touch_times for one in tallies)
    median, p90 = packed.quantiles(touches, (0.5, 0.9))
    return Figures(**counts, touch_median=median, touch_p90=p90)


def _system(tallies: Sequence[Any]) -> SystemClock:
    told = packed.unpack(one.message_times for one in tallies)
    return SystemClock(told.size, *packed.quantiles(told, (0.5, 0.95)))
