"""The changes that a counterfactual found, as sentences."""

from __future__ import annotations

from collections.abc import Iterator

from baton.decision.boundary_values import GIVEN
from baton.decision.counterfactual import Change, Claim, Goal, SmallestChanges
from baton.decision.decision import DecisionOutcome
from baton.decision.facts_that_follow import FactChange
from baton.decision.levers import Lever
from baton.decision.package import points_in_words
from baton.policy.facts import known
from baton.policy.phrases import in_words
from baton.policy.roster import Roster

_WISHES = {
    Goal.HIGHER_BAND: "into a higher band",
    Goal.LOWER_BAND: "out of this band",
    Goal.OTHER_OWNER: "to another owner",
    Goal.HANDED_OVER: "to sales",
}
_NUMBERS = {1: "One thing", 2: "Two things together"}


def changes_in_words(found: SmallestChanges, roster: Roster) -> Iterator[str]:
    """Yield a sentence for each change, and one for each goal that nothing reached."""
    told = [change.levers for change in found.of(Goal.HIGHER_BAND)]
    for change in found.changes:
        # A higher band that hands over was told with its owner already.
        if change.goal is not Goal.HANDED_OVER or change.levers not in told or not change.levers:
            yield change_in_words(change, found.base, roster)
    for goal in found.unmet:
        yield _nothing(goal, found)


def change_in_words(change: Change, base: Claim, roster: Roster) -> str:
    """Return one change as a sentence: what, with how many points, and what comes of it."""
    claim = change.claim
    if change.circumstance is not None:
        return f"If {change.circumstance.words}, {_answer(claim, roster)}."
    what = " and ".join(_thing(lever) for lever in change.levers)
    count = _NUMBERS[change.things]
    points = _points(base, claim)
    match change.goal:
        case Goal.HIGHER_BAND:
            start = f"{count} would have made this lead {claim.band}: {what}{points}."
        case Goal.LOWER_BAND:
            start = f"{count} would have made this lead only {claim.band}: {what}{points}."
        case _:
            return f"{count}, and {_answer(claim, roster)}: {what}{points}."
    return start + _aside(base, claim, roster)


def _answer(claim: Claim, roster: Roster) -> str:
    return f"it would have gone to {who(claim, roster)}"


def _aside(base: Claim, claim: Claim, roster: Roster) -> str:
    """Tell what else follows, where a band comes with another outcome or owner."""
    if claim.outcome is DecisionOutcome.HANDOFF and base.outcome is not claim.outcome:
        return f" It would have gone to {who(claim, roster)}."
    if claim.outcome is DecisionOutcome.QUARANTINE and base.outcome is not claim.outcome:
        return f" It would have been quarantined: {', '.join(claim.missing)} not good enough."
    if base.outcome is DecisionOutcome.HANDOFF and claim.outcome is not base.outcome:
        return " It would not have been handed over."
    return ""


def who(claim: Claim, roster: Roster) -> str:
    """Return who would have got it, as far as that is certain."""
    if claim.owner is not None:
        rep = roster.rep(claim.owner)
        name = f"{rep.name} ({rep.key})" if rep else claim.owner
        return name if claim.certain else f"{name}, if not full"
    if claim.pool is not None:
        return f"somebody of pool {claim.pool} (whose turn it was there is not recorded)"
    return "nobody"


def _thing(lever: Lever) -> str:
    if all(fact.only_known for fact in lever.facts):
        return f"{_listed([_given(fact) for fact in lever.facts])} given, and usable"
    if lever.event:
        single = lever.facts[0]
        detail = f" ({single.label} {single.condition})" if single.condition else ""
        return lever.event + (detail if len(lever.facts) == 1 else "")
    return " with ".join(_fact(fact) for fact in lever.facts)


def _given(fact: FactChange) -> str:
    """Return the label, with the value it was tried with where points may hang on it."""
    if not known(fact.after) or fact.after in (GIVEN, (GIVEN,)):
        return fact.label
    return f"{fact.label} (for example {in_words(fact.after)})"


def _fact(fact: FactChange) -> str:
    before = in_words(fact.before)
    if not known(fact.after):
        return f"{fact.label} not known instead of {before}"
    value = in_words(fact.after)
    condition = f" ({fact.condition})" if fact.condition and fact.condition != value else ""
    return f"{fact.label} {value}{condition} instead of {before}"


def _points(base: Claim, claim: Claim) -> str:
    if base.total_milli is None or claim.total_milli is None:
        return ""
    gain = claim.total_milli - base.total_milli
    if gain == 0:
        return ""
    sign = "+" if gain > 0 else ""
    return f" ({sign}{points_in_words(gain)} points → {points_in_words(claim.total_milli)})"


def _nothing(goal: Goal, found: SmallestChanges) -> str:
    tried = f"{found.runs} ways were tried, alone and in pairs"
    words = f"Nothing was found that would have brought it {_WISHES[goal]}: {tried}"
    return f"{words}." if found.exhausted else f"{words}; the search ends there."


def _listed(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else ", ".join(labels[:-1]) + f" and {labels[-1]}"
