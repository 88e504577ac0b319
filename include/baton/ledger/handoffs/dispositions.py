"""Dispositions: what sales said became of a handoff, and what it said and may not say yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, among
from baton.ledger.tables.edits import refused_disposition
from baton.ledger.tables.handoffs import disposition, handoff


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An outcome that may not be given yet. `source` is the record on which it stands."""

    handoff_id: int
    source: str
    outcome: str
    reason: str | None
    return_date: date | None
    given_at: datetime
    by_whom: str | None
    words: str


def refuse(conn: Connection, new: Refusal, *, at: datetime) -> None:
    """Keep an outcome that was refused, to be looked at again; the newest of a record counts."""
    values = {each.name: getattr(new, each.name) for each in fields(new)}
    values |= {"refused_at": at, "settled_at": None}
    conn.execute(
        insert(refused_disposition)
        .values(**values)
        .on_conflict_do_update(index_elements=["handoff_id", "source"], set_=values)
    )


def refusals(conn: Connection) -> list[Refusal]:
    """Return the outcomes that are refused so far and whose handoffs are open, oldest first."""
    query = (
        select(refused_disposition)
        .join(handoff, handoff.c.id == refused_disposition.c.handoff_id)
        .where(refused_disposition.c.settled_at.is_(None), handoff.c.state.in_(OPEN_HANDOFF_STATES))
        .order_by(refused_disposition.c.id)
    )
    names = [each.name for each in fields(Refusal)]
    return [
        Refusal(**{name: row[name] for name in names}) for row in conn.execute(query).mappings()
    ]


def settle_refusals(conn: Connection, ones: Iterable[tuple[int, str]], *, at: datetime) -> None:
    """Close refusals by handoff id and source: taken after all, or taken back by the rep."""
    for handoff_id, source in ones:
        conn.execute(
            update(refused_disposition)
            .where(
                refused_disposition.c.handoff_id == handoff_id,
                refused_disposition.c.source == source,
                refused_disposition.c.settled_at.is_(None),
            )
            .values(settled_at=at)
        )
