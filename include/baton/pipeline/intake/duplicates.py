"""Duplicates while deciding: found when a lead is seen, known to the decision, sent to one owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from baton.decision.decision import Decision, DecisionOutcome, Origin
from baton.leads.history import LeadHistory
from baton.leads.identity import Duplicate
from baton.ledger.database.engine import transaction
from baton.ledger.leads import duplicates
from baton.pipeline.context import Context
from baton.pipeline.report import StepReport
from baton.routing.ladder import OwnerKind

LATELY = timedelta(minutes=30)
"""Longer than a run takes."""


class Ties:
    """Which leads of a batch may be the same person, and who got them meanwhile."""

    def __init__(self, conn: Connection, ctx: Context, lead_ids: Sequence[int]) -> None:
        """Link these leads with everybody who shares a sign with them, and read the links."""
        duplicates.link(conn, lead_ids, at=ctx.clock.now())
        self._of = duplicates.of_leads(conn, lead_ids)
        self._owners: dict[int, str] = {}

    def history(self, lead_id: int, history: LeadHistory) -> LeadHistory:
        """Return the history with its duplicates, as of now within the batch."""
        tied = self._of.get(lead_id)
        if not tied:
            return history
        return replace(history, duplicates=tuple(self._now(other, one) for other, one in tied))

    def learn(self, lead_id: int, decision: Decision) -> None:
        """Remember who got a lead of this batch: its duplicate later in the batch follows."""
        route = decision.route
        if decision.outcome is not DecisionOutcome.HANDOFF or route is None or route.owner is None:
            return
        if decision.origin is Origin.TEST:
            return
        if route.owner.kind is OwnerKind.USER:
            self._owners[lead_id] = route.owner.key

    def _now(self, other: int, one: Duplicate) -> Duplicate:
        owner = self._owners.get(other)
        return replace(one, owner=owner) if owner else one


def link_duplicates(ctx: Context) -> StepReport:
    """Link the leads decided on lately once more.

    Two transactions at the same moment do not see each other's contacts; a little later one does.
    """
    now = ctx.clock.now()
    with transaction(ctx.engine) as conn:
        made = duplicates.link(conn, duplicates.judged_since(conn, now - LATELY), at=now)
        return StepReport(linked=made, waiting=duplicates.count(conn))
