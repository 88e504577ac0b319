"""Touches: evidence that a human worked the lead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.columns import among
from baton.ledger.tables.handoffs import touch


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTouch:
    """One touch. `external_id` names it in the system it came from, and keeps it single."""

    handoff_id: int
    external_id: str
    at: datetime
    kind: str
    grade: int
    by_whom: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchRow(NewTouch):
    """One touch as stored."""

    id: int


def record(conn: Connection, news: Sequence[NewTouch]) -> list[TouchRow]:
    """Record touches; return those not known before.

    The handoffs' first touch follows from those with a grade above 0: what a machine did is no
    touch by a human.
    """
    if not news:
        return []
    rows = conn.execute(
        insert(touch).on_conflict_do_nothing(index_elements=["external_id"]).returning(touch),
        [asdict(new) for new in sorted(news, key=lambda one: one.external_id)],
    ).all()
    made = [TouchRow(**row._asdict()) for row in rows]
    _note_first(conn, {row.handoff_id for row in made})
    return made


def of_handoffs(conn: Connection, handoff_ids: Iterable[int]) -> dict[int, list[TouchRow]]:
    """Return the touches of these handoffs in order of time, by handoff id."""
    found: dict[int, list[TouchRow]] = {}
    query = (
        select(touch).where(among(touch.c.handoff_id, handoff_ids)).order_by(touch.c.at, touch.c.id)
    )
    for row in conn.execute(query):
        found.setdefault(row.handoff_id, []).append(TouchRow(**row._asdict()))
    return found


def _note_first(conn: Connection, handoff_ids: set[int]) -> None:
    if not handoff_ids:
        return
    conn.execute(
        text(
            "UPDATE handoff SET first_touch_at = first.at, first_touch_grade = first.grade FROM ("
            " SELECT DISTINCT ON (handoff_id) handoff_id, at, grade FROM touch"
            " WHERE handoff_id = ANY(:ids) AND grade > 0 ORDER BY handoff_id, at, grade DESC, id"
            ") first WHERE handoff.id = first.handoff_id"
            " AND (first_touch_at IS NULL OR first.at <= first_touch_at)"
        ),
        {"ids": sorted(handoff_ids)},
    )
