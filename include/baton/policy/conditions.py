"""Structured conditions: what ``when`` says in a policy.

A condition is data, not code: it can be evaluated, described in words, asked for the labels it
reads, and checked before it ever meets a lead. A test on a value that is not known is false,
whatever the operator (``exists: false`` is the one way to ask for absence).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from baton.policy.facts import Facts, FactValue, known

Operand: TypeAlias = str | int | Decimal | bool | date | datetime | tuple["Operand", ...]

_LONGEST_MATCHED_TEXT = 1000
FUTURE_SLACK = timedelta(days=1)


class Operator(StrEnum):
    """What a test asks of a value."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    BETWEEN = "between"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    ABOVE = "above"
    BELOW = "below"
    CONTAINS = "contains"
    MATCHES = "matches"
    WITHIN_DAYS = "within_days"
    EXISTS = "exists"


class Condition(ABC):
    """Something that is true or false of a lead's facts at a moment."""

    __slots__ = ()

    @abstractmethod
    def evaluate(self, facts: Facts, moment: datetime) -> bool:
        """Tell whether it holds. Never raises: a value of the wrong kind makes a test false."""

    @abstractmethod
    def labels(self) -> frozenset[str]:
        """Return the field labels that it reads."""

    @abstractmethod
    def describe(self) -> str:
        """Say it in words."""

    @abstractmethod
    def tests(self) -> Iterable[Test]:
        """Return its single tests, in reading order."""


@dataclass(frozen=True, slots=True)
class Test(Condition):
    """One operator on one label. `source` names the CSV list from which the operand came."""

    __test__ = False  # its name must not make pytest collect it

    label: str
    operator: Operator
    operand: Operand
    source: str | None = field(default=None, compare=False)
    _members: frozenset[object] = field(init=False, repr=False, compare=False)
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the operand once, so that evaluating is a lookup."""
        parts = self.operand if isinstance(self.operand, tuple) else (self.operand,)
        object.__setattr__(self, "_members", frozenset(comparable(part) for part in parts))
        pattern = None
        if self.operator is Operator.MATCHES:
            pattern = re.compile(str(self.operand), re.IGNORECASE)
        object.__setattr__(self, "_pattern", pattern)

    def evaluate(self, facts: Facts, moment: datetime) -> bool:
        """Tell whether the value passes; an unknown value passes only ``exists: false``."""
        value = facts.get(self.label)
        if self.operator is Operator.EXISTS:
            return known(value) == bool(self.operand)
        if not known(value):
            return False
        return self._passes(value, moment)

    def _passes(self, value: FactValue, moment: datetime) -> bool:
        match self.operator:
            case Operator.IS | Operator.IN:
                return self._is_member(value)
            case Operator.IS_NOT | Operator.NOT_IN:
                return not self._is_member(value)
            case Operator.CONTAINS:
                return self._contains(value)
            case Operator.MATCHES:
                return self._matches(value)
            case Operator.WITHIN_DAYS:
                return _within_days(value, moment, self.operand)
            case _:
                return _in_order(self.operator, value, self.operand)

    def _is_member(self, value: FactValue) -> bool:
        if isinstance(value, tuple):
            return any(comparable(part) in self._members for part in value)
        return comparable(value) in self._members

    def _contains(self, value: FactValue) -> bool:
        if isinstance(value, tuple):
            return self._is_member(value)
        text = in_text(value).casefold()
        return any(str(member) in text for member in self._members)

    def _matches(self, value: FactValue) -> bool:
        texts = value if isinstance(value, tuple) else (in_text(value),)
        pattern = self._pattern
        return pattern is not None and any(
            pattern.search(text[:_LONGEST_MATCHED_TEXT]) for text in texts
        )

    def labels(self) -> frozenset[str]:
        """Return its one label."""
        return frozenset({self.label})

    def tests(self) -> Iterable[Test]:
        """Return itself."""
        return (self,)

    def describe(self) -> str:
        """Say it in words: "Company size is between 50 and 1000"."""
        return f"{self.label} {_in_words(self.operator, self.operand, self.source)}"


@dataclass(frozen=True, slots=True)
class AllOf(Condition):
    """Every part holds. Without parts it always holds (``otherwise``)."""

    parts: tuple[Condition, ...] = ()

    def evaluate(self, facts: Facts, moment: datetime) -> bool:
        """Tell whether every part holds."""
        return all(part.evaluate(facts, moment) for part in self.parts)

    def labels(self) -> frozenset[str]:
        """Return the labels of all parts."""
        return _labels_of(self.parts)

    def tests(self) -> Iterable[Test]:
        """Return the tests of all parts."""
        return _tests_of(self.parts)

    def describe(self) -> str:
        """Say it in words."""
        return " and ".join(_grouped(part) for part in self.parts) or "always"


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    """At least one part holds."""

    parts: tuple[Condition, ...]

    def evaluate(self, facts: Facts, moment: datetime) -> bool:
        """Tell whether some part holds."""
        return any(part.evaluate(facts, moment) for part in self.parts)

    def labels(self) -> frozenset[str]:
        """Return the labels of all parts."""
        return _labels_of(self.parts)

    def tests(self) -> Iterable[Test]:
        """Return the tests of all parts."""
        return _tests_of(self.parts)

    def describe(self) -> str:
        """Say it in words."""
        return " or ".join(_grouped(part) for part in self.parts) or "never"


@dataclass(frozen=True, slots=True)
class NoneOf(Condition):
    """No part holds. A part that meets an unknown value does not hold, so it is no obstacle."""

    parts: tuple[Condition, ...]

    def evaluate(self, facts: Facts, moment: datetime) -> bool:
        """Tell whether no part holds."""
        return not any(part.evaluate(facts, moment) for part in self.parts)

    def labels(self) -> frozenset[str]:
        """Return the labels of all parts."""
        return _labels_of(self.parts)

    def tests(self) -> Iterable[Test]:
        """Return the tests of all parts."""
        return _tests_of(self.parts)

    def describe(self) -> str:
        """Say it in words."""
        return "not " + _grouped(AnyOf(self.parts), always=len(self.parts) > 1)


ALWAYS = AllOf(())
"""The condition of ``otherwise``."""


def comparable(value: object) -> object:
    """Return the form in which values are compared: text without case and outer blanks.

    A boolean never equals a number, and a whole Decimal equals the same int.
    """
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, str):
        return value.strip().casefold()
    if isinstance(value, datetime):
        return aware(value) or ("no instant", str(value))
    if isinstance(value, Decimal) and not value.is_finite():
        return ("no number", str(value))
    return value


def aware(value: datetime) -> datetime | None:
    """Return an instant in UTC; None for one without a zone or at the edge of the calendar."""
    try:
        return None if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None


def in_text(value: FactValue) -> str:
    """Return a value as text; a number of absurd length is an empty one."""
    try:
        return str(value)
    except ValueError:
        return ""


def _in_order(operator: Operator, value: FactValue, operand: Operand) -> bool:
    bounds = operand if isinstance(operand, tuple) else (operand,)
    ordered = [_ordered(part, value) for part in (value, *bounds)]
    if any(part is None for part in ordered):
        return False
    own, *limits = (part for part in ordered if part is not None)
    match operator:
        case Operator.BETWEEN:
            return len(limits) == 2 and limits[0] <= own <= limits[1]
        case Operator.AT_LEAST:
            return own >= limits[0]
        case Operator.AT_MOST:
            return own <= limits[0]
        case Operator.ABOVE:
            return own > limits[0]
        case _:
            return own < limits[0]


def _ordered(part: object, like: FactValue) -> Decimal | None:
    """Return a number that orders `part` among values of the kind of `like`, or None."""
    if isinstance(like, date):
        return _instant_number(part) if isinstance(part, date) else None
    if isinstance(like, bool) or isinstance(part, bool):
        return None
    if isinstance(like, int | Decimal) and isinstance(part, int | Decimal):
        number = Decimal(part)
        return number if number.is_finite() else None
    return None


def _instant_number(value: date) -> Decimal | None:
    if isinstance(value, datetime):
        at = aware(value)
        return None if at is None else Decimal(str(at.timestamp()))
    return Decimal(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())


def _within_days(value: FactValue, moment: datetime, operand: Operand) -> bool:
    if not isinstance(value, date) or not isinstance(operand, int):
        return False
    if not isinstance(value, datetime):
        return -1 <= (moment.astimezone(UTC).date() - value).days <= operand
    at = aware(value)
    return at is not None and -FUTURE_SLACK <= moment - at <= timedelta(days=operand)


def _labels_of(parts: Iterable[Condition]) -> frozenset[str]:
    return frozenset(label for part in parts for label in part.labels())


def _tests_of(parts: Iterable[Condition]) -> Iterable[Test]:
    return tuple(test for part in parts for test in part.tests())


def _grouped(part: Condition, *, always: bool = False) -> str:
    several = isinstance(part, AllOf | AnyOf) and len(part.parts) > 1
    return f"({part.describe()})" if several or always else part.describe()


def _in_words(operator: Operator, operand: Operand, source: str | None) -> str:
    shown = f"the list {source}" if source else _operand_in_words(operand)
    match operator:
        case Operator.EXISTS:
            return "is known" if operand else "is not known"
        case Operator.BETWEEN if isinstance(operand, tuple):
            return f"is between {operand[0]} and {operand[1]}"
        case Operator.IS if operand is True:
            return "is true"
        case Operator.WITHIN_DAYS:
            return f"is within the last {operand} days"
        case Operator.IN | Operator.NOT_IN:
            return f"is {'not ' if operator is Operator.NOT_IN else ''}in {shown}"
        case Operator.CONTAINS | Operator.MATCHES:
            return f"{operator} {shown}"
    words = {
        Operator.IS: "is",
        Operator.IS_NOT: "is not",
        Operator.AT_LEAST: "is at least",
        Operator.AT_MOST: "is at most",
        Operator.ABOVE: "is above",
        Operator.BELOW: "is below",
    }
    return f"{words[operator]} {shown}"


def _operand_in_words(operand: Operand) -> str:
    if isinstance(operand, tuple):
        first = ", ".join(str(part) for part in operand[:6])
        return f"{first} and {len(operand) - 6} more" if len(operand) > 6 else first
    return str(operand).lower() if isinstance(operand, bool) else str(operand)
