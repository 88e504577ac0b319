"""The conservation check: no lead is lost, none is stuck."""

from __future__ import annotations

import logging

from baton.errors import InvariantError
from baton.ledger.database.engine import transaction
from baton.ledger.proofs import checks, conservation
from baton.ledger.proofs.conservation import Severity
from baton.pipeline.context import LedgerContext
from baton.pipeline.report import StepReport

logger = logging.getLogger(__name__)


def check_conservation(ctx: LedgerContext) -> StepReport:
    """Prove that every lead is in exactly one state, with a timer, and every handoff owned.

    What only wants a person's attention is logged as a warning and does not fail the step.

    Raises:
        InvariantError: a promise is broken; the log lists each case with cause and repair.
    """
    with transaction(ctx.engine) as conn:
        report = conservation.check(conn, now=ctx.clock.now())
        checks.record(conn, checks.CONSERVATION, at=report.at, ok=report.ok, findings=report.totals)
    broken = [one for one in report.findings if one.severity is Severity.BROKEN]
    for finding in report.findings:
        level = logging.ERROR if finding.severity is Severity.BROKEN else logging.WARNING
        logger.log(
            level,
            "conservation: %s %s: %s. %s",
            finding.subject,
            finding.subject_id,
            finding.cause,
            finding.repair,
        )
    if broken:
        msg = f"{len(broken)} breaches of conservation; the log lists each with its repair"
        raise InvariantError(msg)
    return StepReport({f"leads {state}": count for state, count in report.leads.items()})
