"""The outbox: things to be done outside, claimed by one worker at a time.

`claim` gives a worker a lease on effects and a fence, a number that grows with every claim. The
caller commits, and only then calls out. Whatever it reports afterwards carries the fence; a worker
whose lease another has taken over is refused with StaleLeaseError. An effect whose lease expired,
or whose answer was lost, comes back with `maybe_sent`: read back before sending again.

An effect is superseded, never sent, when a newer hop of its handoff exists, when its handoff has
ended and the effect was part of the assignment, or when a newer write-back of the same lead exists.
"""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, text

from baton.errors import InvariantError
from baton.leads.states import EffectState, move
from baton.ledger.database.bulk import insert_rows
from baton.ledger.effects import switches
from baton.ledger.effects.effects import (
    ASSIGNMENT_KINDS,
    IN_PROGRESS,
    OUTDATED,
    REPLACED_KINDS,
    ClaimedEffect,
    EffectRow,
    NewEffect,
    QueueDepth,
    by_keys,
    depth,
    get,
    in_state,
    of_handoff,
)
from baton.ledger.effects.outcomes import (
    all_done,
    ambiguous,
    dead,
    done,
    invalid,
    rejected,
    release,
    retry,
    settle,
    supersede_hops_before,
    supersede_lead_level,
    supersede_of_ended,
    superseded,
    withhold,
)
from baton.ledger.record import transitions
from baton.ledger.record.transitions import Transition
from baton.ledger.tables.effects import attempt, effect

__all__ = [
    "ASSIGNMENT_KINDS",
    "REPLACED_KINDS",
    "ClaimedEffect",
    "EffectRow",
    "NewEffect",
    "QueueDepth",
    "add",
    "all_done",
    "ambiguous",
    "by_keys",
    "claim",
    "dead",
    "depth",
    "done",
    "get",
    "in_state",
    "invalid",
    "of_handoff",
    "rejected",
    "release",
    "renew",
    "retry",
    "settle",
    "still_current",
    "supersede_hops_before",
    "supersede_lead_level",
    "supersede_of_ended",
    "superseded",
    "withhold",
]


def add(
    conn: Connection, effects: Sequence[NewEffect], *, at: datetime, by: str = "baton"
) -> list[str]:
    """Add effects; one whose key exists already is left as it is. Return the keys that were new.

    Raises InvariantError if an effect depends on one that is neither here nor in the ledger.
    """
    if not effects:
        return []
    created = insert_rows(
        conn,
        effect,
        [_values(each, at) for each in sorted(effects, key=lambda one: one.key)],
        on_conflict="(key) DO NOTHING",
        returning=("id", "key", "state"),
    )
    _link(conn, effects, {row.key for row in created})
    transitions.record(
        conn,
        (Transition("effect", row.id, None, row.state, at, "planned", by) for row in created),
    )
    return [row.key for row in created]


def claim(
    conn: Connection,
    *,
    worker: str,
    kinds: Iterable[str],
    limit: int,
    now: datetime,
    lease_seconds: float,
    hot_only: bool = False,
) -> list[ClaimedEffect]:
    """Lease up to `limit` effects that are ready, the hottest and oldest first.

    Ready is what is pending, waiting or ambiguous with its time come, or leased by a worker that
    let the lease expire; and whose dependency is done (or was superseded). Rows that another
    transaction holds are skipped; while the kill switch is on, nothing is ready. With `hot_only`
    only what a hot lead waits for is: the day's calls run short. Commit before calling out.
    """
    claimed: list[ClaimedEffect] = []
    if switches.effects_stopped(conn):
        return claimed
    wanted = list(kinds)
    while len(claimed) < limit:
        rows = _candidates(conn, wanted, limit - len(claimed), now, hot_only=hot_only)
        outdated = [row for row in rows if row.outdated]
        _mark_superseded(conn, outdated, at=now, by=worker)
        current = [row for row in rows if not row.outdated]
        claimed += _lease(conn, current, worker, now, now + timedelta(seconds=lease_seconds))
        if not outdated:
            break
    return claimed


def renew(conn: Connection, ids: Iterable[int], *, worker: str, until: datetime) -> int:
    """Prolong the leases that `worker` still holds on these effects; return how many it holds."""
    query = text(
        "UPDATE effect SET lease_until = :until"
        " WHERE id = ANY(:ids) AND state = 'leased' AND lease_owner = :worker"
    )
    return conn.execute(query, {"ids": list(ids), "worker": worker, "until": until}).rowcount


def still_current(conn: Connection, ids: Iterable[int]) -> set[int]:
    """Return those of `ids` that nothing has superseded.

    Ask in a fresh transaction, right before sending.
    """
    query = text(f"SELECT e.id FROM effect e WHERE e.id = ANY(:ids) AND NOT {OUTDATED}")
    return set(conn.execute(query, {"ids": list(ids)}).scalars())


def _values(new: NewEffect, at: datetime) -> dict[str, Any]:
    return {
        "key": new.key,
        "kind": new.kind,
        "lead_id": new.lead_id,
        "handoff_id": new.handoff_id,
        "hop": new.hop,
        "generation": new.generation,
        "priority": new.priority,
        "state": new.state.value,
        "params": dict(new.params),
        "next_attempt_at": new.not_before,
        "created_at": at,
    }


def _link(conn: Connection, effects: Sequence[NewEffect], created: set[str]) -> None:
    links = {
        each.key: each.depends_on_key
        for each in effects
        if each.depends_on_key is not None and each.key in created
    }
    if not links:
        return
    linked = conn.execute(
        text(
            "UPDATE effect SET depends_on = first.id FROM unnest("
            "CAST(:keys AS text[]), CAST(:firsts AS text[])) AS link(key, first)"
            " JOIN effect first ON first.key = link.first WHERE effect.key = link.key"
            " RETURNING effect.key"
        ),
        {"keys": list(links), "firsts": list(links.values())},
    ).scalars()
    missing = sorted(set(links) - set(linked))
    if missing:
        raise InvariantError(
            f"effect {missing[0]} depends on {links[missing[0]]}, which is not in the ledger"
        )


_CANDIDATES = text(
    f"""
    SELECT e.id, e.state, e.lease_owner, {OUTDATED} AS outdated
    FROM effect e LEFT JOIN effect first ON first.id = e.depends_on
    WHERE e.state IN ('pending', 'waiting', 'leased', 'ambiguous') AND e.kind = ANY(:kinds)
      AND CASE e.state
            WHEN 'pending' THEN e.next_attempt_at IS NULL OR e.next_attempt_at <= :now
            WHEN 'leased' THEN e.lease_until <= :now
            ELSE e.next_attempt_at <= :now
          END
      AND (first.id IS NULL OR first.state IN ('done', 'superseded'))
      AND (e.priority = 0 OR NOT :hot_only)
      AND NOT {IN_PROGRESS}
    ORDER BY e.priority, e.id LIMIT :many FOR UPDATE OF e SKIP LOCKED
    """
)

_LEASE = text(
    """
    UPDATE effect SET state = 'leased', lease_owner = :worker, lease_until = :until,
        fence = fence + 1, attempts = attempts + 1,
        maybe_sent = maybe_sent OR state IN ('leased', 'ambiguous')
    WHERE id = ANY(:ids)
    RETURNING id, key, kind, lead_id, handoff_id, hop, generation, params, fence, attempts,
        maybe_sent, lease_until, priority
    """
)


def _candidates(
    conn: Connection, kinds: Sequence[str], many: int, now: datetime, *, hot_only: bool
) -> Sequence[Row[Any]]:
    values = {"kinds": kinds, "many": many, "now": now, "hot_only": hot_only}
    return conn.execute(_CANDIDATES, values).all()


def _lease(
    conn: Connection, rows: Sequence[Row[Any]], worker: str, now: datetime, until: datetime
) -> list[ClaimedEffect]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    leased = {
        row.id: ClaimedEffect(**row._asdict())
        for row in conn.execute(_LEASE, {"worker": worker, "until": until, "ids": ids}).all()
    }
    expired = [row for row in rows if row.state == EffectState.LEASED]
    if expired:
        conn.execute(
            insert(attempt),
            [
                {
                    "effect_id": row.id,
                    "at": now,
                    "outcome": "lease_expired",
                    "detail": f"held by {row.lease_owner}",
                }
                for row in expired
            ],
        )
    transitions.record(
        conn,
        (
            _moved(row, EffectState.LEASED, now, "claimed", worker)
            for row in rows
            if row.state != EffectState.LEASED
        ),
    )
    return [leased[one] for one in ids]


def _mark_superseded(conn: Connection, rows: Sequence[Row[Any]], *, at: datetime, by: str) -> None:
    if not rows:
        return
    conn.execute(
        text(
            "UPDATE effect SET state = 'superseded', lease_owner = NULL, lease_until = NULL,"
            " next_attempt_at = NULL WHERE id = ANY(:ids)"
        ),
        {"ids": [row.id for row in rows]},
    )
    transitions.record(
        conn, (_moved(row, EffectState.SUPERSEDED, at, "outdated", by) for row in rows)
    )


def _moved(row: Row[Any], after: EffectState, at: datetime, cause: str, by: str) -> Transition:
    before = EffectState(row.state)
    return Transition("effect", row.id, before, move(before, after), at, cause, by)
