"""From a reason code to the action that follows: no code is a dead end.

A code that may not be given yet (too little work, a date missing) is refused in words, and the lead
stays with its owner. A code that has sent the lead back too often leads to what the policy says
comes after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol

from baton.leads.history import LeadHistory
from baton.leads.states import LeadState
from baton.policy.actions import Action, ActionKind, MustGive, ReturnRule, ReturnTo
from baton.policy.models import Disposition, Outcome, Policy


class Worked(Protocol):
    """A touch, as far as it matters here."""

    @property
    def at(self) -> datetime:
        """Return when it happened."""
        ...

    @property
    def counts(self) -> bool:
        """Tell whether it is evidence of a human's work."""
        ...


class Refusal(StrEnum):
    """Why a reason code cannot be accepted as given."""

    UNKNOWN_CODE = "unknown_code"
    DATE_MISSING = "date_missing"
    DATE_PAST = "date_past"
    TOO_LITTLE_WORK = "too_little_work"


@dataclass(frozen=True, slots=True)
class Planned:
    """What follows from a reason code.

    `lead_state`: where the lead goes; None while the handoff stays open (accepted, refused, keep
    working). `list`: the HubSpot list to add to. `return_at`: when the lead comes back, None also
    for a return on a new hand raise. `to`: whom a returning lead goes to. `capped`: the code was
    used up, so the action is the one that comes after the cap. `refusal` and `words` say why
    nothing happens.
    """

    code: str
    outcome: Outcome | None
    action: ActionKind
    lead_state: LeadState | None
    list: str | None = None
    return_at: datetime | None = None
    to: ReturnTo | None = None
    capped: bool = False
    refusal: Refusal | None = None
    words: str = ""


_STATES = {
    ActionKind.RECYCLE: LeadState.RECYCLED,
    ActionKind.NURTURE_LIST: LeadState.NURTURE,
    ActionKind.REMOVE_FROM_MARKETING: LeadState.DISQUALIFIED,
    ActionKind.DISQUALIFY: LeadState.DISQUALIFIED,
}


def code_of(policy: Policy, label: str) -> str | None:
    """Return the reason code whose label, as the rep sees it, or whose own name this is."""
    wanted = label.strip().casefold()
    for code, disposition in policy.dispositions.items():
        if wanted in (disposition.rep_sees.casefold(), code.casefold()):
            return code
    return None


def action_for(
    policy: Policy,
    code: str,
    *,
    history: LeadHistory,
    touches: Iterable[Worked],
    now: datetime,
    given_date: date | None = None,
) -> Planned:
    """Return what follows from `code`, given by a rep at `now`.

    `touches` are those of the handoff, `given_date` the date that the rep filled in. A refusal
    leaves the handoff open.
    """
    disposition = policy.dispositions.get(code)
    if disposition is None:
        words = f"'{code}' is no reason code of this policy; there are " + ", ".join(
            policy.dispositions
        )
        return Planned(
            code, None, ActionKind.KEEP_WORKING, None, refusal=Refusal.UNKNOWN_CODE, words=words
        )
    refused = _refusal(disposition, tuple(touches), now, given_date)
    if refused is not None:
        refusal, words = refused
        return Planned(
            code,
            disposition.outcome,
            ActionKind.KEEP_WORKING,
            None,
            refusal=refusal,
            words=words,
        )
    used = history.recycles.get(code, 0)
    after_cap = disposition.then_after_cap
    if disposition.at_most is not None and used >= disposition.at_most and after_cap is not None:
        words = f"sent back {used} times with this reason already: {_in_words(after_cap)}"
        return _planned(disposition, after_cap, now, None, capped=True, words=words)
    return _planned(
        disposition, disposition.action, now, given_date, words=_in_words(disposition.action)
    )


def _refusal(
    disposition: Disposition, touches: tuple[Worked, ...], now: datetime, given: date | None
) -> tuple[Refusal, str] | None:
    if disposition.must_give is MustGive.DATE:
        if given is None:
            return Refusal.DATE_MISSING, f"'{disposition.rep_sees}' needs a date to come back on"
        if given <= now.astimezone(UTC).date():
            return Refusal.DATE_PAST, f"the date {given.isoformat()} is not in the future"
    needed = disposition.allowed_after
    if needed is None:
        return None
    counted = [touch.at for touch in touches if touch.counts and touch.at <= now]
    days = (now - min(counted)) // timedelta(days=1) if counted else 0
    if len(counted) >= needed.touches and days >= needed.days:
        return None
    words = (
        f"'{disposition.rep_sees}' may be given after {needed.touches} touches over "
        f"{needed.days} days; so far {len(counted)} touches over {days} days"
    )
    return Refusal.TOO_LITTLE_WORK, words


def _planned(
    disposition: Disposition,
    action: Action,
    now: datetime,
    given: date | None,
    *,
    words: str,
    capped: bool = False,
) -> Planned:
    return_at = None if capped else _return_at(disposition, action, now, given)
    if capped and action.kind is ActionKind.RECYCLE and action.days is not None:
        return_at = now + timedelta(days=action.days)
    state = _STATES.get(action.kind)
    waits = not capped and disposition.returns is not None
    if action.kind is ActionKind.NURTURE_LIST and (waits or return_at is not None):
        # It is nurtured until it returns: the date or event is kept by the state `recycled`.
        state = LeadState.RECYCLED
    return Planned(
        disposition.code,
        disposition.outcome,
        action.kind,
        state,
        list=action.list,
        return_at=return_at,
        to=None if capped else disposition.to,
        capped=capped,
        words=words,
    )


def _return_at(
    disposition: Disposition, action: Action, now: datetime, given: date | None
) -> datetime | None:
    returns = disposition.returns
    if returns is not None and returns.rule is ReturnRule.ON_EVENT:
        return None
    if returns is not None and returns.rule is ReturnRule.ON_THAT_DATE:
        return datetime.combine(given, time.min, tzinfo=UTC) if given else None
    days = returns.days if returns is not None and returns.days is not None else action.days
    if disposition.outcome is not Outcome.RECYCLE or days is None:
        return None
    return now + timedelta(days=days)


def _in_words(action: Action) -> str:
    match action.kind:
        case ActionKind.RECYCLE:
            return f"recycled for {action.days} days" if action.days else "recycled"
        case ActionKind.NURTURE_LIST:
            return f"goes to the nurture list '{action.list}'"
        case ActionKind.REMOVE_FROM_MARKETING:
            return "removed from marketing"
        case ActionKind.DISQUALIFY:
            return "disqualified; a new hand raise reopens it"
        case ActionKind.ACCEPT:
            return "accepted"
        case ActionKind.KEEP_WORKING:
            return "stays with its owner"
