"""The smallest change that would have altered band or owner, each verified by deciding again.

First every single fact that some condition of the policy looks at is moved to where a test turns,
then pairs of them; around the lead, who was away, whose turn it was, what Salesforce held. What
follows from a changed fact (the segment from the size) is worked out anew. The number of runs is
bounded; where nothing was found within it, the answer says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from baton.decision.circumstances import (
    Circumstance,
    CircumstanceKind,
    circumstances,
    inputs_under,
    roster_under,
)
from baton.decision.claims import Claim, Goal, claim_of
from baton.decision.decide import decide_again
from baton.decision.decision import Decision, DecisionOutcome
from baton.decision.facts_that_follow import FactChange, FactsThatFollow
from baton.decision.inputs import DecisionInputs
from baton.decision.lever_pairs import promising_pairs
from baton.decision.levers import Lever, completed, levers
from baton.errors import PolicyError
from baton.leads.states import FINAL_LEAD_STATES
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.scoring.bands import higher

__all__ = [
    "MOST_RUNS",
    "Change",
    "Claim",
    "Goal",
    "SmallestChanges",
    "answer_if",
    "claim_of",
    "smallest_changes",
    "under",
]

MOST_RUNS = 600
"""Engine runs for one search; at a quarter of a millisecond each, well below a second."""
SHOWN = 3
"""So many ways are returned for each goal."""


@dataclass(frozen=True, slots=True)
class Change:
    """A way to a goal: facts, or one circumstance, that are otherwise, and what comes of it."""

    goal: Goal
    levers: tuple[Lever, ...]
    circumstance: Circumstance | None
    claim: Claim

    @property
    def facts(self) -> tuple[FactChange, ...]:
        """Return the facts that are otherwise."""
        return tuple(change for lever in self.levers for change in lever.facts)

    @property
    def things(self) -> int:
        """Return how many things are otherwise."""
        return max(1, len(self.levers))


@dataclass(frozen=True, slots=True)
class SmallestChanges:
    """What was found: the changes of each goal, smallest first, and what was looked through.

    `base` is what the present engine decides on the unchanged inputs. `unmet`: goals that nothing
    reached; `exhausted` tells whether everything there is to try was tried.
    """

    base: Claim
    changes: tuple[Change, ...]
    unmet: tuple[Goal, ...]
    runs: int
    exhausted: bool

    def of(self, goal: Goal) -> tuple[Change, ...]:
        """Return the ways to one goal, smallest first."""
        return tuple(change for change in self.changes if change.goal is goal)


def smallest_changes(
    inputs: DecisionInputs,
    decision: Decision,
    policy: Policy,
    roster: Roster,
    *,
    most_runs: int = MOST_RUNS,
) -> SmallestChanges:
    """Search for the smallest changes to what was decided. `decision` tells what it consulted."""
    return _Search(inputs, decision, policy, roster, most_runs).found()


def under(
    change: Change, inputs: DecisionInputs, decision: Decision, policy: Policy, roster: Roster
) -> Decision:
    """Decide again with a change applied: the proof of its claim."""
    model = FactsThatFollow.of(inputs, policy)
    return _World(inputs, decision, policy, roster, model).decided(
        change.facts, change.circumstance
    )


def answer_if(
    circumstance: Circumstance,
    inputs: DecisionInputs,
    decision: Decision,
    policy: Policy,
    roster: Roster,
) -> Claim:
    """Return what the engine answers under one circumstance."""
    model = FactsThatFollow.of(inputs, policy)
    world = _World(inputs, decision, policy, roster, model)
    return claim_of(world.decided((), circumstance), decision.consulted)


@dataclass(frozen=True, slots=True)
class _World:
    """Decides on what would have been."""

    inputs: DecisionInputs
    decision: Decision
    policy: Policy
    roster: Roster
    model: FactsThatFollow

    def decided(self, facts: tuple[FactChange, ...], around: Circumstance | None) -> Decision:
        inputs = self.model.with_changes(facts) if facts else self.inputs
        roster, book = self.roster, self._book(around)
        if around is not None:
            inputs = inputs_under(around, self.model)
            roster = roster_under(around, roster, self.inputs.decided_at)
            if around.kind is CircumstanceKind.NEXT_TURN:
                book = self._after_another(roster, book)
        return decide_again(inputs, self.policy, roster, book)

    def _after_another(self, roster: Roster, book: PoolBook) -> PoolBook:
        """Return the book after such a lead of another company, which nothing ties to this one."""
        first = decide_again(self.inputs, self.policy, roster, book)
        owner = first.route.owner.key if first.route and first.route.owner else None
        consulted = dict(self.decision.consulted)
        changed = {name: state.to_json() for name, state in book.changed.items()}
        consulted["pools"] = {**consulted.get("pools", {}), **changed}
        consulted["loads"] = {
            key: [number + (key == owner) for number in numbers]
            for key, numbers in consulted.get("loads", {}).items()
        }
        return PoolBook.from_consulted(consulted)

    def _book(self, around: Circumstance | None) -> PoolBook:
        consulted = dict(self.decision.consulted)
        if not consulted:
            return PoolBook()
        if around is not None and around.kind is CircumstanceKind.SMALL_RUN:
            consulted["handed_off"] = 0
        return PoolBook.from_consulted(consulted)


@dataclass(slots=True)
class _Search:
    """One search; counts its runs."""

    inputs: DecisionInputs
    decision: Decision
    policy: Policy
    roster: Roster
    most_runs: int
    runs: int = 0
    reached: dict[Goal, list[Change]] = field(default_factory=dict)

    def found(self) -> SmallestChanges:
        model = FactsThatFollow.of(self.inputs, self.policy)
        world = _World(self.inputs, self.decision, self.policy, self.roster, model)
        base = claim_of(world.decided((), None), self.decision.consulted)
        goals = _goals(base, self.inputs, self.policy)
        tried = levers(self.inputs, self.decision, self.policy, model)
        around = circumstances(self.inputs, self.decision, self.policy, self.roster)
        for one in around:
            self._try(world, base, goals & _OF_OWNER, one, ())
        single = {
            lever: found
            for lever in tried
            if (found := self._try(world, base, goals, None, (lever,))) is not None
        }
        self._pairs(world, base, goals, single)
        exhausted = self.runs < self.most_runs
        changes = tuple(change for goal in Goal for change in _smallest(self.reached.get(goal, [])))
        met = {change.goal for change in changes}
        return SmallestChanges(
            base,
            changes,
            tuple(goal for goal in Goal if goal in goals - met),
            self.runs,
            exhausted,
        )

    def _pairs(
        self, world: _World, base: Claim, goals: frozenset[Goal], single: Mapping[Lever, Claim]
    ) -> None:
        """Try two things at once for what no single one reached, the likeliest pairs first."""
        for goal in Goal:
            if goal not in goals or any(one.circumstance is None for one in self._met(goal)):
                continue
            pairs = promising_pairs(goal, base, single, self.policy)
            if goal is Goal.HANDED_OVER:
                pairs = itertools.chain(self._completed(single), pairs)
            for pair in pairs:
                if self.runs >= self.most_runs or len(self._met(goal)) >= SHOWN:
                    break
                self._try(world, base, frozenset({goal}), None, pair)

    def _completed(self, single: Mapping[Lever, Claim]) -> Iterator[tuple[Lever, Lever]]:
        """Yield what would suffice but for missing answers, together with these answers."""
        for lever, claim in single.items():
            if claim.outcome is DecisionOutcome.QUARANTINE and claim.missing:
                rest = completed(claim.missing, self.inputs, self.policy)
                if rest is not None and not rest.labels & lever.labels:
                    yield lever, rest

    def _met(self, goal: Goal) -> list[Change]:
        return self.reached.get(goal, [])

    def _try(
        self,
        world: _World,
        base: Claim,
        goals: frozenset[Goal],
        around: Circumstance | None,
        pulled: tuple[Lever, ...],
    ) -> Claim | None:
        """Decide once more, and note which goals that reaches. None when no run is left."""
        if self.runs >= self.most_runs:
            return None
        self.runs += 1
        facts = tuple(change for lever in pulled for change in lever.facts)
        try:
            claim = claim_of(world.decided(facts, around), self.decision.consulted)
        except PolicyError:
            return None
        for goal in goals:
            if _reaches(goal, base, claim, self.policy):
                change = Change(goal, pulled, around, claim)
                self.reached.setdefault(goal, []).append(change)
        return claim


_OF_OWNER = frozenset({Goal.OTHER_OWNER, Goal.HANDED_OVER})


def _goals(base: Claim, inputs: DecisionInputs, policy: Policy) -> frozenset[Goal]:
    """Return what can be wished for at all: whoever has an open handoff keeps it."""
    bands = list(policy.bands)
    wanted: set[Goal] = set()
    if base.band is not None:
        wanted |= {Goal.HIGHER_BAND} if base.band != bands[0] else set()
        wanted |= {Goal.LOWER_BAND} if base.band != bands[-1] else set()
    history = inputs.history
    settled = history.open_handoff is not None and inputs.had_it is None
    if not settled and history.state not in FINAL_LEAD_STATES:
        handed_over = base.outcome is DecisionOutcome.HANDOFF
        wanted.add(Goal.OTHER_OWNER if handed_over else Goal.HANDED_OVER)
    return frozenset(wanted)


def _reaches(goal: Goal, base: Claim, claim: Claim, policy: Policy) -> bool:
    match goal:
        case Goal.HIGHER_BAND:
            return claim.band is not None and higher(claim.band, base.band, policy)
        case Goal.LOWER_BAND:
            return claim.band is not None and higher(base.band, claim.band, policy)
        case Goal.HANDED_OVER:
            return claim.outcome is DecisionOutcome.HANDOFF
        case Goal.OTHER_OWNER:
            return claim.outcome is DecisionOutcome.HANDOFF and _goes_elsewhere(base, claim)


def _goes_elsewhere(base: Claim, claim: Claim) -> bool:
    if claim.owner is not None:
        return claim.owner != base.owner
    return claim.pool is not None and claim.pool != base.pool


def _smallest(found: list[Change]) -> Iterator[Change]:
    """Yield the first few ways that do not move the same labels; they come smallest first."""
    seen: list[frozenset[str]] = []
    shown: dict[bool, int] = {True: 0, False: 0}
    for change in sorted(found, key=lambda one: one.things):
        labels = frozenset(fact.label for fact in change.facts) or frozenset(
            {change.circumstance.words if change.circumstance else ""}
        )
        around = change.circumstance is not None
        if labels in seen or shown[around] >= SHOWN:
            continue
        seen.append(labels)
        shown[around] += 1
        yield change
