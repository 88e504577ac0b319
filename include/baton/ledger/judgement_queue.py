"""Leads whose time to be judged again has come, though nothing about them changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from baton.ledger.tables import lead

JUDGE_AGAIN = ("judge_again", "route_to_fallback", "return")
"""Timer actions that ask for a new judgement; the others are carried out without one."""


def due(conn: Connection, now: datetime, *, limit: int = 500) -> tuple[str, ...]:
    """Return the HubSpot ids of up to `limit` such leads, longest due first."""
    query = (
        select(lead.c.hubspot_id)
        .where(lead.c.timer_at <= now, lead.c.timer_action.in_(JUDGE_AGAIN))
        .order_by(lead.c.timer_at, lead.c.id)
        .limit(limit)
    )
    return tuple(conn.execute(query).scalars())
