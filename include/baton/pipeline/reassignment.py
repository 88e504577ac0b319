"""A handoff that nobody touched in time goes to somebody else: a new hop with its own clock."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from baton.decision.decide import reassign
from baton.decision.inputs import DecisionInputs
from baton.ledger import decisions, handoffs, leads, outbox, pools
from baton.ledger.handoffs import NewHop, OpenTerms
from baton.pipeline.active_policy import Agreement
from baton.pipeline.context import Context
from baton.pipeline.decided import open_book, recorded
from baton.pipeline.plan import hop_effects
from baton.routing.book import PoolBook
from baton.sla.terms_json import terms_to_json

logger = logging.getLogger(__name__)


def reassign_all(
    conn: Connection, ctx: Context, agreement: Agreement, lapsed: Sequence[OpenTerms]
) -> int:
    """Give each lapsed hop's handoff to its next owner; return how many found one.

    Earlier owners are left out, hops are limited by the policy's guard, and where nobody is left
    the present owner keeps the lead (the manager has been told).
    """
    limit = agreement.policy.guards.hops_per_handoff
    pending = [one for one in lapsed if one.hop.number < limit and one.handoff.decision_id]
    if not pending:
        return 0
    book = open_book(conn, ctx, agreement)
    moved = [one for one in pending if _reassign(conn, ctx, agreement, one, book)]
    pools.save(conn, {name: state.to_json() for name, state in book.changed.items()})
    return len(moved)


def _reassign(
    conn: Connection, ctx: Context, agreement: Agreement, one: OpenTerms, book: PoolBook
) -> bool:
    first = decisions.get(conn, one.handoff.decision_id or 0)
    if first is None:
        return False
    now = ctx.clock.now()
    before = DecisionInputs.from_json(first.inputs)
    history = leads.histories(conn, [one.handoff.lead_id])[one.handoff.lead_id]
    inputs = replace(
        before,
        decided_at=now,
        captured_at=one.handoff.captured_at,
        # The trigger that made this handoff still rules its terms: it is not used up here.
        history=replace(history, last_trigger_at=before.history.last_trigger_at),
    )
    had_it = frozenset(
        hop.owner_key for hop in handoffs.hops(conn, [one.handoff.id])[one.handoff.id]
    )
    decision = reassign(inputs, agreement.policy, agreement.roster, book, had_it=had_it)
    decisions.record(
        conn,
        [
            recorded(
                inputs,
                decision,
                agreement,
                lead_id=first.lead_id,
                snapshot_hash=first.snapshot_hash,
            )
        ],
    )
    route = decision.route
    if route is None or route.owner is None:
        logger.warning("handoff %s lapsed and nobody is left to take it", one.handoff.key)
        return False
    hop = handoffs.add_hop(
        conn,
        one.handoff.id,
        NewHop(
            owner_kind=route.owner.kind.value,
            owner_key=route.owner.key,
            assigned_at=now,
            change_owner=route.change_owner,
            pool=route.pool,
            terms=terms_to_json(decision.terms) if decision.terms else {},
            first_touch_due=decision.terms.first_touch_due if decision.terms else None,
        ),
    )
    effects = hop_effects(ctx, agreement, one.handoff, hop.number, decision=decision)
    outbox.add(conn, effects, at=now)
    return True
