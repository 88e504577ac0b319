from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.policy.condition_reader import parse_condition
from baton.policy.conditions import ALWAYS, Operator, Test
from baton.policy.reading import CsvList, Reading

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "Company size": 200,
    "Quiz score": Decimal("80.0"),
    "Industry": " Insurance ",
    "Free mail": False,
    "Open opportunity": True,
    "Tech stack": ("Salesforce", "Slack"),
    "Visited at": NOW - timedelta(days=3),
    "Renewal": date(2026, 12, 1),
    "Country": "NO",
    "Blank": "  ",
    "Empty": (),
    "Nothing": None,
}


@pytest.mark.parametrize(
    ("node", "holds"),
    [
        ("Open opportunity", True),
        ("Free mail", False),
        ({"Free mail": False}, True),
        ({"Industry": "INSURANCE"}, True),
        ({"Industry": {"is_not": "Tobacco"}}, True),
        ({"Industry": {"is_not": "insurance"}}, False),
        ({"Country": ["SE", "no"]}, True),
        ({"Country": {"not_in": ["SE", "DK"]}}, True),
        ({"Company size": 200}, True),
        ({"Company size": Decimal(200)}, True),
        ({"Company size": {"between": [200, 300]}}, True),
        ({"Company size": {"between": [100, 200]}}, True),
        ({"Company size": {"above": 200}}, False),
        ({"Company size": {"at_least": 200}}, True),
        ({"Company size": {"at_most": 199}}, False),
        ({"Company size": {"at_least": 100, "below": 200}}, False),
        ({"Quiz score": {"above": 75}}, True),
        ({"Tech stack": {"contains": "slack"}}, True),
        ({"Tech stack": {"contains": ["HubSpot", "Salesforce"]}}, True),
        ({"Tech stack": "Salesforce"}, True),
        ({"Industry": {"contains": "sura"}}, True),
        ({"Industry": {"matches": "^ ?ins"}}, True),
        ({"Visited at": {"within_days": 3}}, True),
        ({"Visited at": {"within_days": 2}}, False),
        ({"Renewal": {"at_least": date(2026, 12, 1)}}, True),
        ({"Industry": {"exists": True}}, True),
        ({"Blank": {"exists": True}}, False),
        ({"Empty": {"exists": False}}, True),
        ({"any": [{"Country": "SE"}, {"Country": "NO"}]}, True),
        ({"none": [{"Country": "SE"}, {"Company size": {"above": 500}}]}, True),
        ({"Country": "NO", "Company size": {"below": 10}}, False),
    ],
)
def test_operators(node: object, holds: bool) -> None:
    assert parse_condition(node).evaluate(FACTS, NOW) is holds


@pytest.mark.parametrize("operator", [op for op in Operator if op is not Operator.EXISTS])
@pytest.mark.parametrize("label", ["Nothing", "Blank", "Empty", "Absent"])
def test_an_unknown_value_is_false_whatever_is_asked(operator: Operator, label: str) -> None:
    operand: Any = (1, 2) if operator is Operator.BETWEEN else 1
    operand = "x" if operator is Operator.MATCHES else operand
    assert Test(label, operator, operand).evaluate(FACTS, NOW) is False


def test_a_value_of_another_kind_is_false() -> None:
    assert not parse_condition({"Industry": {"at_least": 5}}).evaluate(FACTS, NOW)
    assert not parse_condition({"Open opportunity": 1}).evaluate(FACTS, NOW)
    assert not parse_condition({"Company size": {"within_days": 5}}).evaluate(FACTS, NOW)
    assert not parse_condition({"Open opportunity": {"at_least": 0}}).evaluate(FACTS, NOW)


def test_the_future_is_not_within_the_last_days() -> None:
    within = parse_condition({"At": {"within_days": 14}})
    assert not within.evaluate({"At": NOW + timedelta(days=30)}, NOW)
    assert within.evaluate({"At": NOW + timedelta(minutes=5)}, NOW), "clocks differ a little"


def test_otherwise_always_holds() -> None:
    assert ALWAYS.evaluate({}, NOW)
    assert ALWAYS.describe() == "always"


def test_conditions_say_themselves_and_name_their_labels() -> None:
    condition = parse_condition(
        {"Company size": {"between": [50, 1000]}, "any": [{"Country": ["DE", "NO"]}, "Free mail"]}
    )
    assert condition.describe() == (
        "Company size is between 50 and 1000 and (Country is in DE, NO or Free mail is true)"
    )
    assert condition.labels() == {"Company size", "Country", "Free mail"}


def test_lists_come_from_csv_and_labels_from_the_policy() -> None:
    rows = ({"domain": "a.test"}, {"domain": ""}, {"domain": "B.test"})
    reading = Reading({"lists/x.csv": CsvList("lists/x.csv", ("domain",), rows)}, {"form": "Form"})
    condition = parse_condition({"form": {"in": "lists/x.csv"}}, reading)
    assert condition == Test("Form", Operator.IN, ("a.test", "B.test"))
    assert condition.evaluate({"Form": "b.TEST"}, NOW)
    assert condition.describe() == "Form is in the list lists/x.csv"


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({}, "a condition is a field with what it must be"),
        (5, "a condition is a field with what it must be"),
        ({"at_least": 5}, "needs a field before it"),
        ({"A": {"at_leest": 5}}, "'at_leest' is not an operator"),
        ({"A": {"between": [5, 1]}}, "runs backwards"),
        ({"A": {"between": [5]}}, "takes two values"),
        ({"A": {"between": [5, date(2026, 1, 1)]}}, "two numbers or two dates"),
        ({"A": {"at_least": "many"}}, "takes a number or a date"),
        ({"A": {"matches": "("}}, "not a regular expression"),
        ({"A": {"within_days": "soon"}}, "whole number of days"),
        ({"A": {"exists": "yes"}}, "true or false"),
        ({"A": {"in": []}}, "takes a list"),
        ({"A": {}}, "nothing is asked"),
        ({"A": None}, "a value is missing"),
        ({"all": {"A": 1}}, "takes a list of conditions"),
        ({"A": {"in": "lists/none.csv"}}, "there is no list"),
    ],
)
def test_what_cannot_be_a_condition_is_refused(node: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_condition(node)


VALUES = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.integers(),
    st.booleans(),
    st.decimals(allow_nan=True),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(st.text(max_size=5), max_size=3).map(tuple),
)
NODES = st.sampled_from(
    [
        {"A": 1},
        {"A": "x"},
        {"A": ["x", "y"]},
        {"A": {"between": [1, 5]}},
        {"A": {"between": [date(2026, 1, 1), date(2026, 2, 1)]}},
        {"A": {"at_least": Decimal("1.5")}},
        {"A": {"below": NOW}},
        {"A": {"contains": "x"}},
        {"A": {"matches": "x+"}},
        {"A": {"within_days": 30}},
        {"A": {"exists": False}},
        {"none": [{"A": {"above": 3}}]},
    ]
)


@given(value=VALUES, node=NODES)
def test_no_value_makes_a_condition_fail(value: Any, node: Any) -> None:
    assert parse_condition(node).evaluate({"A": value}, NOW) in (True, False)
