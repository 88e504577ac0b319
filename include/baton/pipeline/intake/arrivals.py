"""Counts how many leads each form and source brought: by the hour, once each hour is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from baton.ledger.database.engine import transaction
from baton.ledger.leads import arrivals
from baton.ledger.leads.arrivals import GRACE, HOUR, WEEK, WEEKS_BACK
from baton.pipeline.context import Context
from baton.pipeline.report import StepReport

MOST_HOURS = 72
"""In one run; the rest waits for the next."""


def count_arrivals(ctx: Context) -> StepReport:
    """Count the hours that ended since the last time; at the start those of the last weeks."""
    report = StepReport()
    now = ctx.clock.now()
    with transaction(ctx.engine) as conn:
        last = arrivals.last_counted(conn)
    for hour in hours_to_count(last, now)[:MOST_HOURS]:
        with transaction(ctx.engine) as conn:
            report["arrivals counted"] += arrivals.count_hour(conn, hour)
    return report


def hours_to_count(last: datetime | None, now: datetime) -> list[datetime]:
    """Return the hours after `last` that are over, oldest first."""
    end = (now - GRACE).replace(minute=0, second=0, microsecond=0)
    oldest = end - (WEEKS_BACK + 1) * WEEK
    first = oldest if last is None else max(oldest, last + HOUR)
    return [first + number * HOUR for number in range(max(0, (end - first) // timedelta(hours=1)))]
