"""Which rows of a file name the same lead, in eight bytes a row and a number."""

from __future__ import annotations

from array import array

_MOST_SHOWN = 5


class NamedRows:
    """Remembers by whom each row is named; the names themselves are not kept.

    Names are compared by Python's hash of 64 bits: in a file of a million rows two different names
    pass for one with a chance of one in thirty million.
    """

    def __init__(self) -> None:
        self._names, self._rows = array("q"), array("q")

    def add(self, row: int, name: str) -> None:
        """Note that a row names this lead; an empty name is nobody's."""
        if name:
            self._names.append(hash(name.casefold()))
            self._rows.append(row)

    def repeats(self) -> tuple[int, list[tuple[int, int]]]:
        """Return how many rows name a lead named before, and the first of them.

        Each of these is (the row, the row that named the lead first).
        """
        import numpy as np

        if not self._names:
            return 0, []
        names, rows = np.frombuffer(self._names, np.int64), np.frombuffer(self._rows, np.int64)
        _, first, which = np.unique(names, return_index=True, return_inverse=True)
        firsts = first[which]
        again = np.flatnonzero(firsts != np.arange(len(names)))
        shown = again[:_MOST_SHOWN]
        pairs = zip(rows[shown].tolist(), rows[firsts[shown]].tolist(), strict=True)
        return len(again), list(pairs)
