"""Decisions on many leads at once: the answers of `decide`, lead by lead, in a fraction of the time.

Columns judge all plain leads up to the ladder; then one pass in the leads' order finds owners and
asks `decide` about everybody with whom something special is going on. All of it happens on one book,
so that turns, caps and the run's limit come out as if each lead had been decided on alone.

What is kept of a decision are its codes and what it read of the book; `FrameDecisions.decision`
makes the whole of it, with trace, terms and package, by deciding again on just that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

import numpy as np

from baton.decision.canonical import canonical_bytes
from baton.decision.case import Cause, scored
from baton.decision.column_inputs import DecisionFrame, matcher
from baton.decision.column_judgement import Judgement, judged
from baton.decision.column_routing import Router
from baton.decision.column_words import FrameWords
from baton.decision.decide import decide
from baton.decision.decision import Decision, DecisionOutcome, HoldReason
from baton.decision.inputs import DecisionInputs, personal_labels, refuse_personal
from baton.decision.sentences import SCORE_REACHED_BAND, goes_to, nobody_found, run_is_full
from baton.leads.states import LeadState
from baton.leads.verdict import Failure
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.routing.ladder import OwnerKind, Route
from baton.scoring.columns import Bools, Codes, Integers
from baton.scoring.points import Score

__all__ = ["DecisionFrame", "FrameDecisions", "NameColumn", "decide_frame", "matcher"]

Name = TypeVar("Name", bound=str)


class NameColumn(Generic[Name]):
    """One name, or None, for each lead; kept as a number each."""

    def __init__(self, count: int) -> None:
        self.codes: Codes = np.zeros(count, dtype=np.int32)
        self.names: list[Name | None] = [None]
        self._places: dict[Name | None, int] = {None: 0}

    def __len__(self) -> int:
        """Return how many leads there are."""
        return len(self.codes)

    def __getitem__(self, place: int) -> Name | None:
        """Return the name of one lead."""
        return self.names[int(self.codes[place])]

    def __setitem__(self, places: int | Bools, name: Name | None) -> None:
        """Set the name of one lead, or of all for which `places` is true."""
        self.codes[places] = self.code(name)

    def __iter__(self) -> Iterator[Name | None]:
        """Yield the names of all leads."""
        return (self.names[code] for code in self.codes.tolist())

    def code(self, name: Name | None) -> int:
        """Return the number that stands for a name."""
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = len(self.names)
            self.names.append(name)
        return place

    def counts(self) -> dict[Name | None, int]:
        """Return how many leads have each name."""
        counted = np.bincount(self.codes, minlength=len(self.names)).tolist()
        return {name: count for name, count in zip(self.names, counted, strict=True) if count}


class FrameDecisions:
    """What was decided on each lead of a frame. Columns are in the order of the leads.

    `score_milli` is 0 where a lead was not judged any more (merged, erased); `judged` tells.
    """

    def __init__(
        self, frame: DecisionFrame, policy: Policy, roster: Roster, book: PoolBook
    ) -> None:
        count = len(frame)
        self.frame, self.policy, self.roster = frame, policy, roster
        self.outcomes: NameColumn[DecisionOutcome] = NameColumn(count)
        self.reason_codes: NameColumn[str] = NameColumn(count)
        self.bands: NameColumn[str] = NameColumn(count)
        self.triggers: NameColumn[str] = NameColumn(count)
        self.rules: NameColumn[str] = NameColumn(count)
        self.owners: NameColumn[str] = NameColumn(count)
        self.owner_kinds: NameColumn[OwnerKind] = NameColumn(count)
        self.pools: NameColumn[str] = NameColumn(count)
        self.lead_states: NameColumn[LeadState] = NameColumn(count)
        self.score_milli: Integers = np.zeros(count, dtype=np.int64)
        self.judged: Bools = np.ones(count, dtype=np.bool_)
        # As bytes: a hundred thousand small mappings would keep the garbage collector busy.
        self._consulted: dict[int, bytes] = {}
        self._words: FrameWords | None = None
        self._said: NameColumn[str] = NameColumn(count)
        # What `decide` decided on: the leads that were not plain, and what it found wrong with them.
        self._special: Bools = np.zeros(count, dtype=np.bool_)
        self._failures: dict[int, tuple[Failure, ...]] = {}
        # Handoffs of the run, and of imports, before each of these leads and at the end.
        self._counted_at: list[int] = []
        self._counts: list[tuple[int, int]] = [(book.handed_off, book.imported)]

    def __len__(self) -> int:
        """Return how many leads were decided on."""
        return len(self.frame)

    def counts(self) -> Counter[DecisionOutcome]:
        """Return how many leads came to each outcome."""
        return Counter({name: n for name, n in self.outcomes.counts().items() if name})

    def decision(self, place: int) -> Decision:
        """Return the whole decision on one lead, byte for byte that of `decide`."""
        inputs = self.frame.inputs_at(place)
        content = self._consulted.get(place)
        if content is not None:
            book = PoolBook.from_consulted(json.loads(content))
        else:
            run = int(np.searchsorted(self._counted_at, place, side="right"))
            handed_off, imported = self._counts[run]
            book = PoolBook(handed_off=handed_off, imported=imported)
        return decide(inputs, self.policy, self.roster, book)

    def words(self, place: int) -> str:
        """Say the decision on one lead in a sentence."""
        said = self._said[place]
        if said is not None:
            return said
        found = self._frame_words()
        if self.outcomes[place] is DecisionOutcome.NURTURE:
            return found.below_threshold(place)
        incomplete = self.reason_codes[place] == "incomplete"
        return found.in_words(place, self.failures(place), incomplete=incomplete)

    def failures(self, place: int) -> tuple[Failure, ...]:
        """Return what is wrong with the data of a lead in quarantine."""
        if self._special[place]:
            return self._failures.get(place, ())
        if self.outcomes[place] is not DecisionOutcome.QUARANTINE:
            return ()
        found = self._frame_words()
        incomplete = self.reason_codes[place] == "incomplete"
        return found.incomplete(place) if incomplete else found.bad_data(place)

    def score(self, place: int) -> Score | None:
        """Return the score of one lead with its reasons in words; None if it was not judged."""
        if not self.judged[place]:
            return None
        if self._special[place]:
            return scored(self.frame.inputs_at(place), self.policy)
        return self._frame_words().score(place)

    def _frame_words(self) -> FrameWords:
        assert self._words is not None  # there is no plain lead before `take_judgement`
        return self._words

    def take_judgement(self, found: Judgement) -> None:
        """Take over what columns found: bands, triggers, scores, and all that needs no owner."""
        _take_codes(self.bands, found.band_codes, tuple(self.policy.bands))
        _take_codes(self.triggers, found.trigger_codes, tuple(self.policy.triggers))
        self.score_milli = found.scores.total_milli.copy()
        for verdict in found.verdicts:
            self.outcomes[verdict.leads] = verdict.outcome
            self.reason_codes[verdict.leads] = verdict.reason_code
            self.lead_states[verdict.leads] = verdict.state
            self._said[verdict.leads] = verdict.words
        self._words = FrameWords(self.frame, found)

    def take_decision(self, place: int, decision: Decision, book: PoolBook) -> None:
        """Take over a decision that `decide` made."""
        code, words = decision.reason_code, decision.words
        self._take(place, decision.outcome, code, words, decision.route, book)
        self.lead_states[place] = decision.lead_state
        self._special[place] = True
        if decision.failures:
            self._failures[place] = decision.failures
        self.bands[place], self.triggers[place] = decision.band, decision.trigger
        self.judged[place] = decision.score is not None
        self.score_milli[place] = decision.score.total_milli if decision.score else 0

    def take_route(self, place: int, found: Route, cause: Cause, book: PoolBook) -> None:
        """Take over where the ladder led a lead."""
        if found.owner is None:
            reason = HoldReason(found.reason_code)
            self.hold(place, reason, nobody_found(found), book, found)
        else:
            words = goes_to(cause.words, found.owner)
            self._take(place, DecisionOutcome.HANDOFF, cause.code, words, found, book)
            self.lead_states[place] = LeadState.IN_HANDOFF

    def hold(
        self,
        place: int,
        reason: HoldReason,
        words: str,
        book: PoolBook,
        found: Route | None = None,
    ) -> None:
        """Note that a lead waits."""
        self._take(place, DecisionOutcome.HOLD, reason, words, found, book)
        self.lead_states[place] = LeadState.HELD

    def _take(
        self,
        place: int,
        outcome: DecisionOutcome,
        reason_code: str,
        words: str,
        found: Route | None,
        book: PoolBook,
    ) -> None:
        self.outcomes[place], self.reason_codes[place] = outcome, str(reason_code)
        self._said[place] = words
        if found is not None:
            self.rules[place], self.pools[place] = found.rule_id, found.pool
            if found.owner is not None:
                self.owners[place] = found.owner.key
                self.owner_kinds[place] = found.owner.kind
        self._consulted[place] = canonical_bytes(book.consulted())
        self._counted_at.append(place)
        self._counts.append((book.handed_off, book.imported))


def decide_frame(
    inputs: Sequence[DecisionInputs] | DecisionFrame,
    policy: Policy,
    roster: Roster,
    book: PoolBook,
) -> FrameDecisions:
    """Decide on leads in the order given; picks and new handoffs are written into `book`.

    Raises what `decide` raises: InvariantError for inputs that hold personal facts, PolicyError
    where policy and roster contradict each other.
    """
    frame = inputs if isinstance(inputs, DecisionFrame) else DecisionFrame.of_inputs(inputs)
    _refuse_personal(frame, policy)
    found = judged(frame, policy)
    decisions = FrameDecisions(frame, policy, roster, book)
    decisions.take_judgement(found)
    router = Router(frame, found, roster, book)
    triggers = policy.triggers_strongest_first
    causes = [Cause("band", SCORE_REACHED_BAND), *(Cause(one.id, one.label) for one in triggers)]
    full = run_is_full(policy.guards.handoffs_per_run)
    for place in np.flatnonzero(found.special | found.to_route).tolist():
        if found.special[place]:
            decision = decide(frame.inputs_at(place), policy, roster, book)
            decisions.take_decision(place, decision, book)
            continue
        book.begin()
        if router.held_back(place):
            router.skip()
            decisions.hold(place, HoldReason.BLAST_RADIUS, full, book)
        else:
            cause = causes[found.cause_codes[place] + 1]
            decisions.take_route(place, router.route(place), cause, book)
    return decisions


def _refuse_personal(frame: DecisionFrame, policy: Policy) -> None:
    if not frame.whole and not personal_labels(policy).isdisjoint(frame.facts.columns):
        for place in range(len(frame)):
            refuse_personal(frame.inputs_at(place), policy)


def _take_codes(column: NameColumn[str], codes: Codes, names: Sequence[str]) -> None:
    places = np.array([0, *map(column.code, names)], dtype=np.int32)
    column.codes[:] = places[codes + 1]
