"""Handoffs of the past as a simulation needs them: who had what open when, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, literal, or_, select

from baton.ledger.leads.snapshots import SeenSnapshot
from baton.ledger.tables.agreements import pool_state
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, among
from baton.ledger.tables.handoffs import handoff, hop
from baton.ledger.tables.leads import snapshot
from baton.ledger.tables.record import decision, transition

__all__ = ["OpenBefore", "ends_of", "first_pools", "median_open", "open_before", "snapshots_of"]

_FIRST_DECISIONS = 5_000
"""So many decisions at most are read to find out in which state each pool began."""


@dataclass(frozen=True, slots=True)
class OpenBefore:
    """A handoff that was open at the beginning, or assigned shortly before it."""

    lead_id: int
    owner: str
    assigned_at: datetime
    ended_at: datetime | None


def _ends() -> Any:
    """Return a query of when each handoff ended: the newest move to a state that is none."""
    return (
        select(transition.c.subject_id, func.max(transition.c.at).label("at"))
        .where(
            transition.c.subject == "handoff",
            transition.c.after.not_in(OPEN_HANDOFF_STATES),
        )
        .group_by(transition.c.subject_id)
        .subquery()
    )


def ends_of(conn: Connection, decision_ids: Iterable[int]) -> dict[int, datetime | None]:
    """Return by decision id when the handoff that came of it ended; None: it is open still."""
    ended = (
        select(func.max(transition.c.at))
        .where(
            transition.c.subject == "handoff",
            transition.c.subject_id == handoff.c.id,
            transition.c.after.not_in(OPEN_HANDOFF_STATES),
        )
        .scalar_subquery()
        .label("at")
    )
    query = select(handoff.c.decision_id, ended).where(among(handoff.c.decision_id, decision_ids))
    return {row.decision_id: row.at for row in conn.execute(query)}


def open_before(conn: Connection, start: datetime, *, recent: timedelta) -> list[OpenBefore]:
    """Return the handoffs made before `start` that were open then, or not older than `recent`.

    The owner is the last one assigned before `start`.
    """
    ends = _ends()
    owner = (
        select(hop.c.owner_key)
        .where(hop.c.handoff_id == handoff.c.id, hop.c.assigned_at < start)
        .order_by(hop.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query: Select[Any] = (
        select(handoff.c.lead_id, owner, handoff.c.decided_at, ends.c.at)
        .outerjoin(ends, ends.c.subject_id == handoff.c.id)
        .where(
            handoff.c.decided_at < start,
            handoff.c.origin != "test",
            or_(ends.c.at.is_(None), ends.c.at >= start, handoff.c.decided_at >= start - recent),
        )
        .order_by(handoff.c.decided_at, handoff.c.id)
    )
    return [
        OpenBefore(lead_id, key, at, ended)
        for lead_id, key, at, ended in conn.execute(query)
        if key is not None
    ]


def median_open(conn: Connection, start: datetime) -> timedelta | None:
    """Return for how long half of the handoffs made since `start` that have ended were open."""
    ends = _ends()
    length = ends.c.at - handoff.c.decided_at
    query = (
        select(func.percentile_cont(literal(0.5)).within_group(length))
        .join(ends, ends.c.subject_id == handoff.c.id)
        .where(handoff.c.decided_at >= start)
    )
    found: timedelta | None = conn.execute(query).scalar()
    return found


def first_pools(conn: Connection, start: datetime) -> dict[str, Mapping[str, Any]]:
    """Return the state in which each pool was at `start`.

    A pool that gave a lead since is in the state that the first decision about it consulted; the
    others are as they are now.
    """
    found = {row.pool: row.state for row in conn.execute(select(pool_state))}
    wanted = set(found)
    consulted = decision.c.result["consulted"]["pools"]
    query = (
        select(consulted)
        .where(decision.c.decided_at >= start, func.jsonb_typeof(consulted) == "object")
        .where(consulted != literal({}, type_=consulted.type))
        .order_by(decision.c.id)
        .limit(_FIRST_DECISIONS)
    )
    for (states,) in conn.execute(query):
        for name in wanted & states.keys():
            found[name] = states[name]
        wanted -= states.keys()
        if not wanted:
            break
    return found


def snapshots_of(
    conn: Connection, lead_ids: Iterable[int], hashes: Iterable[str]
) -> dict[tuple[int, str], SeenSnapshot]:
    """Return what was seen of these leads with these hashes, by both."""
    query = select(snapshot).where(
        among(snapshot.c.lead_id, lead_ids), among(snapshot.c.hash, hashes)
    )
    rows = (SeenSnapshot(**row._asdict()) for row in conn.execute(query))
    return {(row.lead_id, row.hash): row for row in rows}
