"""Decisions: recorded once with all their inputs, never changed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from baton.ledger.tables.columns import among
from baton.ledger.tables.record import decision


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """A decision to record. Neither `inputs` nor `result` holds personal data."""

    lead_id: int
    snapshot_hash: str
    policy_hash: str
    roster_hash: str
    decided_at: datetime
    engine_version: str
    position: int
    inputs: Mapping[str, Any]
    inputs_hash: str
    result: Mapping[str, Any]
    result_hash: str
    outcome: str
    batch_id: uuid.UUID | None = None
    band: str | None = None
    score_milli: int | None = None
    trigger: str | None = None
    rule: str | None = None
    owner_key: str | None = None
    reason_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow(NewDecision):
    """A decision as recorded."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which decisions: those from `since` on, of one lead, one alone; None: no matter.

    `newest`: only so many, the newest of them.
    """

    since: datetime | None = None
    lead_id: int | None = None
    decision_id: int | None = None
    newest: int | None = None


def record(conn: Connection, news: Sequence[NewDecision]) -> list[int]:
    """Record decisions; return their ids in the same order."""
    if not news:
        return []
    values = [{each.name: getattr(new, each.name) for each in fields(new)} for new in news]
    statement = insert(decision).returning(decision.c.id, sort_by_parameter_order=True)
    return list(conn.execute(statement, values).scalars())


def get(conn: Connection, decision_id: int) -> DecisionRow | None:
    """Return one decision, or None."""
    row = conn.execute(select(decision).where(decision.c.id == decision_id)).one_or_none()
    return DecisionRow(**row._asdict()) if row else None


def get_many(conn: Connection, decision_ids: Iterable[int]) -> dict[int, DecisionRow]:
    """Return decisions by id; unknown ones are left out."""
    rows = conn.execute(select(decision).where(among(decision.c.id, decision_ids)))
    return {row.id: DecisionRow(**row._asdict()) for row in rows}


def latest(conn: Connection, lead_id: int) -> DecisionRow | None:
    """Return the newest decision about a lead, or None."""
    found = of_lead(conn, lead_id, limit=1)
    return found[0] if found else None


def scopes(conn: Connection, lead_ids: Iterable[int]) -> dict[int, tuple[str | None, str | None]]:
    """Return form and territory of each of these leads, as they were decided on last."""
    facts = decision.c.inputs["facts"]
    query = (
        select(decision.c.lead_id, facts["Form"].astext, facts["Territory"].astext)
        .ext(distinct_on(decision.c.lead_id))
        .where(among(decision.c.lead_id, lead_ids))
        .order_by(decision.c.lead_id, decision.c.id.desc())
    )
    return {row[0]: (row[1], row[2]) for row in conn.execute(query)}


def of_lead(
    conn: Connection, lead_id: int, *, limit: int = 50, before_id: int | None = None
) -> list[DecisionRow]:
    """Return the decisions about a lead, newest first; `before_id` continues a page."""
    query = select(decision).where(decision.c.lead_id == lead_id)
    if before_id is not None:
        query = query.where(decision.c.id < before_id)
    rows = conn.execute(query.order_by(decision.c.id.desc()).limit(limit))
    return [DecisionRow(**row._asdict()) for row in rows]


def since(conn: Connection, start: datetime, *, chunk: int = 500) -> Iterator[DecisionRow]:
    """Yield the decisions from `start` on, oldest first, without holding them all in memory."""
    last = 0
    while True:
        query = (
            select(decision)
            .where(decision.c.decided_at >= start, decision.c.id > last)
            .order_by(decision.c.id)
            .limit(chunk)
        )
        rows = conn.execute(query).all()
        for row in rows:
            yield DecisionRow(**row._asdict())
        if len(rows) < chunk:
            return
        last = rows[-1].id


def count(conn: Connection, selection: Selection) -> int:
    """Return how many decisions are selected."""
    query = _of_selection(conn, selection, select(decision.c.id)).subquery()
    return int(conn.execute(select(func.count()).select_from(query)).scalar_one())


def page(
    conn: Connection, selection: Selection, *, after_id: int = 0, limit: int = 500
) -> list[DecisionRow]:
    """Return selected decisions after `after_id`, oldest first."""
    query = _of_selection(conn, selection, select(decision))
    query = query.where(decision.c.id > after_id).order_by(decision.c.id).limit(limit)
    return [DecisionRow(**row._asdict()) for row in conn.execute(query)]


def _of_selection(conn: Connection, selection: Selection, query: Select[Any]) -> Select[Any]:
    if selection.since is not None:
        query = query.where(decision.c.decided_at >= selection.since)
    if selection.lead_id is not None:
        query = query.where(decision.c.lead_id == selection.lead_id)
    if selection.decision_id is not None:
        query = query.where(decision.c.id == selection.decision_id)
    if selection.newest is not None:
        newest = query.with_only_columns(decision.c.id).order_by(decision.c.id.desc())
        oldest = conn.execute(newest.offset(max(0, selection.newest - 1)).limit(1)).scalar()
        if oldest is not None:
            query = query.where(decision.c.id >= oldest)
    return query
