"""No change of a policy is left out of the list of differences, whatever is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from baton.policy.conditions import Condition, Operator, Test
from baton.policy.difference_words import changes
from baton.policy.durations import Duration
from baton.policy.loader import parse_policy, read_bundle
from baton.policy.models import Policy
from baton.policy.parts import conditions
from baton.policy.territories import Territories, TerritoryRow

SHIPPED = Path(__file__).resolve().parents[2] / "include" / "policy"
POLICY = parse_policy(read_bundle(SHIPPED))
OTHER = Test("Company size", Operator.AT_LEAST, 7777)
_NOT_CONTENT = {"hash"}

Step = str | int


def leaves(value: object, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Yield the path of every value in a policy that can be changed on its own."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if name not in _NOT_CONTENT:
                yield from leaves(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping) and value:
        yield path  # taking an entry away, or turning the order round
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, tuple) and value and not isinstance(value[0], str):
        yield path
        for at, part in enumerate(value):
            yield from leaves(part, (*path, at))
    else:
        yield path


def changed(value: object, draw: int) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, StrEnum):
        members = [one for one in type(value) if one is not value]
        return members[draw % len(members)] if members else "other"
    if isinstance(value, Mapping):
        listed = list(value.items())
        turned = draw % 2 and len(listed) > 1
        return dict(listed[::-1] if turned else listed[1:]) if listed else {"new": "entry"}
    if isinstance(value, tuple):
        turned = draw % 2 and len(value) > 1 and value != value[::-1]
        return value[::-1] if turned else value[1:] if value else ("something",)
    return next((other(value) for kind, other in OTHERS if isinstance(value, kind)), "other")


WRITTEN: tuple[Any, ...] = (
    "2 days", 1, True, "date", "same rep", "on that date", "6 touches over 10 days",
    "recycle for 3 days", {"pool": "P"}, "Company known", {"E-mail": "x"}, "2026-11-03",
    "x@relay.test", "Europe/Berlin", {"open": 3}, {"for": "3 days"}, {"booked_at": "a", "host": "b"},
    {"when": {"E-mail": "x"}}, {"when": {"E-mail": "x"}, "a_day": 3}, {"channel": "c"}, {"least": 3},
    {"from": "20:00", "to": "07:00"}, {"volume": {}}, ["a"], "some_name", "something",
)  # fmt: skip


@cache
def something_for(model: type[BaseModel], name: str) -> Any:
    """Return a value for a field that was left out, as its own reader makes it of YAML."""
    field = model.model_fields[name]
    reader = TypeAdapter(Annotated[field.annotation, name, *field.metadata])
    for written in WRITTEN:
        try:
            found = reader.validate_python(written)
        except ValueError:
            continue
        if found is not None:
            return found
    raise AssertionError(f"nothing fits {model.__name__}.{name}: add to WRITTEN")


OTHERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (bool, lambda value: not value),
    (int | Decimal, lambda value: value + 1),
    (str, lambda value: f"{value}x"),
    (Duration, lambda value: Duration(value.seconds + 60, value.kind, value.said)),
    (Condition, lambda _value: OTHER),
    (date, lambda value: value + timedelta(days=1)),
    (Territories, lambda value: Territories(value.rows[1:] or (TerritoryRow("AD", "Else"),))),
    (frozenset, lambda value: frozenset({*value, "another.test"})),
)


def walkable(policy: Policy) -> bool:
    """Tell whether its parts are still of their kinds: a text where a rule belongs is no policy."""
    try:
        return bool(list(conditions(policy)))
    except AttributeError:
        return False


def with_change(value: Any, path: tuple[Step, ...], draw: int) -> Any:
    """Return a copy of `value` in which only what lies at `path` is another."""
    if not path:
        return changed(value, draw)
    step, *below = path
    if isinstance(value, BaseModel):
        if not below and getattr(value, str(step)) is None:
            return value.model_copy(update={str(step): something_for(type(value), str(step))})
        part = with_change(getattr(value, str(step)), tuple(below), draw)
        return value.model_copy(update={str(step): part})
    if isinstance(value, Mapping):
        return {key: with_change(part, tuple(below), draw) if key == step else part
                for key, part in value.items()}  # fmt: skip
    return tuple(
        with_change(part, tuple(below), draw) if at == step else part
        for at, part in enumerate(value)
    )


PATHS = tuple(dict.fromkeys(leaves(POLICY)))


def test_there_is_much_to_change() -> None:
    assert len(PATHS) > 1000
    assert {path[0] for path in PATHS} == set(Policy.model_fields) - _NOT_CONTENT


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(PATHS), st.integers(0, 5))
def test_any_one_change_is_told(path: tuple[Step, ...], draw: int) -> None:
    after = with_change(POLICY, path, draw)
    assume(walkable(after))
    for before, now in ((POLICY, after), (after, POLICY)):
        found = changes(before, now)
        assert found, path
        assert all(one.words and one.section and one.path for one in found)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(PATHS), min_size=2, max_size=2, unique_by=lambda path: path[0]))
def test_changes_in_two_sections_are_both_told(paths: list[tuple[Step, ...]]) -> None:
    after = with_change(with_change(POLICY, paths[0], 0), paths[1], 0)
    assume(walkable(after))
    told = {one.path.split(".")[0] for one in changes(POLICY, after)}
    assert {str(path[0]) for path in paths} <= told
