"""Leads whose time to be judged again has come, though nothing about them changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from baton.ledger.tables.leads import lead

RE_CHECK = "re_check"
"""Timer action: a person wants it judged again, as it is."""
RELEASE = "release"
"""Timer action: a person lets it pass, whatever held it."""
RELEASE_BATCH = "release_batch"
"""Timer action: a person, or the deadline, lets a batch pass that the limits held back."""
JUDGE_AGAIN = ("judge_again", "route_to_fallback", "return", RE_CHECK, RELEASE, RELEASE_BATCH)
"""Timer actions that ask for a new judgement; the others are carried out without one."""
HELD_BY_HAND = "by_hand"
"""The reason code of leads that a person holds: they are not judged before their time."""


def due(conn: Connection, now: datetime, *, limit: int = 500) -> tuple[str, ...]:
    """Return the HubSpot ids of up to `limit` such leads, longest due first."""
    query = (
        select(lead.c.hubspot_id)
        .where(lead.c.timer_at <= now, lead.c.timer_action.in_(JUDGE_AGAIN))
        .order_by(lead.c.timer_at, lead.c.id)
        .limit(limit)
    )
    return tuple(conn.execute(query).scalars())
