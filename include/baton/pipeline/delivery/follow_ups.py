"""What follows from the moves of handoffs, whoever made them move, planned in one place.

* a row of Handoff__c is brought up to date, where the org has that object;
* the task of an owner who has the lead no longer is set aside (withdrawn, or given to another);
* HubSpot's life-cycle stage follows acceptance and conversion.

Reads the record of moves from where it stopped last, a little earlier because transactions may be
committed out of order. What is planned already is not planned twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from baton.leads.states import EffectState, HandoffState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import moves
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.handoffs.moves import Move, Pass
from baton.ledger.sources import watermarks
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.delivery.salesforce_shapes import shapes
from baton.pipeline.delivery.setup import HANDOFF_OBJECT
from baton.pipeline.judging.plan import state_of, state_write_back
from baton.pipeline.modes import acting_for
from baton.pipeline.report import StepReport
from baton.policy.models import Policy

MARK = "follow_ups"
OVERLAP = 1000
"""Moves looked at again: so many may have been recorded by a transaction that took its time."""
FRESH = timedelta(days=2)
"""What moved longer ago asks nothing of an owner any more: a ledger read for the first time."""
AFTER_EVERYTHING = 1_000_000
"""Generation of what must go out although a newer hop exists: it is about the older one."""
_FOR_HUBSPOT = (HandoffState.ACCEPTED, HandoffState.WORKING, HandoffState.CONVERTED)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What happened since the last time, with the handoffs it happened to."""

    moved: Sequence[Move]
    passed: Sequence[Pass]
    handoffs: Mapping[int, HandoffRow]
    hops: Mapping[int, int]
    now: datetime


def plan_follow_ups(ctx: Context) -> StepReport:
    """Plan what follows from the moves since the last time; nothing while the past is replayed."""
    report = StepReport()
    if ctx.replays:
        return report
    with ctx.engine.connect() as conn:
        policy = active_policy(conn).policy
    keeps_rows = policy.salesforce.handoff_object and _has_object(ctx)
    with transaction(ctx.engine) as conn:
        seen = _look(conn, ctx.clock.now())
        effects = _asides(ctx, seen) + _stages(ctx, policy, seen)
        if keeps_rows:
            effects += _rows(ctx, seen)
        report["followed up"] += len(outbox.add(conn, effects, at=ctx.clock.now()))
    return report


def _has_object(ctx: Context) -> bool:
    return shapes(ctx, (HANDOFF_OBJECT,))[HANDOFF_OBJECT].present


def _look(conn: Connection, now: datetime) -> _Seen:
    said = watermarks.get(conn, MARK)
    moved_id, passed_id = (int(one) for one in said.split()) if said else (0, 0)
    newest = moves.newest_ids(conn)
    moved = moves.moves_since(conn, moved_id - OVERLAP)
    passed = moves.passes_since(conn, passed_id - OVERLAP)
    ids = {one.handoff_id for one in moved} | {one.handoff_id for one in passed}
    rows = moves.rows_of(conn, ids)
    hops = moves.hop_counts(conn, ids)
    if newest != (moved_id, passed_id):
        watermarks.set(conn, MARK, f"{newest[0]} {newest[1]}", at=now)
    return _Seen(moved, passed, rows, hops, now)


def _asides(ctx: Context, seen: _Seen) -> list[NewEffect]:
    """Set the task aside of whoever has the lead no longer."""
    effects = []
    for move in seen.moved:
        row = seen.handoffs.get(move.handoff_id)
        if row is None or move.after != HandoffState.CANCELLED or move.at < seen.now - FRESH:
            continue
        why = move.cause.replace("_", " ")
        note = f"Withdrawn {move.at:%Y-%m-%d %H:%M} UTC ({why}): nothing to do here any more."
        hops = range(1, seen.hops[row.id] + 1)
        effects += [_aside(ctx, row, number, note) for number in hops]
    for one in seen.passed:
        row = seen.handoffs.get(one.handoff_id)
        if row is not None and one.at >= seen.now - FRESH:
            note = f"Given to {one.owner_key} {one.at:%Y-%m-%d %H:%M} UTC."
            effects.append(_aside(ctx, row, one.number - 1, note))
    return [one for one in effects if one.state is EffectState.PENDING]


def _aside(ctx: Context, row: HandoffRow, hop: int, note: str) -> NewEffect:
    return NewEffect(
        key=f"{row.key}.{hop}.salesforce_aside",
        kind="salesforce_aside",
        lead_id=row.lead_id,
        handoff_id=row.id,
        hop=hop,
        generation=AFTER_EVERYTHING,
        params={"note": note},
        state=state_of(acting_for(ctx.mode, ctx.clock, row)),
    )


def _stages(ctx: Context, policy: Policy, seen: _Seen) -> list[NewEffect]:
    """Tell HubSpot of acceptance and conversion, where its life-cycle stage follows them."""
    if not policy.write_back.lifecycle:
        return []
    effects = []
    for move in seen.moved:
        row = seen.handoffs.get(move.handoff_id)
        if row is not None and move.after in _FOR_HUBSPOT and move.at >= seen.now - FRESH:
            acting = acting_for(ctx.mode, ctx.clock, row)
            cause = f"{row.key}-{move.after}"
            hot = bool(row.trigger) or row.band == policy.bands_high_to_low[0].name
            effects.append(state_write_back(acting, row.lead_id, cause=cause, soon=hot))
    return [one for one in effects if one.state is EffectState.PENDING]


def _rows(ctx: Context, seen: _Seen) -> list[NewEffect]:
    """Bring the rows of Handoff__c up to date; what was decided and not delivered has none yet."""
    newest: dict[int, tuple[int, int, datetime]] = {}
    for move in seen.moved:
        _, hop, _ = newest.get(move.handoff_id, (0, 0, move.at))
        newest[move.handoff_id] = (move.id, hop, move.at)
    for one in seen.passed:
        moved, _, at = newest.get(one.handoff_id, (0, 0, one.at))
        newest[one.handoff_id] = (moved, one.id, at)
    effects = []
    for handoff_id, (moved, hop, at) in sorted(newest.items()):
        row = seen.handoffs.get(handoff_id)
        if row is None or row.state is HandoffState.PLANNED:
            continue
        effects.append(
            NewEffect(
                key=f"{row.key}.{moved}-{hop}.salesforce_handoff",
                kind="salesforce_handoff",
                lead_id=row.lead_id,
                handoff_id=row.id,
                hop=seen.hops[row.id],
                generation=AFTER_EVERYTHING,
                params={"moved_at": at.isoformat()},
                state=state_of(acting_for(ctx.mode, ctx.clock, row)),
            )
        )
    return [one for one in effects if one.state is EffectState.PENDING]
