"""Facts of many leads as columns, so that a condition is judged once for all of them.

A column holds every distinct value once and a small number for each lead; what a test says of the
distinct values is what it says of the leads. Instants, and whole numbers of which nearly every
lead has its own, stand as 64-bit integers and are compared as such. Nothing is rounded on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from baton.policy.conditions import comparable
from baton.policy.facts import Facts, FactValue, known

Bools: TypeAlias = NDArray[np.bool_]
Integers: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.int32]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_MICROS = 86_400_000_000
FEW_VALUES = 4096
"""Whole numbers with more distinct values than this are kept as numbers, not as codes."""
_LARGEST_WHOLE = 2**62
# Up to here a float of seconds still tells microseconds apart, as the scalar comparison needs.
_INSTANT_YEARS = range(1800, 2200)


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column of values: `values[codes[i]]` is that of lead i. Code 0 is None: unknown."""

    codes: Codes
    values: tuple[FactValue, ...]

    def at(self, place: int) -> FactValue:
        """Return the value of one lead, or None."""
        return self.values[int(self.codes[place])]


@dataclass(frozen=True, slots=True, eq=False)
class Instants:
    """A column of instants in UTC, as microseconds since 1970. Without `known` there is none."""

    micros: Integers
    known: Bools

    def at(self, place: int) -> FactValue:
        """Return the value of one lead, or None."""
        return instant(int(self.micros[place])) if self.known[place] else None


@dataclass(frozen=True, slots=True, eq=False)
class Wholes:
    """A column of whole numbers. Without `known` there is none."""

    numbers: Integers
    known: Bools

    def at(self, place: int) -> FactValue:
        """Return the value of one lead, or None."""
        return int(self.numbers[place]) if self.known[place] else None


Column: TypeAlias = Coded | Instants | Wholes


@dataclass(frozen=True, slots=True, eq=False)
class LeadFrame:
    """The facts of `count` leads by label. A label without a column is unknown of every lead."""

    count: int
    columns: Mapping[str, Column]
    _as_codes: dict[str, Coded] = field(default_factory=dict, init=False, repr=False)
    _forms: dict[str, list[object] | None] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        """Return how many leads it holds."""
        return self.count

    def column(self, label: str) -> Column:
        """Return a column; of a label that nobody has, one without values."""
        found = self.columns.get(label)
        return self.coded(label) if found is None else found

    def coded(self, label: str) -> Coded:
        """Return a column as codes, whatever it is kept as."""
        column = self.columns.get(label)
        if isinstance(column, Coded):
            return column
        if label not in self._as_codes:
            self._as_codes[label] = _as_codes(column, self.count)
        return self._as_codes[label]

    def forms(self, label: str) -> list[object] | None:
        """Return a column's distinct values in the form in which values are compared.

        None for a column with lists, which are compared part by part.
        """
        if label not in self._forms:
            self._forms[label] = _forms(self.coded(label).values)
        return self._forms[label]

    def known(self, label: str) -> Bools:
        """Tell of which leads a fact is known."""
        column = self.column(label)
        return column.codes > 0 if isinstance(column, Coded) else column.known

    def facts(self, place: int) -> dict[str, FactValue]:
        """Return what is known of one lead."""
        found = ((label, column.at(place)) for label, column in self.columns.items())
        return {label: value for label, value in found if value is not None}

    def with_columns(self, columns: Mapping[str, Column]) -> LeadFrame:
        """Return the frame with further columns; one of the same label takes the other's place."""
        return LeadFrame(self.count, {**self.columns, **columns})


def frame_of(rows: Sequence[Facts] | Mapping[str, Sequence[FactValue]]) -> LeadFrame:
    """Make a frame of leads, one mapping each, or of whole columns of equal length by label."""
    if isinstance(rows, Mapping):
        lengths = {len(values) for values in rows.values()}
        if len(lengths) > 1:
            raise ValueError("columns of one frame need the same length")
        count = next(iter(lengths), 0)
        return LeadFrame(count, {label: column_of(values) for label, values in rows.items()})
    labels = dict.fromkeys(label for row in rows for label in row)
    columns = {label: column_of([row.get(label) for row in rows]) for label in labels}
    return LeadFrame(len(rows), columns)


def column_of(values: Sequence[FactValue]) -> Column:
    """Keep values in the form that suits them."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {datetime}:
        found = _instants(values)
        if found is not None:
            return found
    coded = coded_of(values)
    if kinds == {int} and len(coded.values) > FEW_VALUES:
        return _wholes(coded)
    return coded


def coded_of(values: Sequence[FactValue]) -> Coded:
    """Give every distinct value a code, in the order in which they come."""
    keys = [value if type(value) is str else _key(value) for value in values]
    order: dict[object, int] = {}
    codes = np.array([order.setdefault(key, len(order)) for key in keys], dtype=np.int32)
    if not order:
        return Coded(codes, (None,))
    # The first lead that has a code has its value.
    firsts = np.unique(codes, return_index=True)[1]
    distinct = [values[first] for first in firsts]
    return merged(codes, distinct)


def merged(codes: Codes, distinct: Sequence[FactValue]) -> Coded:
    """Return a column in which all that tells nothing (None, blank text) has the code 0."""
    kept: list[FactValue] = [None]
    places = np.zeros(len(distinct), dtype=np.int32)
    for code, value in enumerate(distinct):
        if known(value):
            places[code] = len(kept)
            kept.append(value)
    return Coded(places[codes], tuple(kept))


def instant(micros: int) -> datetime:
    """Return the instant so many microseconds after the beginning of 1970."""
    return EPOCH + timedelta(microseconds=micros)


def micros_of(value: date) -> int:
    """Return microseconds since 1970 of an aware instant, or of a day's midnight in UTC."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    passed = value - EPOCH
    return passed.days * DAY_MICROS + passed.seconds * 1_000_000 + passed.microseconds


def _key(value: FactValue) -> object:
    """Return what tells values apart that Python calls equal: True, 1, Decimal("1"), Decimal("1.0")."""
    if value is None or type(value) is bool:
        return value if value is None else ("boolean", value)
    return (type(value), str(value))


def _instants(values: Sequence[FactValue]) -> Instants | None:
    """Return instants as numbers, or None if one of them is too odd (not UTC, very far away)."""
    micros = np.zeros(len(values), dtype=np.int64)
    is_known = np.zeros(len(values), dtype=np.bool_)
    for place, value in enumerate(values):
        if isinstance(value, datetime):
            if value.tzinfo is not UTC or value.year not in _INSTANT_YEARS:
                return None
            micros[place], is_known[place] = micros_of(value), True
    return Instants(micros, is_known)


def _wholes(coded: Coded) -> Column:
    numbers = [value if isinstance(value, int) else 0 for value in coded.values]
    if any(abs(number) > _LARGEST_WHOLE for number in numbers):
        return coded
    return Wholes(np.array(numbers, dtype=np.int64)[coded.codes], coded.codes > 0)


def _forms(values: Sequence[FactValue]) -> list[object] | None:
    if any(type(value) is tuple for value in values):
        return None
    # The short way for texts: there can be one for every lead.
    return [
        value.strip().casefold() if type(value) is str else comparable(value) for value in values
    ]


def _as_codes(column: Column | None, count: int) -> Coded:
    if column is None or isinstance(column, Coded):
        return column or Coded(np.zeros(count, dtype=np.int32), (None,))
    plain = column.micros if isinstance(column, Instants) else column.numbers
    distinct, codes = np.unique(plain, return_inverse=True)
    values: list[FactValue] = [int(number) for number in distinct]
    if isinstance(column, Instants):
        values = [instant(int(number)) for number in distinct]
    shifted = np.where(column.known, codes + 1, 0).astype(np.int32)
    return Coded(shifted, (None, *values))
