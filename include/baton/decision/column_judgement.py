"""The steps of a decision before the ladder, for all plain leads at once.

They are those of `baton.decision.decide`, in the same order and with the same answers: data not
good enough → must not be handed off → no reason to hand off → profile incomplete → goes to the
ladder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from baton.decision.column_inputs import DecisionFrame
from baton.decision.decision import DecisionOutcome
from baton.decision.inputs import personal_labels
from baton.decision.requirements import asked_by, only_for_handoff
from baton.leads.permission import NO_PERMISSION, refusals
from baton.leads.states import LeadState
from baton.policy.facts import FactValue
from baton.policy.models import Policy
from baton.scoring.column_conditions import Judge
from baton.scoring.column_points import FrameScores, score_judged
from baton.scoring.columns import Bools, Coded, Codes, merged


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What is decided on the leads in `leads` without looking at anybody to own them.

    `words` None: every lead has its own (see `FrameWords`).
    """

    leads: Bools
    outcome: DecisionOutcome
    reason_code: str
    state: LeadState
    words: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """All leads of a frame, as far as columns can judge them.

    `band_codes` are places among the policy's bands, `trigger_codes` among its triggers (-1: none
    fired), `cause_codes` likewise for the trigger that hands off on its own. `to_route` are the
    leads that a route is to be found for, `special` those on which `decide` has to decide.
    """

    policy: Policy
    judge: Judge
    scores: FrameScores
    band_codes: Codes
    trigger_codes: Codes
    cause_codes: Codes
    verdicts: tuple[Verdict, ...]
    to_route: Bools
    special: Bools

    def routing_judge(self) -> Judge:
        """Return a judge that also knows what the decision itself found out."""
        found = self._codes_of(self.trigger_codes, tuple(self.policy.triggers))
        totals, places = np.unique(self.scores.total_milli, return_inverse=True)
        points: list[FactValue] = [Decimal(int(total)) / 1000 for total in totals]
        frame = self.judge.frame.with_columns(
            {
                "Score": merged(places.astype(np.int32), points),
                "Band": self._codes_of(self.band_codes, tuple(self.policy.bands)),
                "Trigger": found,
                "Recipient": self._recipients(),
            }
        )
        return self.judge.on(frame)

    def _recipients(self) -> Coded:
        """Return the role that the trigger, else the band, asks for."""
        triggers = [one.recipient or None for one in self.policy.triggers_strongest_first]
        bands = [
            one.recipient or None if one.hands_off else None
            for one in self.policy.bands_high_to_low
        ]
        of_trigger = merged((self.cause_codes + 1).astype(np.int32), [None, *triggers])
        of_band = merged(self.band_codes, bands)
        shift = len(of_trigger.values) - 1
        codes = np.where(
            of_trigger.codes > 0,
            of_trigger.codes,
            np.where(of_band.codes > 0, of_band.codes + shift, 0),
        )
        return Coded(codes.astype(np.int32), (*of_trigger.values, *of_band.values[1:]))

    @staticmethod
    def _codes_of(codes: Codes, names: tuple[str, ...]) -> Coded:
        return merged((codes + 1).astype(np.int32), [None, *names])


def judged(frame: DecisionFrame, policy: Policy) -> Judgement:
    """Judge every lead up to the ladder. Where a lead is not plain its columns mean nothing."""
    personal = frozenset() if frame.whole else personal_labels(policy)
    judge = Judge(frame.facts, frame.decided_at, personal=personal, observed=frame.observed)
    scores = score_judged(judge, policy, before=frame.bands_before)
    found, cause, bands = _fired(judge, policy, scores)
    hands_off = np.array([one.hands_off for one in policy.bands_high_to_low], dtype=np.bool_)
    has_cause = (cause >= 0) | hands_off[bands]
    left = frame.plain
    if policy.imports is not None:
        left = left & ~judge.holds(policy.imports.when)
    special = ~left
    verdicts = []

    def settle(leads: Bools, outcome: DecisionOutcome, *said: str, state: LeadState) -> None:
        nonlocal left
        reason_code, words = said if len(said) > 1 else (said[0], None)
        verdicts.append(Verdict(left & leads, outcome, reason_code, state, words))
        left = left & ~leads

    bad = _bad_data(frame, policy)
    settle(bad, DecisionOutcome.QUARANTINE, "bad_data", state=LeadState.QUARANTINED)
    for leads, reason_code, words in _forbidden(frame, judge, policy):
        settle(leads, DecisionOutcome.SUPPRESS, reason_code, words, state=LeadState.SUPPRESSED)
    if policy.customers is not None:
        customers, say = judge.holds(policy.customers.when), policy.customers.say
        customers &= ~has_cause
        settle(customers, DecisionOutcome.NONE, "customer", say, state=LeadState.CUSTOMER)
    settle(~has_cause, DecisionOutcome.NURTURE, "below_threshold", state=LeadState.NURTURE)
    incomplete = _incomplete(frame, judge, policy, cause, bands)
    settle(incomplete, DecisionOutcome.QUARANTINE, "incomplete", state=LeadState.QUARANTINED)
    return Judgement(policy, judge, scores, bands, found, cause, tuple(verdicts), left, special)


def _fired(judge: Judge, policy: Policy, scores: FrameScores) -> tuple[Codes, Codes, Codes]:
    """Return the trigger to name, the one that hands off, and the band that a lead counts as."""
    count = judge.frame.count
    nobody: Codes = np.full(count, -1, dtype=np.int32)
    first, cause, raised = nobody.copy(), nobody.copy(), nobody.copy()
    order = {name: place for place, name in enumerate(policy.bands)}
    for place, trigger in enumerate(policy.triggers_strongest_first):
        fires = judge.holds(trigger.when)
        if trigger.min_score_milli is not None:
            fires = fires & (scores.total_milli >= trigger.min_score_milli)
        first[fires & (first < 0)] = place
        if trigger.hands_off:
            cause[fires & (cause < 0)] = place
        if trigger.band:
            raised[fires & (raised < 0)] = order.get(trigger.band, len(order))
    found = np.where(cause >= 0, cause, first).astype(np.int32)
    higher = (raised >= 0) & (raised < scores.band_codes)
    return found, cause, np.where(higher, raised, scores.band_codes).astype(np.int32)


def _bad_data(frame: DecisionFrame, policy: Policy) -> Bools:
    """Tell where validation refused more than what only a handoff requires."""
    for_handoff = only_for_handoff(policy)
    bad = [any(one.label not in for_handoff for one in failures) for failures in frame.failing]
    return np.array(bad, dtype=np.bool_)[frame.failing_codes]


def _forbidden(frame: DecisionFrame, judge: Judge, policy: Policy) -> list[tuple[Bools, str, str]]:
    """Return who must not be handed off, by reason code and words; the first that holds counts."""
    if frame.permitted is None or frame.permission_codes is None:
        return [
            (judge.holds(condition), reason_code, words or reason_code)
            for condition, reason_code, words in refusals(policy)
        ]
    reasons = [
        None if one.hand_off else (one.reason_code or NO_PERMISSION, one.words)
        for one in frame.permitted
    ]
    codes = frame.permission_codes
    return [
        (np.array([one == reason for one in reasons])[codes], reason[0], reason[1] or reason[0])
        for reason in dict.fromkeys(reasons)
        if reason is not None
    ]


def _incomplete(
    frame: DecisionFrame, judge: Judge, policy: Policy, cause: Codes, bands: Codes
) -> Bools:
    """Tell who lacks, or has refused, something that the trigger or the band asks for."""
    found = np.zeros(len(frame), dtype=np.bool_)
    for place, trigger in enumerate(policy.triggers_strongest_first):
        labels = asked_by(policy, trigger, "").labels
        found |= (cause == place) & _lacking(frame, judge, labels)
    for place, name in enumerate(policy.bands):
        labels = asked_by(policy, None, name).labels
        found |= (cause < 0) & (bands == place) & _lacking(frame, judge, labels)
    return found


def _lacking(frame: DecisionFrame, judge: Judge, wanted: Sequence[str]) -> Bools:
    refused = [any(one.label in wanted for one in failures) for failures in frame.failing]
    found: Bools = np.array(refused, dtype=np.bool_)[frame.failing_codes]
    for label in dict.fromkeys(wanted):
        has = judge.known(label)
        if label in frame.personal_known:
            has = has | frame.personal_known[label]
        found = found | ~has
    return found
