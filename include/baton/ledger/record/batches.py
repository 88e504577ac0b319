"""Batches: one run's worth of leads, with the policy and roster it was decided by."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from baton.ledger.tables.record import batch


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One batch. `counts` are numbers by name; `run` names the Airflow run that asked for it."""

    id: uuid.UUID
    kind: str
    mode: str
    policy_hash: str | None
    roster_hash: str | None
    created_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, Any]
    run: str | None = None


def create(
    conn: Connection,
    batch_id: uuid.UUID,
    *,
    kind: str,
    mode: str,
    policy_hash: str | None,
    roster_hash: str | None,
    at: datetime,
    run: str | None = None,
) -> None:
    """Begin a batch. Policy and roster are pinned here, for all of it."""
    conn.execute(
        insert(batch).values(
            id=batch_id,
            kind=kind,
            mode=str(mode),
            policy_hash=policy_hash,
            roster_hash=roster_hash,
            created_at=at,
            run=run,
        )
    )


def finish(
    conn: Connection, batch_id: uuid.UUID, *, counts: Mapping[str, int], at: datetime
) -> None:
    """End a batch and store its counts."""
    conn.execute(
        update(batch).where(batch.c.id == batch_id).values(finished_at=at, counts=dict(counts))
    )


def get(conn: Connection, batch_id: uuid.UUID) -> BatchRow | None:
    """Return one batch, or None."""
    row = conn.execute(select(batch).where(batch.c.id == batch_id)).one_or_none()
    return BatchRow(**row._asdict()) if row else None


def recent(conn: Connection, *, limit: int = 50) -> list[BatchRow]:
    """Return the newest batches first."""
    rows = conn.execute(select(batch).order_by(batch.c.created_at.desc()).limit(limit))
    return [BatchRow(**row._asdict()) for row in rows]
