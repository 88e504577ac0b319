"""Dispositions: what sales said became of a handoff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables import among, disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDisposition:
    """One outcome as given. `external_id` names the edit it came from, and keeps it single."""

    handoff_id: int
    code: str
    outcome: str
    at: datetime
    external_id: str
    by_whom: str | None = None
    return_at: datetime | None = None
    action: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionRow(NewDisposition):
    """One outcome as stored."""

    id: int


def record(conn: Connection, news: Sequence[NewDisposition]) -> list[DispositionRow]:
    """Record outcomes; return those not known before. The handoffs show their newest one."""
    if not news:
        return []
    statement = insert(disposition).on_conflict_do_nothing(index_elements=["external_id"])
    values = [{each.name: getattr(new, each.name) for each in fields(new)} for new in news]
    rows = conn.execute(
        statement.returning(disposition), sorted(values, key=lambda one: one["external_id"])
    ).all()
    made = [DispositionRow(**row._asdict()) for row in rows]
    if made:
        conn.execute(_SHOW_NEWEST, {"ids": sorted({row.handoff_id for row in made})})
    return made


def of_handoffs(conn: Connection, handoff_ids: Iterable[int]) -> dict[int, list[DispositionRow]]:
    """Return the outcomes of these handoffs in order of time, by handoff id."""
    found: dict[int, list[DispositionRow]] = {}
    query = (
        select(disposition)
        .where(among(disposition.c.handoff_id, handoff_ids))
        .order_by(disposition.c.at, disposition.c.id)
    )
    for row in conn.execute(query):
        found.setdefault(row.handoff_id, []).append(DispositionRow(**row._asdict()))
    return found


_SHOW_NEWEST = text(
    """
    UPDATE handoff SET disposed_at = newest.at, disposition_code = newest.code,
        outcome = newest.outcome FROM (
            SELECT DISTINCT ON (handoff_id) handoff_id, at, code, outcome FROM disposition
            WHERE handoff_id = ANY(:ids) ORDER BY handoff_id, at DESC, id DESC
        ) newest WHERE handoff.id = newest.handoff_id
    """
)
