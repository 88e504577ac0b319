"""What a backfill has handed over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from baton.ledger.tables.handoffs import handoff, hop
from baton.ledger.tables.record import batch, decision


def handed_over(conn: Connection, kind: str, since: datetime) -> dict[str, int]:
    """Return how many live handoffs batches of this kind have made since then, by owner."""
    many = func.count()
    query = (
        select(hop.c.owner_key, many)
        .select_from(batch)
        .join(decision, decision.c.batch_id == batch.c.id)
        .join(handoff, handoff.c.decision_id == decision.c.id)
        .join(hop, (hop.c.handoff_id == handoff.c.id) & (hop.c.number == 1))
        .where(batch.c.kind == kind, batch.c.created_at >= since, handoff.c.mode == "live")
        .group_by(hop.c.owner_key)
        .order_by(many.desc(), hop.c.owner_key)
    )
    return {row[0]: row[1] for row in conn.execute(query)}
