"""Which condition covers which: a "yes" is certain, whatever the lead."""

from __future__ import annotations

from typing import Any

import pytest

from baton.policy.condition_reader import parse_condition
from baton.policy.fields import Field, FieldType
from baton.policy.implication import Implication

FIELDS = {
    "Country": Field(label="Country", hubspot="country", type=FieldType.COUNTRY),
    "Size": Field(label="Size", hubspot="size", type=FieldType.INTEGER),
    "Title": Field(label="Title", hubspot="title"),
    "Stack": Field(label="Stack", hubspot="stack", type=FieldType.LIST),
    "Seen": Field(label="Seen", hubspot="seen", type=FieldType.DATETIME),
}
COMPARE = Implication(FIELDS)

COVERED = [
    ({"Country": ["DE", "AT"]}, {"Country": "de"}),
    ({"Country": {"not_in": ["US"]}}, {"Country": ["DE", "AT"]}),
    ({"Country": {"exists": True}}, {"Country": {"not_in": ["US"]}}),
    ({"Size": {"at_least": 50}}, {"Size": {"between": [50, 60]}}),
    ({"Size": {"above": 49}}, {"Size": {"at_least": 50}}),
    ({"Size": {"at_least": 50}}, {"Size": [50, 70]}),
    ({"Size": {"at_least": 50}}, {"Size": {"at_least": 50}, "Country": "DE"}),
    ({"any": [{"Country": "DE"}, {"Country": "AT"}]}, {"Country": ["DE", "AT"]}),
    (
        {"any": [{"Country": "DE", "Size": {"above": 9}}, {"Country": "AT"}]},
        {"Country": ["DE", "AT"], "Size": {"above": 10}},
    ),
    ({"none": [{"Country": "US"}]}, {"Country": "DE"}),
    ({"none": [{"Country": "US"}]}, {"none": [{"Country": ["US", "CA"]}]}),
    ({"Title": {"contains": "sales"}}, {"Title": "Head of Sales"}),
    ({"Title": {"contains": ["sales", "marketing"]}}, {"Title": {"contains": "sales"}}),
    ({"Stack": ["A", "B"]}, {"Stack": "A"}),
    ({"Seen": {"within_days": 30}}, {"Seen": {"within_days": 7}}),
    ({"Title": {"matches": "x+"}}, {"Title": {"matches": "x+"}}),
]
NOT_COVERED = [
    ({"Country": "DE"}, {"Country": ["DE", "AT"]}),
    ({"Size": {"above": 50}}, {"Size": {"at_least": 50}}),
    ({"Size": {"between": [50, 60]}}, {"Size": {"at_least": 50}}),
    ({"Country": {"not_in": ["US"]}}, {"Size": 3}),
    ({"Stack": {"not_in": ["B"]}}, {"Stack": "A"}),  # the list may hold both
    ({"Title": {"matches": "x"}}, {"Title": "x"}),  # a pattern is not looked into
    ({"Country": {"exists": False}}, {"Country": "DE"}),
    ({"Seen": {"within_days": 7}}, {"Seen": {"within_days": 30}}),
]


@pytest.mark.parametrize(("wide", "narrow"), COVERED)
def test_it_is_seen_that_one_covers_the_other(wide: Any, narrow: Any) -> None:
    assert COMPARE.covers(parse_condition(wide), parse_condition(narrow))


@pytest.mark.parametrize(("wide", "narrow"), NOT_COVERED)
def test_it_is_not_claimed_without_being_certain(wide: Any, narrow: Any) -> None:
    assert not COMPARE.covers(parse_condition(wide), parse_condition(narrow))


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ({"Country": "DE"}, {"Country": "AT"}, True),
        ({"Size": {"below": 50}}, {"Size": {"at_least": 50}}, True),
        ({"Size": {"at_most": 50}}, {"Size": {"at_least": 50}}, False),
        ({"Stack": "A"}, {"Stack": "B"}, False),
        ({"Country": "DE"}, {"Country": {"exists": False}}, True),
        ({"any": [{"Size": 1}, {"Size": 2}]}, {"Size": {"above": 5}}, True),
    ],
)
def test_whether_two_can_hold_together(one: Any, other: Any, apart: bool) -> None:
    assert COMPARE.disjoint(parse_condition(one), parse_condition(other)) is apart
