"""The sentences of many decisions: put together for a lead when somebody asks for them.

They are those of `decide`. Of the points it is known which rule gave them, so no rule is judged
again to say why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from baton.decision.column_inputs import DecisionFrame
from baton.decision.column_judgement import Judgement
from baton.decision.inputs import personal_labels
from baton.decision.package import Words
from baton.decision.requirements import Asked, asked_by, lacking, of_everybody
from baton.decision.sentences import below_threshold, in_one, not_good_enough
from baton.leads.verdict import Failure
from baton.policy.facts import FactValue
from baton.policy.models import ScoreRule
from baton.policy.phrases import slots
from baton.scoring.columns import Integers, LeadFrame
from baton.scoring.points import Reason, Score, counted_up_to, summed


class FrameFacts(Mapping[str, FactValue]):
    """The facts of one lead, looked up in a frame when they are asked for."""

    def __init__(self, frame: LeadFrame, place: int, hidden: frozenset[str]) -> None:
        self._frame, self._place, self._hidden = frame, place, hidden

    def __getitem__(self, label: str) -> FactValue:
        """Return a value; None where it is not known."""
        if label in self._hidden:
            raise KeyError(label)
        return self._frame.columns[label].at(self._place)

    def get(self, label: str, default: object = None) -> Any:
        """Return a value, or `default` for a label without a column."""
        column = None if label in self._hidden else self._frame.columns.get(label)
        return default if column is None else column.at(self._place)

    def __iter__(self) -> Iterator[str]:
        """Yield the labels."""
        return (label for label in self._frame.columns if label not in self._hidden)

    def __len__(self) -> int:
        """Return how many labels there are."""
        return sum(1 for _ in self)


class FrameWords:
    """What can be said of the plain leads of a frame, from what columns found."""

    def __init__(self, frame: DecisionFrame, found: Judgement) -> None:
        self._frame, self._policy = frame, found.policy
        self._band_codes, self._cause_codes = found.band_codes, found.cause_codes
        self._given = found.scores.given
        self._total = found.scores.total_milli
        self._personal = personal_labels(found.policy)
        self._words = Words(self._personal)
        self._slotted = [bool(slots(given.rule.say)) for given in self._given]
        self._asked: dict[tuple[int, int], Asked] = {}
        self._reasons: dict[tuple[int, int, bool], Reason] = {}
        self._listed: tuple[Integers, Integers, Integers] | None = None

    def below_threshold(self, place: int) -> str:
        """Say that nothing asks for a handoff."""
        return below_threshold(int(self._total[place]), self._band(place))

    def bad_data(self, place: int) -> tuple[Failure, ...]:
        """Return what forbids judging a lead."""
        return of_everybody(self._refused(place), self._policy)

    def incomplete(self, place: int) -> tuple[Failure, ...]:
        """Return what a lead lacks for a handoff."""
        asked = self._asks(place)
        return lacking(asked.labels, self._refused(place), lambda label: self._has(label, place))

    def in_words(self, place: int, failures: tuple[Failure, ...], *, incomplete: bool) -> str:
        """Say what is wrong with a lead's data."""
        return not_good_enough(self._asks(place).why, failures) if incomplete else in_one(failures)

    def score(self, place: int) -> Score:
        """Return the score of a lead with its reasons in words."""
        numbers, places, ends = self._by_lead()
        begin, end = int(ends[place]), int(ends[place + 1])
        pairs = zip(numbers[begin:end].tolist(), places[begin:end].tolist(), strict=True)
        return summed([self._reason(place, number, at) for number, at in pairs])

    def _reason(self, place: int, number: int, at: int) -> Reason:
        given = self._given[number]
        milli, cut = int(given.milli[at]), given.cut is not None and bool(given.cut[at])
        if self._slotted[number]:
            facts = FrameFacts(self._frame.facts, place, frozenset())
            return _reason(given.rule, milli, self._words.say(given.rule.say, facts), cut=cut)
        kept = self._reasons.get((number, milli, cut))
        if kept is None:
            say = self._words.say(given.rule.say, {})
            kept = self._reasons[number, milli, cut] = _reason(given.rule, milli, say, cut=cut)
        return kept

    def _by_lead(self) -> tuple[Integers, Integers, Integers]:
        """Return which rules gave points, lead by lead.

        Two lists, the rule's number and the place among those to whom it gave some; and where each
        lead's share of them begins and ends.
        """
        if self._listed is None:
            sizes = [len(given.leads) for given in self._given]
            nobody = np.zeros(0, dtype=np.int64)
            leads = np.concatenate([nobody, *(given.leads for given in self._given)])
            order = np.argsort(leads, kind="stable")
            numbers = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
            places = np.concatenate([nobody, *map(np.arange, sizes)])
            ends = np.searchsorted(leads[order], np.arange(len(self._total) + 1))
            self._listed = numbers[order], places[order], ends.astype(np.int64)
        return self._listed

    def _band(self, place: int) -> str:
        return tuple(self._policy.bands)[int(self._band_codes[place])]

    def _asks(self, place: int) -> Asked:
        key = int(self._cause_codes[place]), int(self._band_codes[place])
        if key not in self._asked:
            triggers = self._policy.triggers_strongest_first
            trigger = triggers[key[0]] if key[0] >= 0 else None
            self._asked[key] = asked_by(self._policy, trigger, self._band(place))
        return self._asked[key]

    def _refused(self, place: int) -> tuple[Failure, ...]:
        return self._frame.failing[int(self._frame.failing_codes[place])]

    def _has(self, label: str, place: int) -> bool:
        known = self._frame.personal_known.get(label)
        if known is not None and known[place]:
            return True
        return bool(self._frame.facts.known(label)[place])


def _reason(rule: ScoreRule, milli: int, say: str, *, cut: bool) -> Reason:
    return Reason(
        rule.id, rule.kind, milli, counted_up_to(rule.group, say) if cut and rule.group else say
    )
