"""Values that turn a test: just enough to make it hold, or just enough to make it fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from baton.policy.conditions import Operand, Operator, Test
from baton.policy.facts import FactValue, known
from baton.policy.fields import Field, FieldType

MOST_CHOICES = 4
"""Of a long list of values that would all do, so many are tried."""
GIVEN = "given"
"""Stands for any text: it says no more than that there is one."""
_DAY = timedelta(days=1)
_WORD = re.compile(r"[^\W_][\w ]*")
_NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)
_DATES = (FieldType.DATE, FieldType.DATETIME)


def boundary_values(
    test: Test, field: Field, value: FactValue, moment: datetime
) -> Iterator[tuple[FactValue, bool]]:
    """Yield values with which `test` answers otherwise than with `value`: (value, does it hold then).

    None among them is: not known. Values that `field` would not believe are left out.
    """
    holds = test.evaluate({test.label: value}, moment)
    for found in _proposals(test, field, value, moment, wanted=not holds):
        if found == value or not _believed(field, found, moment):
            continue
        if test.evaluate({test.label: found}, moment) is not holds:
            yield found, not holds


def sample_value(field: Field, moment: datetime) -> FactValue:
    """Return some value that the field would believe."""
    if field.values:
        return next(iter(field.values.values()))
    match field.type:
        case FieldType.INTEGER:
            return int(field.at_least or 1)
        case FieldType.NUMBER:
            return field.at_least or Decimal(1)
        case FieldType.BOOLEAN:
            return True
        case FieldType.DATETIME:
            return moment
        case FieldType.DATE:
            return moment.astimezone(UTC).date()
        case FieldType.LIST:
            return (GIVEN,)
    return GIVEN


def _proposals(
    test: Test, field: Field, value: FactValue, moment: datetime, *, wanted: bool
) -> Iterator[FactValue]:
    operator, operand = test.operator, test.operand
    match operator:
        case Operator.IS | Operator.IN | Operator.IS_NOT | Operator.NOT_IN:
            yield from _members(field, value, operand, inside=wanted is _asks_inside(operator))
        case Operator.CONTAINS:
            yield from _members(field, value, operand, inside=wanted)
        case Operator.MATCHES:
            yield from _words_of(test, field, value, wanted=wanted)
        case Operator.WITHIN_DAYS:
            yield from _instants(field, operand, moment, wanted=wanted)
        case Operator.EXISTS:
            yield sample_value(field, moment) if not known(value) else None
            return
        case _:
            yield from _edges(field, operand)
    if not wanted:
        yield None


def _asks_inside(operator: Operator) -> bool:
    return operator in (Operator.IS, Operator.IN)


def _members(
    field: Field, value: FactValue, operand: Operand, *, inside: bool
) -> Iterator[FactValue]:
    parts = operand if isinstance(operand, tuple) else (operand,)
    if field.type is FieldType.LIST:
        held = value if isinstance(value, tuple) else ()
        if inside:
            yield from ((*held, str(part)) for part in parts[:MOST_CHOICES])
        else:
            folded = {str(part).casefold() for part in parts}
            yield tuple(one for one in held if one.casefold() not in folded) or None
        return
    if inside:
        yield from (part for part in parts[:MOST_CHOICES] if not isinstance(part, tuple))
    elif isinstance(value, bool):
        yield not value
    elif field.type in _NUMBERS:
        yield from _stepped(field, parts)
    else:
        yield from list(field.values.values())[: len(parts) + 2]


def _words_of(test: Test, field: Field, value: FactValue, *, wanted: bool) -> Iterator[FactValue]:
    """Yield words of the pattern itself that it matches: say "chief" of "(chief|ceo)"."""
    if not wanted:
        if isinstance(value, tuple):
            kept = (one for one in value if not test.evaluate({test.label: one}, _EPOCH))
            yield tuple(kept) or None
        return
    plain = re.sub(r"\\[a-zA-Z]", " ", str(test.operand))
    words = [word.strip() for word in _WORD.findall(plain)]
    fitting = [word for word in words if test.evaluate({test.label: word}, _EPOCH)]
    for word in fitting[:MOST_CHOICES]:
        yield (word,) if field.type is FieldType.LIST else word


def _instants(
    field: Field, operand: Operand, moment: datetime, *, wanted: bool
) -> Iterator[FactValue]:
    days = operand if isinstance(operand, int) else 0
    ages = (0,) if wanted else (days + 1,)
    for age in ages:
        at = moment - age * _DAY
        yield at.astimezone(UTC).date() if field.type is FieldType.DATE else at


def _edges(field: Field, operand: Operand) -> Iterator[FactValue]:
    bounds = operand if isinstance(operand, tuple) else (operand,)
    if field.type in _DATES:
        for bound in bounds:
            if isinstance(bound, date):
                yield from (bound, bound + _DAY, bound - _DAY)
        return
    yield from _stepped(field, bounds)


def _stepped(field: Field, bounds: tuple[Operand, ...]) -> Iterator[FactValue]:
    """Yield each bound and its neighbours, in the field's own kind of number."""
    for bound in bounds:
        if isinstance(bound, bool) or not isinstance(bound, int | Decimal):
            continue
        for step in (0, 1, -1):
            number = Decimal(bound) + step
            yield int(number) if field.type is FieldType.INTEGER else number
        if field.type is FieldType.NUMBER:
            yield from (Decimal(bound) + Decimal("0.1"), Decimal(bound) - Decimal("0.1"))


def _believed(field: Field, value: FactValue, moment: datetime) -> bool:
    if isinstance(value, datetime):
        return field.future or value <= moment
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        low = field.at_least is None or value >= field.at_least
        return low and (field.at_most is None or value <= field.at_most)
    return not (field.matches and isinstance(value, str)) or bool(re.search(field.matches, value))


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Any moment: tests on words do not look at it."""
