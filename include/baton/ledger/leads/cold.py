"""Leads that went cold: with marketing, and without activity for as long as the policy says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from baton.ledger.tables.columns import among
from baton.ledger.tables.leads import lead, snapshot


def last_activity(conn: Connection, lead_ids: Iterable[int]) -> dict[int, datetime]:
    """Return when each lead last changed in a way that counts; our own write-backs do not."""
    query = (
        select(snapshot.c.lead_id, func.max(snapshot.c.modified_at))
        .where(among(snapshot.c.lead_id, lead_ids))
        .group_by(snapshot.c.lead_id)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def mark(conn: Connection, lead_ids: Iterable[int], *, at: datetime) -> None:
    """Mark leads as cold; those that are cold already stay so since then."""
    conn.execute(
        update(lead)
        .where(among(lead.c.id, lead_ids))
        .values(cold_since=func.coalesce(lead.c.cold_since, at))
    )


def warm(conn: Connection, lead_ids: Iterable[int]) -> None:
    """Take the mark away: something happened."""
    conn.execute(
        update(lead)
        .where(among(lead.c.id, lead_ids), lead.c.cold_since.is_not(None))
        .values(cold_since=None)
    )
