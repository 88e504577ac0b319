"""Who a lead goes to: the ``to`` and ``if_nobody`` of routing rules."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from baton.policy.actions import PolicyModel
from baton.policy.reading import did_you_mean, problem, read_email


class TargetKind(StrEnum):
    """What a routing rule points at."""

    OPPORTUNITY_OWNER = "opportunity_owner"
    ACCOUNT_OWNER = "account_owner"
    LEAD_OWNER = "lead_owner"
    NAMED_ACCOUNT_OWNER = "named_account_owner"
    LOST_OPPORTUNITY_OWNER = "lost_opportunity_owner"
    MEETING_HOST = "meeting_host"
    POOL = "pool"
    QUEUE = "queue"
    PERSON = "person"
    WAIT = "wait"
    GO_ON = "go_on"


_NAMED = {TargetKind.POOL, TargetKind.QUEUE, TargetKind.PERSON}
_WORDS_FOR_NOBODY = {"wait": TargetKind.WAIT, "go on": TargetKind.GO_ON}
"""Only `if_nobody` may say these: the lead is held until somebody is there; the next rule."""
_PHRASES = {
    kind.value.replace("_", " "): kind
    for kind in TargetKind
    if kind not in _NAMED and kind not in _WORDS_FOR_NOBODY.values()
}


class Target(PolicyModel):
    """A pool, queue or person by name, or the owner of something the lead already belongs to."""

    kind: TargetKind
    name: str | None = None

    def __str__(self) -> str:
        """Say it in words: "pool DACH SDR", "account owner"."""
        words = self.kind.value.replace("_", " ")
        return f"{words} {self.name}" if self.name else words


def read_if_nobody(value: object) -> object:
    """Turn ``wait`` or ``go on`` into the fields of Target; all else is read as `to` is."""
    if isinstance(value, str):
        phrase = _phrase(value)
        if phrase in _WORDS_FOR_NOBODY:
            return {"kind": _WORDS_FOR_NOBODY[phrase]}
        if phrase not in _PHRASES:
            raise problem(
                f"'{value}' does not say where a lead goes when nobody is there",
                hint=did_you_mean(phrase, (*_WORDS_FOR_NOBODY, *_PHRASES))
                or "write wait, go on, {queue: NAME}, {pool: NAME} or {person: E-MAIL}",
            )
    return read_target(value)


def _phrase(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").split())


def read_target(value: object) -> object:
    """Turn ``opportunity owner`` or ``{pool: DACH SDR}`` into the fields of Target."""
    if isinstance(value, str):
        phrase = _phrase(value)
        if phrase in _WORDS_FOR_NOBODY:
            raise ValueError(f"'{value}' says what happens if_nobody is there; it is nobody")
        if phrase in _PHRASES:
            return {"kind": _PHRASES[phrase]}
        raise ValueError(
            f"'{value}' is not somebody: write {{pool: NAME}}, {{queue: NAME}}, {{person: E-MAIL}}, "
            + ", ".join(_PHRASES)
        )
    if isinstance(value, Mapping) and len(value) == 1:
        key, name = next(iter(value.items()))
        if key == TargetKind.PERSON:
            name = read_email(name)
        if key in set(_NAMED):
            return {"kind": key, "name": name}
        raise problem(
            f"'{key}' is not one of pool, queue, person",
            path=(str(key),),
            hint=did_you_mean(str(key), [kind.value for kind in _NAMED]),
        )
    return value
