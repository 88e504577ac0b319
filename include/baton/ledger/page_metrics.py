"""What the page Metrics asks: the figures of a stretch of time as they stand now, one scan each.

What counts, and how, is said once: in `metric_sql.FACTS`, from which the daily figures come too.
Medians cannot be put together from days, so they are computed from the handoffs themselves.
"""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from baton.ledger.metric_sql import FACTS
from baton.ledger.metrics import EXPIRED_AFTER

SPLITS: Final = ("source", "band", "segment")

_FIGURES: Final = """
    count(*) AS handoffs,
    count(*) FILTER (WHERE is_asked) AS asked,
    count(to_touch) AS touched,
    count(*) FILTER (WHERE to_touch <= 60) AS within_1,
    count(*) FILTER (WHERE to_touch <= 300) AS within_5,
    count(*) FILTER (WHERE to_touch <= 3600) AS within_60,
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY to_touch) AS touch,
    count(*) FILTER (WHERE due < coalesce(first_touch_at, :now)) AS breached,
    count(*) FILTER (WHERE due < :now OR (due IS NOT NULL AND first_touch_at IS NOT NULL))
        AS clock_decided,
    count(*) FILTER (WHERE is_accepted) AS accepted,
    count(*) FILTER (WHERE is_accepted OR is_refused) AS verdicts,
    count(*) FILTER (WHERE is_accepted OR is_refused OR due < :expired_before)
        AS verdicts_or_expired,
    count(*) FILTER (WHERE is_accepted AND first_touch_at IS NOT NULL) AS worked,
    count(*) FILTER (WHERE is_opportunity) AS converted,
    count(*) FILTER (WHERE state = 'won') AS won,
    count(*) FILTER (WHERE state IN ('won', 'lost')) AS closed
"""

_GROUPED: Final = text(
    f"""
    WITH facts AS ({FACTS})
    SELECT {", ".join(SPLITS)}, grouping({", ".join(SPLITS)}) AS grouped, {_FIGURES}
    FROM facts GROUP BY GROUPING SETS ((), {", ".join(f"({name})" for name in SPLITS)})
    """
)
_WEEKLY: Final = text(
    f"""
    WITH facts AS ({FACTS})
    SELECT date_trunc('week', decided_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS week, {_FIGURES}
    FROM facts GROUP BY 1 ORDER BY 1
    """
)
_SYSTEM: Final = text(
    """
    SELECT count(passed) AS measured,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY passed) AS passed
    FROM (
        SELECT greatest(0, extract(epoch FROM notified_at - captured_at)) AS passed FROM handoff
        WHERE mode = 'live' AND origin = 'buyer' AND state <> 'cancelled'
          AND decided_at >= :start AND decided_at < :end AND notified_at IS NOT NULL
    ) AS each
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


def figures(
    conn: Connection, since: datetime, until: datetime, *, now: datetime
) -> tuple[Figures, list[Split]]:
    """Return the figures of the handoffs decided in [since, until): of all, and split."""
    whole, splits = Figures(), []
    for row in conn.execute(_GROUPED, _times(since, until, now)):
        found = _figures(row)
        by = _split_of(row.grouped)
        if by is None:
            whole = found
        else:
            splits.append(Split(by=by, value=getattr(row, by), figures=found))
    return whole, splits


def weekly(
    conn: Connection, since: datetime, until: datetime, *, now: datetime
) -> dict[datetime, Figures]:
    """Return the figures by week (its Monday, in UTC); weeks without a handoff are left out."""
    rows = conn.execute(_WEEKLY, _times(since, until, now))
    return {row.week: _figures(row) for row in rows}


def system_clock(conn: Connection, since: datetime, until: datetime) -> SystemClock:
    """Return how fast owners were told in [since, until)."""
    row = conn.execute(_SYSTEM, {"start": since, "end": until}).one()
    median, p95 = row.passed or (None, None)
    return SystemClock(row.measured, median, p95)


def _times(since: datetime, until: datetime, now: datetime) -> dict[str, datetime]:
    return {"start": since, "end": until, "now": now, "expired_before": now - EXPIRED_AFTER}


def _split_of(grouped: int) -> str | None:
    # grouping() has a bit per column, set for the columns that this group is not grouped by.
    for place, name in enumerate(reversed(SPLITS)):
        if not grouped >> place & 1:
            return name
    return None


def _figures(row: Row[Any]) -> Figures:
    values = row._asdict()
    counts = {name: values[name] for name in Figures.__slots__ if not name.startswith("touch_")}
    median, p90 = values["touch"] or (None, None)
    return Figures(**counts, touch_median=median, touch_p90=p90)
