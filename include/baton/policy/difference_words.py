"""The differences between two policies as sentences that a head of sales understands.

Each section has its own words for what people change most. A difference without words of its own
is told with its path and both values: nothing is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from baton.policy.difference import Difference, Kind, differences
from baton.policy.difference_sections import OF_SECTION, are_names, before_what, instead, set_change
from baton.policy.models import Policy
from baton.policy.plain_words import phrase, shown
from baton.policy.wording import (
    sentence,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference in words, with the section of the policy and the path to it."""

    section: str
    path: str
    kind: str
    words: str

    def to_json(self) -> dict[str, str]:
        """Return it as plain JSON values."""
        return {
            "section": self.section,
            "path": self.path,
            "kind": self.kind,
            "words": self.words,
        }


def changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Return what changed between two policies, in words, in the order of the sections."""
    found: dict[tuple[str, str], Change] = {}
    for one in differences(before, after):
        path = ".".join(str(part) for part in one.path)
        section, words = section_title(str(one.path[0])), _sentence(one)
        # Two fields may be one fact: a band's "above" gone and its "from" come.
        found.setdefault((section, words), Change(section, path, one.kind.value, words))
    return tuple(found.values())


_SECTIONS = {
    "agreed": "Who agreed",
    "scoring": "Score",
    "sla": "Response times",
    "dispositions": "Reason codes",
    "route": "Routing",
    "suppress": "Never handed off",
    "required": "Required data",
    "lists": "Lists",
    "work": "Work of sales",
    "named_accounts": "Named accounts",
    "write_back": "Write-back to HubSpot",
    "salesforce": "Salesforce",
    "mail": "Mail lists",
}


def section_title(section: str) -> str:
    """Return the heading under which differences of a section stand."""
    return _SECTIONS.get(section, section.replace("_", " ").capitalize())


def _sentence(one: Difference) -> str:
    words = OF_SECTION.get(str(one.path[0]), _generic)(one) or _generic(one)
    return sentence(words)


def _generic(one: Difference) -> str:
    section, *rest = (phrase(part) for part in one.path)
    if rest and isinstance(one.after or one.before, str) and one.kind is not Kind.CHANGED:
        return _listed(one, ": ".join([section, *rest[:-1]]))
    name = f"{section}: {' › '.join(rest)}" if rest else section
    match one.kind:
        case Kind.ADDED:
            return f"{name} is new: {shown(one.after)}"
        case Kind.REMOVED:
            return f"{name} is gone; it was {shown(one.before)}"
        case Kind.MOVED:
            return f"{name} now comes {before_what(one.after)}"
    if are_names(one.before) and are_names(one.after):
        return f"{name}: {set_change(one.before, one.after)}"
    return f"{name} is now {instead(one.after, one.before)}"


def _listed(one: Difference, name: str) -> str:
    """Say that one text of a list, or one text by name, came, went or moved."""
    key, value = str(one.path[-1]), one.after or one.before
    told = f"“{key}”" if value == key or one.kind is Kind.MOVED else f"“{key}” ({shown(value)})"
    if one.kind is Kind.MOVED:
        return f"{name}: {told} now comes {before_what(one.after)}"
    return f"{name}: {told} was {one.kind.value}"
