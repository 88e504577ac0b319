"""Conditions judged on all leads of a frame at once, with the answers of `Condition.evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from baton.policy.conditions import (
    FUTURE_SLACK,
    AllOf,
    AnyOf,
    Condition,
    NoneOf,
    Operand,
    Operator,
    Test,
    comparable,
)
from baton.scoring.columns import (
    DAY_MICROS,
    EPOCH,
    Bools,
    Coded,
    Instants,
    Integers,
    LeadFrame,
    Wholes,
    instant,
    micros_of,
)

_ORDERS = (Operator.BETWEEN, Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE, Operator.BELOW)
_MEMBERSHIP = (Operator.IS, Operator.IN, Operator.IS_NOT, Operator.NOT_IN)
_MANY_VALUES = 64
_SLACK_MICROS = FUTURE_SLACK.days * DAY_MICROS


class Judge:
    """Judges conditions on a frame; what it has found out once it does not work out again.

    `moments`: one instant for all leads, or one for each. `observed`: outcomes by the words of a
    test, for tests on the labels in `personal`, whose values the frame does not hold.
    """

    def __init__(
        self,
        frame: LeadFrame,
        moments: datetime | Sequence[datetime],
        *,
        personal: frozenset[str] = frozenset(),
        observed: Mapping[str, Bools] | None = None,
    ) -> None:
        self.frame, self.personal, self.observed = frame, personal, observed or {}
        listed = [moments] if isinstance(moments, datetime) else moments or [EPOCH]
        self.moments: Integers = np.array([micros_of(one) for one in listed], dtype=np.int64)
        """Microseconds since 1970: one value for all leads, or one for each."""
        if (self.moments == self.moments[0]).all():
            self.moments = self.moments[:1]
        self._found: dict[str, Bools] = {}
        self._instants: dict[int, datetime] = {}

    def moment(self, place: int) -> datetime:
        """Return the moment at which one lead is judged."""
        micros = int(self.moments[place if len(self.moments) > 1 else 0])
        if micros not in self._instants:
            self._instants = {micros: instant(micros)}
        return self._instants[micros]

    def on(self, frame: LeadFrame) -> Judge:
        """Return a judge at the same moments on another frame of the same leads."""
        other = Judge(frame, (), personal=self.personal, observed=self.observed)
        other.moments = self.moments
        return other

    def holds(self, condition: Condition) -> Bools:
        """Tell for every lead whether a condition holds."""
        match condition:
            case AllOf(parts):
                return self._joined(np.logical_and, parts, empty=True)
            case AnyOf(parts):
                return self._joined(np.logical_or, parts, empty=False)
            case NoneOf(parts):
                return ~self._joined(np.logical_or, parts, empty=False)
            case Test():
                # Not the test itself: "is 1" and "is true" would be taken for the same.
                name = f"{condition.label}\n{condition.operator}\n{condition.operand!r}"
                if name not in self._found:
                    self._found[name] = self._test(condition)
                return self._found[name]
        raise TypeError(f"a condition of an unknown kind: {type(condition).__name__}")

    def known(self, label: str) -> Bools:
        """Tell of which leads a fact is known."""
        return self.frame.known(label)

    def _joined(
        self, join: Callable[[Bools, Bools], Bools], parts: Sequence[Condition], *, empty: bool
    ) -> Bools:
        if not parts:
            return np.full(self.frame.count, empty)
        found = self.holds(parts[0])
        for part in parts[1:]:
            if (found != empty).all():
                break  # as `all` and `any` end early: no lead can be told otherwise
            found = join(found, self.holds(part))
        return found

    def _test(self, test: Test) -> Bools:
        if test.label in self.personal:
            seen = self.observed.get(test.describe())
            return np.zeros(self.frame.count, dtype=np.bool_) if seen is None else seen
        column = self.frame.column(test.label)
        if isinstance(column, Instants):
            if test.operator is Operator.WITHIN_DAYS and isinstance(test.operand, int):
                passed = self.moments - column.micros
                inside = (passed >= -_SLACK_MICROS) & (passed <= test.operand * DAY_MICROS)
                return inside & column.known
            if test.operator in _ORDERS:
                return _in_order(test, column.micros, column.known, _instant_bound)
        if isinstance(column, Wholes) and test.operator in _ORDERS:
            return _in_order(test, column.numbers, column.known, _whole_bound)
        if test.operator is Operator.EXISTS:
            known = self.known(test.label)
            return known if test.operand else ~known
        return self._by_value(test, self.frame.coded(test.label))

    def _by_value(self, test: Test, column: Coded) -> Bools:
        """Ask the test itself about every distinct value (and moment, where that matters)."""
        if test.operator in _MEMBERSHIP and len(column.values) > _MANY_VALUES:
            forms = self.frame.forms(test.label)
            if forms is not None:
                return _among(test, column, forms)
        if test.operator is not Operator.WITHIN_DAYS or len(self.moments) == 1:
            at = self.moment(0)
            answers = [test.evaluate({test.label: value}, at) for value in column.values]
            return np.array(answers, dtype=np.bool_)[column.codes]
        moments, of_lead = np.unique(self.moments, return_inverse=True)
        pairs, places = np.unique(
            of_lead.astype(np.int64) * len(column.values) + column.codes, return_inverse=True
        )
        answers = []
        for pair in pairs:
            place, code = divmod(int(pair), len(column.values))
            facts = {test.label: column.values[code]}
            answers.append(test.evaluate(facts, instant(int(moments[place]))))
        return np.array(answers, dtype=np.bool_)[places]


def _among(test: Test, column: Coded, forms: Sequence[object]) -> Bools:
    """Ask for membership of many values, each brought into its comparable form only once."""
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    members = frozenset(map(comparable, operands))
    answers = np.array([form in members for form in forms], dtype=np.bool_)
    if test.operator in (Operator.IS_NOT, Operator.NOT_IN):
        answers = ~answers
    answers[0] = False
    found: Bools = answers[column.codes]
    return found


def _in_order(
    test: Test,
    own: Integers,
    known: Bools,
    bound: Callable[[Operand, str], int | None],
) -> Bools:
    """Compare numbers with the test's bounds; a bound of another kind makes it false."""
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    lower = [least for part in operands if (least := bound(part, ROUND_CEILING)) is not None]
    upper = [most for part in operands if (most := bound(part, ROUND_FLOOR)) is not None]
    wanted = 2 if test.operator is Operator.BETWEEN else 1
    if not operands or len(lower) < len(operands) or len(operands) < wanted:
        return np.zeros(len(own), dtype=np.bool_)
    match test.operator:
        case Operator.BETWEEN:
            found = (own >= lower[0]) & (own <= upper[1]) & (len(operands) == wanted)
        case Operator.AT_LEAST:
            found = own >= lower[0]
        case Operator.AT_MOST:
            found = own <= upper[0]
        case Operator.ABOVE:
            found = own > upper[0]
        case _:
            found = own < lower[0]
    return found & known


def _instant_bound(operand: Operand, _rounding: str) -> int | None:
    return micros_of(operand) if isinstance(operand, date) else None


def _whole_bound(operand: Operand, rounding: str) -> int | None:
    """Return the whole number that bounds whole numbers just as `operand` does."""
    if isinstance(operand, bool) or not isinstance(operand, int | Decimal):
        return None
    number = Decimal(operand)
    return int(number.to_integral_value(rounding)) if number.is_finite() else None
