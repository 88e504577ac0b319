"""What a person asks for by hand on the pages, and what comes of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from baton.clock import Clock
from baton.leads.states import LeadState
from baton.ledger.record.admin_actions import LONGEST_REASON
from baton.settings import Mode

LONGEST_HOLD: Final = timedelta(days=366)
BY_POLICY: Final = "policy"
"""Where to reassign: to whom the policy's ladder leads."""


class ActionKind(StrEnum):
    """What can be done by hand."""

    REASSIGN = "reassign"
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"
    RE_CHECK = "re_check"
    DISMISS = "dismiss"


class SubjectKind(StrEnum):
    """What something can be done to."""

    LEAD = "lead"
    EFFECT = "effect"
    DUPLICATE = "duplicate"
    OVERRIDE = "override"


POSSIBLE: Final = {
    SubjectKind.LEAD: frozenset(ActionKind) - {ActionKind.RETRY},
    SubjectKind.EFFECT: frozenset({ActionKind.RETRY, ActionKind.RELEASE, ActionKind.DISMISS}),
    SubjectKind.DUPLICATE: frozenset({ActionKind.DISMISS}),
    SubjectKind.OVERRIDE: frozenset({ActionKind.DISMISS}),
}
DISMISSED_LEAD: Final = {
    "nurture": LeadState.NURTURE,
    "suppressed": LeadState.SUPPRESSED,
}
"""Where a dismissed lead may go: back to marketing, or nowhere until it changes."""
DISMISSED_EFFECT: Final = ("superseded", "done")
"""What becomes of a dismissed effect: nobody wants it any more; or a person saw that it is there."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One lead, effect or override by its id; a duplicate by the ids of both leads."""

    kind: SubjectKind
    id: int
    other: int | None = None

    def __str__(self) -> str:
        """Return it as the ledger writes it: "lead 12", "duplicate 3-9"."""
        tail = "" if self.other is None else f"-{self.other}"
        return f"{self.kind} {self.id}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Somebody (`by`) asks for something.

    `form` is the form that was sent: sent twice it acts once. `seen` is the version that the form
    showed (`version` in `baton.pipeline.by_hand.admin_actions`); empty: no version counts. `to` is where to
    reassign ("policy", "person E-MAIL", "queue NAME") or the state to dismiss to; `until` is how
    long to hold.
    """

    kind: ActionKind
    subject: Subject
    by: str
    reason: str
    form: str
    seen: str = ""
    to: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ByHand:
    """Clock and mode of somebody who acts on the pages: effects go out with the next delivery."""

    clock: Clock
    mode: Mode


class Why(StrEnum):
    """Why something was refused."""

    UNFIT = "unfit"
    """What was asked for makes no sense: the form must be filled in otherwise."""
    UNKNOWN = "unknown"
    """There is no such lead or effect."""
    GONE = "gone"
    """The lead was erased, or merged into another."""
    STALE = "stale"
    """Somebody else did something meanwhile."""
    IMPOSSIBLE = "impossible"
    """As things stand it cannot be done."""
    BUSY = "busy"
    """Something else holds it at the moment."""


@dataclass(frozen=True, slots=True)
class Done:
    """It was done. `entry` is its number in the record; `again`: the form had done it before."""

    words: str
    entry: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was done. `entry` is its number in the record; None where nothing was recorded."""

    words: str
    why: Why
    entry: int | None = None


class RefusedError(Exception):
    """Ends an action; everything it has done is undone."""

    def __init__(self, why: Why, words: str) -> None:
        super().__init__(words)
        self.why, self.words = why, words


def checked_reason(text: str) -> str:
    """Return a reason as it is stored. Raises RefusedError (unfit)."""
    shown = "".join(" " if unicodedata.category(one) in ("Cc", "Cs") else one for one in text)
    reason = " ".join(shown.split())
    if not reason:
        raise RefusedError(Why.UNFIT, "Say why: a reason is needed.")
    if len(reason) > LONGEST_REASON:
        words = f"The reason is too long: {len(reason)} characters, at most {LONGEST_REASON}."
        raise RefusedError(Why.UNFIT, words)
    return reason


def checked_until(until: datetime | None, now: datetime) -> datetime:
    """Return until when to hold. Raises RefusedError (unfit)."""
    if until is None:
        raise RefusedError(Why.UNFIT, "Say until when it is to be held.")
    if until <= now:
        raise RefusedError(Why.UNFIT, f"{until:%Y-%m-%d %H:%M} UTC is over: choose a later time.")
    if until > now + LONGEST_HOLD:
        raise RefusedError(Why.UNFIT, "A lead can be held for a year at most.")
    return until
