"""Handoffs as a page lists them: filtered, newest first, by key and never by offset.

Filters name no person, so they may stand in an address. A search may, so it is kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, true

from baton.leads.states import HandoffState
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, among
from baton.ledger.tables.handoffs import handoff, hop
from baton.ledger.tables.leads import lead, person

LIKE_SPECIAL = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which handoffs are asked for; None and False ask for all.

    `state` is one state, or "open" or "ended". `late`: open, untouched and past the time of the
    first touch; `untouched`: open and untouched. Both leave out what nobody was told of (observed
    handoffs, tests). `queued`: a queue has it, nobody owns it. `owner` is an owner's key or a
    queue's name, `origin` who began it.
    """

    state: str | None = None
    band: str | None = None
    owner: str | None = None
    pool: str | None = None
    source: str | None = None
    origin: str | None = None
    late: bool = False
    untouched: bool = False
    queued: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffListed:
    """One line of the list."""

    id: int
    key: str
    lead_id: int
    hubspot_id: str
    state: HandoffState
    origin: str
    mode: str
    band: str | None
    trigger: str | None
    score_milli: int | None
    source: str | None
    name: str | None
    company: str | None
    owner_kind: str
    owner_key: str
    pool: str | None
    hop: int
    assigned_at: datetime
    due: datetime | None
    first_touch_at: datetime | None
    disposition_code: str | None
    decided_at: datetime


def listed(
    conn: Connection,
    filters: Filters,
    *,
    now: datetime,
    limit: int = 50,
    before_id: int | None = None,
    search: str = "",
) -> list[HandoffListed]:
    """Return the handoffs asked for, newest first; `before_id` continues below the last one shown.

    `search` finds a key (H12-1), a HubSpot id, an e-mail address, or the beginning of a last name
    or of a company's name.
    """
    query = _query(filters, now, search).order_by(handoff.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(handoff.c.id < before_id)
    return [HandoffListed(**_values(row._asdict())) for row in conn.execute(query)]


def every(
    conn: Connection, filters: Filters, *, now: datetime, chunk: int = 1000
) -> Iterator[HandoffListed]:
    """Yield all the handoffs asked for, newest first, a chunk at a time."""
    before: int | None = None
    while True:
        found = listed(conn, filters, now=now, limit=chunk, before_id=before)
        yield from found
        if len(found) < chunk:
            return
        before = found[-1].id


def counted(conn: Connection, filters: Filters, *, now: datetime, most: int = 10_000) -> int:
    """Return how many handoffs are asked for, counted up to `most`: beyond, nobody counts."""
    some = _query(filters, now, "").with_only_columns(handoff.c.id).limit(most).subquery()
    return conn.execute(select(func.count()).select_from(some)).scalar_one()


def _query(filters: Filters, now: datetime, search: str) -> Select[Any]:
    present = (
        select(hop)
        .where(hop.c.handoff_id == handoff.c.id)
        .order_by(hop.c.number.desc())
        .limit(1)
        .lateral("present")
    )
    columns = (
        *(handoff.c[name] for name in _OF_HANDOFF),
        lead.c.hubspot_id,
        func.concat_ws(" ", person.c.first_name, person.c.last_name).label("name"),
        person.c.company_name.label("company"),
        present.c.owner_kind,
        present.c.owner_key,
        present.c.pool,
        present.c.number.label("hop"),
        present.c.assigned_at,
        present.c.first_touch_due.label("due"),
    )
    query = (
        select(*columns)
        .select_from(handoff)
        .join(present, true())
        .join(lead, lead.c.id == handoff.c.lead_id)
        .outerjoin(person, person.c.lead_id == handoff.c.lead_id)
    )
    for condition in (*_conditions(filters, now, present), *_found_by(search)):
        query = query.where(condition)
    return query


_OF_HANDOFF = (
    "id",
    "key",
    "lead_id",
    "state",
    "origin",
    "mode",
    "band",
    "trigger",
    "score_milli",
    "source",
    "first_touch_at",
    "disposition_code",
    "decided_at",
)


def _conditions(filters: Filters, now: datetime, present: Any) -> Iterator[ColumnElement[bool]]:
    is_open = handoff.c.state.in_(OPEN_HANDOFF_STATES)
    if filters.state in ("open", "ended"):
        yield is_open if filters.state == "open" else ~is_open
    elif filters.state:
        yield handoff.c.state == filters.state
    for name in ("band", "source", "origin"):
        if wanted := getattr(filters, name):
            yield handoff.c[name] == wanted
    if filters.owner:
        # Said twice: the first is what an index answers, the second what is true now.
        yield handoff.c.id.in_(select(hop.c.handoff_id).where(hop.c.owner_key == filters.owner))
        yield present.c.owner_key == filters.owner
    if filters.pool:
        yield present.c.pool == filters.pool
    yield from _waiting(filters, now, present)
    if filters.since:
        yield handoff.c.decided_at >= filters.since
    if filters.until:
        yield handoff.c.decided_at < filters.until


def _waiting(filters: Filters, now: datetime, present: Any) -> Iterator[ColumnElement[bool]]:
    if filters.late or filters.untouched:
        told = and_(handoff.c.mode != "observe", handoff.c.origin != "test")
        is_open = handoff.c.state.in_(OPEN_HANDOFF_STATES)
        yield and_(is_open, handoff.c.first_touch_at.is_(None), told)
    if filters.queued:
        yield present.c.owner_kind == "queue"
    if filters.late:
        yield present.c.first_touch_due < now


def _found_by(search: str) -> Iterator[ColumnElement[bool]]:
    wanted = search.strip().lower()
    if not wanted:
        return
    begins = wanted.translate(LIKE_SPECIAL) + "%"
    people = select(person.c.lead_id).where(
        or_(
            func.lower(person.c.email) == wanted,
            func.lower(person.c.last_name).like(begins),
            func.lower(person.c.company_name).like(begins),
        )
    )
    yield or_(
        handoff.c.lead_id.in_(people),
        handoff.c.key == wanted.upper(),
        handoff.c.lead_id.in_(select(lead.c.id).where(among(lead.c.hubspot_id, [wanted]))),
    )


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"state": HandoffState(row["state"]), "name": row["name"] or None}
