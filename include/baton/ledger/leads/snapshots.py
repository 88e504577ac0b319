"""What was seen of leads at single moments, without personal data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from baton.ledger.tables.leads import snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSnapshot:
    """One stored snapshot. `content` holds no personal data."""

    lead_id: int
    hash: str
    modified_at: datetime
    seen_at: datetime
    captured_at: datetime
    content: Mapping[str, Any]


def snapshot_of(conn: Connection, lead_id: int, content_hash: str) -> SeenSnapshot | None:
    """Return what was seen of a lead, by the hash of its content, without personal data."""
    row = conn.execute(
        select(snapshot).where(snapshot.c.lead_id == lead_id, snapshot.c.hash == content_hash)
    ).one_or_none()
    return SeenSnapshot(**row._asdict()) if row else None
