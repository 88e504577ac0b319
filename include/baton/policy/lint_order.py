"""Where the first match wins: is anything hidden behind what stands before it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from baton.policy.conditions import AnyOf, Condition
from baton.policy.findings import Finding, Level
from baton.policy.implication import Implication
from baton.policy.models import Policy, RouteRule, Trigger
from baton.policy.parts import Path, conditions
from baton.policy.targets import TargetKind

_ALWAYS_THERE = {TargetKind.QUEUE}
GROUPS = {"segments": "segment", "product_lines": "product line", "deal_sizes": "deal size"}
"""The lists of named groups, of which the first that holds is the lead's."""


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    when: Condition
    path: Path


def nothing_is_hidden(policy: Policy) -> Iterator[Finding]:
    """Yield rules, groups, suppressions, triggers and openings that an earlier one always covers."""
    compare = Implication(policy.fields)
    yield from _routes(policy, compare)
    for section, word in GROUPS.items():
        yield from _groups(policy, compare, section, word)
    suppressions = [
        _Step(one.id, one.when, ("suppress", at)) for at, one in enumerate(policy.suppress)
    ]
    yield from _hidden(suppressions, compare, "reason to suppress", Level.WARNING)
    openings = [
        _Step(f"opening {at + 1}", one.when, ("enablement", "openings", at))
        for at, one in enumerate(policy.enablement.openings)
    ]
    yield from _hidden(openings, compare, "opening", Level.WARNING)
    yield from _triggers(policy, compare)


def conditions_can_hold(policy: Policy) -> Iterator[Finding]:
    """Yield conditions two parts of which contradict each other."""
    compare = Implication(policy.fields)
    for path, condition in conditions(policy):
        clash = compare.impossible(condition)
        if clash is not None:
            message = f"no lead can pass both: {clash[0].describe()}, {clash[1].describe()}"
            hint = "write {any: [...]} if one of them is enough"
            yield Finding(Level.ERROR, "impossible-condition", message, path, hint)


def _routes(policy: Policy, compare: Implication) -> Iterator[Finding]:
    """A rule hides what comes after it only if it never leaves a lead to the next one."""
    ends: list[_Step] = []
    for at, route in enumerate(policy.route):
        step = _Step(route.id, route.when, ("route", at))
        # A rule below one that always holds is reported as such (lint_routes).
        by = None if route.fallback else _covering(ends, step, compare)
        if by is not None:
            message = f"'{route.id}' can never be reached: '{by}' takes every lead that it would"
            hint = "move it up, or narrow the one above"
            yield Finding(Level.ERROR, "unreachable-rule", message, step.path, hint)
        if ends_here(route):
            ends.append(step)


def ends_here(route: RouteRule) -> bool:
    """Tell whether a lead for which the rule holds never goes on to the next rule."""
    nobody = route.if_nobody
    stays = nobody is not None and nobody.kind is not TargetKind.GO_ON
    return route.to.kind in _ALWAYS_THERE or stays


def _groups(policy: Policy, compare: Implication, section: str, word: str) -> Iterator[Finding]:
    groups = getattr(policy, section)
    steps = [_Step(one.name, one.when, (section, at)) for at, one in enumerate(groups)]
    yield from _hidden(steps, compare, word, Level.ERROR)
    if groups and word.capitalize() not in policy.fields:
        message = f"there is no field '{word.capitalize()}' to hold them"
        hint = f"declare it under 'fields': {word.capitalize()}: {{derived: true}}"
        yield Finding(Level.ERROR, "unknown-name", message, (section,), hint)
    seen: set[str] = set()
    for at, one in enumerate(groups):
        if one.name in seen:
            message = f"two {word}s are called '{one.name}'"
            yield Finding(Level.ERROR, "twice", message, (section, at, "name"))
        seen.add(one.name)


def _hidden(
    steps: Iterable[_Step], compare: Implication, word: str, level: Level
) -> Iterator[Finding]:
    before: list[_Step] = []
    for step in steps:
        by = _covering(before, step, compare)
        if by is not None:
            message = f"the {word} '{step.name}' never counts: '{by}' holds wherever it does"
            hint = "the first that holds wins: put the narrower one first"
            yield Finding(level, "shadowed", message, step.path, hint)
        before.append(step)


def _covering(before: Sequence[_Step], step: _Step, compare: Implication) -> str | None:
    """Return the names of the earlier steps that hold wherever `step` does, or None."""
    for one in before:
        if compare.covers(one.when, step.when):
            return one.name
    several = [one for one in before if one.when.labels() & step.when.labels()]
    if len(several) > 1 and compare.covers(AnyOf(tuple(one.when for one in several)), step.when):
        return "' and '".join(one.name for one in several)
    return None


def _triggers(policy: Policy, compare: Implication) -> Iterator[Finding]:
    before: list[Trigger] = []
    for trigger in policy.triggers_strongest_first:
        by = next((one for one in before if _takes_over(one, trigger, compare)), None)
        if by is not None:
            message = (
                f"the trigger '{trigger.id}' never leads: '{by.id}', which stands before it, "
                "fires whenever it does"
            )
            hint = "triggers stand strongest first: put the narrower one first"
            yield Finding(Level.WARNING, "shadowed", message, ("triggers", trigger.id), hint)
        before.append(trigger)


def _takes_over(one: Trigger, later: Trigger, compare: Implication) -> bool:
    """Tell whether `one` leads whenever `later` fires: the same event, no higher least score."""
    least, other = one.min_score_milli, later.min_score_milli
    reached = least is None or (other is not None and least <= other)
    same_rank = one.hands_off or not later.hands_off
    return one.at == later.at and reached and same_rank and compare.covers(one.when, later.when)
