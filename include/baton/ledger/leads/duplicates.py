"""Contacts that may be one person: linked by the signs in the person table, listed, never merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from baton.leads.identity import CONFIDENCE, Duplicate, Sign
from baton.leads.states import FINAL_LEAD_STATES
from baton.ledger.database.bulk import insert_rows
from baton.ledger.tables.around_leads import duplicate_link
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, one_of

_FINAL = ", ".join(f"'{state.value}'" for state in sorted(FINAL_LEAD_STATES))
LARGEST_GROUP = 20
"""A sign that more contacts share is no person's (a telephone exchange, a test address)."""

# Sign by sign through the index: a join lets the planner compare everybody with everybody as long as
# it believes the tables small, as in the first minutes of a first load.
_SHARED = f"""
WITH mine AS (
    SELECT DISTINCT p.lead_id, sign.value AS sign
    FROM person p CROSS JOIN LATERAL jsonb_array_elements_text(p.identity) AS sign(value)
    WHERE p.erased_at IS NULL AND p.lead_id = ANY(:ids)
), shared AS (
    SELECT mine.sign, mine.lead_id, other.lead_id AS other_id,
           count(*) OVER (PARTITION BY mine.lead_id, mine.sign) AS many
    FROM mine CROSS JOIN LATERAL (
        SELECT p.lead_id FROM person p JOIN lead l ON l.id = p.lead_id
        WHERE p.identity @> to_jsonb(mine.sign) AND p.lead_id <> mine.lead_id
            AND p.erased_at IS NULL AND l.state NOT IN ({_FINAL})
        LIMIT {LARGEST_GROUP}
    ) AS other
)
SELECT DISTINCT least(lead_id, other_id) AS lead_id, greatest(lead_id, other_id) AS other_id,
       split_part(sign, ':', 1) AS sign
FROM shared WHERE many < {LARGEST_GROUP} ORDER BY 1, 2, 3
"""  # noqa: S608 - names of states and a number, no values of anybody

_RECORDS = f"""
SELECT DISTINCT least(a.id, b.id) AS lead_id, greatest(a.id, b.id) AS other_id,
       '{Sign.SALESFORCE_RECORD}' AS sign
FROM lead a JOIN lead b ON b.id <> a.id AND (b.salesforce_lead_id = a.salesforce_lead_id
    OR b.salesforce_contact_id = a.salesforce_contact_id)
WHERE a.state NOT IN ({_FINAL}) AND b.state NOT IN ({_FINAL})
    AND a.id = ANY(:ids) ORDER BY 1, 2
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class DuplicateRow:
    """Two contacts that may be one person, the older one first. No personal data."""

    lead_id: int
    other_id: int
    hubspot_id: str
    other_hubspot_id: str
    state: str
    other_state: str
    sign: str
    confidence: int
    found_at: datetime


def link(conn: Connection, lead_ids: Iterable[int], *, at: datetime) -> int:
    """Link these leads with all that share a sign with them; return how many links are new."""
    ids = sorted(set(lead_ids))
    if not ids:
        return 0
    found = [
        row for query in (_SHARED, _RECORDS) for row in conn.execute(text(query), {"ids": ids})
    ]
    _in_order(conn, {each for row in found for each in (row.lead_id, row.other_id)})
    made = insert_rows(
        conn,
        duplicate_link,
        [
            {
                "lead_id": row.lead_id,
                "other_id": row.other_id,
                "sign": row.sign,
                "confidence": CONFIDENCE[Sign(row.sign)],
                "found_at": at,
            }
            for row in found
        ],
        on_conflict="DO NOTHING",
        returning=("lead_id",),
    )
    return len(made)


def _in_order(conn: Connection, lead_ids: Iterable[int]) -> None:
    """Take the locks that links need, by id as everybody does: pair by pair they could deadlock."""
    query = text("SELECT id FROM lead WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE")
    conn.execute(query, {"ids": sorted(lead_ids)})


def judged_since(conn: Connection, since: datetime) -> list[int]:
    """Return the leads that were decided on since then."""
    query = text("SELECT DISTINCT lead_id FROM decision WHERE decided_at >= :since ORDER BY 1")
    return list(conn.execute(query, {"since": since}).scalars())


def listed(conn: Connection, *, limit: int = 1000) -> list[DuplicateRow]:
    """Return the links that a person still has to settle, surest and newest first."""
    query = text(
        "SELECT d.*, a.hubspot_id, b.hubspot_id AS other_hubspot_id, a.state,"  # noqa: S608
        " b.state AS other_state FROM duplicate_link d JOIN lead a ON a.id = d.lead_id"
        " JOIN lead b ON b.id = d.other_id"
        f" WHERE a.state NOT IN ({_FINAL}) AND b.state NOT IN ({_FINAL})"
        " ORDER BY d.confidence DESC, d.found_at DESC, d.lead_id, d.other_id, d.sign LIMIT :limit"
    )
    return [DuplicateRow(**row._asdict()) for row in conn.execute(query, {"limit": limit})]


def count(conn: Connection) -> int:
    """Return how many pairs a person still has to settle."""
    query = text(
        "SELECT count(DISTINCT (d.lead_id, d.other_id)) FROM duplicate_link d"  # noqa: S608
        " JOIN lead a ON a.id = d.lead_id JOIN lead b ON b.id = d.other_id"
        f" WHERE a.state NOT IN ({_FINAL}) AND b.state NOT IN ({_FINAL})"
    )
    return int(conn.execute(query).scalar_one())


def of_leads(
    conn: Connection, lead_ids: Iterable[int]
) -> dict[int, tuple[tuple[int, Duplicate], ...]]:
    """Return for each lead its duplicates as (lead id, what the decision needs), surest first."""
    ids = sorted(set(lead_ids))
    if not ids:
        return {}
    query = text(
        "SELECT pair.mine, pair.other, l.hubspot_id, pair.sign, pair.confidence,"  # noqa: S608
        " newest.owner_key, newest.open_key FROM ("
        "  SELECT lead_id AS mine, other_id AS other, sign, confidence FROM duplicate_link"
        "  WHERE lead_id = ANY(:ids) UNION ALL"
        "  SELECT other_id, lead_id, sign, confidence FROM duplicate_link"
        "  WHERE other_id = ANY(:ids)) AS pair"
        f" JOIN lead l ON l.id = pair.other AND l.state NOT IN ({_FINAL})"
        " LEFT JOIN LATERAL ("
        "  SELECT CASE WHEN hop.owner_kind = 'user' THEN hop.owner_key END AS owner_key,"
        "   CASE WHEN " + one_of("h.state", OPEN_HANDOFF_STATES) + " THEN h.key END AS open_key"
        "  FROM handoff h JOIN hop ON hop.handoff_id = h.id WHERE h.lead_id = pair.other"
        "  ORDER BY h.id DESC, hop.number DESC LIMIT 1) AS newest ON true"
        " ORDER BY pair.mine, pair.confidence DESC, pair.other, pair.sign"
    )
    found: dict[int, list[tuple[int, Duplicate]]] = {}
    for row in conn.execute(query, {"ids": ids}):
        mine = found.setdefault(row.mine, [])
        if all(other != row.other for other, _ in mine):
            mine.append(
                (
                    row.other,
                    Duplicate(
                        row.hubspot_id, row.sign, row.confidence, row.owner_key, row.open_key
                    ),
                )
            )
    return {lead_id: tuple(several) for lead_id, several in found.items()}
