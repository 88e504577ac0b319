"""Which two things are worth trying together, the likeliest and smallest pairs first."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

from baton.decision.claims import Claim, Goal
from baton.decision.levers import Lever
from baton.policy.models import Policy


def promising_pairs(
    goal: Goal, base: Claim, single: Mapping[Lever, Claim], policy: Policy
) -> Iterator[tuple[Lever, Lever]]:
    """Yield pairs of levers of different facts, those first that ought to reach the goal."""
    if goal in (Goal.HIGHER_BAND, Goal.LOWER_BAND):
        useful = _by_points(goal, base, single)
    else:
        useful = [lever for lever in single if lever.labels & _of_routing(policy)]
    pairs = [
        (one, other)
        for one, other in itertools.combinations(useful, 2)
        if not one.labels & other.labels
    ]
    if goal in (Goal.HIGHER_BAND, Goal.LOWER_BAND):
        pairs = _far_enough(goal, base, single, policy, pairs)
    yield from sorted(pairs, key=lambda pair: (pair[0].cost + pair[1].cost, pair[0].order))


def _by_points(goal: Goal, base: Claim, single: Mapping[Lever, Claim]) -> list[Lever]:
    sign = 1 if goal is Goal.HIGHER_BAND else -1
    return [lever for lever, claim in single.items() if sign * _gain(base, claim) > 0]


def _gain(base: Claim, claim: Claim) -> int:
    if base.total_milli is None or claim.total_milli is None:
        return 0
    return claim.total_milli - base.total_milli


def _far_enough(
    goal: Goal,
    base: Claim,
    single: Mapping[Lever, Claim],
    policy: Policy,
    pairs: list[tuple[Lever, Lever]],
) -> list[tuple[Lever, Lever]]:
    """Return the pairs whose points together cross the edge, as far as no ceiling stops them."""
    bands = list(policy.bands)
    total = base.total_milli or 0
    place = bands.index(base.band) if base.band in bands else len(bands) - 1
    upwards = goal is Goal.HIGHER_BAND
    edge = policy.bands[bands[place - 1 if upwards else place]].lower_milli or 0

    def crosses(pair: tuple[Lever, Lever]) -> bool:
        reached = total + sum(_gain(base, single[lever]) for lever in pair)
        return reached >= edge if upwards else reached <= edge

    return [pair for pair in pairs if crosses(pair)]


def _of_routing(policy: Policy) -> frozenset[str]:
    """Return the labels that routing, triggers and permissions look at, with their sources."""
    conditions: Iterable[frozenset[str]] = (
        *(rule.when.labels() for rule in policy.route),
        *(trigger.when.labels() for trigger in policy.triggers_strongest_first),
        *(rule.when.labels() for rule in policy.suppress),
        *(group.when.labels() for group in policy.segments),
        *(group.when.labels() for group in policy.product_lines),
        *(group.when.labels() for group in policy.deal_sizes),
        frozenset({"Country", "Last conversion"}),
    )
    return frozenset().union(*conditions)
