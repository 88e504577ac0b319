"""Trying again, letting go and giving up effects by hand. The drain carries them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection

from baton.leads.states import EffectState, HandoffState
from baton.ledger.effects import effects, outbox
from baton.ledger.effects.effects import EffectRow
from baton.ledger.handoffs import handoffs
from baton.ledger.record import transitions
from baton.pipeline.by_hand.admin_requests import (
    DISMISSED_EFFECT,
    Action,
    ActionKind,
    ByHand,
    RefusedError,
    Why,
)

TRIED_BY_HAND: Final = "tried_again_by_hand"
_FAILED: Final = (
    EffectState.REJECTED,
    EffectState.INVALID,
    EffectState.DEAD,
    EffectState.AMBIGUOUS,
)
_MESSAGES: Final = ("slack_message", "slack_reminder")
"""What nobody can always look up: here a person's word that it arrived counts."""


def version_of_effect(row: EffectRow) -> str:
    """Return what must not have changed between a form and its sending, readable by people."""
    return version_of_try(row.state.value, row.fence)


def version_of_try(state: str, fence: int) -> str:
    """Return the version of an effect in `state` that was claimed `fence` times."""
    return f"{state}, claimed {fence} times"


def act_on_effect(conn: Connection, hand: ByHand, action: Action) -> str:
    """Do it, and return it in words. Raises RefusedError, IllegalTransitionError, StaleLeaseError."""
    row = effects.get(conn, action.subject.id)
    if row is None:
        raise RefusedError(Why.UNKNOWN, f"There is no {action.subject} in the ledger.")
    now = version_of_effect(row)
    if action.seen and action.seen != now:
        words = f"It is not as it was shown: then '{action.seen}', now '{now}'."
        raise RefusedError(Why.STALE, words)
    return _WAYS[action.kind](conn, hand, action, row)


def _retry(conn: Connection, hand: ByHand, action: Action, row: EffectRow) -> str:
    if row.state not in _FAILED:
        raise RefusedError(Why.IMPOSSIBLE, f"It has not failed: it is '{row.state}'.")
    at = hand.clock.now()
    if row.state is EffectState.AMBIGUOUS:
        outbox.settle(conn, row.id, EffectState.DEAD, at=at, by=action.by, cause=TRIED_BY_HAND)
    _let_go(conn, hand, action, row)
    look = "; first it is looked up whether it is there already" if row.maybe_sent else ""
    return f"It is tried again with the next delivery{look}."


def _release(conn: Connection, hand: ByHand, action: Action, row: EffectRow) -> str:
    if row.state is not EffectState.WITHHELD:
        raise RefusedError(Why.IMPOSSIBLE, f"It is not withheld: it is '{row.state}'.")
    if _born_withheld(conn, row):
        words = "It was planned while nothing was to go out (observe or history): it stays here."
        raise RefusedError(Why.IMPOSSIBLE, words)
    _let_go(conn, hand, action, row)
    return "It goes out with the next delivery."


def _let_go(conn: Connection, hand: ByHand, action: Action, row: EffectRow) -> None:
    at = hand.clock.now()
    if not outbox.release(conn, [row.id], at=at, by=action.by, cause=TRIED_BY_HAND):
        raise RefusedError(Why.STALE, "It changed a moment ago.")


def _born_withheld(conn: Connection, row: EffectRow) -> bool:
    first = next(iter(transitions.of(conn, "effect", row.id)), None)
    return first is not None and first.after == EffectState.WITHHELD.value


def _dismiss(conn: Connection, hand: ByHand, action: Action, row: EffectRow) -> str:
    if action.to not in DISMISSED_EFFECT:
        raise RefusedError(Why.UNFIT, "Say what became of it: not wanted any more, or seen there.")
    if row.state not in _FAILED:
        raise RefusedError(Why.IMPOSSIBLE, f"It does not wait for anybody: it is '{row.state}'.")
    at = hand.clock.now()
    if action.to == EffectState.SUPERSEDED.value:
        outbox.settle(conn, row.id, EffectState.SUPERSEDED, at=at, by=action.by, cause="dismissed")
        return "Given up: it is not tried again."
    if row.state is not EffectState.AMBIGUOUS or row.kind not in _MESSAGES:
        words = "Only of a message whose fate is unknown can a person say that it arrived."
        raise RefusedError(Why.IMPOSSIBLE, words)
    outbox.settle(conn, row.id, EffectState.DONE, at=at, by=action.by, cause="seen_by_hand")
    if row.kind == "slack_message" and row.handoff_id is not None:
        handoffs.stamp(conn, row.handoff_id, notified_at=at)
        handoffs.advance(
            conn, row.handoff_id, HandoffState.NOTIFIED, at=at, cause=row.key, by=action.by
        )
    return f"Noted that it arrived, in the word of {action.by}."


_WAYS: Final[Mapping[ActionKind, Callable[[Connection, ByHand, Action, EffectRow], str]]] = {
    ActionKind.RETRY: _retry,
    ActionKind.RELEASE: _release,
    ActionKind.DISMISS: _dismiss,
}
