"""Points of many leads at once: the integers of `score`, and which rule gave each lead how many.

For every rule it keeps the leads that got points from it and how many: exact reasons in twelve
bytes each. Their words are put together when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baton.errors import PolicyError
from baton.policy.models import Policy, RoleAddresses, ScoreGroup, ScoreKind, ScoreRule
from baton.scoring.column_conditions import Judge
from baton.scoring.columns import (
    DAY_MICROS,
    Bools,
    Codes,
    Instants,
    Integers,
    LeadFrame,
    coded_of,
    micros_of,
)
from baton.scoring.points import (
    DECAY_UNIT,
    ROLE_ADDRESS,
    Reason,
    decay_table,
    points_of,
    score,
)

_LARGEST = 2**62 // (2 * DECAY_UNIT)
"""Points up to here are decayed in 64 bits; beyond, in Python's own integers."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What one rule gave: `milli[i]` thousandths of a point to the lead at the place `leads[i]`.

    `cut[i]`: a group's ceiling took some of them off. None: it took nothing off anybody's.
    """

    rule: ScoreRule
    leads: NDArray[np.intp]
    milli: Integers
    cut: Bools | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FrameScores:
    """The scores of a frame. `given` follows the order of the policy's rules.

    `band_codes` are places in `band_names`, highest band first.
    """

    policy: Policy
    judge: Judge
    total_milli: Integers
    fit_milli: Integers
    intent_milli: Integers
    band_codes: Codes
    given: tuple[Given, ...]

    def __len__(self) -> int:
        """Return how many leads are scored."""
        return len(self.total_milli)

    @property
    def band_names(self) -> tuple[str, ...]:
        """Return the bands to which `band_codes` point."""
        return tuple(self.policy.bands)

    def band(self, place: int) -> str:
        """Return the band of one lead's score."""
        return self.band_names[int(self.band_codes[place])]

    def points(self, rule_id: str) -> Integers:
        """Return what a rule gave each lead, in thousandths of a point, ceilings applied."""
        found = np.zeros_like(self.total_milli)
        for given in self.given:
            if given.rule.id == rule_id:
                found[given.leads] = given.milli
        return found

    def gave(self, place: int) -> tuple[tuple[str, int], ...]:
        """Return which rules gave one lead how many thousandths of a point."""
        found = []
        for given in self.given:
            at = int(np.searchsorted(given.leads, place))
            if at < len(given.leads) and given.leads[at] == place:
                found.append((given.rule.id, int(given.milli[at])))
        return tuple(found)

    def reasons(self, place: int) -> tuple[Reason, ...]:
        """Return the reasons of one lead with their words, as `score` gives them."""
        facts = self.judge.frame.facts(place)
        return score(facts, self.policy, self.judge.moment(place)).reasons


def score_frame(
    frame: LeadFrame,
    policy: Policy,
    moment: datetime | Sequence[datetime],
    *,
    before: Sequence[str | None] | None = None,
) -> FrameScores:
    """Score every lead of a frame at one moment, or each at its own.

    `before` are the bands of the leads' last decisions, for bands that a lead keeps at the edge.
    """
    return score_judged(Judge(frame, moment), policy, before=before)


def score_judged(
    judge: Judge, policy: Policy, *, before: Sequence[str | None] | None = None
) -> FrameScores:
    """Score every lead on which `judge` judges."""
    given = [_given(rule, judge, counts) for rule, counts in _who_counts(judge, policy)]
    for name in dict.fromkeys(one.rule.group for one in given if one.rule.group):
        _keep_below(policy.groups.get(name), given, judge.frame.count)
    fit, intent = (
        _summed([one for one in given if one.rule.kind is kind], judge.frame.count)
        for kind in (ScoreKind.FIT, ScoreKind.INTENT)
    )
    total = fit + intent
    bands = _bands(total, policy, before)
    return FrameScores(policy, judge, total, fit, intent, bands, tuple(given))


def _who_counts(judge: Judge, policy: Policy) -> list[tuple[ScoreRule, Bools | None]]:
    """Return each rule with the leads it may count for; None: all (see `points.rules_for`)."""
    if policy.mail.role_addresses is not RoleAddresses.COMPANY_ONLY:
        return [(rule, None) for rule in policy.score]
    column = judge.frame.coded(ROLE_ADDRESS)
    persons = np.array([value is not True for value in column.values])[column.codes]
    company = {rule.id for rule in policy.company_rules}
    return [(rule, None if rule.id in company else persons) for rule in policy.score]


def _given(rule: ScoreRule, judge: Judge, counts: Bools | None) -> Given:
    holds = judge.holds(rule.when)
    leads = np.flatnonzero(holds if counts is None else holds & counts)
    milli = _decayed(_undecayed(rule, judge, leads), rule, judge, leads)
    if not milli.all():
        leads, milli = leads[milli != 0], milli[milli != 0]
    return Given(rule, leads, milli)


def _undecayed(rule: ScoreRule, judge: Judge, leads: NDArray[np.intp]) -> Integers:
    """Return the points of a rule for each of `leads`, before any decay."""
    if rule.counted_by is None:
        return np.full(len(leads), rule.points_milli, dtype=np.int64)
    column = judge.frame.coded(rule.counted_by)
    fresh = rule.model_copy(update={"halves_every": None})
    each = [points_of(fresh, {rule.counted_by: v}, judge.moment(0)) for v in column.values]
    small = all(abs(points) < _LARGEST for points in each)
    # Numbers without a limit may outgrow 64 bits: then the whole sum is done in Python's integers.
    table: NDArray[Any] = np.array(each, dtype=np.int64 if small else object)
    return table[column.codes[leads]]


def _decayed(points: Integers, rule: ScoreRule, judge: Judge, leads: NDArray[np.intp]) -> Integers:
    half_life = rule.halves_every_days
    if not half_life or not rule.since:
        return points
    micros, dated = _instants(judge.frame, rule.since, leads)
    moments = judge.moments if len(judge.moments) == 1 else judge.moments[leads]
    table = np.array([*decay_table(half_life), 0], dtype=np.int64)
    days = np.clip((moments - micros) // DAY_MICROS, 0, len(table) - 1)
    left = np.where(dated, table[days], DECAY_UNIT)
    rounded: Integers = (np.abs(points) * left + DECAY_UNIT // 2) // DECAY_UNIT
    rounded[points < 0] *= -1
    return rounded


def _instants(frame: LeadFrame, label: str, leads: NDArray[np.intp]) -> tuple[Integers, Bools]:
    """Return the instants of some leads in microseconds, and for which of them there is one."""
    column = frame.column(label)
    if isinstance(column, Instants):
        return column.micros[leads], column.known[leads]
    coded = frame.coded(label)
    micros = [micros_of(value) if isinstance(value, date) else 0 for value in coded.values]
    dated = [isinstance(value, date) for value in coded.values]
    codes = coded.codes[leads]
    return np.array(micros, dtype=np.int64)[codes], np.array(dated, dtype=np.bool_)[codes]


def _keep_below(group: ScoreGroup | None, given: list[Given], count: int) -> None:
    """Take what is above a group's ceiling off its last rules, where it gave anything."""
    if group is None:
        return
    places = [place for place, one in enumerate(given) if one.rule.group == group.name]
    excess = _summed([given[place] for place in places], count) - group.at_most_milli
    if not (excess > 0).any():
        return
    for place in reversed(places):
        rule, leads, milli = given[place].rule, given[place].leads, given[place].milli
        cut = np.minimum(np.maximum(excess[leads], 0), np.maximum(milli, 0))
        excess[leads] -= cut
        left = milli - cut
        some = left != 0
        given[place] = Given(rule, leads[some], left[some], (cut > 0)[some])


def _summed(given: Sequence[Given], count: int) -> Integers:
    total: Integers = np.zeros(count, dtype=np.int64)
    for one in given:
        if one.milli.dtype == object:
            total = total.astype(object)
        total[one.leads] += one.milli
    return total


def _bands(total: Integers, policy: Policy, before: Sequence[str | None] | None) -> Codes:
    """Return the place of each lead's band among the policy's bands (see `bands.band_of`)."""
    codes = np.full(len(total), -1, dtype=np.int32)
    had = coded_of(before) if before is not None else None
    for place, band in reversed(list(enumerate(policy.bands_high_to_low))):
        codes[_reaches(total, band.lower_milli, inclusive=band.lower_inclusive)] = place
        if had is not None and band.stays_above_milli is not None and band.name in had.values:
            same = had.codes == had.values.index(band.name)
            codes[same & (total > band.stays_above_milli)] = place
    if (codes < 0).any():
        raise PolicyError(
            "no band is left for the lowest scores", hint="let the last band be 'rest'"
        )
    return codes


def _reaches(total: Integers, edge: int | None, *, inclusive: bool) -> Bools:
    if edge is None:
        return np.ones(len(total), dtype=np.bool_)
    return total >= edge if inclusive else total > edge
