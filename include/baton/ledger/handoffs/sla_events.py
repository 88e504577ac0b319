"""What the clocks said: each event once per hop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.columns import among
from baton.ledger.tables.handoffs import sla_event


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaEvent:
    """One event: `kind` is remind, breach, tell_manager or reassign; due then, recorded later."""

    hop_id: int
    kind: str
    due_at: datetime
    recorded_at: datetime


def record(conn: Connection, events: Sequence[SlaEvent]) -> list[SlaEvent]:
    """Record events; return those not known before: only they are to be acted upon."""
    if not events:
        return []
    statement = insert(sla_event).on_conflict_do_nothing(index_elements=["hop_id", "kind"])
    rows = conn.execute(
        statement.returning(sla_event.c.hop_id, sla_event.c.kind),
        [asdict(event) for event in sorted(events, key=lambda one: (one.hop_id, one.kind))],
    )
    made = {(row.hop_id, row.kind) for row in rows}
    return [event for event in events if (event.hop_id, event.kind) in made]


def of_hops(conn: Connection, hop_ids: Iterable[int]) -> dict[int, list[SlaEvent]]:
    """Return the events of these hops in the order they were due, by hop id."""
    found: dict[int, list[SlaEvent]] = {}
    query = select(sla_event).where(among(sla_event.c.hop_id, hop_ids)).order_by(sla_event.c.due_at)
    for row in conn.execute(query):
        event = SlaEvent(
            hop_id=row.hop_id, kind=row.kind, due_at=row.due_at, recorded_at=row.recorded_at
        )
        found.setdefault(row.hop_id, []).append(event)
    return found
