"""The response clock: what is due on each open handoff, recorded once and told to people.

Clocks are computed from instants and from the terms a hop was born with, never from when this
runs; a late run finds the same breach at the same due time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from baton.decision.decision import Origin
from baton.leads.states import EffectState, HandoffState
from baton.ledger.database.retries import in_transaction
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import handoffs, sla_events, touches
from baton.ledger.handoffs.handoffs import OpenTerms
from baton.ledger.handoffs.sla_events import SlaEvent
from baton.ledger.handoffs.touches import TouchRow
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.context import Context
from baton.pipeline.delivery.deliver import ASSIGNING, drain
from baton.pipeline.judging.addressing import manager_address, owner_address
from baton.pipeline.judging.quiet_hours import quiet_until
from baton.pipeline.judging.reassignment import reassign_all
from baton.pipeline.report import StepReport
from baton.pipeline.response.sales_activity import read_touches
from baton.policy.models import Policy
from baton.settings import Mode
from baton.sla.clocks import Due, DueKind, evaluate
from baton.sla.terms_json import terms_from_json
from baton.sla.touches import Grade, Touch, TouchKind
from baton.transport import Lane, in_lane

_TOLD = {DueKind.REMIND: "remind", DueKind.TELL_MANAGER: "tell_manager"}
_CLOCK_STOPPED = (HandoffState.CONVERTED, HandoffState.WON, HandoffState.LOST)


@in_lane(Lane.HOT)
def watch_clocks(ctx: Context) -> StepReport:
    """Read touches, record what is due, remind and tell, each once a hop.

    Raises:
        GatewayError: Salesforce could not be read; nothing was recorded.
    """
    report = StepReport()
    report.update(read_touches(ctx))
    fresh, reassigned = in_transaction(ctx.engine, lambda conn: _record(conn, ctx))
    report["reassigned"] += reassigned
    for event in fresh:
        report[event.kind] += 1
    report.update(drain(ctx, ASSIGNING))
    return report


def _record(conn: Connection, ctx: Context) -> tuple[Sequence[SlaEvent], int]:
    """Record what is due, and act on it; return what was recorded, and how many changed hands."""
    now, known = ctx.clock.now(), ctx.clock.known_until()
    agreement = active_policy(conn)
    running = [
        one
        for one in handoffs.open_with_terms(conn, known)
        if one.handoff.state not in _CLOCK_STOPPED and one.handoff.mode != Mode.OBSERVE
    ]
    worked = touches.of_handoffs(conn, [one.handoff.id for one in running])
    due = _due(running, worked, known)
    fresh = sla_events.record(
        conn,
        [
            SlaEvent(hop_id=one.hop.id, kind=what.kind, due_at=what.due_at, recorded_at=now)
            for one, what in due
        ],
    )
    _tell(conn, ctx, agreement, due, fresh, now)
    return fresh, _reassign(conn, ctx, agreement, due, fresh)


def _due(
    running: Sequence[OpenTerms], worked: Mapping[int, Sequence[TouchRow]], now: datetime
) -> list[tuple[OpenTerms, Due]]:
    found = []
    for one in running:
        if not one.hop.terms:
            continue
        touched = [_touch(row) for row in worked.get(one.handoff.id, ())]
        due = evaluate(terms_from_json(one.hop.terms), touched, now)
        found += [(one, what) for what in due if what.kind.value not in one.recorded]
    return found


def _touch(row: TouchRow) -> Touch:
    return Touch(row.at, TouchKind(row.kind), Grade(row.grade), row.by_whom)


def _tell(
    conn: Connection,
    ctx: Context,
    agreement: Agreement,
    due: Sequence[tuple[OpenTerms, Due]],
    fresh: Sequence[SlaEvent],
    now: datetime,
) -> None:
    new = {(event.hop_id, event.kind) for event in fresh}
    effects = [
        _reminder(ctx, agreement, one, what.kind)
        for one, what in due
        if what.kind in _TOLD and (one.hop.id, what.kind.value) in new
    ]
    outbox.add(conn, effects, at=now)


def _reassign(
    conn: Connection,
    ctx: Context,
    agreement: Agreement,
    due: Sequence[tuple[OpenTerms, Due]],
    fresh: Sequence[SlaEvent],
) -> int:
    """Give what nobody touched to somebody else; a replay reassigns nothing after the fact."""
    new = {event.hop_id for event in fresh if event.kind == DueKind.REASSIGN}
    # Who keeps an existing relation keeps it: their manager is told, nobody takes the lead away.
    lapsed = [
        one
        for one, what in due
        if what.kind is DueKind.REASSIGN and one.hop.id in new and one.hop.change_owner
    ]
    return 0 if ctx.replays or not lapsed else reassign_all(conn, ctx, agreement, lapsed)


def _reminder(ctx: Context, agreement: Agreement, one: OpenTerms, kind: DueKind) -> NewEffect:
    # A colleague's test disturbs nobody but them.
    to_owner = kind is DueKind.REMIND or one.handoff.origin == Origin.TEST
    address = owner_address if to_owner else manager_address
    hop_key = f"{one.handoff.key}.{one.hop.number}"
    # In a replay the moment to remind has long passed.
    silent = ctx.replays or one.handoff.mode != Mode.LIVE
    return NewEffect(
        key=f"{hop_key}.slack_reminder.{kind.value}",
        kind="slack_reminder",
        lead_id=one.handoff.lead_id,
        handoff_id=one.handoff.id,
        hop=one.hop.number,
        generation=one.hop.number,
        params={
            "target": address(agreement, one.hop.owner_key, one.hop.owner_kind),
            "fallback_channel": fallback_channel(agreement.policy),
            "why": kind.value,
        },
        state=EffectState.WITHHELD if silent else EffectState.PENDING,
        priority=0,
        not_before=quiet_until(
            agreement,
            ctx.clock.now(),
            owner_key=one.hop.owner_key,
            owner_kind=one.hop.owner_kind,
            band=one.handoff.band,
            trigger=one.handoff.trigger,
            manager=not to_owner,
        ),
    )


def fallback_channel(policy: Policy) -> str | None:
    """Return the channel told when a person cannot be reached: the first the policy lists."""
    return next(iter(policy.channels), None)
