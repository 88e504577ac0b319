"""Pools: shares, ties, zero weights, newcomers, leavers, whoever comes back, what is stored."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction

import pytest

from baton.errors import InvariantError, PolicyError
from baton.routing.distribution import DENOMINATOR_LIMIT, PoolState, pick, settled

THREE = {"a": 1, "b": 1, "c": 1}


def deal(
    weights: dict[str, int], eligible: str | list[str], leads: int, state: PoolState
) -> tuple[list[str], PoolState]:
    picks = []
    for _ in range(leads):
        chosen, state = pick(weights, list(eligible), state)
        assert chosen is not None
        picks.append(chosen)
    return picks, state


def test_equal_weights_take_turns_and_ties_go_by_key() -> None:
    picks, _ = deal(THREE, "abc", 7, PoolState())
    assert picks == ["a", "b", "c", "a", "b", "c", "a"]


def test_weights_give_shares() -> None:
    picks, state = deal({"a": 3, "b": 2, "c": 1}, "abc", 60, PoolState())
    assert Counter(picks) == {"a": 30, "b": 20, "c": 10}
    assert all(state.balance_of(member) == 0 for member in "abc")


def test_one_lead_a_run_is_as_fair_as_one_long_run() -> None:
    state = PoolState()
    picks = []
    for _ in range(30):
        state = PoolState.from_json(json.loads(json.dumps(state.to_json())))
        chosen, state = pick(THREE, ["c", "b", "a"], state)
        picks.append(chosen)
    assert Counter(picks) == {"a": 10, "b": 10, "c": 10}


def test_weight_zero_gets_nothing_and_nobody_is_picked_when_all_are_zero() -> None:
    picks, _ = deal({"a": 0, "b": 1}, "ab", 5, PoolState())
    assert picks == ["b"] * 5
    state = PoolState()
    assert pick({"a": 0, "b": 0}, ["a", "b"], state) == (None, state)
    assert pick(THREE, [], state) == (None, state)
    assert pick(THREE, ["stranger"], state) == (None, state)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(PolicyError, match="cannot be negative"):
        pick({"a": -1}, ["a"], PoolState())


def test_whoever_returns_from_leave_is_not_flooded() -> None:
    _, state = deal(THREE, "abc", 30, PoolState())
    _, state = deal(THREE, "bc", 200, state)
    picks, _ = deal(THREE, "abc", 20, state)
    assert 6 <= picks.count("a") <= 8


def test_what_was_owed_before_leave_is_still_owed_after_it() -> None:
    _, state = deal(THREE, "abc", 1, PoolState())
    assert state.balance_of("c") == Fraction(1, 3)
    _, state = deal(THREE, "ab", 11, state)
    assert state.balance_of("c") == Fraction(1, 3)


def test_a_newcomer_starts_at_zero_and_gets_a_fair_share_at_once() -> None:
    _, state = deal(THREE, "abc", 300, PoolState())
    picks, _ = deal({**THREE, "d": 1}, "abcd", 20, state)
    assert 4 <= picks.count("d") <= 6


def test_a_leavers_balance_goes_to_those_who_stay() -> None:
    _, state = deal(THREE, "abc", 1, PoolState())
    state = settled({"b": 1, "c": 1}, state)
    assert set(state.balances) == {"b", "c"}
    assert sum(state.balances.values()) == 0


def test_a_pool_that_lost_everybody_and_starts_again() -> None:
    _, state = deal(THREE, "abc", 2, PoolState())
    empty = settled({}, state)
    picks, _ = deal({"x": 1, "y": 1}, "xy", 4, empty)
    assert Counter(picks) == {"x": 2, "y": 2}


def test_a_new_weight_carries_balances_over() -> None:
    _, state = deal({"a": 1, "b": 1}, "ab", 101, PoolState())
    picks, _ = deal({"a": 3, "b": 1}, "ab", 40, state)
    assert abs(picks.count("a") - 30) <= 1


def test_stored_integers_stay_small_however_weights_change() -> None:
    state = PoolState()
    for turn in range(200):
        weights = {f"rep{n:02}": 1 + (turn * 7919 + n * 104_729) % 997 for n in range(12)}
        _, state = pick(weights, list(weights), state)
        assert state.denominator <= DENOMINATOR_LIMIT
        assert sum(state.balances.values()) == 0
    assert all(abs(state.balance_of(member)) < 2 for member in state.balances)


def test_a_damaged_state_is_not_used() -> None:
    with pytest.raises(InvariantError):
        PoolState.from_json({"denominator": 0})
    with pytest.raises(InvariantError):
        PoolState.from_json({"balances": {"a": "much"}})
