"""The first place at which two stored values differ."""

from __future__ import annotations

import pytest

from baton.decision.difference import NOTHING, Difference, first_difference


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1, "b": [1, {"c": 2}]}, {"b": [1, {"c": 2}], "a": 1}, None),
        ({"a": [1, {"c": 2}]}, {"a": [1, {"c": 3}]}, ("$.a[1].c", "2", "3")),
        ({"a": 1}, {"a": 1, "b": None}, ("$.b", NOTHING, "null")),
        ({"a": 1, "b": "x"}, {"a": 1}, ("$.b", '"x"', NOTHING)),
        ({"a": [1]}, {"a": [1, 2]}, ("$.a[1]", NOTHING, "2")),
        ({"a": [1, 2]}, {"a": [1]}, ("$.a[1]", "2", NOTHING)),
        ({"Company size": 1}, {"Company size": 2}, ('$["Company size"]', "1", "2")),
        ({"a": True}, {"a": 1}, ("$.a", "true", "1")),
        ({"z": 1, "b": 1}, {"z": 2, "b": 2}, ("$.b", "1", "2")),
        ({"a": {}}, {"a": []}, ("$.a", "{}", "[]")),
        ([], {}, ("$", "[]", "{}")),
    ],
)
def test_the_first_place_in_order_of_keys(before, after, found):
    expected = Difference(*found) if found else None
    assert first_difference(before, after) == expected


def test_a_long_value_is_cut():
    found = first_difference({"a": "x" * 900}, {"a": ""})
    assert found is not None
    assert len(found.before) == 300
    assert found.before.endswith("…")
