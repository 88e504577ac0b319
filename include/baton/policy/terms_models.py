"""Response clocks, reason codes and timers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Setting

from baton.policy.actions import (
    AllowedAfter,
    MustGive,
    PolicyModel,
    Returns,
    ReturnTo,
    read_allowed_after,
    read_returns,
    read_words,
)
from baton.policy.calendar_rules import read_minute, read_zone
from baton.policy.durations import ClockKind
from baton.policy.kinds import Length, LengthOrNever, Then


class SlaTerms(PolicyModel):
    """The response clock of a band or trigger, from assignment. None means never.

    A length that does not name its clock is counted on that of `first_touch`.
    """

    first_touch: Length
    remind_at: LengthOrNever = None
    tell_manager_at: LengthOrNever = None
    reassign_at: LengthOrNever = None

    @model_validator(mode="after")
    def _one_clock(self) -> SlaTerms:
        for name in ("remind_at", "tell_manager_at", "reassign_at"):
            length = getattr(self, name)
            if length is not None:
                object.__setattr__(self, name, length.on(self.clock))
        return self

    @property
    def clock(self) -> ClockKind:
        """Return the clock on which the first touch is counted."""
        return self.first_touch.kind


class Outcome(StrEnum):
    """The three outcomes a rep may give."""

    ACCEPTED = "accepted"
    RECYCLE = "recycle"
    DISQUALIFIED = "disqualified"


class Disposition(PolicyModel):
    """A reason code: what the rep sees, what it means, and what follows from it.

    `at_most`: how often in a row a lead may be recycled with it; after that `then_after_cap`.
    """

    code: str
    rep_sees: str
    outcome: Outcome
    action: Then = Setting(alias="then")
    must_give: MustGive | None = None
    returns: Annotated[Returns, BeforeValidator(read_returns)] | None = None
    to: Annotated[ReturnTo, BeforeValidator(read_words)] | None = None
    allowed_after: Annotated[AllowedAfter, BeforeValidator(read_allowed_after)] | None = None
    at_most: int | None = Setting(default=None, ge=1, le=100)
    then_after_cap: Then | None = Setting(default=None, alias="after_that")
    say: str = ""

    @property
    def return_days(self) -> int | None:
        """Return after how many days the lead comes back, where the code itself says so."""
        if self.returns is not None and self.returns.days is not None:
            return self.returns.days
        return self.action.days


class TimerAction(StrEnum):
    """What happens to a lead that stays in a state too long."""

    ALARM = "alarm"
    NURTURE = "nurture"
    JUDGE_AGAIN = "judge_again"
    MARK_COLD = "mark_cold"
    ROUTE_TO_FALLBACK = "route_to_fallback"


class Timer(PolicyModel):
    """How long a lead may stay in a state, and what happens then."""

    after: Length
    then: Annotated[TimerAction, BeforeValidator(read_words)]


class Timers(PolicyModel):
    """A timer for every state that is not final.

    For `recycled` and `in_handoff` it is the net beneath the return date and the handoff's clocks.
    """

    seen: Timer
    quarantined: Timer
    suppressed: Timer
    nurture: Timer
    held: Timer
    in_handoff: Timer
    recycled: Timer
    customer: Timer
    disqualified: Timer


class QuietHours(PolicyModel):
    """Hours in which nobody is written to: a message due then goes out at their end.

    Minutes since midnight, local in `zone` (None: that of the owner); `from_` may lie after `to`,
    then the night passes midnight. `weekends`: Saturday and Sunday are quiet all day. A lead of one
    of `except_bands`, or that one of `except_triggers` brought, is announced at any hour.
    """

    from_: Annotated[int, BeforeValidator(read_minute)] = Setting(alias="from")
    to: Annotated[int, BeforeValidator(read_minute)]
    zone: Annotated[str | None, BeforeValidator(read_zone)] = None
    weekends: bool = False
    except_bands: tuple[str, ...] = ()
    except_triggers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _some_hours_are_quiet(self) -> QuietHours:
        if self.from_ == self.to:
            raise ValueError("quiet hours that end when they begin are none, or never end")
        return self
