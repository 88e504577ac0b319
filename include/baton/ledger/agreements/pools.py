"""Pools: whose turn it is. Locked by the one transaction that decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.agreements import pool_state
from baton.ledger.tables.columns import among

PoolJson = Mapping[str, Any]


def lock(conn: Connection, names: Iterable[str]) -> dict[str, PoolJson]:
    """Lock these pools, in the order of their names, and return their states.

    The locks last until the transaction ends. A pool never used before has an empty state. One order for everybody means that deciders wait
    for each other and never deadlock; so lock all that a batch may need in one call.
    """
    wanted = sorted(set(names))
    if not wanted:
        return {}
    conn.execute(insert(pool_state).on_conflict_do_nothing(), [{"pool": name} for name in wanted])
    query = (
        select(pool_state.c.pool, pool_state.c.state)
        .where(among(pool_state.c.pool, wanted))
        .order_by(pool_state.c.pool)
        .with_for_update()
    )
    return {row.pool: row.state for row in conn.execute(query)}


def save(conn: Connection, states: Mapping[str, PoolJson]) -> None:
    """Store the states of pools that this transaction has locked."""
    if not states:
        return
    statement = (
        update(pool_state)
        .where(pool_state.c.pool == bindparam("name"))
        .values(state=bindparam("content"), version=pool_state.c.version + 1)
    )
    conn.execute(
        statement, [{"name": name, "content": dict(states[name])} for name in sorted(states)]
    )


def read(conn: Connection) -> dict[str, PoolJson]:
    """Return the states of all pools without locking them: for pages and receipts."""
    rows = conn.execute(select(pool_state).order_by(pool_state.c.pool))
    return {row.pool: row.state for row in rows}
