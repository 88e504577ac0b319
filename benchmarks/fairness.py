"""How far anybody gets from a fair share: our rule against three usual ones.

A pool is fair at a moment if everybody has had (leads so far) x weight / (sum of weights). The
distance is measured after every lead, its worst value over all members and moments is kept.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from statistics import median

from figures import Figure

from baton.routing.distribution import PoolState, pick

Weights = dict[str, int]
Chooser = Callable[[], str]


def ours(weights: Weights, _rng: random.Random) -> Chooser:
    """Tijdeman's rule as Baton has it."""
    state = PoolState()

    def choose() -> str:
        nonlocal state
        chosen, state = pick(weights, weights, state)
        assert chosen is not None
        return chosen

    return choose


def at_random(weights: Weights, rng: random.Random) -> Chooser:
    """A weighted draw for each lead."""
    members, shares = list(weights), list(weights.values())
    return lambda: rng.choices(members, shares)[0]


def smooth_weighted(weights: Weights, _rng: random.Random) -> Chooser:
    """Smooth weighted round robin, as web servers balance their upstreams."""
    current = dict.fromkeys(weights, 0)
    total = sum(weights.values())

    def choose() -> str:
        for member, weight in weights.items():
            current[member] += weight
        chosen = max(current, key=current.__getitem__)
        current[chosen] -= total
        return chosen

    return choose


def lowest_count(weights: Weights, _rng: random.Random) -> Chooser:
    """Whoever has the fewest leads by weight."""
    had = dict.fromkeys(weights, 0)

    def choose() -> str:
        chosen = min(weights, key=lambda member: Fraction(had[member], weights[member]))
        had[chosen] += 1
        return chosen

    return choose


RULES = (
    ("Baton (Tijdeman)", ours),
    ("smooth weighted round robin", smooth_weighted),
    ("lowest count by weight", lowest_count),
    ("weighted random", at_random),
)


def worst_distance(weights: Weights, choose: Chooser, leads: int) -> Fraction:
    """Return the worst distance of any member from the fair share, in leads."""
    total = sum(weights.values())
    had = dict.fromkeys(weights, 0)
    worst = 0
    for given in range(1, leads + 1):
        had[choose()] += 1
        furthest = max(abs(had[m] * total - given * weight) for m, weight in weights.items())
        worst = max(worst, furthest)
    return Fraction(worst, total)


def fairness(quick: bool) -> list[Figure]:
    """Compare the rules over the same random pools of 2 to 12 members with weights of 1 to 10."""
    pools, leads = (50, 200) if quick else (1000, 400)
    rng = random.Random(11)
    drawn = [
        {f"rep{number}": rng.randint(1, 10) for number in range(rng.randint(2, 12))}
        for _ in range(pools)
    ]
    figures = []
    for name, rule in RULES:
        chance = random.Random(13)
        found = sorted(
            float(worst_distance(weights, rule(weights, chance), leads)) for weights in drawn
        )
        terms = f"{pools:,} pools x {leads} leads"
        figures.append(Figure(f"{name}: worst pool", terms, found[-1], "leads away"))
        figures.append(Figure(f"{name}: median pool", terms, median(found), "leads away"))
        beyond = sum(1 for one in found if one >= 1)
        figures.append(Figure(f"{name}: a whole lead away", terms, beyond, "pools"))
    return figures
