"""Handoffs that were only observed: read for comparison and for the cut-over, and taken over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    Text,
    any_,
    func,
    literal,
    select,
    update,
)

from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, among
from baton.ledger.tables.handoffs import handoff, hop
from baton.ledger.tables.leads import lead, person


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedHandoff:
    """An observed handoff with its first hop: what we would have done. `email` is personal."""

    id: int
    key: str
    lead_id: int
    hubspot_id: str
    state: str
    form: str | None
    territory: str | None
    captured_at: datetime
    decided_at: datetime
    owner_kind: str
    owner_key: str
    pool: str | None
    change_owner: bool
    adopted_at: datetime | None
    email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class KnownLead:
    """A lead as found by HubSpot id or e-mail: where it is, and why."""

    id: int
    hubspot_id: str
    state: str
    held_for: str | None


def still_open(conn: Connection, *, after: int = 0, limit: int = 200) -> list[ObservedHandoff]:
    """Return open observed handoffs that nobody has taken over, by id, from the one behind `after`."""
    query = _observed(
        handoff.c.id > after,
        handoff.c.state.in_(OPEN_HANDOFF_STATES),
        handoff.c.adopted_at.is_(None),
    )
    return _rows(conn, query.order_by(handoff.c.id).limit(limit))


def decided_since(conn: Connection, since: datetime, until: datetime) -> list[ObservedHandoff]:
    """Return what was observed in [since, until), oldest first; no tests."""
    query = _observed(
        handoff.c.decided_at >= since, handoff.c.decided_at < until, handoff.c.origin != "test"
    )
    return _rows(conn, query.order_by(handoff.c.id))


def count_open(conn: Connection) -> dict[tuple[str | None, str | None], int]:
    """Return how many are open and not taken over, by form and territory."""
    query = (
        select(handoff.c.form, handoff.c.territory, func.count())
        .where(
            handoff.c.mode == "observe",
            handoff.c.state.in_(OPEN_HANDOFF_STATES),
            handoff.c.adopted_at.is_(None),
        )
        .group_by(handoff.c.form, handoff.c.territory)
    )
    return {(row[0], row[1]): row[2] for row in conn.execute(query)}


def forms_seen(conn: Connection) -> list[str]:
    """Return the forms of all handoffs there are, by name."""
    query = select(handoff.c.form).where(handoff.c.form.is_not(None)).distinct()
    return sorted(conn.execute(query).scalars())


def mark_adopted(conn: Connection, handoff_id: int, *, at: datetime) -> None:
    """Note that sales works it as Salesforce had it."""
    conn.execute(update(handoff).where(handoff.c.id == handoff_id).values(adopted_at=at))


def make_live(conn: Connection, handoff_ids: Iterable[int]) -> None:
    """Turn observed handoffs that nobody has into live ones; a new hop must follow."""
    conn.execute(update(handoff).where(among(handoff.c.id, handoff_ids)).values(mode="live"))


def adopted_open(conn: Connection, salesforce_ids: Sequence[str]) -> dict[str, int]:
    """Return the open adopted handoff of each of these Salesforce records, by the record's id."""
    found: dict[str, int] = {}
    for column in (lead.c.salesforce_contact_id, lead.c.salesforce_lead_id):
        query = (
            select(column, handoff.c.id)
            .join(lead, lead.c.id == handoff.c.lead_id)
            .where(
                among(column, salesforce_ids),
                handoff.c.adopted_at.is_not(None),
                handoff.c.state.in_(OPEN_HANDOFF_STATES),
            )
        )
        found.update({row[0]: row[1] for row in conn.execute(query)})
    return found


def known_leads(
    conn: Connection, hubspot_ids: Sequence[str], emails: Sequence[str]
) -> tuple[dict[str, KnownLead], dict[str, KnownLead]]:
    """Return leads by HubSpot id and by e-mail in lower case."""
    columns = (lead.c.id, lead.c.hubspot_id, lead.c.state, lead.c.held_for)
    by_id = {
        row.hubspot_id: KnownLead(*row)
        for row in conn.execute(select(*columns).where(among(lead.c.hubspot_id, hubspot_ids)))
    }
    address = func.lower(person.c.email)
    query = (
        select(*columns, address.label("address"))
        .join(person, person.c.lead_id == lead.c.id)
        .where(address == any_(literal([one.lower() for one in emails], ARRAY(Text))))
    )
    rows = conn.execute(query)
    return by_id, {row.address: KnownLead(*row[:4]) for row in rows}


def _observed(*conditions: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return (
        select(
            handoff.c.id,
            handoff.c.key,
            handoff.c.lead_id,
            lead.c.hubspot_id,
            handoff.c.state,
            handoff.c.form,
            handoff.c.territory,
            handoff.c.captured_at,
            handoff.c.decided_at,
            hop.c.owner_kind,
            hop.c.owner_key,
            hop.c.pool,
            hop.c.change_owner,
            handoff.c.adopted_at,
            person.c.email,
        )
        .join(lead, lead.c.id == handoff.c.lead_id)
        .join(hop, (hop.c.handoff_id == handoff.c.id) & (hop.c.number == 1))
        .outerjoin(person, person.c.lead_id == lead.c.id)
        .where(handoff.c.mode == "observe", *conditions)
    )


def _rows(conn: Connection, query: Select[tuple[object, ...]]) -> list[ObservedHandoff]:
    return [ObservedHandoff(**row._asdict()) for row in conn.execute(query)]
