"""Search conditions: read from JSON, and bound to the type of their property."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_sandbox.hubspot.errors import invalid
from crm_sandbox.hubspot.index import HIGH, LOW, Document, epoch_of
from crm_sandbox.hubspot.properties import PropertyDefinition
from crm_sandbox.hubspot.records import parse_moment

_TOKEN = re.compile(r"[a-z0-9*]+")
_WORD = re.compile(r"[a-z0-9]+")

Value = float | int | str
Test = Callable[[Document], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition, checked for form but not yet bound to a property's type."""

    name: str
    operator: str
    value: str | None
    high: str | None
    values: tuple[str, ...]


_ONE_VALUE = frozenset(
    {"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"}
)
_NO_VALUE = frozenset({"HAS_PROPERTY", "NOT_HAS_PROPERTY"})
_MANY_VALUES = frozenset({"IN", "NOT_IN"})


def read_filter(raw: Mapping[str, Any]) -> Filter:
    name, operator = str(raw.get("propertyName") or ""), str(raw.get("operator") or "")
    value, high = raw.get("value"), raw.get("highValue")
    values = tuple(str(item) for item in raw.get("values") or ())
    if not name:
        raise invalid("A filter needs a propertyName.")
    if operator in _ONE_VALUE and value is None:
        raise invalid(f"operator {operator} requires a value for {name}")
    if operator == "BETWEEN" and (value is None or high is None):
        raise invalid(f"operator BETWEEN requires value and highValue for {name}")
    if operator in _MANY_VALUES and not values:
        raise invalid(f"operator {operator} requires values for {name}")
    if operator not in _ONE_VALUE | _NO_VALUE | _MANY_VALUES | {"BETWEEN"}:
        raise invalid(f"'{operator}' is not a known operator.")
    return Filter(
        name,
        operator,
        None if value is None else str(value),
        None if high is None else str(high),
        values,
    )


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise invalid(f"'{text}' is not a whole number.") from None


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(f"'{text}' is not a number.") from None


def epoch(text: str) -> int:
    found = parse_moment(text)
    if found is None:
        raise invalid(f"'{text}' is neither epoch milliseconds nor an ISO 8601 moment.")
    return found


def bounds(item: Filter, read: Callable[[str], int]) -> tuple[int, int]:
    """The closed range outside which the filter cannot match."""
    if item.value is None:
        return LOW, HIGH
    value = read(item.value)
    ranges = {
        "EQ": (value, value),
        "GT": (value + 1, HIGH),
        "GTE": (value, HIGH),
        "LT": (LOW, value - 1),
        "LTE": (LOW, value),
    }
    if item.operator == "BETWEEN":
        return value, read(item.high or "")
    return ranges.get(item.operator, (LOW, HIGH))


def number_test(
    item: Filter,
    get: Callable[[Document], float | int | None],
    read: Callable[[str], float | int] = whole_number,
) -> Test:
    """A condition on a value that compares as a number. An unset value matches only its absence."""
    operator = item.operator
    if operator in _NO_VALUE:
        wanted = operator == "HAS_PROPERTY"
        return lambda document: (get(document) is not None) is wanted
    if operator in _MANY_VALUES:
        chosen = frozenset(read(value) for value in item.values)
        inside = operator == "IN"
        return _guard(get, lambda value: (value in chosen) is inside)
    low = read(item.value or "")
    high = read(item.high or "") if operator == "BETWEEN" else low
    compare: dict[str, Callable[[float | int], bool]] = {
        "EQ": lambda value: value == low,
        "NEQ": lambda value: value != low,
        "LT": lambda value: value < low,
        "LTE": lambda value: value <= low,
        "GT": lambda value: value > low,
        "GTE": lambda value: value >= low,
        "BETWEEN": lambda value: low <= value <= high,
    }
    if operator not in compare:
        raise invalid(f"operator {operator} cannot be used with property {item.name}")
    return _guard(get, compare[operator])


def _guard(
    get: Callable[[Document], float | int | None], compare: Callable[[float | int], bool]
) -> Test:
    def test(document: Document) -> bool:
        value = get(document)
        return value is not None and compare(value)

    return test


def value_test(item: Filter, definition: PropertyDefinition) -> Test:
    name = item.name
    if definition.type == "number":
        return number_test(item, lambda d: _as_number(d.values.get(name)), _real)
    if definition.type in ("date", "datetime"):
        return number_test(item, lambda d: epoch_of(d.values.get(name)), epoch)
    if item.operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _token_test(item)
    return _text_test(item, folded=definition.type not in ("enumeration", "bool"))


def _text_test(item: Filter, *, folded: bool) -> Test:
    """A condition on text. `folded`: case does not matter, and IN wants lower-case values."""
    name, operator = item.name, item.operator
    if operator in _NO_VALUE:
        wanted = operator == "HAS_PROPERTY"
        return lambda document: bool(document.values.get(name)) is wanted
    chosen = frozenset(item.values)
    low = _fold(item.value or "", folded)
    high = _fold(item.high or "", folded)
    compare: dict[str, Callable[[str], bool]] = {
        "EQ": lambda value: value == low,
        "NEQ": lambda value: value != low,
        "LT": lambda value: value < low,
        "LTE": lambda value: value <= low,
        "GT": lambda value: value > low,
        "GTE": lambda value: value >= low,
        "BETWEEN": lambda value: low <= value <= high,
        "IN": lambda value: value in chosen,
        "NOT_IN": lambda value: value not in chosen,
    }
    check = compare[operator]

    def test(document: Document) -> bool:
        value = document.values.get(name)
        return bool(value) and check(_fold(value or "", folded))

    return test


def _fold(text: str, folded: bool) -> str:
    return text.lower() if folded else text


def _token_test(item: Filter) -> Test:
    name = item.name
    wanted = _TOKEN.findall((item.value or "").lower())
    contains = item.operator == "CONTAINS_TOKEN"

    def test(document: Document) -> bool:
        value = document.values.get(name)
        if not value:
            return False
        tokens = _WORD.findall(value.lower())
        found = all(any(fnmatch.fnmatchcase(t, word) for t in tokens) for word in wanted)
        return found is contains

    return test


def _as_number(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def converter(definition: PropertyDefinition) -> Callable[[str], Value | None]:
    if definition.type == "number":
        return _as_number
    if definition.type in ("date", "datetime"):
        return epoch_of
    return lambda text: text.lower()
