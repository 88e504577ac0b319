"""The book of one transaction: pool states and loads, read under lock, changed by each decision.

The caller reads pool rows and loads, lets every decision of the batch use one book, and writes back
`changed`. What one decision has read is kept, so that it can be stored with the decision and the
decision repeated from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from baton.errors import InvariantError
from baton.policy.roster import Roster
from baton.routing.distribution import PoolState


@dataclass(frozen=True, slots=True)
class Loads:
    """What somebody has: open handoffs, and those given within the last hour, day and week."""

    open: int = 0
    hour: int = 0
    day: int = 0
    week: int = 0

    def and_one(self) -> Loads:
        """Return the loads with one handoff more."""
        return Loads(self.open + 1, self.hour + 1, self.day + 1, self.week + 1)


class PoolBook:
    """Pool states, loads and company ties, in memory.

    Loads by owner: `open_loads` are open handoffs, the others hops of the last 60 minutes, 24 hours
    and 7 days. `handed_off`: handoffs already made in this run. `imported`: handoffs of imported
    leads within the last 24 hours. Colleagues' tests are in none of them.

    A decision calls `begin` first and reads only through `state`, `loads`, `colleague`,
    `handed_off` and `imported`; what it read stands in `consulted` and is stored with it. Whoever
    decides by other means (a columnar engine) and keeps the book itself must call `begin`, `put`,
    `count_handoff` and `tie` as `decision.decide` does, so that both can take turns on one book.
    """

    def __init__(
        self,
        states: Mapping[str, PoolState] | None = None,
        *,
        open_loads: Mapping[str, int] | None = None,
        hour_loads: Mapping[str, int] | None = None,
        day_loads: Mapping[str, int] | None = None,
        week_loads: Mapping[str, int] | None = None,
        handed_off: int = 0,
        imported: int = 0,
    ) -> None:
        self._states = dict(states or {})
        spans = [each or {} for each in (open_loads, hour_loads, day_loads, week_loads)]
        self._loads = {
            owner: Loads(*(span.get(owner, 0) for span in spans))
            for owner in {owner for span in spans for owner in span}
        }
        self._handed_off, self._imported = handed_off, imported
        self._ties: dict[str, str] = {}
        self._changed: set[str] = set()
        self._read_states: dict[str, PoolState] = {}
        self._read_loads: dict[str, Loads] = {}
        self._read_ties: dict[str, str] = {}
        self._read_counts = handed_off, imported

    @property
    def changed(self) -> dict[str, PoolState]:
        """Return the states of the pools that gave somebody a lead, to be written back."""
        return {name: self._states[name] for name in sorted(self._changed)}

    @property
    def handed_off(self) -> int:
        """Return how many handoffs this run has made."""
        return self._handed_off

    @property
    def imported(self) -> int:
        """Return how many imported leads were handed off within the last 24 hours."""
        return self._imported

    def begin(self) -> None:
        """Forget what was read so far: a new decision begins."""
        self._read_states.clear()
        self._read_loads.clear()
        self._read_ties.clear()
        self._read_counts = self._handed_off, self._imported

    def state(self, pool: str) -> PoolState:
        """Return the state of a pool; a pool never used starts afresh."""
        state = self._states.get(pool, PoolState())
        self._read_states.setdefault(pool, state)
        return state

    def loads(self, owner: str) -> Loads:
        """Return what an owner has now."""
        loads = self._loads.get(owner, _NOTHING)
        self._read_loads.setdefault(owner, loads)
        return loads

    def colleague(self, company: str) -> str | None:
        """Return who was given a lead of this company earlier in this transaction, or None.

        `company` is a key as `leads.companies.company_keys` makes it.
        """
        owner = self._ties.get(company)
        if owner is not None:
            self._read_ties.setdefault(company, owner)
        return owner

    def put(self, pool: str, state: PoolState) -> None:
        """Take over the state of a pool after a pick."""
        self._states[pool] = state
        self._changed.add(pool)

    def count_handoff(self, owner: str, *, imported: bool = False) -> None:
        """Count a new handoff against an owner's loads and the run; never one of a test."""
        self._loads[owner] = self._loads.get(owner, _NOTHING).and_one()
        self._handed_off += 1
        self._imported += imported

    def tie(self, companies: Iterable[str], owner: str) -> None:
        """Remember who owns a lead of these companies, for their colleagues in the same batch."""
        self._ties.update(dict.fromkeys(companies, owner))

    def consulted(self) -> dict[str, object]:
        """Return what was read since `begin`, as it was then, as plain JSON values."""
        handed_off, imported = self._read_counts
        return {
            "colleagues": dict(sorted(self._read_ties.items())),
            "handed_off": handed_off,
            "imported": imported,
            "loads": {
                owner: [has.open, has.hour, has.day, has.week]
                for owner, has in sorted(self._read_loads.items())
            },
            "pools": {name: state.to_json() for name, state in sorted(self._read_states.items())},
        }

    @classmethod
    def from_consulted(cls, value: Mapping[str, object]) -> Self:
        """Return a book that holds what `consulted` gave: enough to repeat that decision."""
        loads, pools, handed_off = value.get("loads"), value.get("pools"), value.get("handed_off")
        imported, ties = value.get("imported", 0), value.get("colleagues", {})
        if not (
            isinstance(loads, Mapping)
            and isinstance(pools, Mapping)
            and isinstance(handed_off, int)
            and isinstance(imported, int)
            and isinstance(ties, Mapping)
        ):
            raise InvariantError("a stored decision does not tell what it read of pools and loads")
        book = cls(
            {name: PoolState.from_json(state) for name, state in pools.items()},
            handed_off=handed_off,
            imported=imported,
        )
        book._loads = {owner: _loads_from(numbers) for owner, numbers in loads.items()}
        book._ties = dict(ties)
        return book


_NOTHING = Loads()


def _loads_from(numbers: Sequence[int]) -> Loads:
    """Read stored loads; the first engine knew only open handoffs and those of a day."""
    if len(numbers) == 2:
        return Loads(open=numbers[0], day=numbers[1])
    return Loads(*numbers)


def absent_until(roster: Roster, rep_key: str, at: datetime) -> datetime | None:
    """Return the end of the leave that covers `at`, or None if the rep is there."""
    rep = roster.rep(rep_key)
    ends = [part.end for part in rep.leave if part.covers(at)] if rep else []
    return max(ends, default=None)
