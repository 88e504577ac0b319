from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.policy.yaml_source import LARGEST_FILE, read_yaml


def value_of(text: str) -> object:
    document = read_yaml("a.yaml", text)
    assert not document.errors, document.errors
    return document.value


def said_of(text: str) -> str:
    document = read_yaml("a.yaml", text)
    assert document.errors
    return "\n".join(str(error) for error in document.errors)


def test_norway_and_friends_stay_text() -> None:
    assert value_of("[NO, no, off, on, yes, y, 12:30, 1_000x]") == [
        "NO", "no", "off", "on", "yes", "y", "12:30", "1_000x",
    ]  # fmt: skip
    assert value_of("NO: Norway\non: 2026-11-03") == {"NO": "Norway", "on": date(2026, 11, 3)}


def test_numbers_are_exact() -> None:
    assert value_of("[1, -2, 0.1, 010]") == [1, -2, Decimal("0.1"), 10]


def test_every_value_has_a_place() -> None:
    document = read_yaml("a.yaml", "score:\n  - {id: x, points: 5}\n")
    place = document.values[("score", 0, "points")]
    assert (place.line, place.column) == (2, 21)
    assert document.keys[("score", 0, "points")].column == 13


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "a.yaml:3:1: 'a' is given twice; first in line 1"),
        ("a: &x [1]\nb: *x", "anchors and aliases are not used"),
        ("a: [1", "not readable as YAML"),
        ("\ta: 1", "indent with spaces"),
        ("a: b: c", "must stand in quotes"),
        ("a: !!python/object:os.system x", "is not used in a policy"),
        ("%YAML 1.1\n---\na: NO", "directives"),
        ("a: 1\n---\nb: 2", "not readable as YAML"),
        ("a: .nan", "not a plain number"),
        ("a: 0x10", "not a plain number"),
        ("a: 2026-13-45", "is not a date"),
        ("<<: {a: 1}", "a key must be a plain word"),
        ("? [a]\n: 1", "a key must be a plain word"),
        ("[" * 1000, "nested too deeply"),
        ("a: " + "x" * LARGEST_FILE, "larger than"),
    ],
)
def test_what_does_not_belong_is_refused_at_its_place(text: str, message: str) -> None:
    assert message in said_of(text)


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [" + ", ".join([f"*{before}"] * 9) + "]")
    assert "anchors and aliases" in said_of("\n".join(lines))


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    read_yaml("a.yaml", text)


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@` \n\t,?0.", max_size=60))
def test_no_yaml_like_text_makes_the_reader_fail(text: str) -> None:
    read_yaml("a.yaml", text)
