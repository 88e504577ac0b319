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
    """Return the shortest wall time of `repeats` runs, in seconds: the least disturbed one."""
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)
