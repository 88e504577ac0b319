"""An open handoff goes to somebody else: a new hop with its own clock.

Either nobody touched it in time, or its owner is gone. Both are one decision, recorded as such.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from baton.decision.decide import reassign
from baton.decision.decision import Decision
from baton.decision.inputs import DecisionInputs, Handover
from baton.leads.history import LeadHistory
from baton.leads.states import HandoffState
from baton.ledger.effects import outbox
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import HandoffRow, HopRow, NewHop, OpenTerms
from baton.ledger.leads import histories
from baton.ledger.record import decisions
from baton.ledger.record.decisions import DecisionRow
from baton.pipeline.active_policy import Agreement
from baton.pipeline.context import Standing
from baton.pipeline.judging.decided import open_book, recorded, save_books
from baton.pipeline.judging.limits import Receiving, hold_reassignments, restrain_reassignments
from baton.pipeline.judging.plan import hop_effects
from baton.pipeline.modes import Acting, acting_for
from baton.routing.book import PoolBook
from baton.routing.ladder import OwnerKind
from baton.settings import Mode
from baton.sla.terms_json import terms_to_json

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Passing:
    """An open handoff with its present hop, and what a decision on its next owner looks at.

    `sated`: who gets no more of others' leads in this run.
    """

    handoff: HandoffRow
    hop: HopRow
    first: DecisionRow
    history: LeadHistory
    had_it: tuple[str, ...]
    sated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of it: the decision, and the new hop if it found somebody."""

    passing: Passing
    decision: Decision
    hop: HopRow | None


def reassign_all(
    conn: Connection,
    ctx: Standing,
    agreement: Agreement,
    lapsed: Sequence[OpenTerms],
    *,
    limited: bool = True,
) -> int:
    """Give each lapsed hop's handoff to its next owner; return how many found one.

    Earlier owners are left out, hops are limited by the policy's guard, and where nobody is left
    the present owner keeps the lead (the manager has been told). If `limited`, what goes beyond the
    policy's limits on one run is held until a person has decided.
    """
    limit = agreement.policy.guards.hops_per_handoff
    pending = [one for one in lapsed if one.hop.number < limit]
    if not pending:
        return 0
    # Only what is live comes here, whatever is decided for new leads by now.
    acting = Acting(ctx.clock, ctx.mode if ctx.mode is Mode.HISTORY else Mode.LIVE)
    book = open_book(conn, acting, agreement)
    # Since the clocks were read, a handoff may have ended, or somebody else may have it already.
    present = handoffs.lock_present(conn, [one.handoff.id for one in pending])
    pending = [one for one in pending if present.get(one.handoff.id) == one.hop.number]
    if limited:
        pending, excess = restrain_reassignments(conn, agreement.policy, pending)
        hold_reassignments(conn, acting, agreement.policy, excess)
    passings = read_passings(conn, pending)
    if limited:
        receiving = Receiving.of_run(conn, agreement.policy)
        passings, excess_given = _with_room(acting, agreement, passings, book, receiving)
        hold_reassignments(conn, acting, agreement.policy, excess_given)
    moved = pass_on(conn, acting, agreement, passings, book)
    for one in moved:
        if one.hop is None:
            key = one.passing.handoff.key
            logger.warning("handoff %s lapsed and nobody is left to take it", key)
    return sum(one.hop is not None for one in moved)


def _with_room(
    ctx: Standing,
    agreement: Agreement,
    passings: Sequence[Passing],
    book: PoolBook,
    receiving: Receiving,
) -> tuple[list[Passing], list[Passing]]:
    """Return those whom somebody has room for in this run, and those that are too many.

    Each is tried on a copy of the book: what is held must not count as a turn of whoever would
    have had it. `pass_on` decides the same again for those that go.
    """
    if agreement.policy.guards.share_of_a_book is None:
        return list(passings), []
    going: list[Passing] = []
    excess: list[Passing] = []
    trial = deepcopy(book)
    for one in passings:
        sated = receiving.may_not_get(one.handoff.band)
        asked = replace(one, sated=sated)
        after = deepcopy(trial) if sated else trial
        person = _next_person(ctx, agreement, asked, after)
        if sated and person is None and _next_person(ctx, agreement, one, deepcopy(trial)):
            excess.append(one)  # somebody would have had it, and has had enough
            continue
        if person is not None:
            receiving.give(person)
        going.append(asked)
        trial = after
    return going, excess


def _next_person(ctx: Standing, agreement: Agreement, one: Passing, book: PoolBook) -> str | None:
    """Return who would be the next owner, None for a queue or nobody; `book` counts the turn."""
    had_it = frozenset(one.had_it)
    inputs = _inputs(ctx, one, None)
    route = reassign(inputs, agreement.policy, agreement.roster, book, had_it=had_it).route
    owner = route.owner if route else None
    return owner.key if owner is not None and owner.kind is OwnerKind.USER else None


def read_passings(conn: Connection, ones: Sequence[OpenTerms]) -> list[Passing]:
    """Read what the next decision needs of these handoffs; one without a decision is left out."""
    firsts = decisions.get_many(conn, [one.handoff.decision_id or 0 for one in ones])
    past = histories.histories(conn, [one.handoff.lead_id for one in ones])
    owners = _owners(conn, ones)
    return [
        Passing(
            one.handoff,
            one.hop,
            firsts[one.handoff.decision_id],
            past[one.handoff.lead_id],
            owners[one.handoff.id],
        )
        for one in ones
        if one.handoff.decision_id in firsts
    ]


def _owners(conn: Connection, ones: Sequence[OpenTerms]) -> Mapping[int, tuple[str, ...]]:
    hops = handoffs.hops(conn, [one.handoff.id for one in ones])
    return {
        handoff_id: tuple(sorted({hop.owner_key for hop in found}))
        for handoff_id, found in hops.items()
    }


def pass_on(
    conn: Connection,
    ctx: Standing,
    agreement: Agreement,
    passings: Sequence[Passing],
    book: PoolBook,
    *,
    handover: Handover | None = None,
) -> list[Passed]:
    """Decide on the next owner of each, write decisions, hops, effects and pools.

    `book` holds the locks of the pools, in the mode of `ctx`; all of it belongs to the caller's
    transaction. What goes out is settled by the mode that each handoff was born in.
    """
    moved, news, effects = [], [], []
    for one in passings:
        inputs = _inputs(ctx, one, handover)
        decision = reassign(
            inputs, agreement.policy, agreement.roster, book, had_it=frozenset(one.had_it)
        )
        news.append(
            recorded(
                inputs,
                decision,
                agreement,
                lead_id=one.first.lead_id,
                snapshot_hash=one.first.snapshot_hash,
            )
        )
        new = _new_hop(ctx, one, decision, handover)
        hop = handoffs.add_hop(conn, one.handoff.id, new) if new else None
        moved.append(Passed(one, decision, hop))
        if hop is not None:
            born = acting_for(ctx.mode, ctx.clock, one.handoff)
            effects += hop_effects(born, agreement, one.handoff, hop.number, decision=decision)
    decisions.record(conn, news)
    outbox.add(conn, effects, at=ctx.clock.now())
    save_books(conn, {ctx.mode: book})
    return moved


def _inputs(ctx: Standing, one: Passing, handover: Handover | None) -> DecisionInputs:
    before = DecisionInputs.from_json(one.first.inputs)
    now = ctx.clock.now()
    # A lead that was worked already has met the buyer's clock; whoever takes over starts afresh.
    worked = handover is not None and one.handoff.first_touch_at is not None
    return replace(
        before,
        had_it=one.had_it,
        sated=one.sated,
        handover=handover,
        decided_at=now,
        captured_at=now if worked else one.handoff.captured_at,
        # The trigger that made this handoff still rules its terms: it is not used up here.
        history=replace(one.history, last_trigger_at=before.history.last_trigger_at),
    )


def _new_hop(
    ctx: Standing, one: Passing, decision: Decision, handover: Handover | None
) -> NewHop | None:
    route = decision.route
    if route is None or route.owner is None:
        return None
    ours = handover is None or owner_is_ours(one.handoff, one.hop)
    return NewHop(
        owner_kind=route.owner.kind.value,
        owner_key=route.owner.key,
        assigned_at=ctx.clock.now(),
        change_owner=route.change_owner and ours,
        pool=route.pool,
        terms=terms_to_json(decision.terms) if decision.terms else {},
        first_touch_due=decision.terms.first_touch_due if decision.terms else None,
    )


def owner_is_ours(handoff: HandoffRow, hop: HopRow) -> bool:
    """Tell whether the owner of the record in Salesforce is ours to write.

    Not that of a customer or open opportunity, and not after conversion: the opportunity's owner
    is for sales to settle.
    """
    return hop.change_owner and handoff.state is not HandoffState.CONVERTED
