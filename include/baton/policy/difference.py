"""What changed between two policies, found in their structure and said in words.

The walk goes over the models themselves, field by field, so that nothing is left out: whatever has
no words of its own (`baton.policy.difference_words`) is told with its path and both values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TypeGuard

from pydantic import BaseModel

from baton.policy.conditions import Test
from baton.policy.models import Policy
from baton.policy.parts import conditions
from baton.policy.territories import Territories

Path = tuple[str | int, ...]
_NAMES = ("id", "name", "code", "label", "domain", "provider", "metric", "title", "say", "rep")
_NOT_CONTENT = {"hash"}


class Kind(StrEnum):
    """What happened at a place."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed at `path`; `before` and `after` are the values themselves.

    For MOVED, `after` is the name of the item that the moved one stands before now, None: the end.
    `holder` is the innermost part of the new policy (of the old one, if removed) that has a name.
    """

    path: Path
    kind: Kind
    before: object = None
    after: object = None
    holder: object = None
    holder_before: object = None


def differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """Return everything in which two policies differ, in the order of the policy's sections."""
    if before is after:
        return ()
    lists = tuple(_of_lists(before, after))
    told = frozenset(name for found in lists for name in found.path[1:])
    return (*_compare((), before, after, _Walk(told)), *lists)


@dataclass(frozen=True, slots=True)
class _Walk:
    """What is told elsewhere: CSV lists whose content changed under the same name."""

    lists: frozenset[str | int]

    def same(self, before: object, after: object) -> bool:
        """Tell whether nothing differs; what is the very same object is not looked into."""
        if before is after:
            return True
        if isinstance(before, BaseModel) and type(before) is type(after):
            names = _fields(before)
            return all(self.same(part, getattr(after, name)) for name, part in names.items())
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            return list(before) == list(after) and all(
                self.same(part, after[name]) for name, part in before.items()
            )
        return plain(before, self.lists) == plain(after, self.lists)


def plain(value: object, lists: AbstractSet[str | int] = frozenset()) -> object:
    """Return a value as nested lists and maps that can be compared; nothing of it is left out.

    Of the CSV lists named in `lists` only the name counts.
    """
    if isinstance(value, Test):
        operand = "…" if value.source in lists else plain(value.operand)
        return {"label": value.label, "operator": value.operator, "operand": operand,
                "source": value.source}  # fmt: skip
    if isinstance(value, BaseModel):
        return {name: plain(part, lists) for name, part in _fields(value).items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            found.name: plain(getattr(value, found.name), lists)
            for found in dataclasses.fields(value)
            if not found.name.startswith("_")
        }
    if isinstance(value, Mapping):
        return [(str(key), plain(part, lists)) for key, part in value.items()]
    if isinstance(value, AbstractSet):
        return {"a set": sorted(str(part) for part in value)}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(part, lists) for part in value]
    # 1 == True in Python; the policy tells them apart.
    return (isinstance(value, bool), value)


def _fields(value: BaseModel) -> dict[str, object]:
    names = [name for name in type(value).model_fields if name not in _NOT_CONTENT]
    return {name: getattr(value, name) for name in names}


def _of_lists(before: Policy, after: Policy) -> Iterator[Difference]:
    """Yield each CSV list that conditions of both policies name, and that holds other values now."""
    old, new = _lists(before), _lists(after)
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            gone, come = old[name] - new[name], new[name] - old[name]
            kind = Kind.CHANGED
            yield Difference(("lists", name), kind, frozenset(gone), frozenset(come))


def _lists(policy: Policy) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for _path, condition in conditions(policy):
        for test in condition.tests():
            if test.source is not None and isinstance(test.operand, tuple):
                found[test.source] = frozenset(str(part) for part in test.operand)
    return found


Holders = tuple[object, object]
"""The innermost named part, before and after."""


def _compare(
    path: Path, before: object, after: object, walk: _Walk, holders: Holders = (None, None)
) -> Iterator[Difference]:
    if walk.same(before, after):
        return
    inner = (before, after) if _has_name(after) or _has_name(before) else holders
    found = list(_inside(path, before, after, walk, inner))
    # Whatever differs and shows no difference inside is told as a whole.
    yield from found or [Difference(path, Kind.CHANGED, before, after, inner[1], inner[0])]


def _inside(
    path: Path, before: object, after: object, walk: _Walk, holders: Holders
) -> Iterator[Difference]:
    if isinstance(before, BaseModel) and isinstance(after, BaseModel):
        if type(before) is type(after):
            old, new = _fields(before), _fields(after)
            for name in old:
                yield from _compare((*path, name), old[name], new[name], walk, holders)
        return
    names = _named(before, after)
    if names is not None:
        yield from _compare_named(path, *names, walk, holders)


def _places(territories: Territories) -> dict[str, object]:
    """Return the territory of each line by its country, region and first day."""
    found: dict[str, object] = {}
    for row in territories.rows:
        name = " ".join(filter(None, (row.country, row.region)))
        found[f"{name} from {row.effective_from}" if row.effective_from else name] = row.territory
    return found


def _compare_named(
    path: Path, before: Mapping[str, object], after: Mapping[str, object], walk: _Walk,
    holders: Holders,
) -> Iterator[Difference]:  # fmt: skip
    old_holder, new_holder = holders
    for name, value in after.items():
        if name not in before:
            yield Difference((*path, name), Kind.ADDED, None, value, new_holder, old_holder)
    for name, value in before.items():
        if name not in after:
            yield Difference((*path, name), Kind.REMOVED, value, None, new_holder, old_holder)
        else:
            yield from _compare((*path, name), value, after[name], walk, holders)
    yield from _moved(path, list(before), list(after), holders)


def _moved(
    path: Path, before: list[str], after: list[str], holders: Holders
) -> Iterator[Difference]:
    """Yield the items that stand elsewhere in the order now; as few as explain it."""
    old = [name for name in before if name in set(after)]
    new = [name for name in after if name in set(before)]
    if old == new:
        return
    kept: set[str] = set()
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        kept.update(new[block.b : block.b + block.size])
    for at, name in enumerate(new):
        if name not in kept:
            following = new[at + 1] if at + 1 < len(new) else None
            yield Difference((*path, name), Kind.MOVED, None, following, *reversed(holders))


def _named(
    before: object, after: object
) -> tuple[Mapping[str, object], Mapping[str, object]] | None:
    """Return both sides by the names of their items, or None where they have none."""
    if isinstance(before, Territories) and isinstance(after, Territories):
        return _places(before), _places(after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return _text_keys(before), _text_keys(after)
    if not (_is_list(before) and _is_list(after)):
        return None
    if all(isinstance(part, str) for part in (*before, *after)):
        both = _texts(before), _texts(after)
        return both if len(both[0]) == len(before) and len(both[1]) == len(after) else None
    for attribute in _NAMES:
        old, new = _by(before, attribute), _by(after, attribute)
        if old is not None and new is not None:
            return old, new
    return None


def _texts(parts: Sequence[object]) -> dict[str, object]:
    return {str(part): part for part in parts}


def _by(parts: Sequence[object], attribute: str) -> Mapping[str, object] | None:
    names = [getattr(part, attribute, None) for part in parts]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        return None
    return {str(name): part for name, part in zip(names, parts, strict=True)}


def _has_name(value: object) -> bool:
    return isinstance(value, BaseModel) and any(
        isinstance(getattr(value, name, None), str) for name in ("id", "code", "name", "label")
    )


def _text_keys(value: Mapping[object, object]) -> dict[str, object]:
    return {str(key): part for key, part in value.items()}


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
