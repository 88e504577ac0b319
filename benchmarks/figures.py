"""What a benchmark returns, and how long something takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number: `what`, under which `terms`, with its unit."""

    what: str
    terms: str
    value: float
    unit: str


def best_of(repeats: int, work: Callable[[], object]) -> float:
    """Return the least CPU time of `repeats` runs, in seconds.

    CPU time, because on a shared machine wall time says more about the neighbours. What is
    measured this way runs on one core and waits for nothing.
    """
    found = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def shown(value: float) -> str:
    """Return a number as a person reads it: three figures that matter."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"
