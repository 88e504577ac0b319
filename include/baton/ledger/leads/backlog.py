"""Leads that are held until there is room for them: by what they wait for, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from baton.ledger.tables.leads import lead

WAITS_FOR_ROOM = ("drip", "nobody_available")
"""Reasons for holding a lead that end when somebody has room."""

_BEST = text(
    """
    SELECT lead.hubspot_id FROM lead
    JOIN snapshot ON snapshot.lead_id = lead.id AND snapshot.hash = lead.last_content_hash
    WHERE lead.held_for = :held_for AND lead.waits_for IS NOT DISTINCT FROM :waits_for
      AND lead.retry_at <= :now
    ORDER BY array_position(CAST(:bands AS text[]), lead.band), lead.score_milli DESC NULLS LAST,
        snapshot.captured_at, lead.id
    LIMIT :most
    """
)


@dataclass(frozen=True, slots=True)
class Queue:
    """Leads that wait for the same thing, and how many of them may be tried now."""

    held_for: str
    waits_for: str | None
    leads: int


def queues(conn: Connection, now: datetime) -> list[Queue]:
    """Return what leads wait for that may be tried again."""
    query = (
        select(lead.c.held_for, lead.c.waits_for, func.count())
        .where(lead.c.held_for.in_(WAITS_FOR_ROOM), lead.c.retry_at <= now)
        .group_by(lead.c.held_for, lead.c.waits_for)
        .order_by(lead.c.held_for, lead.c.waits_for)
    )
    return [Queue(*row) for row in conn.execute(query)]


def best(
    conn: Connection, queue: Queue, *, bands: Sequence[str], now: datetime, most: int
) -> list[str]:
    """Return the HubSpot ids of the best leads of a queue: by band, then score, then age.

    `bands` are the policy's, highest first.
    """
    values = {
        "held_for": queue.held_for,
        "waits_for": queue.waits_for,
        "bands": list(bands),
        "now": now,
        "most": most,
    }
    return list(conn.execute(_BEST, values).scalars())


def put_off(conn: Connection, hubspot_ids: Sequence[str], until: datetime) -> None:
    """Leave leads alone until then; their timers stay."""
    conn.execute(
        text("UPDATE lead SET retry_at = :until WHERE hubspot_id = ANY(CAST(:ids AS text[]))"),
        {"until": until, "ids": list(hubspot_ids)},
    )
