"""What the page Team asks: what everybody was given, how fast they answered, and the turns of pools.

Every query is bounded by a window of time or by a number of rows.
"""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from baton.ledger.database import packed
from baton.ledger.tables.agreements import roster_version

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


def given(
    conn: Connection, since: datetime, until: datetime
) -> tuple[list[Given], dict[str, Answered]]:
    """Return how many leads everybody was given in [since, until), by which way, and how fast
    everybody touched those that came to them first.
    """
    ids = conn.execute(_IDS, {"since": since, "until": until}).one()
    rows = conn.execute(_GIVEN, {"since": since, "until": until, **ids._asdict()}).all()
    ways = [Given(**{name: getattr(row, name) for name in Given.__slots__}) for row in rows]
    firsts: dict[str, list[Any]] = {}
    for row in rows:
        if not row.moved:
            firsts.setdefault(row.owner, []).append(row)
    return ways, {owner: _answered(ones) for owner, ones in firsts.items()}


# Times come along packed: a median cannot be put together from those of the ways.
_GIVEN: Final = text(
    f"""
    WITH each AS MATERIALIZED (
        SELECT hop.owner_key AS owner, hop.pool, hop.change_owner, hop.number > 1 AS moved,
            CASE WHEN hop.pool IS NULL AND hop.number = 1
                THEN (SELECT rule FROM decision WHERE id = h.decision_id) END AS rule,
            CASE WHEN hop.number = 1 AND h.first_touch_at IS NOT NULL
                THEN greatest(0, date_part('epoch', h.first_touch_at - hop.assigned_at)) END
                AS passed
        FROM hop JOIN handoff h ON h.id = hop.handoff_id AND h.id BETWEEN :least AND :most
        WHERE hop.assigned_at >= :since AND hop.assigned_at < :until
          AND hop.owner_kind = 'user' AND {_REAL}
    )
    SELECT owner, pool, change_owner, moved, rule, count(*) AS leads,
        string_agg(float8send(passed), '') AS times
    FROM each GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    """
)
# PostgreSQL cannot know that what was assigned in a stretch of time has ids that stand together,
# and would read all handoffs there are. Without the 0 it looks for the least from the first one on.
_IDS: Final = text(
    """
    SELECT coalesce(min(handoff_id + 0), 0) AS least, coalesce(max(handoff_id + 0), 0) AS most
    FROM hop WHERE assigned_at >= :since AND assigned_at < :until
    """
)


def _answered(rows: Sequence[Any]) -> Answered:
    times = packed.unpack(row.times for row in rows)
    (median,) = packed.quantiles(times, (0.5,))
    return Answered(times.size, sum(row.leads for row in rows) - times.size, median)


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
