"""An outcome that may not be given yet: the rep is told why, and it is taken once it may be.

Told once for each reason and owner, on top of the task and by a message. Nobody has to give it
again: it is looked at with every reading of the outcomes, as long as it stands in Salesforce.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection

from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import dispositions, handoffs
from baton.ledger.handoffs.dispositions import Refusal
from baton.ledger.handoffs.handoffs import HandoffRow, HopRow
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.judging.addressing import owner_address
from baton.pipeline.judging.plan import announced, state_of
from baton.pipeline.judging.quiet_hours import quiet_until
from baton.pipeline.modes import acting_for

NO_REASON = "no_reason"


def refuse(
    conn: Connection, ctx: Context, current: HandoffRow, refusal: Refusal, *, code: str | None
) -> None:
    """Keep a refused outcome, and tell the present owner once for each reason."""
    now = ctx.clock.now()
    dispositions.refuse(conn, refusal, at=now)
    present = handoffs.hops(conn, [current.id]).get(current.id, [])
    if present:
        effects = _told(conn, ctx, current, present[-1], refusal, code or NO_REASON)
        outbox.add(conn, effects, at=now)


def _told(
    conn: Connection,
    ctx: Context,
    current: HandoffRow,
    hop: HopRow,
    refusal: Refusal,
    code: str,
) -> list[NewEffect]:
    agreement = active_policy(conn)
    acting = acting_for(ctx.mode, ctx.clock, current)
    key = f"{current.key}.{hop.number}"
    address = owner_address(agreement, hop.owner_key, hop.owner_kind)
    shared: dict[str, Any] = {
        "lead_id": current.lead_id,
        "handoff_id": current.id,
        "hop": hop.number,
        "generation": hop.number,
    }
    return [
        NewEffect(
            key=f"{key}.salesforce_task.refused-{code}",
            kind="salesforce_task",
            params={"refresh": True, "news": f"Not taken yet: {refusal.words}."},
            state=state_of(acting),
            **shared,
        ),
        NewEffect(
            key=f"{key}.slack_reminder.refused-{code}",
            kind="slack_reminder",
            params={
                "target": address,
                "fallback_channel": next(iter(agreement.policy.channels), None),
                "why": f"Not taken yet: {refusal.words}",
                "owner": address,
                "answers": f"{key}.slack_message",
            },
            state=announced(acting),
            not_before=quiet_until(
                agreement,
                ctx.clock.now(),
                owner_key=hop.owner_key,
                owner_kind=hop.owner_kind,
                band=current.band,
                trigger=current.trigger,
            ),
            **shared,
        ),
    ]


def as_date(text: str | None) -> date | None:
    """Read a date as Salesforce writes it."""
    return date.fromisoformat(text) if text else None
