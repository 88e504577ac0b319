"""What the page Team asks: what everybody was given, how fast they answered, and the turns of pools.

Every query is bounded by a window of time or by a number of rows.
"""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from baton.ledger.tables import roster_version

_REAL = "h.mode <> 'observe' AND h.origin <> 'test'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one owner was given by one way. `pool` None: not by a pool's turn.

    `rule` is the id of the policy's rule that decided, `change_owner` False means that an existing
    relation was kept, `moved` that somebody else had it before.
    """

    owner: str
    pool: str | None
    rule: str | None
    change_owner: bool
    moved: bool
    leads: int


@dataclass(frozen=True, slots=True)
class Answered:
    """How fast an owner touched first, in seconds from the assignment by the wall clock."""

    touched: int
    untouched: int
    median: float | None


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One lead that a pool gave: whom it chose, under which roster, and the trace of its route."""

    pool: str
    chosen: str
    roster_hash: str
    trace: Sequence[Mapping[str, Any]]


def given(conn: Connection, since: datetime, until: datetime) -> list[Given]:
    """Return how many leads every person was given in [since, until), and by which way."""
    query = text(
        f"""
        SELECT hop.owner_key AS owner, hop.pool, hop.change_owner, hop.number > 1 AS moved,
            CASE WHEN hop.pool IS NULL AND hop.number = 1 THEN d.rule END AS rule,
            count(*) AS leads
        FROM hop JOIN handoff h ON h.id = hop.handoff_id
        LEFT JOIN decision d ON d.id = h.decision_id AND hop.pool IS NULL AND hop.number = 1
        WHERE hop.assigned_at >= :since AND hop.assigned_at < :until
          AND hop.owner_kind = 'user' AND {_REAL}
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        """
    )
    rows = conn.execute(query, {"since": since, "until": until})
    return [Given(**row._asdict()) for row in rows]


def answered(conn: Connection, since: datetime, until: datetime) -> dict[str, Answered]:
    """Return how fast everybody touched what was assigned to them first in [since, until)."""
    query = text(
        f"""
        SELECT owner_key, count(passed) AS touched, count(*) - count(passed) AS untouched,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY passed) AS median
        FROM (
            SELECT hop.owner_key, CASE WHEN h.first_touch_at IS NOT NULL
                THEN greatest(0, extract(epoch FROM h.first_touch_at - hop.assigned_at)) END AS passed
            FROM hop JOIN handoff h ON h.id = hop.handoff_id
            WHERE hop.assigned_at >= :since AND hop.assigned_at < :until AND hop.number = 1
              AND hop.owner_kind = 'user' AND {_REAL}
        ) AS each GROUP BY owner_key
        """
    )
    rows = conn.execute(query, {"since": since, "until": until})
    return {
        owner: Answered(touched, untouched, None if median is None else float(median))
        for owner, touched, untouched, median in rows
    }


def turns(
    conn: Connection, pools: Sequence[str], since: datetime, until: datetime, *, most: int
) -> list[StoredTurn]:
    """Return the newest leads that each pool gave in [since, until), at most `most` of each.

    Passings on are left out: their trace belongs to the decision that took the lead away.
    """
    query = text(
        f"""
        SELECT newest.pool, newest.owner_key, d.roster_hash, d.result #> '{{route,trace}}' AS trace
        FROM unnest(CAST(:pools AS text[])) AS wanted (pool)
        CROSS JOIN LATERAL (
            SELECT hop.pool, hop.owner_key, h.decision_id
            FROM hop JOIN handoff h ON h.id = hop.handoff_id
            WHERE hop.pool = wanted.pool AND hop.number = 1 AND hop.assigned_at >= :since
              AND hop.assigned_at < :until AND {_REAL}
            ORDER BY hop.assigned_at DESC LIMIT :most
        ) AS newest
        JOIN decision d ON d.id = newest.decision_id
        """
    )
    asked = {"pools": list(pools), "since": since, "until": until, "most": most}
    return [
        StoredTurn(row.pool, row.owner_key, row.roster_hash, row.trace or ())
        for row in conn.execute(query, asked)
    ]


def weights(conn: Connection, hashes: Sequence[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Return the weights by member, pool and roster (its hash)."""
    query = text(
        f"SELECT DISTINCT ON (hash) hash, content -> 'pools' AS pools FROM {roster_version.name}"
        " WHERE hash = ANY(CAST(:hashes AS text[])) ORDER BY hash, id"
    )
    return {
        row.hash: {
            pool["name"]: {one["rep"]: one["weight"] for one in pool["members"]}
            for pool in row.pools
        }
        for row in conn.execute(query, {"hashes": sorted(set(hashes))})
    }
