"""What the pages call people: their names as the roster has them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

_NAMES = text(
    """
    SELECT person ->> 'key' AS key, person ->> 'name' AS name
    FROM (SELECT content FROM roster_version ORDER BY id DESC LIMIT 1) AS present,
        jsonb_array_elements(present.content -> 'people') AS person
    """
)


def names(conn: Connection) -> Mapping[str, str]:
    """Return the names of everybody on the current roster, by key; empty without a roster."""
    return {row.key: row.name for row in conn.execute(_NAMES)}
