"""Reassigning, holding, releasing, re-checking and dismissing a lead by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from baton.decision.inputs import Handover
from baton.leads.states import HandoffState, LeadState, allowed
from baton.ledger.effects import outbox
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import HandoffRow, HopRow, OpenTerms
from baton.ledger.leads import leads
from baton.ledger.leads.judgement_queue import HELD_BY_HAND, RE_CHECK, RELEASE
from baton.ledger.leads.leads import LeadRow, StateChange
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.by_hand.admin_requests import (
    BY_POLICY,
    DISMISSED_LEAD,
    Action,
    ActionKind,
    ByHand,
    RefusedError,
    Why,
    checked_until,
)
from baton.pipeline.judging.decided import open_book
from baton.pipeline.judging.plan import state_write_back
from baton.pipeline.judging.reassignment import Passed, pass_on, read_passings
from baton.pipeline.modes import acting_for_leads
from baton.pipeline.timers import state_change

_HOLDABLE: Final = (
    LeadState.SEEN,
    LeadState.QUARANTINED,
    LeadState.NURTURE,
    LeadState.HELD,
    LeadState.RECYCLED,
)
_DISMISSABLE: Final = (LeadState.QUARANTINED, LeadState.HELD)
_UNTOUCHED: Final = (HandoffState.PLANNED, HandoffState.ASSIGNED, HandoffState.NOTIFIED)


@dataclass(frozen=True, slots=True)
class OpenPassing:
    """A lead's open handoff and who has it now."""

    handoff: HandoffRow
    hop: HopRow


def open_passing(conn: Connection, lead_id: int) -> OpenPassing | None:
    """Return a lead's open handoff with its present hop, or None."""
    row = handoffs.open_of_leads(conn, [lead_id]).get(lead_id)
    if row is None:
        return None
    hops = handoffs.hops(conn, [row.id]).get(row.id, [])
    return OpenPassing(row, hops[-1]) if hops else None


def version_of_lead(row: LeadRow, passing: OpenPassing | None) -> str:
    """Return what must not have changed between a form and its sending, readable by people.

    That an owner is written and told, seconds after a handoff, is no change in this sense.
    """
    standing = version_of_state(row.state.value, row.timer_at, row.timer_action)
    if passing is None:
        return standing
    state = passing.handoff.state
    said = "untouched" if state in _UNTOUCHED else state.value
    return f"{standing}; {passing.handoff.key}.{passing.hop.number} {said}"


def version_of_state(state: str, timer_at: datetime | None, timer_action: str | None) -> str:
    """Return the version of a lead without an open handoff."""
    if timer_at is None or state == LeadState.IN_HANDOFF:
        return state
    return f"{state}; {timer_action} {timer_at:%Y-%m-%d %H:%M:%S}"


def act_on_lead(conn: Connection, hand: ByHand, action: Action) -> str:
    """Do it, and return it in words. Raises RefusedError."""
    return _WAYS[action.kind](conn, hand, action)


def _locked(conn: Connection, action: Action) -> LeadRow:
    """Lock the lead as the chain does. Raises RefusedError if it is not as the form showed it."""
    row = leads.lock_leads(conn, [action.subject.id])[action.subject.id]
    _as_seen(action, version_of_lead(row, open_passing(conn, row.id)))
    return row


def _as_seen(action: Action, now: str) -> None:
    if action.seen and action.seen != now:
        words = f"It is not as it was shown: then '{action.seen}', now '{now}'."
        raise RefusedError(Why.STALE, words)


def _reassign(conn: Connection, hand: ByHand, action: Action) -> str:
    agreement = active_policy(conn)
    # Pools first, as everybody who assigns: whoever was quicker has committed when we look.
    book = open_book(conn, hand, agreement)
    row = leads.get(conn, action.subject.id)
    passing = open_passing(conn, action.subject.id)
    if row is not None:
        _as_seen(action, version_of_lead(row, passing))
    if passing is None:
        raise RefusedError(Why.IMPOSSIBLE, "There is no open handoff to reassign.")
    handover = _handover(agreement, action, passing)
    found = read_passings(
        conn, [OpenTerms(handoff=passing.handoff, hop=passing.hop, recorded=frozenset())]
    )
    if not found:
        raise RefusedError(Why.IMPOSSIBLE, "No decision is recorded for this handoff.")
    if handover.person is not None:
        # Who had it once and gave it up may get it again, if somebody says so.
        had_it = tuple(one for one in found[0].had_it if one != handover.person)
        found = [replace(found[0], had_it=had_it)]
    (passed,) = pass_on(conn, hand, agreement, found, book, handover=handover)
    return _moved(passed, passing, handover)


def _handover(agreement: Agreement, action: Action, passing: OpenPassing) -> Handover:
    because = f"reassigned by {action.by}"
    if action.to == BY_POLICY:
        return Handover(because)
    kind, _, name = action.to.partition(" ")
    if name and name == passing.hop.owner_key:
        raise RefusedError(Why.UNFIT, f"{name} has it already.")
    if kind == "queue" and name:
        return Handover(because, queue=name)
    rep = agreement.roster.rep(name) if kind == "person" else None
    if rep is None:
        raise RefusedError(Why.UNFIT, "Choose a person of the roster, a queue, or the policy.")
    return Handover(because, person=rep.key)


def _moved(passed: Passed, passing: OpenPassing, handover: Handover) -> str:
    new = passed.hop
    if new is None:
        raise RefusedError(Why.IMPOSSIBLE, f"Nobody could take it: {passed.decision.words}.")
    wanted = handover.person or handover.queue
    if wanted is not None and new.owner_key != wanted:
        raise RefusedError(Why.IMPOSSIBLE, _why_not(passed, wanted))
    if new.owner_key == passing.hop.owner_key:
        raise RefusedError(Why.IMPOSSIBLE, f"The policy leads to {new.owner_key} again.")
    pool = f", pool {new.pool}" if new.pool else ""
    stays = "" if new.change_owner else "; the owner in Salesforce stays, only a task is made"
    return (
        f"{passing.handoff.key} went from {passing.hop.owner_key} to {new.owner_key}{pool}, "
        f"hop {new.number}{stays}."
    )


def _why_not(passed: Passed, wanted: str) -> str:
    route = passed.decision.route
    said = [step.text for step in route.trace if wanted in step.text.lower()] if route else []
    return f"{wanted} cannot take it now: {'; '.join(said) or 'not available'}."


def _hold(conn: Connection, hand: ByHand, action: Action) -> str:
    until = checked_until(action.until, hand.clock.now())
    row = _locked(conn, action)
    if row.state is LeadState.IN_HANDOFF:
        words = "Sales has it already: reassign it, or let its owner give it back."
        raise RefusedError(Why.IMPOSSIBLE, words)
    if row.state not in _HOLDABLE:
        raise RefusedError(Why.IMPOSSIBLE, f"A lead that is '{row.state}' cannot be held.")
    change = StateChange(
        lead_id=row.id,
        after=LeadState.HELD,
        at=hand.clock.now(),
        cause=HELD_BY_HAND,
        by=action.by,
        timer_at=until,
        timer_action=RE_CHECK,
        held_for=HELD_BY_HAND,
        retry_at=until,
    )
    _move(conn, hand, change, write_back=row.state is not LeadState.HELD)
    return f"Held until {until:%Y-%m-%d %H:%M} UTC; then it is judged again."


def _release(conn: Connection, hand: ByHand, action: Action) -> str:
    row = _locked(conn, action)
    if row.state is not LeadState.HELD:
        raise RefusedError(Why.IMPOSSIBLE, f"It is not held: it is '{row.state}'.")
    why = (row.held_for or "a reason not recorded").replace("_", " ")
    _due_now(conn, hand, row, RELEASE, action)
    return f"Let pass (it was held: {why}); the next run judges it."


def _re_check(conn: Connection, hand: ByHand, action: Action) -> str:
    row = _locked(conn, action)
    _due_now(conn, hand, row, RE_CHECK, action)
    return "The next run reads it from HubSpot and judges it again."


def _due_now(
    conn: Connection,
    hand: ByHand,
    row: LeadRow,
    timer_action: str,
    action: Action,
) -> None:
    change = StateChange(
        lead_id=row.id,
        after=row.state,
        at=hand.clock.now(),
        cause=timer_action,
        by=action.by,
        timer_at=hand.clock.now(),
        timer_action=timer_action,
    )
    _move(conn, hand, change, write_back=False)


def _dismiss(conn: Connection, hand: ByHand, action: Action) -> str:
    after = DISMISSED_LEAD.get(action.to)
    if after is None:
        raise RefusedError(Why.UNFIT, "Say where it is to go: back to marketing, or nowhere.")
    row = _locked(conn, action)
    if row.state not in _DISMISSABLE or not allowed(row.state, after):
        words = f"It does not wait for anybody: it is '{row.state.value.replace('_', ' ')}'."
        raise RefusedError(Why.IMPOSSIBLE, words)
    policy = active_policy(conn).policy
    now = hand.clock.now()
    change = state_change(policy, row.id, after, at=now, cause="dismissed", by=action.by)
    _move(conn, hand, change, write_back=True)
    if after is LeadState.NURTURE:
        return "Dismissed: it stays with marketing."
    return "Dismissed: it is not handed over; a change in HubSpot is judged anew."


def _move(conn: Connection, hand: ByHand, change: StateChange, *, write_back: bool) -> None:
    leads.set_states(conn, [change])
    if write_back:
        now = hand.clock.now()
        cause = f"{change.cause}-{int(now.timestamp() * 1000)}"
        acting = acting_for_leads(conn, hand, [change.lead_id])[change.lead_id]
        outbox.add(conn, [state_write_back(acting, change.lead_id, cause=cause)], at=now)


_WAYS: Final[Mapping[ActionKind, Callable[[Connection, ByHand, Action], str]]] = {
    ActionKind.REASSIGN: _reassign,
    ActionKind.HOLD: _hold,
    ActionKind.RELEASE: _release,
    ActionKind.RE_CHECK: _re_check,
    ActionKind.DISMISS: _dismiss,
}
