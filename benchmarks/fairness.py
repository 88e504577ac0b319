"""How far anybody gets from a fair share: our rule against three usual ones.

A pool is fair at a moment if everybody has had (leads so far) x weight / (sum of weights). The
distance is measured after every lead, its worst value over all members and moments is kept.
"""

from __future__ import annotations

import json
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping
from fractions import Fraction
from statistics import median

from figures import Figure

from baton.routing.distribution import PoolState, pick

Weights = Mapping[str, int]


class Chooser(ABC):
    """A rule that gives each lead to one of those who are there."""

    name: str

    def __init__(self, weights: Weights, rng: random.Random) -> None:
        self.weights, self.rng = weights, rng

    @abstractmethod
    def choose(self, there: Collection[str]) -> str:
        """Return who gets the next lead."""


class Ours(Chooser):
    """Tijdeman's rule as Baton has it."""

    name = "Baton (Tijdeman)"

    def __init__(self, weights: Weights, rng: random.Random) -> None:
        super().__init__(weights, rng)
        self.state = PoolState()

    def choose(self, there: Collection[str]) -> str:
        """Pick; the balance of who is not there waits."""
        chosen, self.state = pick(self.weights, there, self.state)
        assert chosen is not None
        return chosen


class SmoothWeighted(Chooser):
    """Smooth weighted round robin, as web servers balance their upstreams."""

    name = "smooth weighted round robin"

    def __init__(self, weights: Weights, rng: random.Random) -> None:
        super().__init__(weights, rng)
        self.current = dict.fromkeys(weights, 0)

    def choose(self, there: Collection[str]) -> str:
        """Add every weight, take the largest, take off the sum."""
        for member in there:
            self.current[member] += self.weights[member]
        chosen = max(there, key=self.current.__getitem__)
        self.current[chosen] -= sum(self.weights[member] for member in there)
        return chosen


class LowestCount(Chooser):
    """Whoever has the fewest leads by weight."""

    name = "lowest count by weight"

    def __init__(self, weights: Weights, rng: random.Random) -> None:
        super().__init__(weights, rng)
        self.had = dict.fromkeys(weights, 0)

    def choose(self, there: Collection[str]) -> str:
        """Take the least; who was away has fallen behind."""
        chosen = min(there, key=lambda member: Fraction(self.had[member], self.weights[member]))
        self.had[chosen] += 1
        return chosen


class AtRandom(Chooser):
    """A weighted draw for each lead."""

    name = "weighted random"

    def choose(self, there: Collection[str]) -> str:
        """Draw."""
        members = list(there)
        return self.rng.choices(members, [self.weights[member] for member in members])[0]


RULES: tuple[type[Chooser], ...] = (Ours, SmoothWeighted, LowestCount, AtRandom)

UNEVEN = (1, 1, 1, 3, 10, 30, 100)
"""Weights of pools in which a few take most: full-time reps, helpers, newcomers who ramp up."""
HARDEST = dict(
    zip(
        (f"rep{number:02}" for number in range(17)),
        (10, 1, 122, 100, 1, 100, 10, 19, 1, 3, 1, 100, 1, 1, 1, 10, 3),
        strict=True,
    )
)
"""Found by search: the pool in which smooth weighted round robin gets furthest away."""


def worst_distance(weights: Weights, chooser: Chooser, leads: int) -> Fraction:
    """Return the worst distance of any member from the fair share, in leads."""
    total = sum(weights.values())
    had = dict.fromkeys(weights, 0)
    worst = 0
    for given in range(1, leads + 1):
        had[chooser.choose(list(weights))] += 1
        furthest = max(abs(had[m] * total - given * weight) for m, weight in weights.items())
        worst = max(worst, furthest)
    return Fraction(worst, total)


def fairness(quick: bool) -> list[Figure]:
    """Compare the rules where everybody is there, where somebody comes back, and run by run."""
    count, leads = (50, 200) if quick else (1000, 400)
    figures = _over("weights 1 to 10", _drawn(count, range(1, 11), 12), leads)
    figures += _over("uneven weights", _drawn(count, UNEVEN, 20), leads)
    figures += _over("one hard pool", [HARDEST], leads)
    return figures + _returning() + _run_by_run()


def _drawn(count: int, weights: Collection[int], largest: int) -> list[dict[str, int]]:
    rng, choices = random.Random(11), list(weights)
    return [
        {f"rep{number:02}": rng.choice(choices) for number in range(rng.randint(2, largest))}
        for _ in range(count)
    ]


def _over(what: str, pools: list[dict[str, int]], leads: int) -> list[Figure]:
    figures = []
    terms = f"{what}: {len(pools):,} pool{'s' * (len(pools) > 1)} x {leads} leads"
    for rule in RULES:
        chance = random.Random(13)
        found = sorted(
            float(worst_distance(weights, rule(weights, chance), leads)) for weights in pools
        )
        figures.append(Figure(f"{rule.name}: worst pool", terms, found[-1], "leads away"))
        if len(pools) > 1:
            figures.append(Figure(f"{rule.name}: median pool", terms, median(found), "leads away"))
            beyond = sum(1 for one in found if one >= 1)
            figures.append(Figure(f"{rule.name}: a whole lead away", terms, beyond, "pools"))
    return figures


def _returning() -> list[Figure]:
    """Give 40 leads to four reps, 60 while one of them is away, then 20 to all of them again."""
    weights = dict.fromkeys(("ada", "ben", "cem", "dot"), 1)
    figures = []
    for rule in RULES:
        chooser = rule(weights, random.Random(17))
        for _ in range(40):
            chooser.choose(list(weights))
        for _ in range(60):
            chooser.choose(["ada", "ben", "cem"])
        got = Counter(chooser.choose(list(weights)) for _ in range(20))
        terms = "of the next 20 leads after 60 without her; the share is 5"
        figures.append(Figure(f"{rule.name}: who comes back gets", terms, got["dot"], "leads"))
    return figures


def _run_by_run() -> list[Figure]:
    """Give thirty leads in thirty runs of one lead: what is not stored begins anew each time."""
    weights = dict.fromkeys(("ada", "ben", "cem"), 1)
    stored, ours = "{}", Counter[str]()
    for _ in range(30):
        chosen, state = pick(weights, weights, PoolState.from_json(json.loads(stored)))
        stored = json.dumps(state.to_json())
        ours[str(chosen)] += 1
    forgetful = Counter(
        SmoothWeighted(weights, random.Random(19)).choose(list(weights)) for _ in range(30)
    )
    terms = "30 leads in 30 runs, three equal reps; the share is 10"
    return [
        Figure("Baton, state stored: most", terms, max(ours.values()), "leads"),
        Figure("round robin in memory: most", terms, max(forgetful.values()), "leads"),
    ]
