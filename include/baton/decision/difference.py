"""Where two decisions part: the first place, in reading order, at which their JSON differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LONGEST = 300
NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place (``$.route.owner.key``) with both values as JSON; NOTHING where there is none."""

    path: str
    before: str
    after: str


def first_difference(before: object, after: object, path: str = "$") -> Difference | None:
    """Return the first place at which two plain JSON values differ, keys in order, or None."""
    return next(_differences(before, after, path), None)


def _differences(before: object, after: object, path: str) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            here = f"{path}.{key}" if str(key).isidentifier() else f"{path}[{json.dumps(key)}]"
            yield from _of_member(before, after, key, here)
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            here = f"{path}[{place}]"
            if place >= len(before):
                yield Difference(here, NOTHING, _shown(after[place]))
            elif place >= len(after):
                yield Difference(here, _shown(before[place]), NOTHING)
            else:
                yield from _differences(before[place], after[place], here)
    elif type(before) is not type(after) or before != after:
        yield Difference(path, _shown(before), _shown(after))


def _of_member(
    before: Mapping[str, object], after: Mapping[str, object], key: str, path: str
) -> Iterator[Difference]:
    if key not in before:
        yield Difference(path, NOTHING, _shown(after[key]))
    elif key not in after:
        yield Difference(path, _shown(before[key]), NOTHING)
    else:
        yield from _differences(before[key], after[key], path)


def _shown(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
