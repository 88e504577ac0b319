"""Leads that were converted without an opportunity: it is found when it comes, or they come back.

A rep may convert first and open the opportunity days later. One that is opened on the contact's
account is taken for it. When none has come after as long as the policy says, the lead goes back to
marketing: nothing stays converted for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from baton.crm.salesforce import People
from baton.leads.states import HandoffState, LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.handoffs import handoffs, moves
from baton.ledger.handoffs.moves import Converted
from baton.ledger.leads import leads
from baton.ledger.sources.references import CrmOpportunity
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.judging.plan import state_write_back
from baton.pipeline.modes import acting_for
from baton.pipeline.report import StepReport
from baton.pipeline.timers import state_change
from baton.policy.models import Policy

NO_OPPORTUNITY = "no_opportunity"


def follow_conversions(ctx: Context, deals: Sequence[CrmOpportunity]) -> StepReport:
    """Link opportunities that were opened later; send back what has waited long enough.

    `deals` are those that changed since the last time; Salesforce is asked only if there are any.
    """
    report = StepReport()
    with ctx.engine.connect() as conn:
        waiting = moves.converted_without_deal(conn)
    if not waiting:
        return report
    since = min(one.at for one in waiting)
    fresh = [deal for deal in deals if deal.account_id and deal.modified_at >= since]
    contacts = [one.contact_id for one in waiting if one.contact_id]
    people = ctx.salesforce.records(contacts) if fresh and contacts else People()
    with transaction(ctx.engine) as conn:
        policy = active_policy(conn).policy
        taken = handoffs.by_opportunity_ids(conn, [deal.id for deal in fresh])
        free = [deal for deal in fresh if deal.id not in taken]
        for one in waiting:
            deal = _deal_of(one, people, free)
            if deal is not None:
                handoffs.stamp(
                    conn,
                    one.handoff.id,
                    opportunity_at=deal.modified_at,
                    salesforce_opportunity_id=deal.id,
                )
                report["opportunities found"] += 1
            elif _waited(ctx, one, policy):
                _send_back(conn, ctx, policy, one)
                report["converted without opportunity"] += 1
    return report


def _deal_of(
    one: Converted, people: People, deals: Sequence[CrmOpportunity]
) -> CrmOpportunity | None:
    """Return the only opportunity of the contact's account that came after the conversion."""
    contact = people.contacts.get(one.contact_id or "")
    if contact is None or contact.account_id is None:
        return None
    found = [
        deal
        for deal in deals
        if deal.account_id == contact.account_id and deal.modified_at >= one.at
    ]
    return found[0] if len(found) == 1 else None


def _waited(ctx: Context, one: Converted, policy: Policy) -> bool:
    longest = timedelta(seconds=policy.salesforce.no_opportunity_after.seconds)
    return one.at + longest <= ctx.clock.now()


def _send_back(conn: Connection, ctx: Context, policy: Policy, one: Converted) -> None:
    now, handoff = ctx.clock.now(), one.handoff
    if not handoffs.advance(conn, handoff.id, HandoffState.RECYCLED, at=now, cause=NO_OPPORTUNITY):
        return
    change = state_change(policy, handoff.lead_id, LeadState.NURTURE, at=now, cause=NO_OPPORTUNITY)
    leads.set_states(conn, [change])
    acting = acting_for(ctx.mode, ctx.clock, handoff)
    cause = f"{handoff.key}-{NO_OPPORTUNITY}"
    outbox.add(conn, [state_write_back(acting, handoff.lead_id, cause=cause)], at=now)
