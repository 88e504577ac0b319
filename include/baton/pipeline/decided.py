"""What deciding needs of the ledger and leaves in it: the book of pools, the recorded decision."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import Connection

from baton.decision import ENGINE_VERSION
from baton.decision.decision import Decision
from baton.decision.inputs import DecisionInputs
from baton.ledger import handoffs, loads, pools
from baton.ledger.decisions import NewDecision
from baton.pipeline.active_policy import Agreement
from baton.pipeline.context import Standing
from baton.routing.book import PoolBook
from baton.routing.distribution import PoolState


def open_book(
    conn: Connection, ctx: Standing, agreement: Agreement, *, handed_off: int = 0
) -> PoolBook:
    """Lock the pools and return them with the loads of their members.

    `handed_off` counts the handoffs that this run has made in earlier transactions.
    """
    # Loads are read after the locks are held: whoever decided before has committed by then.
    states = pools.lock(conn, [pool.name for pool in agreement.roster.pools])
    known = {name: PoolState.from_json(state) for name, state in states.items() if state}
    return read_loads(conn, ctx, known, handed_off=handed_off)


def read_loads(
    conn: Connection,
    ctx: Standing,
    states: Mapping[str, PoolState] | None = None,
    *,
    handed_off: int = 0,
) -> PoolBook:
    """Return a book with everybody's loads as of now. Without locks it is good for looking only."""
    now = ctx.clock.now()
    lately = loads.given_lately(conn, now)
    return PoolBook(
        states,
        open_loads=handoffs.open_loads(conn),
        hour_loads=lately.hour,
        day_loads=lately.day,
        week_loads=lately.week,
        handed_off=handed_off,
        imported=loads.imported_lately(conn, now),
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
