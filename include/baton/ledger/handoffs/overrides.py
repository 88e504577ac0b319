"""What people changed after us, and keep so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from baton.ledger.tables.handoffs import human_override

_UNTOLD = frozenset({"by_whom", "restored_at"})
"""What may be learnt of an override after it was noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOverride:
    """A person changed `field` from `ours` to `theirs`; neither is personal data of a lead.

    `at` is when, `by_whom` who, as far as known. `restored_at`: Baton had overwritten their value
    without seeing it, and put it back then.
    """

    lead_id: int
    field: str
    ours: str | None
    theirs: str | None
    at: datetime
    handoff_id: int | None = None
    by_whom: str | None = None
    restored_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRow(NewOverride):
    """One override as stored."""

    id: int


def record(conn: Connection, news: Sequence[NewOverride]) -> int:
    """Record overrides; the same value of the same field is recorded once. Return how many.

    One that was noticed before anybody knew who made it is completed, and not counted again.
    """
    made = 0
    for new in news:
        known = latest(conn, new.lead_id, new.field)
        if known is None or known.theirs != new.theirs or known.handoff_id != new.handoff_id:
            conn.execute(insert(human_override).values(**asdict(new)))
            made += 1
        else:
            _complete(conn, known, new)
    return made


def _complete(conn: Connection, known: OverrideRow, new: NewOverride) -> None:
    told = {
        name: getattr(new, name)
        for name in sorted(_UNTOLD)
        if getattr(known, name) is None and getattr(new, name) is not None
    }
    if "by_whom" in told:
        told["at"] = new.at  # who knows who made it knows when
    if told:
        conn.execute(update(human_override).where(human_override.c.id == known.id).values(**told))


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
