"""Everything needed to render the effects of a handoff, read in one query for many of them.

Only that: reading documents nobody looks at took longer than writing the records did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, null, select
from sqlalchemy.dialects.postgresql import distinct_on

from baton.ledger.leads.persons import PersonFields, told
from baton.ledger.tables.columns import among
from baton.ledger.tables.handoffs import disposition, handoff, hop
from baton.ledger.tables.leads import lead
from baton.ledger.tables.record import decision

FORGOTTEN = PersonFields()


@dataclass(frozen=True, slots=True)
class HopTerms:
    """One assignment: whom, since when, with which terms."""

    number: int
    owner_kind: str
    owner_key: str
    pool: str | None
    change_owner: bool
    assigned_at: datetime
    first_touch_due: datetime | None
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HandoffDossier:
    """A handoff with its lead, person and hops; its decision's `score` where it was asked for."""

    handoff_id: int
    key: str
    state: str
    mode: str
    captured_at: datetime
    decided_at: datetime
    band: str | None
    trigger: str | None
    score_milli: int | None
    source: str | None
    package: Mapping[str, Any]
    score: Mapping[str, Any]
    lead_id: int
    hubspot_id: str
    salesforce_lead_id: str | None
    salesforce_contact_id: str | None
    person: PersonFields
    hops: tuple[HopTerms, ...]

    def hop(self, number: int) -> HopTerms:
        """Return the hop with this number."""
        return next(one for one in self.hops if one.number == number)

    def key_of(self, number: int) -> str:
        """Return the key of a hop, as it stands in Salesforce's Handoff_Key__c."""
        return f"{self.key}.{number}"


_TOLD = (
    "id", "key", "state", "mode", "captured_at", "decided_at", "band", "trigger", "score_milli",
    "source", "package", "lead_id",
)  # fmt: skip


def handoff_dossiers(
    conn: Connection, handoff_ids: Iterable[int], *, scored: bool = False
) -> dict[int, HandoffDossier]:
    """Return the dossiers of these handoffs by handoff id; `scored`: with their decisions' scores.

    A score lies deep in the longest document there is, and only a Lead's record shows it.
    """
    ids = sorted(set(handoff_ids))
    if not ids:
        return {}
    hops = _hops(conn, ids)
    columns = [
        *(handoff.c[name] for name in _TOLD),
        lead.c.hubspot_id,
        lead.c.salesforce_lead_id,
        lead.c.salesforce_contact_id,
        (decision.c.result["score"] if scored else null()).label("score"),
    ]
    rows = conn.execute(
        select(*columns)
        .join(lead, lead.c.id == handoff.c.lead_id)
        .join(decision, decision.c.id == handoff.c.decision_id)
        .where(among(handoff.c.id, ids))
    ).all()
    persons = told(conn, [row.lead_id for row in rows])
    return {
        row.id: _dossier(row, hops.get(row.id, ()), persons.get(row.lead_id, FORGOTTEN))
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class LeadDossier:
    """A lead with its person, its newest decision, and what its newest handoff came to."""

    lead_id: int
    hubspot_id: str
    state: str
    band: str | None
    score_milli: int | None
    cycle: int
    decided_at: datetime | None
    score: Mapping[str, Any]
    person: PersonFields
    handoff_key: str | None = None
    owner_key: str | None = None
    disposition_code: str | None = None
    return_at: datetime | None = None
    handoff_state: str | None = None
    cold_since: datetime | None = None


def lead_dossiers(conn: Connection, lead_ids: Iterable[int]) -> dict[int, LeadDossier]:
    """Return the dossiers of these leads by lead id."""
    ids = sorted(set(lead_ids))
    if not ids:
        return {}
    newest = (
        select(decision.c.lead_id, decision.c.decided_at, decision.c.result["score"].label("score"))
        .ext(distinct_on(decision.c.lead_id))
        .where(among(decision.c.lead_id, ids))
        .order_by(decision.c.lead_id, decision.c.id.desc())
        .ext(distinct_on(decision.c.lead_id))
        .subquery()
    )
    rows = conn.execute(
        select(lead, newest.c.decided_at, newest.c.score)
        .outerjoin(newest, newest.c.lead_id == lead.c.id)
        .where(among(lead.c.id, ids))
    )
    persons = told(conn, ids)
    newest_handoffs = _newest_handoffs(conn, ids)
    return {
        row.id: LeadDossier(
            lead_id=row.id,
            hubspot_id=row.hubspot_id,
            state=row.state,
            band=row.band,
            score_milli=row.score_milli,
            cycle=row.cycle,
            decided_at=row.decided_at,
            score=row.score or {},
            person=persons.get(row.id, FORGOTTEN),
            cold_since=row.cold_since,
            **newest_handoffs.get(row.id, {}),
        )
        for row in rows
    }


def _newest_handoffs(conn: Connection, lead_ids: list[int]) -> dict[int, dict[str, Any]]:
    """Return key, present owner, reason code and return of each lead's newest handoff."""
    return_at = (
        select(disposition.c.return_at)
        .where(disposition.c.handoff_id == handoff.c.id)
        .order_by(disposition.c.at.desc(), disposition.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            handoff.c.lead_id,
            handoff.c.key.label("handoff_key"),
            handoff.c.state.label("handoff_state"),
            handoff.c.disposition_code,
            hop.c.owner_key,
            return_at.label("return_at"),
        )
        .ext(distinct_on(handoff.c.lead_id))
        .join(hop, hop.c.handoff_id == handoff.c.id)
        .where(among(handoff.c.lead_id, lead_ids))
        .order_by(handoff.c.lead_id, handoff.c.id.desc(), hop.c.number.desc())
        .ext(distinct_on(handoff.c.lead_id))
    )
    names = ("handoff_key", "handoff_state", "owner_key", "disposition_code", "return_at")
    rows = conn.execute(query).mappings()
    return {row["lead_id"]: {name: row[name] for name in names} for row in rows}


def _hops(conn: Connection, handoff_ids: list[int]) -> dict[int, tuple[HopTerms, ...]]:
    found: dict[int, list[HopTerms]] = {}
    rows = conn.execute(
        select(hop).where(among(hop.c.handoff_id, handoff_ids)).order_by(hop.c.number)
    ).all()
    for row in rows:
        found.setdefault(row.handoff_id, []).append(
            HopTerms(
                number=row.number,
                owner_kind=row.owner_kind,
                owner_key=row.owner_key,
                pool=row.pool,
                change_owner=row.change_owner,
                assigned_at=row.assigned_at,
                first_touch_due=row.first_touch_due,
                terms=row.terms,
            )
        )
    return {handoff_id: tuple(hops) for handoff_id, hops in found.items()}


def _dossier(row: Row[Any], hops: tuple[HopTerms, ...], person: PersonFields) -> HandoffDossier:
    return HandoffDossier(
        handoff_id=row.id,
        key=row.key,
        state=row.state,
        mode=row.mode,
        captured_at=row.captured_at,
        decided_at=row.decided_at,
        band=row.band,
        trigger=row.trigger,
        score_milli=row.score_milli,
        source=row.source,
        package=row.package,
        score=row.score or {},
        lead_id=row.lead_id,
        hubspot_id=row.hubspot_id,
        salesforce_lead_id=row.salesforce_lead_id,
        salesforce_contact_id=row.salesforce_contact_id,
        person=person,
        hops=hops,
    )
