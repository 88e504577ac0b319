"""Sentences of the policy with values in them: "{Company size} people, our size"."""

from __future__ import annotations

import re
from datetime import datetime

from baton.policy.facts import Facts, FactValue, known

_SLOT = re.compile(r"\{([^{}]+)\}")
UNKNOWN = "unknown"


def slots(template: str) -> tuple[str, ...]:
    """Return the labels that a sentence names in braces."""
    return tuple(match.strip() for match in _SLOT.findall(template))


def open_brace(template: str) -> str | None:
    """Return the passage at which a brace is not closed, or closes nothing; None: all are."""
    rest = _SLOT.sub(lambda match: " " * len(match[0]), template)
    at = next((place for place, sign in enumerate(rest) if sign in "{}"), None)
    return None if at is None else template[at : at + 30]


def fill(template: str, facts: Facts) -> str:
    """Put the values into a sentence; a value that is not known reads "unknown"."""
    return _SLOT.sub(lambda match: in_words(facts.get(match[1].strip())), template)


def in_words(value: FactValue) -> str:
    """Return a value as a person reads it."""
    if not known(value):
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, tuple):
        return ", ".join(value)
    try:
        return str(value)
    except ValueError:  # a whole number of thousands of digits
        return UNKNOWN
