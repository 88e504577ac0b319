"""Two courses of the same past: as it was decided, and as another policy would decide.

Both are played through the same engine with pools and loads of their own, from the same beginning,
so that what differs comes of the policies and not of the simulation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from baton.calendars.build import Calendars
from baton.decision.comparison import Side, Tally, side_of
from baton.decision.decide import decide_again
from baton.decision.decision import Decision, DecisionOutcome, Origin
from baton.decision.inputs import DecisionInputs
from baton.decision.simulated_loads import SimulatedLoads, SimulatedTies
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.routing.distribution import PoolState
from baton.routing.ladder import OwnerKind

__all__ = ["Agreed", "Occasion", "World"]

_MOMENT = timedelta(microseconds=1)


class Agreed:
    """A policy with a roster, and what is worked out of them once."""

    def __init__(self, policy: Policy, roster: Roster) -> None:
        self.policy, self.roster = policy, roster
        self.calendars = Calendars(policy, roster)
        self.ends_ladder = frozenset(rule.id for rule in policy.route if rule.fallback)

    def side(self, decision: Decision, at: datetime) -> Side:
        """Return the compact form of a decision, with whether its owner works then."""
        side = side_of(decision, ends_ladder=self.ends_ladder)
        route = decision.route
        if not side.handed_off or route is None or route.owner is None:
            return side
        user = route.owner.kind is OwnerKind.USER
        calendar = self.calendars.of(route.owner.key if user else None)
        # A clock may end with the very second in which the hours do.
        due_open = calendar.is_open(side.due - _MOMENT) if side.due else None
        return replace(side, assigned_open=calendar.is_open(at), due_open=due_open)

    def rep_hours(self, since: datetime, until: datetime) -> dict[int, float]:
        """Return the working hours of all members of pools by hour of the day (UTC), added up.

        Only what lies between `since` and `until` counts, also of the hours in which they fall.
        """
        members = {one.rep for pool in self.roster.pools for one in pool.members if one.weight}
        found = dict.fromkeys(range(24), 0.0)
        hour = since.replace(minute=0, second=0, microsecond=0)
        calendars = [self.calendars.of(rep) for rep in sorted(members) if self._there(rep)]
        while hour < until:
            after = hour + timedelta(hours=1)
            begin, end = max(hour, since), min(after, until)
            found[hour.hour] += sum(one.elapsed(begin, end) for one in calendars) / 3600
            hour = after
        return found

    def _there(self, rep: str) -> bool:
        found = self.roster.rep(rep)
        return found is not None and found.active


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and in which transaction something was decided.

    `handed_off`: how many handoffs its run had made before. `companies`: keys of the lead's company.
    """

    lead_id: int
    at: datetime
    batch: uuid.UUID | None
    handed_off: int
    companies: tuple[str, ...] = ()


@dataclass(slots=True)
class World:
    """Pools, loads and the guard of one course."""

    pools: dict[str, PoolState] = field(default_factory=dict)
    loads: SimulatedLoads = field(default_factory=SimulatedLoads)
    ties: SimulatedTies = field(default_factory=SimulatedTies)
    tally: Tally = field(default_factory=Tally)
    _book: PoolBook | None = None
    _batch: uuid.UUID | None = None
    _handed_off: int = 0

    @classmethod
    def beginning(
        cls,
        pools: Mapping[str, PoolState],
        held: Iterable[tuple[int, str, datetime, datetime | None]],
        tally: Tally,
    ) -> World:
        """Return a course at its beginning: `held` are handoffs (lead, owner, since, until)."""
        made = cls(pools=dict(pools), tally=tally)
        for lead, owner, at, until in held:
            made.loads.give(lead, owner, at, until)
        return made

    def decide(self, inputs: DecisionInputs, agreed: Agreed, occasion: Occasion) -> Decision:
        """Decide, as one of a transaction's decisions; the pools take their turns."""
        book = self._book_for(occasion)
        decision = decide_again(inputs, agreed.policy, agreed.roster, book)
        self.pools.update(book.changed)
        return decision

    def hold(
        self, decision: Decision, occasion: Occasion, until: datetime | None, *, passing: bool
    ) -> None:
        """Give the lead to whom it was decided to go."""
        owner = decision.route.owner if decision.route else None
        if decision.outcome is not DecisionOutcome.HANDOFF or owner is None:
            return
        if decision.origin is Origin.TEST:
            return  # a colleague's test counts for nobody
        if decision.origin is Origin.IMPORT and not passing:
            self.loads.count_import(occasion.at)
        if owner.kind is OwnerKind.USER:
            self.ties.tie(occasion.companies, occasion.lead_id, owner.key, occasion.at)
        if passing:
            self.loads.pass_on(occasion.lead_id, owner.key, occasion.at)
        else:
            self.loads.give(occasion.lead_id, owner.key, occasion.at, until)
            self._handed_off += 1
        self.tally.note_open(owner.key, self.loads.open[owner.key])

    def _book_for(self, occasion: Occasion) -> PoolBook:
        same = self._batch is not None and occasion.batch == self._batch
        if self._book is not None and same:
            return self._book
        if occasion.handed_off == 0:
            self._handed_off = 0  # the guard counts a run; this is the first transaction of one
        self.loads.advance(occasion.at)
        self._batch = occasion.batch
        self._book = PoolBook(
            self.pools,
            open_loads=+self.loads.open,
            hour_loads=+self.loads.recent["hour"],
            day_loads=+self.loads.recent["day"],
            week_loads=+self.loads.recent["week"],
            handed_off=self._handed_off,
            imported=self.loads.imported,
        )
        return self._book
