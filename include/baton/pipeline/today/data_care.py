"""What is done about leads' data beside the chain: the daily digest, drift, links, old answers."""

from __future__ import annotations

from baton.ledger.database.engine import transaction
from baton.ledger.leads import enrichment
from baton.pipeline.context import Context
from baton.pipeline.intake.arrivals import count_arrivals
from baton.pipeline.intake.drift import check_drift
from baton.pipeline.intake.duplicates import link_duplicates
from baton.pipeline.report import StepReport
from baton.pipeline.today.digest import send_digest


def look_after_data(ctx: Context) -> StepReport:
    """Check drift, count arrivals, link duplicates, drop old provider answers, send a digest if due.

    Every ten minutes is often enough; running it again changes nothing. The digest comes last: when
    Slack cannot be told, the rest has been done.

    Raises:
        BatonError: Slack could not be told; the next run tries again.
    """
    report = StepReport()
    report.update(check_drift(ctx))
    report.update(count_arrivals(ctx))
    links = link_duplicates(ctx)
    report["duplicates linked"] += links["linked"]
    with transaction(ctx.engine) as conn:
        report["provider answers expired"] += enrichment.forget_expired(conn, ctx.clock.now())
    report.update(send_digest(ctx))
    return report
