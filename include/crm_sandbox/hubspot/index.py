"""The search index of one object type: what search sees, which may trail the records.

A document is the property mapping a record had when it was indexed. Ordered indexes on id and on
a few moments let a query with a window look at that window only.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush

from crm_sandbox.hubspot.records import Record, parse_moment

LOW, HIGH = -(2**62), 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A record as the index knows it; `moments` holds the ordered properties in epoch ms."""

    number: int
    values: dict[str, str | None]
    moments: dict[str, int]


class SearchIndex:
    """Documents of one object type, found by id and by moment."""

    def __init__(
        self, ordered: Iterable[str], keyed: Iterable[str] = (), *, lag_seconds: float = 0.0
    ) -> None:
        """`ordered` names the datetime properties with an ordered index, `keyed` the texts that
        are looked up by their whole value, in any case.
        """
        self.lag = timedelta(seconds=lag_seconds)
        self._jitter = timedelta(0)
        self._random = random.Random(0)
        self._noted = 0
        self.documents: dict[int, Document] = {}
        self._ids: list[int] = []
        self._orders: dict[str, list[tuple[int, int]]] = {name: [] for name in ordered}
        self._keyed: dict[str, dict[str, set[int]]] = {name: {} for name in keyed}
        self._waiting: list[tuple[datetime, int, Record]] = []

    @property
    def ordered(self) -> frozenset[str]:
        """The properties with an ordered index."""
        return frozenset(self._orders)

    @property
    def keyed(self) -> frozenset[str]:
        """The properties that are looked up by their whole value."""
        return frozenset(self._keyed)

    def trail(self, lag_seconds: float, *, jitter_seconds: float = 0.0, seed: int = 0) -> None:
        """Index every later change after the lag and a random part of the jitter.

        With a jitter changes appear in another order than they were made, as in HubSpot.
        """
        self.lag = timedelta(seconds=lag_seconds)
        self._jitter = timedelta(seconds=jitter_seconds)
        self._random = random.Random(seed)

    def note(self, record: Record, *, now: datetime) -> None:
        """A record has changed: index it at once, or after the lag."""
        if self.lag or self._jitter:
            self._noted += 1
            due = now + self.lag + self._jitter * self._random.random()
            heappush(self._waiting, (due, self._noted, record))
        else:
            self._put(record)

    def catch_up(self, now: datetime) -> None:
        """Index every change whose lag is over by `now`."""
        while self._waiting and self._waiting[0][0] <= now:
            self._put(heappop(self._waiting)[2])

    def _put(self, record: Record) -> None:
        number = record.number
        old = self.documents.get(number)
        if old is not None:
            self._drop(old)
        if record.archived:
            if old is not None:
                del self.documents[number]
                del self._ids[bisect_left(self._ids, number)]
            return
        document = Document(number, record.properties, self._moments(record))
        self.documents[number] = document
        if old is None:
            insort(self._ids, number)
        for name, at in document.moments.items():
            insort(self._orders[name], (at, number))
        for name, by_value in self._keyed.items():
            value = document.values.get(name)
            if value:
                by_value.setdefault(value.lower(), set()).add(number)

    def _moments(self, record: Record) -> dict[str, int]:
        found = {}
        for name in self._orders:
            text = record.properties.get(name)
            epoch = parse_moment(text) if text else None
            if epoch is not None:
                found[name] = epoch
        return found

    def _drop(self, document: Document) -> None:
        for name, at in document.moments.items():
            order = self._orders[name]
            del order[bisect_left(order, (at, document.number))]
        for name, by_value in self._keyed.items():
            value = (document.values.get(name) or "").lower()
            holders = by_value.get(value)
            if holders is not None:
                holders.discard(document.number)
                if not holders:
                    del by_value[value]

    def window(self, name: str, low: int, high: int) -> Window:
        """The documents whose ordered property lies in [low, high], in its order."""
        order = self._orders[name]
        start = bisect_left(order, (low, LOW))
        end = bisect_right(order, (high, HIGH))
        return Window(max(0, end - start), lambda: (n for _, n in order[start:end]))

    def ids_window(self, low: int, high: int) -> Window:
        """The documents whose id lies in [low, high], in the order of ids."""
        start, end = bisect_left(self._ids, low), bisect_right(self._ids, high)
        return Window(max(0, end - start), lambda: iter(self._ids[start:end]))

    def key_window(self, name: str, values: Iterable[str]) -> Window:
        """The documents whose keyed property has one of the values."""
        by_value = self._keyed[name]
        found = {n for value in set(values) for n in by_value.get(value.lower(), ())}
        return Window(len(found), lambda: iter(sorted(found)))

    def only(self, numbers: Iterable[int]) -> Window:
        """Those of the given documents that are in the index."""
        found = sorted(number for number in numbers if number in self.documents)
        return Window(len(found), lambda: iter(found))


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the index: how many documents it holds, and their ids when asked."""

    size: int
    numbers: Callable[[], Iterator[int]]


def epoch_of(text: str | None) -> int | None:
    """Epoch ms of a stored value, or None."""
    return parse_moment(text) if text else None
