"""Recording what a group of effects brought: all that was carried out in a few statements.

An effect and what follows from it (the handoff is assigned, its owner told) are recorded in one
transaction. Statement by statement that costs more than writing the records did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from baton.leads.states import HandoffState
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import ClaimedEffect
from baton.ledger.handoffs import handoffs
from baton.ledger.leads import leads
from baton.pipeline.context import Context
from baton.pipeline.delivery.outcomes import Done

CarriedOut = Sequence[tuple[ClaimedEffect, Done]]

_STAMPS: Mapping[str, str] = {
    "salesforce_record": "owner_written_at",
    "salesforce_task": "task_written_at",
    "slack_message": "notified_at",
}
_REACHED: Mapping[str, HandoffState] = {
    "salesforce_record": HandoffState.ASSIGNED,
    "slack_message": HandoffState.NOTIFIED,
}


def record_carried_out(conn: Connection, ctx: Context, carried: CarriedOut) -> None:
    """Record effects as carried out, and move their handoffs on.

    Raises StaleLeaseError if another worker has taken one of them over: then nothing may be kept.
    """
    now = ctx.clock.now()
    outbox.all_done(
        conn, {one.id: (one.fence, dict(done.result)) for one, done in carried}, now=now
    )
    of_handoffs = [(one, done) for one, done in carried if one.kind in _STAMPS and one.handoff_id]
    if not of_handoffs:
        return
    leads.set_all_salesforce_ids(conn, _records(of_handoffs))
    decided = handoffs.decided(conn, {one.handoff_id for one, _ in of_handoffs if one.handoff_id})
    # In a replay an effect counts as carried out right after its decision.
    instants = {one: ctx.clock.decides_at(at) for one, at in decided.items()}
    for kind, stamp in _STAMPS.items():
        reached = {
            one.handoff_id: (instants[one.handoff_id], one.key)
            for one, _ in reversed(of_handoffs)
            if one.kind == kind and one.handoff_id in instants
        }
        handoffs.reach_all(conn, stamp, reached, _REACHED.get(kind))


def _records(carried: CarriedOut) -> dict[int, tuple[str | None, str | None]]:
    """Return the Lead's and the Contact's id by lead, of whom a record was written."""
    known: dict[int, tuple[str | None, str | None]] = {}
    for one, done in carried:
        if one.kind == "salesforce_record":
            lead_record, contact_record = known.get(one.lead_id, (None, None))
            if done.result.get("sobject") == "Contact":
                known[one.lead_id] = (lead_record, done.result["id"])
            else:
                known[one.lead_id] = (done.result["id"], contact_record)
    return dict(sorted(known.items()))  # locked in this order, by whoever writes them
