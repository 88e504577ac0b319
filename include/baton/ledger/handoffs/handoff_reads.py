"""Handoffs read in the ways the chain needs them: by key, by owner, by clock, by page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, true

from baton.leads.states import HandoffState
from baton.ledger.handoffs.handoff_rows import HandoffRow, HopRow, OpenTerms, as_handoff, as_hop
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, among
from baton.ledger.tables.handoffs import handoff, hop, sla_event
from baton.ledger.tables.leads import lead

_IS_OPEN = handoff.c.state.in_(OPEN_HANDOFF_STATES)


def get(conn: Connection, handoff_id: int) -> HandoffRow | None:
    """Return one handoff, or None."""
    row = conn.execute(select(handoff).where(handoff.c.id == handoff_id)).one_or_none()
    return as_handoff(row) if row else None


def by_keys(conn: Connection, keys: Iterable[str]) -> dict[str, HandoffRow]:
    """Return handoffs by key (``H12-1``); unknown ones are left out."""
    rows = conn.execute(select(handoff).where(among(handoff.c.key, keys)))
    return {row.key: as_handoff(row) for row in rows}


def by_opportunity_ids(conn: Connection, ids: Iterable[str]) -> dict[str, HandoffRow]:
    """Return handoffs by the Salesforce opportunity that came of them; the newest if several."""
    query = (
        select(handoff)
        .where(among(handoff.c.salesforce_opportunity_id, ids))
        .order_by(handoff.c.id)
    )
    return {row.salesforce_opportunity_id: as_handoff(row) for row in conn.execute(query)}


def by_salesforce_ids(conn: Connection, ids: Iterable[str]) -> dict[str, HandoffRow]:
    """Return the newest handoff of each person by the id of their Salesforce Lead or Contact."""
    wanted = list(ids)
    found: dict[str, HandoffRow] = {}
    for column in (lead.c.salesforce_contact_id, lead.c.salesforce_lead_id):
        query = (
            select(handoff, column.label("record"))
            .join(lead, lead.c.id == handoff.c.lead_id)
            .where(among(column, wanted))
            .order_by(handoff.c.id)
        )
        for row in conn.execute(query):
            found[row.record] = as_handoff(row)
    return found


def of_leads(conn: Connection, lead_ids: Iterable[int]) -> dict[int, list[HandoffRow]]:
    """Return every handoff of these leads, oldest first, by lead id."""
    found: dict[int, list[HandoffRow]] = {}
    query = select(handoff).where(among(handoff.c.lead_id, lead_ids)).order_by(handoff.c.id)
    for row in conn.execute(query):
        found.setdefault(row.lead_id, []).append(as_handoff(row))
    return found


def open_of_leads(conn: Connection, lead_ids: Iterable[int]) -> dict[int, HandoffRow]:
    """Return the open handoff of each of these leads that has one."""
    query = select(handoff).where(among(handoff.c.lead_id, lead_ids), _IS_OPEN)
    return {row.lead_id: as_handoff(row) for row in conn.execute(query)}


def hops(conn: Connection, handoff_ids: Iterable[int]) -> dict[int, list[HopRow]]:
    """Return the hops of these handoffs in order, by handoff id."""
    found: dict[int, list[HopRow]] = {}
    query = (
        select(hop)
        .where(among(hop.c.handoff_id, handoff_ids))
        .order_by(hop.c.handoff_id, hop.c.number)
    )
    for row in conn.execute(query):
        found.setdefault(row.handoff_id, []).append(as_hop(row))
    return found


def page(
    conn: Connection,
    *,
    limit: int = 50,
    before_id: int | None = None,
    state: HandoffState | None = None,
    owner_key: str | None = None,
) -> list[HandoffRow]:
    """Return handoffs, newest first; `before_id` continues after the last one shown."""
    query = select(handoff).order_by(handoff.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(handoff.c.id < before_id)
    if state is not None:
        query = query.where(handoff.c.state == state)
    if owner_key is not None:
        query = query.where(_present_hops().where(hop.c.owner_key == owner_key).exists())
    return [as_handoff(row) for row in conn.execute(query)]


def open_loads(conn: Connection, *, observed: bool = True) -> dict[str, int]:
    """Return how many open handoffs each owner has now, by owner key; tests do not count.

    Unless `observed`, handoffs that were only observed do not count either: nobody has them.
    """
    # Few are open: one look-up for each is less than reading every hop there ever was.
    present = (
        select(hop.c.owner_key)
        .where(hop.c.handoff_id == handoff.c.id)
        .order_by(hop.c.number.desc())
        .limit(1)
        .lateral("present")
    )
    query = (
        select(present.c.owner_key, func.count())
        .select_from(handoff)
        .join(present, true())
        .where(_IS_OPEN, handoff.c.origin != "test", real(observed=observed))
        .group_by(present.c.owner_key)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def lock_present(conn: Connection, handoff_ids: Iterable[int]) -> dict[int, int]:
    """Lock those of these handoffs that are open, by id; return the number of the newest hop."""
    newest = select(func.max(hop.c.number)).where(hop.c.handoff_id == handoff.c.id)
    query = (
        select(handoff.c.id, newest.scalar_subquery())
        .where(among(handoff.c.id, handoff_ids), _IS_OPEN)
        .order_by(handoff.c.id)
        .with_for_update(of=handoff)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def assigned_since(conn: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """Return how many hops each owner was given in [since, until), by owner key; no tests."""
    query = (
        select(hop.c.owner_key, func.count())
        .join(handoff, handoff.c.id == hop.c.handoff_id)
        .where(hop.c.assigned_at >= since, hop.c.assigned_at < until, handoff.c.origin != "test")
        .group_by(hop.c.owner_key)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def open_with_terms(conn: Connection, now: datetime) -> list[OpenTerms]:
    """Return the open handoffs assigned until `now`, with present hop and recorded clock events."""
    recorded = (
        select(sla_event.c.hop_id, func.array_agg(sla_event.c.kind).label("kinds"))
        .group_by(sla_event.c.hop_id)
        .subquery()
    )
    query = (
        select(handoff, *(column.label(f"hop_{column.name}") for column in hop.c), recorded.c.kinds)
        .join(hop, hop.c.handoff_id == handoff.c.id)
        .outerjoin(recorded, recorded.c.hop_id == hop.c.id)
        .where(_IS_OPEN, _is_present(), hop.c.assigned_at <= now)
        .order_by(handoff.c.id)
    )
    return [
        OpenTerms(
            handoff=as_handoff(row),
            hop=as_hop(row, prefix="hop_"),
            recorded=frozenset(row.kinds or ()),
        )
        for row in conn.execute(query)
    ]


def real(*, observed: bool) -> ColumnElement[bool]:
    """Return which handoffs count: where leads are only observed all do, else those that are real.

    An adopted one is real: sales works it.
    """
    if observed:
        return true()
    return or_(handoff.c.mode != "observe", handoff.c.adopted_at.is_not(None))


def _present_hops() -> Select[Any]:
    return select(hop.c.id).where(hop.c.handoff_id == handoff.c.id, _is_present())


def _is_present() -> Any:
    """Condition: no later hop of the same handoff exists."""
    later = hop.alias("later")
    return ~(
        select(later.c.id)
        .where(and_(later.c.handoff_id == hop.c.handoff_id, later.c.number > hop.c.number))
        .exists()
    )
