"""Values that never come: outside what a field may be, not among what occurs, slots never closed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from baton.policy.conditions import Operator, Test
from baton.policy.fields import Field
from baton.policy.findings import Finding, Level
from baton.policy.models import Policy
from baton.policy.parts import Path, conditions, sentences
from baton.policy.phrases import open_brace
from baton.policy.reading import did_you_mean

_EQUAL = {Operator.IS, Operator.IS_NOT, Operator.IN, Operator.NOT_IN}


def values_can_come(policy: Policy) -> Iterator[Finding]:
    """Yield tests of values that their field never has, and sentences with a broken slot."""
    for path, condition in conditions(policy):
        for test in condition.tests():
            field = policy.fields.get(test.label)
            if field is not None:
                yield from _out_of_bounds(test, field, (*path, test.label))
                yield from _never_seen(test, field, (*path, test.label))
    for path, text in sentences(policy):
        broken = open_brace(text)
        if broken is not None:
            message = f"a brace stands alone at '{broken}': the rep would read it as it is"
            hint = "write {LABEL}, opened and closed"
            yield Finding(Level.ERROR, "open-slot", message, path, hint)


def _out_of_bounds(test: Test, field: Field, path: Path) -> Iterator[Finding]:
    """A number beyond the bounds of its field is bad data: no lead comes this far with it."""
    least, most = _asked(test)
    if field.at_most is not None and least is not None and least > field.at_most:
        message = f"'{field.label}' is at most {field.at_most}: it never is {least} or more"
        yield Finding(Level.ERROR, "impossible-test", message, path, "mend this, or the field")
    elif field.at_least is not None and most is not None and most < field.at_least:
        message = f"'{field.label}' is at least {field.at_least}: it never is {most} or less"
        yield Finding(Level.ERROR, "impossible-test", message, path, "mend this, or the field")


def _asked(test: Test) -> tuple[Decimal | None, Decimal | None]:
    """Return the smallest and the largest number that a test lets pass; None: no such edge."""
    bounds = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    numbers = [
        Decimal(part)
        for part in bounds
        if isinstance(part, int | Decimal) and not isinstance(part, bool)
    ]
    if not numbers or len(numbers) != len(bounds):
        return None, None
    match test.operator:
        case Operator.AT_LEAST | Operator.ABOVE:
            return numbers[0], None
        case Operator.AT_MOST | Operator.BELOW:
            return None, numbers[0]
        case Operator.BETWEEN | Operator.IS | Operator.IN:
            return min(numbers), max(numbers)
        case _:
            return None, None


def _never_seen(test: Test, field: Field, path: Path) -> Iterator[Finding]:
    if not field.known or test.operator not in _EQUAL:
        return
    occur = {value.casefold() for value in field.known}
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    for value in operands:
        if isinstance(value, str) and value.casefold() not in occur:
            message = f"'{field.label}' never is '{value}'"
            hint = did_you_mean(value, field.known) or f"or add it to 'known' of '{field.label}'"
            yield Finding(Level.WARNING, "unknown-value", message, path, hint)
