"""Whether one condition covers another, and whether two can hold together, whatever the lead.

Both answers are careful: "yes" is certain, "no" may also mean "cannot be told". Lists of values are
looked through value by value, ordered tests as intervals; patterns are the same or they are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from baton.policy.conditions import (
    AllOf,
    AnyOf,
    Condition,
    NoneOf,
    Operand,
    Operator,
    Test,
    comparable,
)
from baton.policy.fields import Field, FieldType

_MOST_VALUES = 60
"""Longer lists of values are not taken apart."""
_EQUAL = {Operator.IS, Operator.IN}
_UNEQUAL = {Operator.IS_NOT, Operator.NOT_IN}
_ORDERED = {
    Operator.AT_LEAST,
    Operator.AT_MOST,
    Operator.ABOVE,
    Operator.BELOW,
    Operator.BETWEEN,
}


@dataclass(frozen=True, slots=True)
class Implication:
    """Compares conditions on the fields of one policy."""

    fields: Mapping[str, Field]

    def covers(self, wide: Condition, narrow: Condition) -> bool:
        """Tell whether `wide` holds wherever `narrow` holds."""
        return self._covers(_plain(wide), _plain(narrow))

    def disjoint(self, one: Condition, other: Condition) -> bool:
        """Tell whether the two can never hold together."""
        return self._disjoint(_plain(one), _plain(other))

    def impossible(self, condition: Condition) -> tuple[Test, Test] | None:
        """Return two tests of a condition that contradict each other and must both hold, or None."""
        must = _musts(_plain(condition))
        for at, one in enumerate(must):
            for other in must[at + 1 :]:
                if self._disjoint_tests(one, other):
                    return one, other
        return None

    def _covers(self, wide: Condition, narrow: Condition) -> bool:
        if wide == narrow:
            return True
        if isinstance(wide, AllOf):
            return all(self._covers(part, narrow) for part in wide.parts)
        if isinstance(narrow, AnyOf):
            return bool(narrow.parts) and all(self._covers(wide, part) for part in narrow.parts)
        if isinstance(wide, NoneOf):
            return all(self._rules_out(part, narrow) for part in wide.parts)
        return self._covers_one(wide, narrow)

    def _covers_one(self, wide: Condition, narrow: Condition) -> bool:
        if isinstance(wide, AnyOf) and any(self._covers(part, narrow) for part in wide.parts):
            return True
        if isinstance(narrow, AllOf) and any(self._covers(wide, part) for part in narrow.parts):
            return True
        if isinstance(wide, Test) and isinstance(narrow, Test):
            return self._covers_test(wide, narrow)
        return isinstance(wide, AnyOf) and self._covers_value_by_value(wide, narrow)

    def _covers_value_by_value(self, wide: AnyOf, narrow: Condition) -> bool:
        """Take one list of values of `narrow` apart: each may be covered by another part."""
        parts = narrow.parts if isinstance(narrow, AllOf) else (narrow,)
        for at, part in enumerate(parts):
            if not isinstance(part, Test) or part.operator not in _EQUAL:
                continue
            values = _operands(part)
            if not 1 < len(values) <= _MOST_VALUES:
                continue
            singles = (Test(part.label, Operator.IS, value) for value in values)
            if all(
                self._covers(wide, AllOf((*parts[:at], single, *parts[at + 1 :])))
                for single in singles
            ):
                return True
        return False

    def _covers_test(self, wide: Test, narrow: Test) -> bool:
        if wide.label != narrow.label:
            return False
        if wide.operator is Operator.EXISTS:
            asks_value = narrow.operator is not Operator.EXISTS
            return bool(wide.operand) and (asks_value or bool(narrow.operand))
        if narrow.operator in _EQUAL:
            return self._values_pass(wide, narrow)
        if narrow.operator in _UNEQUAL and wide.operator in _UNEQUAL:
            return _members(wide) <= _members(narrow)
        if narrow.operator is wide.operator is Operator.CONTAINS:
            return _members(narrow) <= _members(wide)
        if narrow.operator is wide.operator is Operator.WITHIN_DAYS:
            return _days(narrow) <= _days(wide)
        inner, outer = _interval(narrow), _interval(wide)
        return inner is not None and outer is not None and outer.holds(inner)

    def _values_pass(self, wide: Test, narrow: Test) -> bool:
        """Tell whether each value that `narrow` names passes `wide`."""
        if wide.operator in _EQUAL:
            return _members(narrow) <= _members(wide)
        if wide.operator in {Operator.MATCHES, Operator.WITHIN_DAYS} or self._is_list(wide):
            return False
        return all(
            wide.evaluate({wide.label: _fact(value)}, _ANY_MOMENT) for value in _operands(narrow)
        )

    def _rules_out(self, part: Condition, narrow: Condition) -> bool:
        """Tell whether `part` cannot hold where `narrow` does."""
        if isinstance(narrow, NoneOf):
            return any(self._covers(refused, part) for refused in narrow.parts)
        if isinstance(narrow, AllOf):
            return any(self._rules_out(part, one) for one in narrow.parts)
        return self._disjoint(part, narrow)

    def _disjoint(self, one: Condition, other: Condition) -> bool:
        if isinstance(one, AnyOf):
            return all(self._disjoint(part, other) for part in one.parts)
        if isinstance(other, AnyOf):
            return all(self._disjoint(one, part) for part in other.parts)
        if isinstance(one, NoneOf):
            return any(self._covers(part, other) for part in one.parts)
        if isinstance(other, NoneOf):
            return any(self._covers(part, one) for part in other.parts)
        return any(
            self._disjoint_tests(mine, theirs) for mine in _musts(one) for theirs in _musts(other)
        )

    def _disjoint_tests(self, one: Test, other: Test) -> bool:
        if one.label != other.label:
            return False
        if Operator.EXISTS in (one.operator, other.operator):
            return _wants_value(one) != _wants_value(other)
        if self._is_list(one):
            return False
        for equal, rest in ((one, other), (other, one)):
            if equal.operator in _EQUAL:
                if rest.operator in {Operator.MATCHES, Operator.WITHIN_DAYS}:
                    return False
                return not any(
                    rest.evaluate({rest.label: _fact(value)}, _ANY_MOMENT)
                    for value in _operands(equal)
                )
        mine, theirs = _interval(one), _interval(other)
        return mine is not None and theirs is not None and mine.misses(theirs)

    def _is_list(self, test: Test) -> bool:
        field = self.fields.get(test.label)
        return field is None or field.type is FieldType.LIST


@dataclass(frozen=True, slots=True)
class _Interval:
    """Numbers, or instants as numbers; None is without an end; the second of a pair: edge included."""

    low: tuple[Decimal, bool] | None
    high: tuple[Decimal, bool] | None
    dates: bool

    def holds(self, inner: _Interval) -> bool:
        """Tell whether every number of `inner` lies in this one."""
        if self.dates != inner.dates:
            return False
        if self.low and (inner.low is None or _before(inner.low, self.low)):
            return False
        return not (self.high and (inner.high is None or _before(self.high, inner.high, up=True)))

    def misses(self, other: _Interval) -> bool:
        """Tell whether the two have no number in common."""
        if self.dates != other.dates:
            return True
        return _apart(self.high, other.low) or _apart(other.high, self.low)


def _before(one: tuple[Decimal, bool], other: tuple[Decimal, bool], *, up: bool = False) -> bool:
    """Tell whether the edge `one` lets through what `other` does not, below (or `up`: above) it."""
    if one[0] != other[0]:
        return one[0] < other[0]
    return (other[1] and not one[1]) if up else (one[1] and not other[1])


def _apart(high: tuple[Decimal, bool] | None, low: tuple[Decimal, bool] | None) -> bool:
    if high is None or low is None:
        return False
    return high[0] < low[0] or (high[0] == low[0] and not (high[1] and low[1]))


_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def _plain(condition: Condition) -> Condition:
    """Return a condition with nested groups flattened and single parts unwrapped."""
    match condition:
        case AllOf(parts):
            flat = tuple(_flat(AllOf, parts))
            return flat[0] if len(flat) == 1 else AllOf(flat)
        case AnyOf(parts):
            flat = tuple(_flat(AnyOf, parts))
            return flat[0] if len(flat) == 1 else AnyOf(flat)
        case NoneOf(parts):
            return NoneOf(tuple(_plain(part) for part in parts))
        case _:
            return condition


def _flat(kind: type[AllOf | AnyOf], parts: Iterable[Condition]) -> Iterable[Condition]:
    for part in (_plain(part) for part in parts):
        if isinstance(part, AllOf | AnyOf) and type(part) is kind:
            yield from part.parts
        else:
            yield part


def _musts(condition: Condition) -> tuple[Test, ...]:
    """Return the tests that must all hold, as far as they can be told."""
    if isinstance(condition, Test):
        return (condition,)
    parts = condition.parts if isinstance(condition, AllOf) else ()
    return tuple(part for part in parts if isinstance(part, Test))


def _operands(test: Test) -> tuple[Operand, ...]:
    return test.operand if isinstance(test.operand, tuple) else (test.operand,)


def _members(test: Test) -> frozenset[object]:
    return frozenset(comparable(part) for part in _operands(test))


def _fact(value: Operand) -> str | int | Decimal | bool | date | None:
    return None if isinstance(value, tuple) else value


def _days(test: Test) -> int:
    return test.operand if isinstance(test.operand, int) else 0


def _wants_value(test: Test) -> bool:
    return test.operator is not Operator.EXISTS or bool(test.operand)


def _interval(test: Test) -> _Interval | None:
    if test.operator not in _ORDERED:
        return None
    bounds = [_number(part) for part in _operands(test)]
    numbers = [bound for bound in bounds if bound is not None]
    if len(numbers) != len(bounds):
        return None
    dates = isinstance(_operands(test)[0], date)
    match test.operator:
        case Operator.BETWEEN:
            return _Interval((numbers[0], True), (numbers[-1], True), dates)
        case Operator.AT_LEAST:
            return _Interval((numbers[0], True), None, dates)
        case Operator.ABOVE:
            return _Interval((numbers[0], False), None, dates)
        case Operator.AT_MOST:
            return _Interval(None, (numbers[0], True), dates)
        case _:
            return _Interval(None, (numbers[0], False), dates)


def _number(value: Operand) -> Decimal | None:
    if isinstance(value, datetime):
        return Decimal(str(value.timestamp()))
    if isinstance(value, date):
        return Decimal(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    return None
