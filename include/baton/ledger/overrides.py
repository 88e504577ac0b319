"""What people changed after us, and keep so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from baton.ledger.tables import human_override


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOverride:
    """A person changed `field` from `ours` to `theirs`; neither is personal data of a lead."""

    lead_id: int
    field: str
    ours: str | None
    theirs: str | None
    at: datetime
    handoff_id: int | None = None
    by_whom: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRow(NewOverride):
    """One override as stored."""

    id: int


def record(conn: Connection, news: Sequence[NewOverride]) -> int:
    """Record overrides; the same value of the same field is recorded once. Return how many."""
    made = 0
    for new in news:
        known = latest(conn, new.lead_id, new.field)
        if known is None or known.theirs != new.theirs or known.handoff_id != new.handoff_id:
            conn.execute(insert(human_override).values(**asdict(new)))
            made += 1
    return made


def latest(conn: Connection, lead_id: int, field: str) -> OverrideRow | None:
    """Return the newest override of a lead's field, or None."""
    query = (
        select(human_override)
        .where(human_override.c.lead_id == lead_id, human_override.c.field == field)
        .order_by(human_override.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return OverrideRow(**row._asdict()) if row else None


def get(conn: Connection, override_id: int) -> OverrideRow | None:
    """Return one override, or None."""
    query = select(human_override).where(human_override.c.id == override_id)
    row = conn.execute(query).one_or_none()
    return OverrideRow(**row._asdict()) if row else None


def of_lead(conn: Connection, lead_id: int) -> list[OverrideRow]:
    """Return the overrides of a lead, newest first."""
    query = (
        select(human_override)
        .where(human_override.c.lead_id == lead_id)
        .order_by(human_override.c.id.desc())
    )
    return [OverrideRow(**row._asdict()) for row in conn.execute(query)]
