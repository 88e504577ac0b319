"""Taking the outcomes that sales gave: acceptance at once, reason codes as the policy says."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.dispositions.actions import Planned, action_for, code_of
from baton.leads.states import EffectState, HandoffState, LeadState
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import dispositions, handoffs, touches
from baton.ledger.handoffs.dispositions import NewDisposition, Refusal
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.leads import histories, leads
from baton.pipeline.context import Context
from baton.pipeline.judging.plan import state_write_back
from baton.pipeline.modes import acting_for
from baton.pipeline.report import StepReport
from baton.pipeline.response.refused_outcomes import as_date, refuse
from baton.pipeline.timers import state_change
from baton.policy.models import Outcome, Policy
from baton.settings import Mode
from baton.sla.touches import Grade, Touch, TouchKind

logger = logging.getLogger(__name__)

ACCEPTED = "Accepted"
_ENDS = {Outcome.RECYCLE: HandoffState.RECYCLED, Outcome.DISQUALIFIED: HandoffState.DISQUALIFIED}


@dataclass(frozen=True, slots=True)
class Given:
    """An outcome as it stands in Salesforce: on the Lead, or on the task of a Contact."""

    handoff: HandoffRow
    outcome: str
    reason: str | None
    return_date: str | None
    at: datetime
    by_whom: str | None
    source: str


def take_dispositions(
    conn: Connection, ctx: Context, policy: Policy, given: Sequence[Given]
) -> StepReport:
    """Record each outcome once and carry it into states and effects."""
    report = StepReport()
    for one in given:
        current = handoffs.get(conn, one.handoff.id)
        if current is None or not current.is_open:
            continue
        if one.outcome == ACCEPTED:
            report["accepted"] += _accept(conn, one, current)
        else:
            report.update(_take(conn, ctx, policy, one, current))
    return report


def _accept(conn: Connection, one: Given, current: HandoffRow) -> int:
    made = dispositions.record(conn, [_row(one, "accepted", Outcome.ACCEPTED.value, None, {})])
    handoffs.stamp(conn, current.id, accepted_at=one.at)
    if current.state in (HandoffState.ASSIGNED, HandoffState.NOTIFIED):
        by = one.by_whom or "sales"
        handoffs.advance(
            conn, current.id, HandoffState.ACCEPTED, at=one.at, cause="accepted", by=by
        )
    return len(made)


def _row(
    one: Given,
    code: str,
    outcome: str,
    return_at: datetime | None,
    action: dict[str, str],
) -> NewDisposition:
    return NewDisposition(
        handoff_id=one.handoff.id,
        code=code,
        outcome=outcome,
        at=one.at,
        external_id=f"salesforce.{one.source}.{one.handoff.key}.{code}",
        by_whom=one.by_whom,
        return_at=return_at,
        action=action,
    )


def _take(
    conn: Connection, ctx: Context, policy: Policy, one: Given, current: HandoffRow
) -> StepReport:
    code = code_of(policy, one.reason or "")
    if code is None:
        logger.warning("handoff %s was given back without a known reason code", current.key)
        words = f"'{one.outcome}' needs a reason: choose one of the list"
        refuse(conn, ctx, current, _refusal(one, words), code=None)
        return StepReport(without_reason=1)
    history = histories.histories(conn, [current.lead_id])[current.lead_id]
    worked = [
        Touch(row.at, TouchKind(row.kind), Grade(row.grade), row.by_whom)
        for row in touches.of_handoffs(conn, [current.id]).get(current.id, ())
    ]
    planned = action_for(
        policy,
        code,
        history=history,
        touches=worked,
        now=one.at,
        given_date=as_date(one.return_date),
    )
    if planned.refusal is not None or planned.lead_state is None or planned.outcome is None:
        logger.info("handoff %s: '%s' is not accepted yet: %s", current.key, code, planned.refusal)
        refuse(conn, ctx, current, _refusal(one, planned.words), code=code)
        return StepReport(refused=1)
    action = {"action": planned.action.value, "words": planned.words}
    made = dispositions.record(
        conn, [_row(one, code, planned.outcome.value, planned.return_at, action)]
    )
    dispositions.settle_refusals(conn, [(current.id, one.source)], at=ctx.clock.now())
    if not made:
        return StepReport()
    _carry_out(conn, ctx, policy, one, current, planned)
    return StepReport({planned.outcome.value: 1})


def _refusal(one: Given, words: str) -> Refusal:
    return Refusal(
        handoff_id=one.handoff.id,
        source=one.source,
        outcome=one.outcome,
        reason=one.reason,
        return_date=as_date(one.return_date),
        given_at=one.at,
        by_whom=one.by_whom,
        words=words,
    )


def take_refused(conn: Connection, ctx: Context, policy: Policy) -> StepReport:
    """Take the outcomes that were refused and may be given by now; the others wait on."""
    report = StepReport()
    now = ctx.clock.now()
    for one in dispositions.refusals(conn):
        current = handoffs.get(conn, one.handoff_id)
        if current is None or not current.is_open:
            continue
        given = Given(
            handoff=current,
            outcome=one.outcome,
            reason=one.reason,
            return_date=one.return_date.isoformat() if one.return_date else None,
            at=now,
            by_whom=one.by_whom,
            source=one.source,
        )
        taken = _take(conn, ctx, policy, given, current)
        report["taken late"] += sum(taken[name.value] for name in _ENDS)
    return report


def _carry_out(
    conn: Connection,
    ctx: Context,
    policy: Policy,
    one: Given,
    current: HandoffRow,
    planned: Planned,
) -> None:
    """End the handoff, move the lead, and plan what HubSpot must do."""
    if planned.outcome is None or planned.lead_state is None:
        return
    end = _ENDS[planned.outcome]
    by = one.by_whom or "sales"
    handoffs.advance(conn, current.id, end, at=one.at, cause=planned.code, by=by)
    change = state_change(
        policy,
        current.lead_id,
        planned.lead_state,
        at=one.at,
        cause=planned.code,
        by=by,
        returns_at=planned.return_at if planned.lead_state is LeadState.RECYCLED else None,
    )
    leads.set_states(conn, [change])
    acting = acting_for(ctx.mode, ctx.clock, current)
    effects = [state_write_back(acting, current.lead_id, cause=f"{current.key}-{planned.code}")]
    if planned.list is not None:
        effects.append(
            NewEffect(
                key=f"L{current.lead_id}.{current.key}-{planned.code}.hubspot_list",
                kind="hubspot_list",
                lead_id=current.lead_id,
                params={"list": planned.list},
                state=EffectState.WITHHELD if acting.mode is Mode.OBSERVE else EffectState.PENDING,
            )
        )
    outbox.add(conn, effects, at=ctx.clock.now())
