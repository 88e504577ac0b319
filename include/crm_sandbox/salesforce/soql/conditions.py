"""Turns a WHERE clause into a predicate over rows, and finds what an index can answer.

Conditions have two values, not three: a comparison with an empty field is false, and NOT turns
it round. `!=` and NOT IN therefore find rows whose field is empty, as SOQL does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from operator import ge, gt, le, lt
from typing import Any

from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.ids import normalise_id
from crm_sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, Field, FieldType
from crm_sandbox.salesforce.soql.binding import Binder, Column, Read
from crm_sandbox.salesforce.soql.lexer import like_pattern, unescape
from crm_sandbox.salesforce.soql.periods import days_of
from crm_sandbox.salesforce.soql.syntax import (
    And,
    Comparison,
    Condition,
    Literal,
    Membership,
    Not,
    Or,
    Path,
    Period,
    Query,
    Text,
)
from crm_sandbox.salesforce.table import Row, Table, index_key

Predicate = Callable[[Row], bool]
Candidates = dict[str, None] | None
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition as a predicate; `candidates` are ids outside of which nothing can match."""

    matches: Predicate
    candidates: Candidates = None


@dataclass(frozen=True, slots=True)
class _Interval:
    """A date literal: from `start`, up to but without `end`."""

    start: Any
    end: Any


class ConditionCompiler:
    """Compiles the conditions of one query."""

    def __init__(
        self,
        binder: Binder,
        table: Table,
        *,
        today: date,
        values_of: Callable[[Query], set[Any]],
    ) -> None:
        """`values_of` runs a subquery and gives the values of its one column."""
        self._binder = binder
        self._table = table
        self._today = today
        self._values_of = values_of

    def compile(self, condition: Condition) -> Compiled:
        """Compile. Raises OrgFault for a field or value that does not fit."""
        if isinstance(condition, And):
            return self._all([self.compile(one) for one in condition.parts])
        if isinstance(condition, Or):
            return self._any([self.compile(one) for one in condition.parts])
        if isinstance(condition, Not):
            inner = self.compile(condition.part).matches
            return Compiled(lambda row: not inner(row))
        if isinstance(condition, Membership):
            return self._membership(condition)
        return self._comparison(condition)

    @staticmethod
    def _all(parts: list[Compiled]) -> Compiled:
        tests = [one.matches for one in parts]
        known = [one.candidates for one in parts if one.candidates is not None]
        return Compiled(
            lambda row: all(test(row) for test in tests),
            min(known, key=len) if known else None,
        )

    @staticmethod
    def _any(parts: list[Compiled]) -> Compiled:
        tests = [one.matches for one in parts]
        union: Candidates = {}
        for one in parts:
            union = None if union is None or one.candidates is None else union | one.candidates
        return Compiled(lambda row: any(test(row) for test in tests), union)

    def _comparison(self, condition: Comparison) -> Compiled:
        column = self._binder.searchable(condition.path)
        operator, literal = condition.operator, condition.value
        if operator == "LIKE":
            return Compiled(self._like(condition.path, column, literal))
        wanted = self._value(condition.path, column.field, literal)
        if isinstance(wanted, _Interval):
            return Compiled(_in_period(column.read, operator, wanted))
        key = _key(column.field)
        if operator in _ORDERED:
            return Compiled(
                _ordered(column.read, key, _ORDERED[operator], key(wanted)),
                self._later(column, operator, wanted),
            )
        target, read = key(wanted), column.read
        if operator == "=":
            return Compiled(
                lambda row: key(read(row)) == target, self._candidates(column, [wanted])
            )
        return Compiled(lambda row: key(read(row)) != target)

    def _membership(self, condition: Membership) -> Compiled:
        column = self._binder.searchable(condition.path)
        if isinstance(condition.values, Query):
            if not column.field.is_id:
                raise self._binder.fault(
                    condition.path,
                    "The left operand field in the where expression for a semi join must be "
                    "an id or reference field",
                    "MALFORMED_QUERY",
                )
            values = list(self._values_of(condition.values))
        else:
            values = [self._value(condition.path, column.field, one) for one in condition.values]
        if any(isinstance(one, _Interval) for one in values):
            raise self._binder.fault(condition.path, "date literals cannot stand in a list")
        key, read = _key(column.field), column.read
        wanted = {key(one) for one in values}
        if condition.negated:
            return Compiled(lambda row: key(read(row)) not in wanted)
        return Compiled(lambda row: key(read(row)) in wanted, self._candidates(column, values))

    def _candidates(self, column: Column, values: list[Any]) -> Candidates:
        if column.parents or not self._table.is_indexed(column.field.name):
            return None
        if any(one is None for one in values):
            return None
        return self._table.matches(column.field.name, values)

    def _later(self, column: Column, operator: str, wanted: Any) -> Candidates:
        stamp = not column.parents and column.field.name == self._table.stamp_field
        if not stamp or operator not in (">", ">=") or not isinstance(wanted, datetime):
            return None
        return self._table.since(wanted)

    def _like(self, path: Path, column: Column, literal: Literal) -> Predicate:
        if column.field.type not in TEXT_TYPES or not isinstance(literal, Text):
            raise self._binder.fault(
                path, "invalid operator on id field", "INVALID_QUERY_FILTER_OPERATOR"
            )
        pattern, read = like_pattern(literal.raw), column.read

        def test(row: Row) -> bool:
            value = read(row)
            return value is not None and pattern.fullmatch(value) is not None

        return test

    # -- literals -----------------------------------------------------------------------------

    def _value(self, path: Path, field: Field, literal: Literal) -> Any:
        if literal is None:
            return None
        if field.is_id:
            return self._id(path, literal)
        if field.type in TEXT_TYPES:
            if isinstance(literal, Text):
                return unescape(literal.raw)
        elif field.type in NUMBER_TYPES:
            if isinstance(literal, int | float) and not isinstance(literal, bool):
                return literal
        elif field.type is FieldType.BOOLEAN:
            if isinstance(literal, bool):
                return literal
        else:
            return self._moment(path, field, literal)
        raise self._wrong_type(path, field)

    def _id(self, path: Path, literal: Literal) -> str:
        text = unescape(literal.raw) if isinstance(literal, Text) else None
        found = normalise_id(text) if text is not None else None
        if found is None:
            raise self._binder.fault(
                path, f"invalid ID field: {text}", "INVALID_QUERY_FILTER_OPERATOR"
            )
        return found

    def _moment(self, path: Path, field: Field, literal: Literal) -> Any:
        timed = field.type is FieldType.DATETIME
        if isinstance(literal, Period):
            start, end = days_of(literal, self._today)
            return _Interval(_midnight(start), _midnight(end)) if timed else _Interval(start, end)
        if isinstance(literal, datetime) and timed:
            return literal
        if isinstance(literal, date) and not isinstance(literal, datetime) and not timed:
            return literal
        raise self._wrong_type(path, field)

    def _wrong_type(self, path: Path, field: Field) -> OrgFault:
        names = {FieldType.DATETIME: "dateTime", FieldType.DOUBLE: "double"}
        text = field.type in TEXT_TYPES
        shown = "string" if text else names.get(field.type, field.type.value)
        quoted = "should be" if text else "should not be"
        return self._binder.fault(
            path,
            f"value of filter criterion for field '{path}' must be of type {shown} and "
            f"{quoted} enclosed in quotes",
        )


def _key(field: Field) -> Callable[[Any], Any]:
    """What is compared: text without case unless the field is case-sensitive."""
    if field.type in TEXT_TYPES and not field.case_sensitive:
        return lambda value: index_key(field, value)
    return _itself


def _itself(value: Any) -> Any:
    return value


def _ordered(
    read: Read, key: Callable[[Any], Any], compare: Callable[[Any, Any], bool], wanted: Any
) -> Predicate:
    def test(row: Row) -> bool:
        value = read(row)
        return value is not None and wanted is not None and compare(key(value), wanted)

    return test


def _in_period(read: Read, operator: str, period: _Interval) -> Predicate:
    tests: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < period.start,
        "<=": lambda value: value < period.end,
        ">": lambda value: value >= period.end,
        ">=": lambda value: value >= period.start,
        "=": lambda value: period.start <= value < period.end,
        "!=": lambda value: not period.start <= value < period.end,
    }
    test, empty = tests[operator], operator == "!="

    def matches(row: Row) -> bool:
        value = read(row)
        return empty if value is None else test(value)

    return matches


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
