"""The short phrases of reason codes and their models: what happens, when a lead returns, to whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from baton.policy.durations import parse_duration


class PolicyModel(BaseModel):
    """Base of every part of a policy or roster: frozen, nothing unknown, YAML names or ours."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values; it remembers nothing worked out from the old ones."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


class ActionKind(StrEnum):
    """What a reason code does."""

    RECYCLE = "recycle"
    NURTURE_LIST = "nurture_list"
    REMOVE_FROM_MARKETING = "remove_from_marketing"
    DISQUALIFY = "disqualify"
    ACCEPT = "accept"
    KEEP_WORKING = "keep_working"


class ReturnRule(StrEnum):
    """When a lead that went back to marketing returns."""

    ON_THAT_DATE = "on_that_date"
    AFTER_DAYS = "after_days"
    ON_EVENT = "on_event"


class ReturnTo(StrEnum):
    """Whom a returning lead goes to."""

    SAME_REP = "same_rep"
    FRESH = "fresh"


class MustGive(StrEnum):
    """What the rep must fill in beside the reason."""

    DATE = "date"


class Action(PolicyModel):
    """What follows from a reason code. `list` is a HubSpot list; `days` until a recycled lead returns."""

    kind: ActionKind
    list: str | None = None
    days: int | None = None


class AllowedAfter(PolicyModel):
    """The least work before a reason may be used: `touches` touches, spread over `days` days."""

    touches: int
    days: int


DO_NOT_MARKET = "Do not market"
"""The static HubSpot list of people who leave marketing. A contact's marketing status cannot be set
through the API; a workflow on this list sets it."""
LIST_OF = {ActionKind.REMOVE_FROM_MARKETING: DO_NOT_MARKET}

_BARE_ACTIONS = {
    "recycle": ActionKind.RECYCLE,
    "remove from marketing": ActionKind.REMOVE_FROM_MARKETING,
    "disqualify": ActionKind.DISQUALIFY,
    "accept": ActionKind.ACCEPT,
    "keep working": ActionKind.KEEP_WORKING,
}
_ACTIONS_EXAMPLE = (
    "write 'recycle for 90 days', '{nurture: LIST}', 'remove from marketing', 'disqualify', "
    "'accept' or 'keep working'"
)
_WORK = re.compile(r"\s*(\d+)\s+touch(?:es)?\s+(?:over|in)\s+(\d+)\s+days?\s*", re.IGNORECASE)


def read_action(value: object) -> object:
    """Turn ``recycle for 90 days`` or ``{nurture: Later}`` into the fields of Action."""
    if isinstance(value, str):
        return _action_from_text(value)
    if isinstance(value, Mapping) and set(value) == {"nurture"}:
        return {"kind": ActionKind.NURTURE_LIST, "list": value["nurture"]}
    if isinstance(value, Mapping) and set(value) == {"recycle"}:
        days = parse_duration(value["recycle"]).days
        return {"kind": ActionKind.RECYCLE, "days": days}
    if isinstance(value, Mapping) and "kind" not in value:
        raise ValueError(f"not an action: {_ACTIONS_EXAMPLE}")
    return value


def _action_from_text(text: str) -> object:
    phrase = " ".join(text.lower().split())
    if phrase in _BARE_ACTIONS:
        kind = _BARE_ACTIONS[phrase]
        return {"kind": kind, "list": LIST_OF.get(kind)}
    if phrase.startswith("recycle for "):
        days = parse_duration(phrase.removeprefix("recycle for ")).days
        return {"kind": ActionKind.RECYCLE, "days": days}
    raise ValueError(f"'{text}' is not an action: {_ACTIONS_EXAMPLE}")


def read_returns(value: object) -> object:
    """Turn ``on that date``, ``after 60 days``, ``on a new hand raise`` into a rule, or (rule, days)."""
    if not isinstance(value, str):
        return value
    phrase = " ".join(value.lower().replace("_", " ").split())
    if phrase == "on that date":
        return {"rule": ReturnRule.ON_THAT_DATE}
    if phrase in {"on event", "on a new hand raise", "on an event"}:
        return {"rule": ReturnRule.ON_EVENT}
    if phrase.startswith("after "):
        days = parse_duration(phrase.removeprefix("after ")).days
        return {"rule": ReturnRule.AFTER_DAYS, "days": days}
    raise ValueError(
        f"'{value}' does not say when: write 'on that date', 'after 60 days' or 'on a new hand raise'"
    )


def read_allowed_after(value: object) -> object:
    """Turn ``6 touches over 10 days`` into the fields of AllowedAfter."""
    if not isinstance(value, str):
        return value
    match = _WORK.fullmatch(value)
    if match is None:
        raise ValueError(f"'{value}' does not read as '6 touches over 10 days'")
    return {"touches": int(match[1]), "days": int(match[2])}


def read_words(value: object) -> object:
    """Turn the words of an enumeration as people write them (``same rep``) into its value."""
    return "_".join(value.lower().split()) if isinstance(value, str) else value


class Returns(PolicyModel):
    """When a lead returns. `days` only for AFTER_DAYS."""

    rule: ReturnRule
    days: int | None = None
