"""Who a lead goes to: the ``to`` and ``if_nobody`` of routing rules."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from baton.policy.actions import PolicyModel


class TargetKind(StrEnum):
    """What a routing rule points at."""

    OPPORTUNITY_OWNER = "opportunity_owner"
    ACCOUNT_OWNER = "account_owner"
    LEAD_OWNER = "lead_owner"
    NAMED_ACCOUNT_OWNER = "named_account_owner"
    POOL = "pool"
    QUEUE = "queue"
    PERSON = "person"


_NAMED = {TargetKind.POOL, TargetKind.QUEUE, TargetKind.PERSON}
_PHRASES = {kind.value.replace("_", " "): kind for kind in TargetKind if kind not in _NAMED}


class Target(PolicyModel):
    """A pool, queue or person by name, or the owner of something the lead already belongs to."""

    kind: TargetKind
    name: str | None = None

    def __str__(self) -> str:
        """Say it in words: "pool DACH SDR", "account owner"."""
        words = self.kind.value.replace("_", " ")
        return f"{words} {self.name}" if self.name else words


def read_target(value: object) -> object:
    """Turn ``opportunity owner`` or ``{pool: DACH SDR}`` into the fields of Target."""
    if isinstance(value, str):
        phrase = " ".join(value.lower().replace("_", " ").split())
        if phrase in _PHRASES:
            return {"kind": _PHRASES[phrase]}
        raise ValueError(
            f"'{value}' is not somebody: write {{pool: NAME}}, {{queue: NAME}}, {{person: E-MAIL}}, "
            + ", ".join(_PHRASES)
        )
    if isinstance(value, Mapping) and len(value) == 1:
        key, name = next(iter(value.items()))
        if key in set(_NAMED):
            return {"kind": key, "name": name}
        raise ValueError(f"'{key}' is not one of pool, queue, person")
    return value
