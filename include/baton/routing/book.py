"""The book of one transaction: pool states and loads, read under lock, changed by each decision.

The caller reads pool rows and loads, lets every decision of the batch use one book, and writes back
`changed`. What one decision has read is kept, so that it can be stored with the decision and the
decision repeated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from baton.errors import InvariantError
from baton.policy.roster import Roster
from baton.routing.distribution import PoolState


class PoolBook:
    """Pool states and loads, in memory.

    `open_loads`: open handoffs by owner. `day_loads`: handoffs of the last 24 hours by owner.
    `handed_off`: handoffs already made in this run.
    """

    def __init__(
        self,
        states: Mapping[str, PoolState] | None = None,
        *,
        open_loads: Mapping[str, int] | None = None,
        day_loads: Mapping[str, int] | None = None,
        handed_off: int = 0,
    ) -> None:
        self._states = dict(states or {})
        self._open = dict(open_loads or {})
        self._day = dict(day_loads or {})
        self._handed_off = handed_off
        self._changed: set[str] = set()
        self._read_states: dict[str, PoolState] = {}
        self._read_loads: dict[str, tuple[int, int]] = {}
        self._read_handed_off = handed_off

    @property
    def changed(self) -> dict[str, PoolState]:
        """Return the states of the pools that gave somebody a lead, to be written back."""
        return {name: self._states[name] for name in sorted(self._changed)}

    @property
    def handed_off(self) -> int:
        """Return how many handoffs this run has made."""
        return self._handed_off

    def begin(self) -> None:
        """Forget what was read so far: a new decision begins."""
        self._read_states.clear()
        self._read_loads.clear()
        self._read_handed_off = self._handed_off

    def state(self, pool: str) -> PoolState:
        """Return the state of a pool; a pool never used starts afresh."""
        state = self._states.get(pool, PoolState())
        self._read_states.setdefault(pool, state)
        return state

    def loads(self, owner: str) -> tuple[int, int]:
        """Return open handoffs and those of the last 24 hours of an owner."""
        loads = self._open.get(owner, 0), self._day.get(owner, 0)
        self._read_loads.setdefault(owner, loads)
        return loads

    def put(self, pool: str, state: PoolState) -> None:
        """Take over the state of a pool after a pick."""
        self._states[pool] = state
        self._changed.add(pool)

    def count_handoff(self, owner: str) -> None:
        """Count a new handoff against an owner's loads and the run."""
        self._open[owner] = self._open.get(owner, 0) + 1
        self._day[owner] = self._day.get(owner, 0) + 1
        self._handed_off += 1

    def consulted(self) -> dict[str, object]:
        """Return what was read since `begin`, as it was then, as plain JSON values."""
        return {
            "handed_off": self._read_handed_off,
            "loads": {owner: list(both) for owner, both in sorted(self._read_loads.items())},
            "pools": {name: state.to_json() for name, state in sorted(self._read_states.items())},
        }

    @classmethod
    def from_consulted(cls, value: Mapping[str, object]) -> Self:
        """Return a book that holds what `consulted` gave: enough to repeat that decision."""
        loads, pools, handed_off = value.get("loads"), value.get("pools"), value.get("handed_off")
        if not (
            isinstance(loads, Mapping)
            and isinstance(pools, Mapping)
            and isinstance(handed_off, int)
        ):
            raise InvariantError("a stored decision does not tell what it read of pools and loads")
        return cls(
            {name: PoolState.from_json(state) for name, state in pools.items()},
            open_loads={owner: both[0] for owner, both in loads.items()},
            day_loads={owner: both[1] for owner, both in loads.items()},
            handed_off=handed_off,
        )


def absent_until(roster: Roster, rep_key: str, at: datetime) -> datetime | None:
    """Return the end of the leave that covers `at`, or None if the rep is there."""
    rep = roster.rep(rep_key)
    ends = [part.end for part in rep.leave if part.covers(at)] if rep else []
    return max(ends, default=None)
