"""Who has how many leads, and whose company whom, in a course of events that is only thought of."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["SimulatedLoads", "SimulatedTies"]

WINDOWS: Mapping[str, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}


@dataclass(slots=True)
class SimulatedLoads:
    """Open handoffs and those of the last hour, day and week, by owner. Time only goes forward."""

    open: Counter[str] = field(default_factory=Counter)
    recent: Mapping[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in WINDOWS}
    )
    _imported: deque[datetime] = field(default_factory=deque)
    _holder: dict[int, tuple[str, int]] = field(default_factory=dict)
    _ends: list[tuple[datetime, int, int]] = field(default_factory=list)
    _leaving: list[tuple[datetime, str, str]] = field(default_factory=list)
    _number: int = 0

    def give(self, lead: int, owner: str, at: datetime, until: datetime | None) -> None:
        """A lead is handed to `owner` at `at` and stays open until `until` (None: for good)."""
        self._drop(lead)
        self._number += 1
        self._holder[lead] = (owner, self._number)
        self.open[owner] += 1
        self._count(owner, at)
        if until is not None:
            heapq.heappush(self._ends, (max(at, until), lead, self._number))

    def count_import(self, at: datetime) -> None:
        """A lead that somebody imported is handed off."""
        self._imported.append(at)

    @property
    def imported(self) -> int:
        """Return how many imported leads were handed off within the last day."""
        return len(self._imported)

    def pass_on(self, lead: int, owner: str, at: datetime) -> None:
        """An open handoff goes to somebody else; its end stays what it is."""
        held = self._holder.get(lead)
        if held is None:
            return
        self.open[held[0]] -= 1
        self._holder[lead] = (owner, held[1])
        self.open[owner] += 1
        self._count(owner, at)

    def advance(self, at: datetime) -> None:
        """Let time pass: handoffs end, assignments grow old."""
        while self._ends and self._ends[0][0] <= at:
            _, lead, number = heapq.heappop(self._ends)
            if self._holder.get(lead, ("", 0))[1] == number:
                self._drop(lead)
        while self._leaving and self._leaving[0][0] <= at:
            _, window, owner = heapq.heappop(self._leaving)
            self.recent[window][owner] -= 1
        while self._imported and self._imported[0] <= at - WINDOWS["day"]:
            self._imported.popleft()

    def owner_of(self, lead: int) -> str | None:
        """Return who has an open handoff of this lead, or None."""
        held = self._holder.get(lead)
        return held[0] if held else None

    def _count(self, owner: str, at: datetime) -> None:
        for window, length in WINDOWS.items():
            self.recent[window][owner] += 1
            heapq.heappush(self._leaving, (at + length, window, owner))

    def _drop(self, lead: int) -> None:
        held = self._holder.pop(lead, None)
        if held is not None:
            self.open[held[0]] -= 1


@dataclass(slots=True)
class SimulatedTies:
    """To whom people of each company went last; two leads a company are remembered."""

    _last: dict[str, tuple[tuple[int, str, datetime], ...]] = field(default_factory=dict)

    def tie(self, companies: Iterable[str], lead: int, owner: str, at: datetime) -> None:
        """A lead of these companies goes to `owner`."""
        for company in companies:
            others = tuple(one for one in self._last.get(company, ()) if one[0] != lead)
            self._last[company] = ((lead, owner, at), *others[:1])

    def colleague(
        self, companies: Iterable[str], lead: int, at: datetime, within: timedelta
    ) -> str | None:
        """Return who was given another lead of one of these companies within a time, or None."""
        for company in companies:
            for other, owner, given_at in self._last.get(company, ()):
                if other != lead and at - given_at <= within:
                    return owner
        return None
