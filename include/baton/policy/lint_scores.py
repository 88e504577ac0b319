"""The score: are its rules sound, and can every band be reached?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from baton.policy.fields import FieldType
from baton.policy.findings import Finding, Level
from baton.policy.implication import Implication
from baton.policy.models import Band, Policy, ScoreRule
from baton.policy.parts import Path, score_rules

_NUMBERS = {FieldType.INTEGER, FieldType.NUMBER}


def score_rules_fit(policy: Policy) -> Iterator[Finding]:
    """Yield rules that share an id, count by something uncountable, or fade from no instant."""
    seen: set[str] = set()
    for path, rule in score_rules(policy):
        if rule.id in seen:
            yield _error("twice", f"two score rules are called '{rule.id}'", (*path, "id"))
        seen.add(rule.id)
        yield from _one_rule(policy, path, rule)


def _one_rule(policy: Policy, path: Path, rule: ScoreRule) -> Iterator[Finding]:
    if rule.points == 0:
        yield Finding(Level.WARNING, "no-points", f"'{rule.id}' gives nothing", (*path, "points"))
    if rule.halves_every is not None:
        yield from _decay(policy, path, rule)
    counted = policy.fields.get(rule.for_each) if rule.for_each else None
    if counted is not None and counted.type not in _NUMBERS:
        yield _error("uncountable", f"'{counted.label}' is not a number", (*path, "for_each"))
    if rule.for_each is not None and rule.up_to is None:
        message = f"'{rule.id}' may grow without end"
        yield _error("unbounded-points", message, (*path, "for_each"), "say up_to: how often")
    if rule.group is not None and rule.group not in policy.groups:
        yield _error("unknown-name", f"there is no group '{rule.group}'", (*path, "group"),
                     "declare its ceiling under score: groups")  # fmt: skip


def _decay(policy: Policy, path: Path, rule: ScoreRule) -> Iterator[Finding]:
    if rule.halves_every_days == 0:
        message = "points halve by whole days: at least 1 day"
        yield _error("decay", message, (*path, "halves_every"))
    if rule.since is None:
        message = f"'{rule.id}' halves, but since when?"
        yield _error("decay", message, (*path, "halves_every"), "say since: a date field")
        return
    field = policy.fields.get(rule.since)
    if field is not None and field.type not in {FieldType.DATE, FieldType.DATETIME}:
        yield _error("decay", f"'{field.label}' is not a date", (*path, "since"))


def bands_can_be_reached(policy: Policy) -> Iterator[Finding]:
    """Yield bands out of order, without a rest, out of reach, and a score that hands nobody off."""
    bands = policy.bands_high_to_low
    rests = [band for band in bands if band.lower_milli is None]
    if len(rests) != 1 or bands[-1].lower_milli is not None:
        message = "the last band, and only the last, takes the rest"
        yield _error("bands", message, ("bands",), "end with, for example, 'nurture: rest'")
    for higher, lower in pairwise(bands):
        if higher.lower_milli is None or lower.lower_milli is None:
            continue
        if lower.lower_milli >= higher.lower_milli:
            message = f"'{lower.name}' must begin below '{higher.name}': bands stand high to low"
            yield _error("thresholds", message, ("bands", lower.name))
    yield from _edges_hold(bands)
    best = highest_score_milli(policy)
    by_trigger = {trigger.band for trigger in policy.triggers.values()}
    for band in bands:
        if not band.holds(best) and band.name not in by_trigger:
            message = f"no lead can reach '{band.name}': the best score is {best / 1000:g}"
            hint = "lower its edge, or give more points (ceilings of groups count)"
            yield _error("unreachable-band", message, ("bands", band.name), hint)
    if not any(band.hands_off for band in bands) and not any(
        trigger.hands_off for trigger in policy.triggers.values()
    ):
        message = "nothing hands off: no band and no trigger passes a lead to sales"
        yield _error("no-handoff", message, ("bands",), "set hands_off: true for a band")


def _edges_hold(bands: Sequence[Band]) -> Iterator[Finding]:
    """Yield bands that are kept above their own edge, or so long that another one is passed over."""
    for band, lower in zip_longest(bands, bands[1:]):
        kept, edge = band.stays_above_milli, band.lower_milli
        if kept is None:
            continue
        path: Path = ("bands", band.name, "stays_above")
        if edge is None:
            yield _error("hysteresis", f"'{band.name}' takes the rest: nothing falls out", path)
        elif kept >= edge:
            message = f"'{band.name}' is kept above {kept / 1000:g}, but begins at {edge / 1000:g}"
            yield _error("hysteresis", message, path, f"write less than {edge / 1000:g}")
        elif lower.lower_milli is not None and kept < lower.lower_milli:
            message = (
                f"a lead that was '{band.name}' would pass over '{lower.name}' on its way down"
            )
            hint = f"keep it above {lower.lower_milli / 1000:g} or more"
            yield Finding(Level.WARNING, "hysteresis", message, path, hint)


def highest_score_milli(policy: Policy) -> int:
    """Return a bound of the score: the points of all rules that can hold together, up to ceilings.

    Of rules no two of which can hold at once (sizes, answers to one question) only the best counts.
    """
    compare = Implication(policy.fields)
    grouped: dict[str | None, list[list[ScoreRule]]] = {}
    for rule in policy.score:
        if rule.points_milli <= 0:
            continue
        families = grouped.setdefault(rule.group if rule.group in policy.groups else None, [])
        for family in families:
            if all(compare.disjoint(rule.when, one.when) for one in family):
                family.append(rule)
                break
        else:
            families.append([rule])
    total = 0
    for name, families in grouped.items():
        most = sum(max(map(_most, family)) for family in families)
        total += most if name is None else min(most, policy.groups[name].at_most_milli)
    return total


def _most(rule: ScoreRule) -> int:
    return rule.points_milli * ((rule.up_to or 1) if rule.for_each else 1)


def _error(code: str, message: str, path: Path, hint: str | None = None) -> Finding:
    return Finding(Level.ERROR, code, message, path, hint)
