"""The daily figures of the handoff."""

from __future__ import annotations

from datetime import date, timedelta

from baton.ledger.database.engine import transaction
from baton.ledger.metrics import metrics
from baton.pipeline.context import LedgerContext
from baton.pipeline.report import StepReport

LOOK_AHEAD_DAYS = 7
"""Outcomes of the last week's handoffs are still coming in: their days are measured again."""


def measure(ctx: LedgerContext, *, days: int = LOOK_AHEAD_DAYS) -> StepReport:
    """Compute the figures of the last `days` days, yesterday included; again replaces them."""
    today = ctx.clock.now().date()
    report = StepReport()
    for back in range(days, -1, -1):
        report["figures"] += measure_day(ctx, today - timedelta(days=back))
        report["days"] += 1
    return report


def measure_day(ctx: LedgerContext, day: date) -> int:
    """Compute one day's figures; return how many there are."""
    with transaction(ctx.engine) as conn:
        return metrics.compute_daily(conn, day, now=ctx.clock.now())
