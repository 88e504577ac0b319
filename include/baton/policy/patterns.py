"""Regular expressions that a policy may use: what cannot run away on a long or hostile text.

Python's engine tries every way in which repeats can share a text out among themselves. One repeat
inside another makes that exponential, several in a row make it slow: both are refused when the
policy is read, because the texts come from strangers.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

LONGEST_PATTERN = 500
MOST_OPEN_REPEATS = 2
_OPEN = 32
"""A repeat that may run this often, or for ever, is open."""
_OFTEN = 4
"""Within what is repeated this often nothing may vary."""
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}


class PatternError(ValueError):
    """A pattern cannot be used. `hint` says how to write it instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def check_pattern(pattern: str) -> None:
    """Refuse what is no regular expression, and one that may take for ever. Raises PatternError."""
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"a pattern has at most {LONGEST_PATTERN} characters")
    tree = _parsed(pattern)
    open_repeats = 0
    for name, argument, inside in _walk(tree, inside=False):
        if name == "GROUPREF":
            raise PatternError(
                f"'{pattern}' refers back to what it found, which may take for ever",
                "write it without \\1",
            )
        if inside and (name == "BRANCH" or (name in _REPEATS and argument[0] != argument[1])):
            raise PatternError(
                f"'{pattern}' repeats something that itself varies, which may take for ever",
                r"write 'a+' and not '(a+)+'; '(sales|marketing)' needs no repeat to be found",
            )
        open_repeats += name in _REPEATS and int(argument[1]) >= _OPEN
    if open_repeats > MOST_OPEN_REPEATS:
        raise PatternError(
            f"'{pattern}' has {open_repeats} repeats without an end; with more than "
            f"{MOST_OPEN_REPEATS} a long text takes for ever",
            "leave '.*' out at the beginning and the end: a pattern is looked for anywhere",
        )


def _parsed(pattern: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern, re.IGNORECASE)
            # The parser has no public name; its tree has kept its form since Python 3.5.
            return re._parser.parse(pattern, re.IGNORECASE)  # type: ignore[attr-defined]  # noqa: SLF001
    except (re.error, FutureWarning, DeprecationWarning, OverflowError, RecursionError) as error:
        raise PatternError(
            f"'{pattern}' is not a regular expression: {error}",
            r"put a '\' before a sign that is meant itself, as in 'c\+\+'",
        ) from None


def _walk(items: Iterable[Any], *, inside: bool) -> Iterator[tuple[str, Any, bool]]:
    """Yield (name, argument, inside a repeat) of every node."""
    for operation, argument in items:
        name = str(operation)
        yield name, argument, inside
        below = inside or (name in _REPEATS and int(argument[1]) >= _OFTEN)
        for part in _bodies(name, argument):
            yield from _walk(part, inside=below)


def _bodies(name: str, argument: Any) -> list[Any]:
    if name in _REPEATS:
        return [argument[2]]
    if name == "BRANCH":
        return list(argument[1])
    if name in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
        return [argument[-1]]
    if name == "ATOMIC_GROUP":
        return [argument]
    if name == "GROUPREF_EXISTS":
        return [part for part in argument[1:] if part is not None]
    return []
