"""The agenda of the market: what is to happen, in order of time."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime

from crm_sandbox.market.buyers import Buyer
from crm_sandbox.market.journeys import Step
from crm_sandbox.market.reps import Move, Work


@dataclass(frozen=True, slots=True)
class BuyerStep:
    """A buyer's step that is due at its moment."""

    buyer: Buyer
    step: Step


@dataclass(frozen=True, slots=True)
class RepMove:
    """A move that a rep, or a manager, intends to make at its moment."""

    work: Work
    move: Move


Item = BuyerStep | RepMove


@dataclass(order=True, slots=True)
class _Entry:
    at: datetime
    key: str
    number: int
    item: Item = field(compare=False)


class Agenda:
    """A heap by moment; items of the same moment come in the order of their keys."""

    def __init__(self) -> None:
        """Start with nothing to do."""
        self._heap: list[_Entry] = []
        self._made = 0

    def add(self, at: datetime, key: str, item: Item) -> None:
        """Put something on the agenda."""
        self._made += 1
        heapq.heappush(self._heap, _Entry(at, key, self._made, item))

    def pop_due(self, until: datetime) -> tuple[datetime, Item] | None:
        """The earliest thing that is due by `until`, taken off the agenda; else None."""
        if not self._heap or self._heap[0].at > until:
            return None
        entry = heapq.heappop(self._heap)
        return entry.at, entry.item

    def __len__(self) -> int:
        """How many things are still to happen."""
        return len(self._heap)
