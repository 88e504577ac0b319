"""Promise 3: nobody in a stable pool is ever a whole lead away from their share."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from baton.routing.distribution import PoolState, pick

MEMBERS = [f"rep{n:02}" for n in range(12)]
ROUNDING = Fraction(1, 10**9)  # what keeping the stored integers small may cost at most
POOLS = st.dictionaries(st.sampled_from(MEMBERS), st.integers(1, 100), min_size=2)


@settings(deadline=None, max_examples=200)
@given(POOLS, st.integers(1, 400))
def test_nobody_is_a_whole_lead_away_from_the_share(weights: dict[str, int], leads: int) -> None:
    total = sum(weights.values())
    bound = 1 - Fraction(1, 2 * len(weights) - 2)
    given_to = dict.fromkeys(weights, 0)
    state = PoolState()
    for turn in range(1, leads + 1):
        chosen, state = pick(weights, weights.keys(), state)
        assert chosen is not None
        given_to[chosen] += 1
        for member, weight in weights.items():
            distance = Fraction(turn * weight, total) - given_to[member]
            assert abs(distance) <= bound < 1
            assert state.balance_of(member) == distance


@settings(deadline=None, max_examples=60)
@given(
    POOLS, st.lists(st.tuples(st.sets(st.sampled_from(MEMBERS)), st.integers(1, 20)), max_size=8)
)
def test_balances_survive_any_change_of_eligibility(
    weights: dict[str, int], phases: list[tuple[set[str], int]]
) -> None:
    """Shares accrue to whoever may be picked; nobody drifts off, and nothing is lost."""
    state = PoolState()
    for absent, leads in phases:
        eligible = [member for member in weights if member not in absent]
        for _ in range(leads):
            before = {member: state.balance_of(member) for member in weights}
            chosen, state = pick(weights, eligible, state)
            for member in weights:
                if member not in eligible:
                    assert abs(state.balance_of(member) - before[member]) <= ROUNDING
            assert sum(state.balances.values()) == 0
            assert (chosen is None) == (not eligible)
            assert chosen is None or chosen in eligible
            assert all(abs(state.balance_of(member)) < 3 for member in weights)


@settings(deadline=None, max_examples=100)
@given(POOLS, st.integers(1, 60), st.randoms(use_true_random=False))
def test_the_order_in_which_members_are_listed_does_not_matter(
    weights: dict[str, int], leads: int, random: object
) -> None:
    listed = list(weights)
    random.shuffle(listed)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    one = two = PoolState()
    for _ in range(leads):
        first, one = pick(weights, weights.keys(), one)
        second, two = pick({member: weights[member] for member in listed}, listed, two)
        assert first == second
        assert one.to_json() == two.to_json()
