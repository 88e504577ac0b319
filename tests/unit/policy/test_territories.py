"""Territories by country, region and day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from baton.errors import PolicyErrors
from baton.policy.loader import policy_from_texts
from baton.policy.territories import Territories

DAY = date(2026, 11, 3)
LIST = """country,territory,region,effective_from
US,West,,
US,East,New York,
US,East,US-MA,
US,South,,2027-01-01
US,Central,new york,2028-01-01
NO,Nordics,,
DE,Bavaria,BY,
"""


@pytest.fixture
def territories(texts: Mapping[str, str]) -> Territories:
    replaced = {
        **texts,
        "lists/territories.csv": LIST,
        "overlays/a.yaml": "replace: [route]\nroute:\n"
        "  - {otherwise: {queue: Inbound triage}, watched_by: a@relay.test}\n"
        "enablement: null\n",
    }
    return policy_from_texts(replaced).territories


@pytest.mark.parametrize(
    ("country", "region", "day", "expected"),
    [
        ("US", None, DAY, "West"),
        ("us", "  ", DAY, "West"),
        ("US", "New York", DAY, "East"),
        ("US", "NY", DAY, "East"),
        ("US", "us-ny", DAY, "East"),
        ("US", "Massachusetts", DAY, "East"),
        ("US", "Texas", DAY, "West"),
        ("US", None, date(2026, 12, 31), "West"),
        ("US", None, date(2027, 1, 1), "South"),
        ("US", "NY", date(2027, 1, 1), "East"),
        ("US", "NY", date(2028, 1, 1), "Central"),
        ("NO", "Oslo", DAY, "Nordics"),
        ("DE", "Bayern", DAY, "Bavaria"),
        ("DE", "Hessen", DAY, None),
        ("DE", None, DAY, None),
        (None, "Bayern", DAY, None),
        ("FR", None, DAY, None),
    ],
)
def test_the_region_beats_the_country_and_the_latest_day_that_has_come_counts(
    territories: Territories, country: str | None, region: str | None, day: date, expected: str
) -> None:
    assert territories.of(country, region, day) == expected
    assert territories.of(country, region, on=day) == expected


def test_names_hold_what_comes_later_too(territories: Territories) -> None:
    assert territories.names() == {"West", "East", "South", "Central", "Nordics", "Bavaria"}


def test_one_region_by_two_names_is_an_overlap(texts: Mapping[str, str]) -> None:
    with pytest.raises(PolicyErrors) as raised:
        policy_from_texts({**texts, "lists/territories.csv": LIST + "US,West,NY,\n"})
    error = raised.value.errors[0]
    assert (error.file, error.line) == ("lists/territories.csv", 9)
    assert error.message == "US NY belongs to both 'East' and 'West'"
    assert error.snippet == "US,West,NY,"


def test_the_same_line_twice_is_no_overlap(texts: Mapping[str, str]) -> None:
    again = texts["lists/territories.csv"] + "DE,DACH,\n"
    assert policy_from_texts({**texts, "lists/territories.csv": again}).territories


def test_the_shipped_list_holds_a_territory_that_comes_later(texts: Mapping[str, str]) -> None:
    shipped = policy_from_texts(texts).territories
    assert shipped.of("HU", None, date(2026, 12, 31)) is None
    assert shipped.of("HU", None, date(2027, 1, 1)) == "DACH"
