"""Territories: does each end with somebody?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from baton.policy.conditions import Test
from baton.policy.findings import Finding, Level
from baton.policy.models import Policy

TERRITORY, COUNTRY = "Territory", "Country"
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def territories_are_taken(policy: Policy) -> Iterator[Finding]:
    """Yield territories that no rule takes, and territories that no lead can ever be in."""
    asked = [test for rule in policy.route for test in _about_territory(rule.when.tests())]
    if not policy.territories:
        return
    for name in sorted(policy.territories.names()):
        taken = any(test.evaluate({TERRITORY: name}, _ANY_MOMENT) for test in asked)
        if asked and not taken:
            message = f"no rule takes the territory '{name}': its leads fall to the last one"
            hint = "add a rule with {Territory: " + name + "}"
            yield Finding(Level.WARNING, "territory-untaken", message, ("territories",), hint)
    for label in (TERRITORY, COUNTRY):
        if label not in policy.fields:
            message = f"there are territories, but no field '{label}'"
            hint = f"declare '{label}' under 'fields'"
            yield Finding(Level.ERROR, "unknown-name", message, ("territories",), hint)


def _about_territory(tests: object) -> Iterator[Test]:
    if isinstance(tests, tuple):
        yield from (test for test in tests if isinstance(test, Test) and test.label == TERRITORY)
