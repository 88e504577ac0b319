"""What waits in quarantine, by reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

_WAITING = (
    "FROM lead l CROSS JOIN LATERAL (SELECT result FROM decision WHERE lead_id = l.id"
    " ORDER BY id DESC LIMIT 1) AS last WHERE l.state = 'quarantined'"
)


@dataclass(frozen=True, slots=True)
class WaitingLead:
    """A lead in quarantine by its HubSpot id, and since when."""

    hubspot_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Quarantine:
    """How many leads wait, why (words and number of leads, most first), the oldest, the newest."""

    count: int
    reasons: tuple[tuple[str, int], ...] = ()
    oldest: tuple[WaitingLead, ...] = ()
    newest: WaitingLead | None = None


def waiting(conn: Connection, *, most: int = 5) -> Quarantine:
    """Return what waits now, with at most `most` of the oldest leads."""
    count = conn.execute(text("SELECT count(*) FROM lead WHERE state = 'quarantined'")).scalar_one()
    if not count:
        return Quarantine(0)
    reasons = conn.execute(
        text(
            "SELECT failure ->> 'message' AS words, count(DISTINCT id) AS leads FROM ("  # noqa: S608
            f"SELECT l.id, jsonb_array_elements(last.result -> 'failures') AS failure {_WAITING}"
            ") AS each GROUP BY 1 ORDER BY 2 DESC, 1"
        )
    )
    by_age = "SELECT hubspot_id, state_since FROM lead WHERE state = 'quarantined' ORDER BY"
    oldest = conn.execute(text(f"{by_age} state_since, id LIMIT :most"), {"most": most})
    newest = conn.execute(text(f"{by_age} state_since DESC, id DESC LIMIT 1")).one()
    return Quarantine(
        count,
        tuple((row.words, row.leads) for row in reasons),
        tuple(WaitingLead(*row) for row in oldest),
        WaitingLead(*newest),
    )
