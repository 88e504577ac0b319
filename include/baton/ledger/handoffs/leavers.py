"""The open handoffs of one owner, in pages: for somebody who leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select, text

from baton.ledger.handoffs.handoff_rows import OpenTerms, as_handoff, as_hop
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES
from baton.ledger.tables.handoffs import handoff, hop
from baton.ledger.tables.leads import lead, person

_LOCK = 7_302_155_167


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedHandoff:
    """An open handoff as its owner's list shows it. `owner_is_ours`: we may write the record's."""

    handoff_id: int
    key: str
    lead_id: int
    hubspot_id: str
    company: str | None
    band: str | None
    state: str
    due: datetime | None
    change_owner: bool


def lock(conn: Connection) -> None:
    """Let one transaction at a time hand over what leavers have; held until it ends."""
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def count_open(conn: Connection, owner_key: str) -> int:
    """Return how many open handoffs somebody has now."""
    query = _present(owner_key, select(func.count()))
    return int(conn.execute(query).scalar_one())


def open_of_owner(conn: Connection, owner_key: str) -> list[OwnedHandoff]:
    """Return the open handoffs of an owner, what is due first on top."""
    query = _present(
        owner_key,
        select(
            handoff.c.id,
            handoff.c.key,
            handoff.c.lead_id,
            handoff.c.band,
            handoff.c.state,
            hop.c.first_touch_due,
            hop.c.change_owner,
            lead.c.hubspot_id,
            person.c.company_name,
        ),
        of_lead=True,
    ).order_by(hop.c.first_touch_due.nulls_last(), handoff.c.id)
    return [
        OwnedHandoff(
            handoff_id=row.id,
            key=row.key,
            lead_id=row.lead_id,
            hubspot_id=row.hubspot_id,
            company=row.company_name,
            band=row.band,
            state=row.state,
            due=row.first_touch_due,
            change_owner=row.change_owner,
        )
        for row in conn.execute(query)
    ]


def page_of_owner(
    conn: Connection, owner_key: str, *, after_id: int = 0, limit: int = 100
) -> list[OpenTerms]:
    """Return open handoffs of an owner after `after_id`, oldest first, with their present hop.

    They are locked: what sales ends at the same moment is not handed over any more.
    """
    columns = (column.label(f"hop_{column.name}") for column in hop.c)
    query = (
        _present(owner_key, select(handoff, *columns))
        .where(handoff.c.id > after_id)
        .order_by(handoff.c.id)
        .limit(limit)
        .with_for_update(of=handoff)
    )
    return [
        OpenTerms(handoff=as_handoff(row), hop=as_hop(row, prefix="hop_"), recorded=frozenset())
        for row in conn.execute(query)
    ]


def _present(owner_key: str, query: Select[Any], *, of_lead: bool = False) -> Select[Any]:
    """Restrict a query to open handoffs whose newest hop is this owner's."""
    later = hop.alias("later")
    newer = and_(later.c.handoff_id == hop.c.handoff_id, later.c.number > hop.c.number)
    joined: Any = handoff.join(hop, hop.c.handoff_id == handoff.c.id)
    if of_lead:
        joined = joined.join(lead, lead.c.id == handoff.c.lead_id)
        joined = joined.outerjoin(person, person.c.lead_id == lead.c.id)
    return query.select_from(joined).where(
        handoff.c.state.in_(OPEN_HANDOFF_STATES),
        hop.c.owner_kind == "user",
        hop.c.owner_key == owner_key,
        ~select(later.c.id).where(newer).exists(),
    )
