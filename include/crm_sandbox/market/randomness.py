"""Random streams, one per entity, so that the order of work never changes anybody."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, *key: object) -> Random:
    """The random stream of one entity: the same seed and key always give the same numbers."""
    return Random("/".join([str(seed), *map(str, key)]))


def weighted(rng: Random, weights: Mapping[T, float]) -> T:
    """One key of `weights`, chosen in proportion to its weight."""
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def lognormal(rng: Random, median: float, spread: float) -> float:
    """A positive number with that median; `spread` is the deviation of its logarithm."""
    return median * math.exp(rng.gauss(0.0, spread))


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """`value`, brought into the range."""
    return min(high, max(low, value))


def logistic(value: float) -> float:
    """The logistic curve: 0 gives one half."""
    return 1.0 / (1.0 + math.exp(-value))


def sample(rng: Random, items: Sequence[T], count: int) -> list[T]:
    """Up to `count` different items in random order."""
    return rng.sample(items, min(count, len(items)))
