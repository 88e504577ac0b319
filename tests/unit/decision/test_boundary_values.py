"""Values that just turn a test, for every operator."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from baton.decision.boundary_values import boundary_values, sample_value
from baton.policy.conditions import Operator, Test
from baton.policy.facts import FactValue, known
from baton.policy.fields import Field, FieldType

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def field(kind: FieldType = FieldType.TEXT, **given: object) -> Field:
    return Field.model_validate({"label": "X", "hubspot": "x", "type": kind, **given})


def proposed(operator: Operator, operand: object, of: Field, value: FactValue) -> list[FactValue]:
    test = Test("X", operator, operand)  # type: ignore[arg-type]  # whatever the case gives
    before = test.evaluate({"X": value}, NOW)
    found = list(boundary_values(test, of, value, NOW))
    for other, holds in found:
        assert test.evaluate({"X": other}, NOW) is holds is not before
    return [other for other, _ in found]


INTEGER = field(FieldType.INTEGER, at_least=1)
NUMBER = field(FieldType.NUMBER, at_least=0, at_most=100)
CHOICE = field(FieldType.CHOICE, values={"a": "Alpha", "b": "Beta", "c": "Gamma"})
LIST = field(FieldType.LIST)
INSTANT = field(FieldType.DATETIME)


@pytest.mark.parametrize(
    ("operator", "operand", "of", "value", "first"),
    [
        (Operator.BETWEEN, (50, 1000), INTEGER, 40, 50),
        (Operator.BETWEEN, (50, 1000), INTEGER, 1200, 50),
        (Operator.BETWEEN, (50, 1000), INTEGER, 60, 49),
        (Operator.AT_LEAST, 50, INTEGER, None, 50),
        (Operator.AT_MOST, 50, INTEGER, 60, 50),
        (Operator.ABOVE, 75, NUMBER, Decimal(60), Decimal(76)),
        (Operator.ABOVE, 100, NUMBER, Decimal(60), None),
        (Operator.BELOW, 10, INTEGER, 20, 9),
        (Operator.IS, "Beta", CHOICE, "Alpha", "Beta"),
        (Operator.IS, "Alpha", CHOICE, "Alpha", "Beta"),
        (Operator.IS_NOT, "Alpha", CHOICE, "Alpha", "Beta"),
        (Operator.IS_NOT, "Alpha", CHOICE, "Beta", "Alpha"),
        (Operator.IN, ("p", "q"), field(), "z", "p"),
        (Operator.IS, True, field(FieldType.BOOLEAN), False, True),
        (Operator.IS, True, field(FieldType.BOOLEAN), True, False),
        (Operator.CONTAINS, ("HubSpot",), LIST, ("Excel",), ("Excel", "HubSpot")),
        (Operator.CONTAINS, ("HubSpot",), LIST, ("Excel", "hubspot"), ("Excel",)),
        (Operator.CONTAINS, ("gold",), field(), "silver", "gold"),
        (Operator.MATCHES, r"\b(chief|ceo)\b", field(), "Clerk", "chief"),
        (Operator.WITHIN_DAYS, 14, INSTANT, None, NOW),
        (Operator.WITHIN_DAYS, 14, INSTANT, NOW, NOW - timedelta(days=15)),
        (Operator.AT_LEAST, date(2026, 1, 1), field(FieldType.DATE), None, date(2026, 1, 1)),
        (Operator.EXISTS, True, field(), None, "given"),
        (Operator.EXISTS, True, field(), "x", None),
    ],
)
def test_the_first_value_that_turns_it(operator, operand, of, value, first):
    found = proposed(operator, operand, of, value)
    assert (found[0] if found else None) == first


def test_nothing_is_proposed_that_the_field_would_not_believe():
    assert proposed(Operator.BELOW, 1, INTEGER, 20) == []
    strict = field(FieldType.TEXT, matches="^[A-Z]{2}$")
    assert proposed(Operator.IS, "wrong", strict, "DE") == []


def test_taking_a_value_away_makes_every_test_fail():
    for operator, operand in ((Operator.MATCHES, "a+"), (Operator.IN, ("a",))):
        assert proposed(operator, operand, field(), "a")[-1] is None


@pytest.mark.parametrize("kind", list(FieldType))
def test_some_value_is_known_for_every_kind_of_field(kind):
    assert known(sample_value(field(kind), NOW))
