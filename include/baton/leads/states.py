"""The states of leads, handoffs and effects, and the moves between them. Others are refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import TypeVar

from baton.errors import IllegalTransitionError, InvariantError


class LeadState(StrEnum):
    """Where a lead is; it is in exactly one state."""

    SEEN = "seen"
    QUARANTINED = "quarantined"
    SUPPRESSED = "suppressed"
    NURTURE = "nurture"
    HELD = "held"
    IN_HANDOFF = "in_handoff"
    RECYCLED = "recycled"
    CUSTOMER = "customer"
    DISQUALIFIED = "disqualified"
    MERGED = "merged"
    ERASED = "erased"


class HandoffState(StrEnum):
    """Where one passing of the baton is."""

    PLANNED = "planned"
    ASSIGNED = "assigned"
    NOTIFIED = "notified"
    ACCEPTED = "accepted"
    WORKING = "working"
    CONVERTED = "converted"
    WON = "won"
    LOST = "lost"
    RECYCLED = "recycled"
    DISQUALIFIED = "disqualified"
    CANCELLED = "cancelled"


class EffectState(StrEnum):
    """Where one thing to be done outside is."""

    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    WAITING = "waiting"
    AMBIGUOUS = "ambiguous"
    REJECTED = "rejected"
    INVALID = "invalid"
    DEAD = "dead"
    WITHHELD = "withheld"
    SUPERSEDED = "superseded"


_L, _H, _E = LeadState, HandoffState, EffectState
_GONE = frozenset({_L.MERGED, _L.ERASED})
_JUDGED = frozenset(
    {_L.QUARANTINED, _L.SUPPRESSED, _L.NURTURE, _L.HELD, _L.IN_HANDOFF, _L.CUSTOMER}
)

LEAD_MOVES: Mapping[LeadState, frozenset[LeadState]] = {
    _L.SEEN: _JUDGED | _GONE,
    _L.QUARANTINED: (_JUDGED | _GONE) - {_L.QUARANTINED},
    _L.SUPPRESSED: (_JUDGED | _GONE) - {_L.SUPPRESSED},
    _L.NURTURE: (_JUDGED | _GONE) - {_L.NURTURE},
    _L.HELD: (_JUDGED | _GONE) - {_L.HELD},
    # While a handoff is open, bad data is no reason to take it away: no move to quarantine.
    _L.IN_HANDOFF: _GONE
    | {_L.RECYCLED, _L.DISQUALIFIED, _L.NURTURE, _L.CUSTOMER, _L.SUPPRESSED, _L.HELD},
    _L.RECYCLED: _JUDGED | _GONE | {_L.DISQUALIFIED},
    _L.CUSTOMER: (_JUDGED | _GONE) - {_L.CUSTOMER},
    _L.DISQUALIFIED: _JUDGED | _GONE,
    _L.MERGED: frozenset(),
    _L.ERASED: frozenset(),
}

HANDOFF_CHAIN: tuple[HandoffState, ...] = (
    _H.PLANNED,
    _H.ASSIGNED,
    _H.NOTIFIED,
    _H.ACCEPTED,
    _H.WORKING,
    _H.CONVERTED,
)
_ENDED_EARLY = frozenset({_H.RECYCLED, _H.DISQUALIFIED, _H.CANCELLED})

HANDOFF_MOVES: Mapping[HandoffState, frozenset[HandoffState]] = {
    _H.PLANNED: _ENDED_EARLY | {_H.ASSIGNED},
    # A rep may act before the message is confirmed, or call before pressing "accept".
    _H.ASSIGNED: _ENDED_EARLY | {_H.NOTIFIED, _H.ACCEPTED, _H.WORKING, _H.CONVERTED},
    _H.NOTIFIED: _ENDED_EARLY | {_H.ACCEPTED, _H.WORKING, _H.CONVERTED},
    _H.ACCEPTED: _ENDED_EARLY | {_H.WORKING, _H.CONVERTED},
    _H.WORKING: _ENDED_EARLY | {_H.ACCEPTED, _H.CONVERTED},
    _H.CONVERTED: _ENDED_EARLY | {_H.WON, _H.LOST},
    **{state: frozenset() for state in (_H.WON, _H.LOST, *sorted(_ENDED_EARLY))},
}

EFFECT_MOVES: Mapping[EffectState, frozenset[EffectState]] = {
    _E.PENDING: frozenset({_E.LEASED, _E.WITHHELD, _E.SUPERSEDED}),
    _E.LEASED: frozenset(
        {
            _E.DONE,
            _E.WAITING,
            _E.AMBIGUOUS,
            _E.REJECTED,
            _E.INVALID,
            _E.DEAD,
            _E.WITHHELD,
            _E.SUPERSEDED,
        }
    ),
    _E.WAITING: frozenset({_E.LEASED, _E.WITHHELD, _E.DEAD, _E.SUPERSEDED}),
    # Read back before anything else: it is leased again, or a person settles it.
    _E.AMBIGUOUS: frozenset({_E.LEASED, _E.DONE, _E.DEAD, _E.SUPERSEDED}),
    _E.REJECTED: frozenset({_E.PENDING, _E.SUPERSEDED}),
    _E.INVALID: frozenset({_E.PENDING, _E.SUPERSEDED}),
    _E.DEAD: frozenset({_E.PENDING, _E.SUPERSEDED}),
    _E.WITHHELD: frozenset({_E.PENDING, _E.SUPERSEDED}),
    _E.DONE: frozenset(),
    _E.SUPERSEDED: frozenset(),
}

FINAL_LEAD_STATES = frozenset(state for state, moves in LEAD_MOVES.items() if not moves)
TIMED_LEAD_STATES = frozenset(LeadState) - FINAL_LEAD_STATES
OPEN_HANDOFF_STATES = frozenset(state for state, moves in HANDOFF_MOVES.items() if moves)
FINAL_EFFECT_STATES = frozenset(state for state, moves in EFFECT_MOVES.items() if not moves)

State = TypeVar("State", LeadState, HandoffState, EffectState)


def allowed(current: State, target: State) -> bool:
    """Tell whether the table lists the move from `current` to `target`."""
    if isinstance(current, LeadState):
        return target in LEAD_MOVES[current]
    if isinstance(current, HandoffState):
        return target in HANDOFF_MOVES[current]
    if isinstance(current, EffectState):
        return target in EFFECT_MOVES[current]
    raise InvariantError(f"{current!r} is not a state")


def move(current: State, target: State) -> State:
    """Return `target`, or raise IllegalTransitionError when the move is not listed."""
    if not allowed(current, target):
        subject = type(current).__name__.removesuffix("State").lower()
        raise IllegalTransitionError(subject, current.value, target.value)
    return target


@cache
def handoff_steps(current: HandoffState, target: HandoffState) -> tuple[HandoffState, ...]:
    """Return the shortest listed way from `current` to `target`, without `current`.

    Empty when they are the same or when no way leads there: an outcome read back late (a won
    opportunity on a handoff still "assigned") is recorded step by step, a late echo is dropped.
    """
    ways: list[tuple[HandoffState, ...]] = [(current,)]
    met = {current}
    while ways:
        way = ways.pop(0)
        if way[-1] is target:
            return way[1:]
        following = sorted(HANDOFF_MOVES[way[-1]] - met, key=list(HandoffState).index)
        met.update(following)
        ways += [(*way, state) for state in following]
    return ()
