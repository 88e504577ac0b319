"""Any value of a policy in words: what has no words of its own elsewhere is still said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from baton.policy.actions import Action, AllowedAfter, Returns
from baton.policy.conditions import Condition
from baton.policy.durations import Duration
from baton.policy.score_models import Band
from baton.policy.targets import Target
from baton.policy.wording import (
    action_in_words,
    condition_in_words,
    counted,
    edge_in_words,
    joined,
    length_in_words,
    return_in_words,
    target_in_words,
    value_in_words,
)

MOST_ENTRIES = 6
_LONGEST = 160
_KEYS = {"id", "label", "name", "code"}


def shown(value: object) -> str:
    """Return any value of a policy in words, short enough for a sentence."""
    text = in_full(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def in_full(value: object, most: int = MOST_ENTRIES) -> str:
    """Return any value in words; of many entries the first `most`."""
    for kind, words in _WORDS:
        if isinstance(value, kind):
            return words(value)
    if isinstance(value, AbstractSet | tuple | list):
        parts = [in_full(part) for part in value]
        listed = sorted(parts) if isinstance(value, AbstractSet) else parts
        return entries(listed, most) or "nothing"
    return "nothing" if value is None else value_in_words(value)


def _text(value: str) -> str:
    return f"“{value}”" if " " in value else value


def _work(value: AllowedAfter) -> str:
    return f"{counted(value.touches, 'touch', 'touches')} over {counted(value.days, 'day')}"


def _map(value: Mapping[object, object]) -> str:
    return joined(f"{key}: {in_full(part)}" for key, part in value.items()) or "nothing"


def _model(value: BaseModel) -> str:
    told = []
    for name, found in type(value).model_fields.items():
        part = getattr(value, name)
        if name in _KEYS:
            continue
        if part is not None and part != found.default and part not in ((), {}):
            told.append(f"{phrase(name)} {in_full(part)}")
    return "; ".join(told) or "nothing"


def entries(names: list[str], most: int = MOST_ENTRIES) -> str:
    """Return the first `most` names, and how many more there are."""
    more = len(names) - most
    return joined([*names[:most], f"{more} more"] if more > 0 else names)


def phrase(name: object) -> str:
    """Return a name of the policy as words: "handoffs_per_run" becomes "handoffs per run"."""
    return str(name).rstrip("_").replace("_", " ")


_WORDS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: "yes" if value else "no"),
    (Condition, condition_in_words),
    (Duration, length_in_words),
    (Target, target_in_words),
    (Action, action_in_words),
    (Returns, return_in_words),
    (AllowedAfter, _work),
    (Band, edge_in_words),
    (BaseModel, _model),
    (Mapping, _map),
    (StrEnum, lambda value: phrase(value.value)),
    (str, _text),
)
