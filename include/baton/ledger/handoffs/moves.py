"""What has happened to handoffs since somebody last looked: their moves and their new hops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from baton.ledger.handoffs.handoff_rows import HandoffRow, as_handoff
from baton.ledger.tables.columns import among
from baton.ledger.tables.handoffs import handoff, hop
from baton.ledger.tables.leads import lead
from baton.ledger.tables.record import transition


@dataclass(frozen=True, slots=True)
class Move:
    """A handoff moved to another state."""

    id: int
    handoff_id: int
    after: str
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Pass:
    """A handoff was given to somebody else."""

    id: int
    handoff_id: int
    number: int
    owner_key: str
    at: datetime


def newest_ids(conn: Connection) -> tuple[int, int]:
    """Return the highest id of all transitions and of all hops."""
    moved = conn.execute(select(func.max(transition.c.id))).scalar_one()
    hopped = conn.execute(select(func.max(hop.c.id))).scalar_one()
    return moved or 0, hopped or 0


def moves_since(conn: Connection, after_id: int) -> list[Move]:
    """Return the moves of handoffs recorded after that transition, oldest first."""
    query = (
        select(transition)
        .where(transition.c.id > after_id, transition.c.subject == "handoff")
        .order_by(transition.c.id)
    )
    return [
        Move(row.id, row.subject_id, row.after, row.at, row.cause) for row in conn.execute(query)
    ]


def passes_since(conn: Connection, after_id: int) -> list[Pass]:
    """Return the hops after the first of any handoff, recorded after that hop, oldest first."""
    query = select(hop).where(hop.c.id > after_id, hop.c.number > 1).order_by(hop.c.id)
    return [
        Pass(row.id, row.handoff_id, row.number, row.owner_key, row.assigned_at)
        for row in conn.execute(query)
    ]


def rows_of(conn: Connection, handoff_ids: Iterable[int]) -> dict[int, HandoffRow]:
    """Return handoffs by id."""
    rows = conn.execute(select(handoff).where(among(handoff.c.id, handoff_ids)))
    return {row.id: as_handoff(row) for row in rows}


def hop_counts(conn: Connection, handoff_ids: Iterable[int]) -> dict[int, int]:
    """Return how many owners each handoff has had, by handoff id."""
    query = (
        select(hop.c.handoff_id, func.max(hop.c.number))
        .where(among(hop.c.handoff_id, handoff_ids))
        .group_by(hop.c.handoff_id)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


@dataclass(frozen=True, slots=True)
class Converted:
    """A handoff whose lead was converted at `at` and of which no opportunity is known."""

    handoff: HandoffRow
    contact_id: str | None
    at: datetime


def converted_without_deal(conn: Connection) -> list[Converted]:
    """Return the open handoffs that were converted without an opportunity, oldest first."""
    converted_at = (
        select(func.max(transition.c.at))
        .where(
            transition.c.subject == "handoff",
            transition.c.subject_id == handoff.c.id,
            transition.c.after == "converted",
        )
        .scalar_subquery()
    )
    query = (
        select(handoff, lead.c.salesforce_contact_id, converted_at.label("converted_at"))
        .join(lead, lead.c.id == handoff.c.lead_id)
        .where(handoff.c.state == "converted", handoff.c.salesforce_opportunity_id.is_(None))
        .order_by(handoff.c.id)
    )
    return [
        Converted(as_handoff(row), row.salesforce_contact_id, row.converted_at)
        for row in conn.execute(query)
        if row.converted_at is not None
    ]
