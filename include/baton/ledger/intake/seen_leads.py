"""Leads as they come in: created, compared with what was seen before, merged as HubSpot does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, text

from baton.leads.states import FINAL_LEAD_STATES, LeadState
from baton.ledger.database.bulk import insert_rows
from baton.ledger.intake.merges import merge_into
from baton.ledger.leads.leads import (
    LeadRow,
    as_lead,
    by_hubspot_ids,
    lock_leads,
    lock_rows,
)
from baton.ledger.leads.persons import PersonFields, store_people
from baton.ledger.record import transitions
from baton.ledger.record.transitions import Transition
from baton.ledger.tables.columns import among
from baton.ledger.tables.leads import lead, snapshot

UNJUDGED_ALARM = timedelta(minutes=10)
"""How long a lead may stay in `seen` before ops are alarmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLead:
    """One lead as just read. `content` holds no personal data, `person` holds all of it."""

    hubspot_id: str
    modified_at: datetime
    seen_at: datetime
    captured_at: datetime
    content_hash: str
    content: Mapping[str, Any]
    person: PersonFields = field(default_factory=PersonFields)
    merged_ids: tuple[str, ...] = ()


def upsert_seen(conn: Connection, rows: Sequence[SeenLead]) -> dict[str, LeadRow]:
    """Record what was seen; return the ledger's row for each HubSpot id, locked.

    New leads start in `seen`. A snapshot is stored once. An older reading than the one we have
    changes nothing; neither does one of a lead that was merged or erased. Leads that HubSpot has
    merged into one of `rows` are merged here too. Call it once a transaction: rows are locked in
    the order of HubSpot ids, then of ids, so that overlapping runs wait and never deadlock.
    """
    newest = _newest(rows)
    created = _create(conn, newest)
    known = {row.hubspot_id: row for row in lock_rows(conn, among(lead.c.hubspot_id, newest))}
    fresh: list[tuple[int, SeenLead]] = []
    result: dict[str, LeadRow] = {}
    for hubspot_id, seen in newest.items():
        row = known[hubspot_id]
        changed = _is_news(row, seen)
        if changed or _is_later_echo(row, seen):
            fresh.append((row.id, seen))
        result[hubspot_id] = as_lead(row, created=hubspot_id in created, changed=changed)
    _store(conn, fresh)
    _follow_merges(conn, newest, result)
    return result


def _newest(rows: Sequence[SeenLead]) -> dict[str, SeenLead]:
    newest: dict[str, SeenLead] = {}
    for row in rows:
        other = newest.get(row.hubspot_id)
        if other is None or row.modified_at >= other.modified_at:
            newest[row.hubspot_id] = row
    return dict(sorted(newest.items()))


def _create(conn: Connection, rows: Mapping[str, SeenLead]) -> set[str]:
    # Asked first, because each refused insert would use up a number, and people read the numbers.
    known = set(
        conn.execute(select(lead.c.hubspot_id).where(among(lead.c.hubspot_id, rows))).scalars()
    )
    values = [
        {
            "hubspot_id": seen.hubspot_id,
            "state": LeadState.SEEN,
            "state_since": seen.seen_at,
            "timer_at": seen.seen_at + UNJUDGED_ALARM,
            "timer_action": "alarm_unjudged",
            "created_at": seen.seen_at,
        }
        for key, seen in rows.items()
        if key not in known
    ]
    made = insert_rows(
        conn,
        lead,
        values,
        on_conflict="(hubspot_id) DO NOTHING",
        returning=("id", "hubspot_id"),
    )
    created = {row.hubspot_id: row.id for row in made}
    transitions.record(
        conn,
        (
            Transition(
                "lead", lead_id, None, LeadState.SEEN, rows[key].seen_at, "pulled", "hubspot"
            )
            for key, lead_id in created.items()
        ),
    )
    return set(created)


def _is_news(row: Row[Any], seen: SeenLead) -> bool:
    return _is_current(row, seen) and row.last_content_hash != seen.content_hash


def _is_later_echo(row: Row[Any], seen: SeenLead) -> bool:
    """Tell whether nothing changed but HubSpot's stamp (our own write-back, say)."""
    return _is_current(row, seen) and row.last_modified_seen != seen.modified_at


def _is_current(row: Row[Any], seen: SeenLead) -> bool:
    if row.state in FINAL_LEAD_STATES:
        return False
    return row.last_modified_seen is None or row.last_modified_seen <= seen.modified_at


def _store(conn: Connection, fresh: Sequence[tuple[int, SeenLead]]) -> None:
    if not fresh:
        return
    insert_rows(
        conn,
        snapshot,
        [
            {
                "lead_id": lead_id,
                "hash": seen.content_hash,
                "modified_at": seen.modified_at,
                "seen_at": seen.seen_at,
                "captured_at": seen.captured_at,
                "content": dict(seen.content),
            }
            for lead_id, seen in fresh
        ],
        on_conflict="DO NOTHING",
    )
    conn.execute(
        text(
            "UPDATE lead SET last_modified_seen = new.at, last_content_hash = new.hash"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:ats AS timestamptz[]),"
            " CAST(:hashes AS text[])) AS new(id, at, hash) WHERE lead.id = new.id"
        ),
        {
            "ids": [lead_id for lead_id, _ in fresh],
            "ats": [seen.modified_at for _, seen in fresh],
            "hashes": [seen.content_hash for _, seen in fresh],
        },
    )
    store_people(conn, {lead_id: seen.person for lead_id, seen in fresh})


def _follow_merges(
    conn: Connection, seen: Mapping[str, SeenLead], found: dict[str, LeadRow]
) -> None:
    for hubspot_id, reading in seen.items():
        if not reading.merged_ids:
            continue
        losers = by_hubspot_ids(conn, reading.merged_ids)
        winner = found[hubspot_id]
        ids = [row.id for row in losers.values() if row.state not in FINAL_LEAD_STATES]
        if not ids or winner.state in FINAL_LEAD_STATES:
            continue
        merge_into(conn, winner.id, ids, at=reading.seen_at, by="hubspot")
        found[hubspot_id] = replace(
            lock_leads(conn, [winner.id])[winner.id],
            created=winner.created,
            changed=winner.changed,
        )
