"""What deciding needs of the ledger and leaves in it: the book of pools, the recorded decision."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import Connection

from baton.decision import ENGINE_VERSION
from baton.decision.decision import Decision
from baton.decision.inputs import DecisionInputs
from baton.ledger.agreements import pools
from baton.ledger.handoffs import handoffs, loads
from baton.ledger.record.decisions import NewDecision
from baton.pipeline.active_policy import Agreement
from baton.pipeline.context import Standing
from baton.pipeline.modes import Acting
from baton.routing.book import PoolBook
from baton.routing.distribution import PoolState
from baton.settings import Mode

OBSERVED = " (observed)"
"""Whose turn it is among leads that are only observed is kept apart, under the pool's name with
this behind it: a lead that nobody was given must not cost anybody a turn."""
NEVER_FULL = -(10**9)
"""Handoffs of the run so far, where no limit is to be met: what is only observed has no effects."""


def open_book(
    conn: Connection,
    ctx: Standing,
    agreement: Agreement,
    *,
    handed_off: int = 0,
) -> PoolBook:
    """Lock the pools and return them with the loads of their members, in the mode of `ctx`.

    `handed_off` counts the handoffs that this run has made in earlier transactions.
    """
    told = {ctx.mode: handed_off}
    return open_books(conn, ctx, agreement, told)[ctx.mode]


def open_books(
    conn: Connection,
    ctx: Standing,
    agreement: Agreement,
    handed_off: Mapping[Mode, int],
) -> dict[Mode, PoolBook]:
    """Lock the pools for these modes, all at once, and return a book for each."""
    names = [pool.name for pool in agreement.roster.pools]
    # Loads are read after the locks are held: whoever decided before has committed by then.
    states = pools.lock(conn, [name + _mark(mode) for mode in handed_off for name in names])
    books = {}
    for mode, many in handed_off.items():
        known = {
            name: PoolState.from_json(state)
            for name in names
            if (state := states[name + _mark(mode)])
        }
        full = NEVER_FULL if mode is Mode.OBSERVE else many
        standing = Acting(ctx.clock, mode)
        books[mode] = read_loads(conn, standing, known, handed_off=full)
    return books


def save_books(conn: Connection, books: Mapping[Mode, PoolBook]) -> None:
    """Store whose turn it is now."""
    changed = {
        name + _mark(mode): state.to_json()
        for mode, book in books.items()
        for name, state in book.changed.items()
    }
    pools.save(conn, changed)


def _mark(mode: Mode) -> str:
    return OBSERVED if mode is Mode.OBSERVE else ""


def read_loads(
    conn: Connection,
    ctx: Standing,
    states: Mapping[str, PoolState] | None = None,
    *,
    handed_off: int = 0,
) -> PoolBook:
    """Return a book with everybody's loads as of now. Without locks it is good for looking only."""
    now, observed = ctx.clock.now(), ctx.mode is Mode.OBSERVE
    lately = loads.given_lately(conn, now, observed=observed)
    return PoolBook(
        states,
        open_loads=handoffs.open_loads(conn, observed=observed),
        hour_loads=lately.hour,
        day_loads=lately.day,
        week_loads=lately.week,
        handed_off=handed_off,
        imported=loads.imported_lately(conn, now, observed=observed),
    )


def recorded(
    inputs: DecisionInputs,
    decision: Decision,
    agreement: Agreement,
    *,
    lead_id: int,
    snapshot_hash: str,
    batch_id: uuid.UUID | None = None,
) -> NewDecision:
    """Return the row that keeps a decision with everything it was made of."""
    route = decision.route
    return NewDecision(
        lead_id=lead_id,
        batch_id=batch_id,
        snapshot_hash=snapshot_hash,
        policy_hash=agreement.policy.hash,
        roster_hash=agreement.roster.hash,
        decided_at=inputs.decided_at,
        engine_version=ENGINE_VERSION,
        position=inputs.position,
        inputs=inputs.to_json(),
        inputs_hash=inputs.hash,
        result=decision.to_json(),
        result_hash=decision.hash,
        outcome=decision.outcome.value,
        band=decision.band,
        score_milli=decision.score.total_milli if decision.score else None,
        trigger=decision.trigger,
        rule=route.rule_id if route else None,
        owner_key=route.owner.key if route and route.owner else None,
        reason_code=decision.reason_code,
    )
