"""What outside providers said, kept for a while, and what may be asked of them today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, delete, select, text

from baton.ledger.database.bulk import insert_rows
from baton.ledger.tables.around_leads import enrichment_budget, enrichment_cache
from baton.ledger.tables.columns import among

Values = Mapping[str, str]


def cached(
    conn: Connection, provider: str, keys: Iterable[str], now: datetime
) -> dict[str, tuple[Values, datetime]]:
    """Return what a provider said of these keys, with when it said so; expired answers left out."""
    query = select(enrichment_cache).where(
        enrichment_cache.c.provider == provider,
        among(enrichment_cache.c.key, keys),
        enrichment_cache.c.expires_at > now,
    )
    return {row.key: (row.found, row.found_at) for row in conn.execute(query)}


def remember(
    conn: Connection,
    provider: str,
    found: Mapping[str, Values],
    *,
    at: datetime,
    until: datetime,
) -> None:
    """Keep what a provider said until `until`; an empty answer is one too."""
    insert_rows(
        conn,
        enrichment_cache,
        [
            {
                "provider": provider,
                "key": key,
                "found": dict(values),
                "found_at": at,
                "expires_at": until,
            }
            for key, values in sorted(found.items())
        ],
        on_conflict=(
            "(provider, key) DO UPDATE SET found = excluded.found,"
            " found_at = excluded.found_at, expires_at = excluded.expires_at"
        ),
    )


def reserve(conn: Connection, provider: str, day: date, *, wanted: int, budget: int) -> int:
    """Take up to `wanted` of what is left of a day's budget, for all processes together.

    Return how much there was. The row stays locked until the transaction ends: keep it short.
    """
    conn.execute(
        text(
            "INSERT INTO enrichment_budget (provider, day, used) VALUES (:provider, :day, 0)"
            " ON CONFLICT DO NOTHING"
        ),
        {"provider": provider, "day": day},
    )
    row = enrichment_budget.c
    used: int = conn.execute(
        select(row.used).where(row.provider == provider, row.day == day).with_for_update()
    ).scalar_one()
    granted = max(0, min(wanted, budget - used))
    conn.execute(
        text(
            "UPDATE enrichment_budget SET used = used + :granted"
            " WHERE provider = :provider AND day = :day"
        ),
        {"granted": granted, "provider": provider, "day": day},
    )
    return granted


def used(conn: Connection, day: date) -> dict[str, int]:
    """Return what each provider has been asked for on a day."""
    rows = conn.execute(select(enrichment_budget).where(enrichment_budget.c.day == day))
    return {row.provider: row.used for row in rows}


def forget_expired(conn: Connection, now: datetime) -> int:
    """Delete answers that are too old. Return how many there were."""
    return conn.execute(
        delete(enrichment_cache).where(enrichment_cache.c.expires_at <= now)
    ).rowcount
