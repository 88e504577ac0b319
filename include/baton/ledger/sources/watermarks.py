"""Watermarks: how far each source has been read; committed with the data that was read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.sources import watermark


def get(conn: Connection, source: str, *, lock: bool = False) -> str | None:
    """Return the watermark of a source, or None. `lock` makes overlapping readers wait."""
    query = select(watermark.c.value).where(watermark.c.source == source)
    if lock:
        query = query.with_for_update()
    value: str | None = conn.execute(query).scalar_one_or_none()
    return value


def set(conn: Connection, source: str, value: str, *, at: datetime) -> None:  # noqa: A001 - watermarks.set
    """Set the watermark of a source."""
    values = {"value": value, "updated_at": at}
    conn.execute(
        insert(watermark)
        .values(source=source, **values)
        .on_conflict_do_update(index_elements=[watermark.c.source], set_=values)
    )


def get_instant(conn: Connection, source: str, *, lock: bool = False) -> datetime | None:
    """Return a watermark that is an instant, or None."""
    value = get(conn, source, lock=lock)
    return None if value is None else datetime.fromisoformat(value)


def advance(conn: Connection, source: str, instant: datetime, *, at: datetime) -> None:
    """Set a watermark that is an instant; it never moves back, whoever finishes last."""
    known = get_instant(conn, source, lock=True)
    if known is None or instant > known:
        set(conn, source, instant.isoformat(), at=at)


def all_watermarks(conn: Connection) -> dict[str, tuple[str, datetime]]:
    """Return every watermark as (value, when it was set), by source."""
    rows = conn.execute(select(watermark).order_by(watermark.c.source))
    return {row.source: (row.value, row.updated_at) for row in rows}
