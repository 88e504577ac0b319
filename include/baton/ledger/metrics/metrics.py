"""The daily figures and the counts along the chain, computed where the rows are.

Handoffs count for the day on which they were decided (their cohort), in the installation's zone;
so a day's rates move until its handoffs are settled, and days are computed again for a while.
Handoffs of mode `observe` never count: nobody was told; nor do colleagues' tests. Leads of an
imported list asked for nothing: no buyer's clock runs for them, so they are in no figure of it, nor
of the system's. The buyer's clock runs from capture to the first human touch, the system's from
capture to the message, the rep's from the assignment to the touch; they are never mixed. The
system's clock is measured for `live` handoffs alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, select
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.metrics.metric_sql import (
    CHAIN,
    COHORT,
    DECIDED,
    DIMENSIONS,
    DISPOSED,
    RECYCLED,
    REVENUE,
)
from baton.ledger.tables.operation import metric_daily

EXPIRED_AFTER = timedelta(days=5)
"""After its deadline a handoff without a verdict counts as expired, as not accepted."""
MEETING_WITHIN = timedelta(days=30)

_PRECISION = Decimal("0.000001")

QUANTILES = {
    "speed_to_lead_median_seconds": ("touch_p50", "touched"),
    "speed_to_lead_p90_seconds": ("touch_p90", "touched"),
    "speed_to_lead_average_seconds": ("touch_mean", "touched"),
    "rep_response_median_seconds": ("rep_p50", "answered"),
    "rep_response_p90_seconds": ("rep_p90", "answered"),
    "system_latency_median_seconds": ("system_p50", "notified_live"),
    "system_latency_p95_seconds": ("system_p95", "notified_live"),
    "time_to_meeting_median_seconds": ("meeting_p50", "meetings"),
}
"""Figures that are no ratio: name to (value, how many were measured: the denominator)."""

RATES = {
    "touched_within_1_minute": ("touched_1", "asked"),
    "touched_within_5_minutes": ("touched_5", "asked"),
    "touched_within_60_minutes": ("touched_60", "asked"),
    "never_touched": ("untouched", "asked"),
    "sla_breach_rate": ("breached", "clock_decided"),
    "acceptance_rate": ("accepted", "verdicts_or_expired"),
    "acceptance_rate_decided": ("accepted", "verdicts"),
    "contact_rate": ("contacted", "handoffs"),
    "meeting_rate": ("met", "handoffs"),
    "opportunity_rate": ("opportunities", "handoffs"),
    "win_rate": ("won", "closed"),
    "fallback_rate": ("to_queue", "handoffs"),
    "reassignments_per_handoff": ("reassignments", "handoffs"),
    "notified_within_120_seconds": ("notified_120", "notified_live"),
}
"""Ratios: name to (numerator, denominator)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of one day. `value` is None where there was nothing to measure."""

    day: date
    name: str
    dimension: str
    value: Decimal | None
    numerator: Decimal | None = None
    denominator: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCounts:
    """How many leads and handoffs reached each point of the chain, and how fast; seconds.

    `captured` counts leads seen, `judged` those decided upon at least once, the states are those
    the leads are in now. From `handed_off` on handoffs are counted. Latencies of nobody are None.
    """

    captured: int
    judged: int
    quarantined: int
    suppressed: int
    nurture: int
    held: int
    customers: int
    handed_off: int
    notified: int
    touched: int
    never_touched: int
    accepted: int
    meeting: int
    opportunity: int
    won: int
    lost: int
    recycled: int
    disqualified: int
    won_cents: int
    notify_median: float | None
    notify_p90: float | None
    touch_median: float | None
    touch_p90: float | None
    response_median: float | None
    response_p90: float | None
    within_1_minute: float | None
    within_5_minutes: float | None
    within_60_minutes: float | None


def compute_daily(
    conn: Connection, day: date, *, now: datetime, zone: ZoneInfo | None = None
) -> int:
    """Compute the figures of `day` and put them in the place of those it had. Return how many."""
    metrics = daily_metrics(conn, day, now=now, zone=zone)
    conn.execute(delete(metric_daily).where(metric_daily.c.day == day))
    if metrics:
        conn.execute(
            insert(metric_daily),
            [
                {
                    "day": one.day,
                    "name": one.name,
                    "dimension": one.dimension,
                    "value": one.value,
                    "numerator": one.numerator,
                    "denominator": one.denominator,
                }
                for one in metrics
            ],
        )
    return len(metrics)


def daily_metrics(
    conn: Connection, day: date, *, now: datetime, zone: ZoneInfo | None = None
) -> list[Metric]:
    """Return the figures of `day` (a day of `zone`, default UTC) as they stand at `now`."""
    start, end = _bounds(day, zone)
    times = {
        "start": start,
        "end": end,
        "now": now,
        "expired_before": now - EXPIRED_AFTER,
        "meeting_within": MEETING_WITHIN,
    }
    found: list[Metric] = []
    for row in conn.execute(COHORT, times):
        found += _of_cohort(day, row)
    days = {"start": start, "end": end}
    found += _ratios(day, "recycle_conversion", conn.execute(RECYCLED, days))
    for name, query in (
        ("decisions", DECIDED),
        ("dispositions", DISPOSED),
        ("revenue_cents", REVENUE),
    ):
        found += _sums(day, name, conn.execute(query, days))
    return found


def read(
    conn: Connection,
    *,
    names: Iterable[str] | None = None,
    dimension: str | None = None,
    since: date | None = None,
) -> list[Metric]:
    """Return stored figures in order of day, name and dimension."""
    query = select(metric_daily).order_by(*metric_daily.primary_key.columns)
    if names is not None:
        query = query.where(metric_daily.c.name.in_(sorted(names)))
    if dimension is not None:
        query = query.where(metric_daily.c.dimension == dimension)
    if since is not None:
        query = query.where(metric_daily.c.day >= since)
    return [Metric(**row._asdict()) for row in conn.execute(query)]


def chain_counts(conn: Connection, since: datetime, until: datetime | None = None) -> ChainCounts:
    """Return the counts along the chain for leads captured and handoffs decided in [since, until)."""
    end = until or datetime.max.replace(tzinfo=UTC)
    row = conn.execute(CHAIN, {"start": since, "end": end}).one()
    return ChainCounts(**row._asdict())


def _bounds(day: date, zone: ZoneInfo | None) -> tuple[datetime, datetime]:
    chosen = zone or ZoneInfo("UTC")
    start = datetime.combine(day, time(), chosen).astimezone(UTC)
    return start, datetime.combine(day + timedelta(days=1), time(), chosen).astimezone(UTC)


def _of_cohort(day: date, row: Row[Any]) -> list[Metric]:
    values: Mapping[str, Any] = row._asdict()
    dimension = _dimension(values)
    if dimension is None:
        return []
    found = [Metric(day, "handoffs", dimension, _number(values["handoffs"]))]
    for name, (column, measured) in QUANTILES.items():
        number = _number(values[column])
        found.append(Metric(day, name, dimension, number, None, _number(values[measured])))
    found += [
        _ratio(day, name, dimension, values[part], values[whole])
        for name, (part, whole) in RATES.items()
    ]
    return found


def _dimension(values: Mapping[str, Any]) -> str | None:
    """Name the group of a row: 'all', or '<kind>:<value>'; None for those without a value."""
    # grouping() has a bit per column, set for the columns that this group is not grouped by.
    grouped = [
        name
        for place, name in enumerate(reversed(DIMENSIONS))
        if not values["grouped"] >> place & 1
    ]
    if not grouped:
        return "all"
    value = values[grouped[0]]
    return None if value is None else f"{grouped[0]}:{value}"


def _ratios(day: date, name: str, rows: Iterable[Row[Any]]) -> list[Metric]:
    return [_ratio(day, name, row.dimension, row.numerator, row.denominator) for row in rows]


def _ratio(day: date, name: str, dimension: str, part: Any, whole: Any) -> Metric:
    numerator, denominator = _number(part), _number(whole)
    value = None
    if numerator is not None and denominator:
        value = (numerator / denominator).quantize(_PRECISION)
    return Metric(day, name, dimension, value, numerator, denominator)


def _sums(day: date, name: str, rows: Iterable[Row[Any]]) -> list[Metric]:
    return [Metric(day, name, row.dimension, _number(row.value)) for row in rows]


def _number(value: float | Decimal | None) -> Decimal | None:
    if value is None:
        return None
    number = Decimal(str(value))
    return number if number == number.to_integral_value() else number.quantize(_PRECISION)
