"""Why a colleague got a lead and not I: the answer for one person of sales."""

from __future__ import annotations

from collections.abc import Iterator

from baton.decision.case import Case
from baton.decision.change_words import who
from baton.decision.circumstances import Circumstance, CircumstanceKind
from baton.decision.counterfactual import answer_if
from baton.decision.decision import Decision
from baton.decision.explanation import Passage, case_of, named, names_rep
from baton.decision.inputs import DecisionInputs
from baton.policy.conditions import AllOf, AnyOf, Condition, NoneOf
from baton.policy.facts import Facts
from baton.policy.models import Policy, RouteRule
from baton.policy.phrases import in_words
from baton.policy.reading import did_you_mean
from baton.policy.roster import Rep, Roster
from baton.policy.targets import Target, TargetKind


def explain_rep(
    inputs: DecisionInputs, decision: Decision, policy: Policy, roster: Roster, key: str
) -> Passage:
    """Tell why the person with this e-mail got the lead or did not."""
    rep = roster.rep(key)
    title = f"Why {'not ' if not _has_it(decision, key) else ''}{rep.name if rep else key}"
    return Passage("rep", title, tuple(_answer(inputs, decision, policy, roster, rep, key.lower())))


def _has_it(decision: Decision, key: str) -> bool:
    owner = decision.route.owner if decision.route else None
    return owner is not None and owner.key == key.lower()


def _answer(
    inputs: DecisionInputs,
    decision: Decision,
    policy: Policy,
    roster: Roster,
    rep: Rep | None,
    key: str,
) -> Iterator[str]:
    route = decision.route
    if rep is None:
        hint = did_you_mean(key, roster.by_key)
        yield f"{key} was not in the roster when this was decided" + (f": {hint}" if hint else ".")
        return
    if route is None:
        yield f"Nobody got this lead: {decision.words}."
        return
    said = [step for step in route.trace if names_rep(step, key)]
    yield from (f"{step.text[:1].upper()}{step.text[1:]}." for step in said)
    if _has_it(decision, key):
        return
    for circumstance in _obstacles(inputs, decision, rep, " ".join(step.text for step in said)):
        claim = answer_if(circumstance, inputs, decision, policy, roster)
        still = " all the same" if claim.owner != key else ""
        yield f"If {circumstance.words}, it would have gone to {who(claim, roster)}{still}."
    if said and any(step.step == route.rule_id for step in said):
        if route.owner is not None:
            yield f"{named(route.owner, roster)} was picked on that step."
        return
    case = case_of(inputs, decision, policy, roster)
    yield from _rules_to(case, rep, decision)


def _obstacles(
    inputs: DecisionInputs, decision: Decision, rep: Rep, said: str
) -> Iterator[Circumstance]:
    """Yield what stood in this person's way and could have been otherwise."""
    if rep.on_leave(inputs.decided_at):
        yield Circumstance(CircumstanceKind.PRESENT, f"{rep.name} had not been away", rep.key)
    elif rep.key in decision.consulted.get("loads", {}) and "cap" in said.split():
        words = f"{rep.name} had been below every cap"
        yield Circumstance(CircumstanceKind.BELOW_CAPS, words, rep.key)


def _rules_to(case: Case, rep: Rep, decision: Decision) -> Iterator[str]:
    """Tell of every rule that could have led to this person, and why it did not."""
    pools = [
        pool.name
        for pool in case.roster.pools
        if any(member.rep == rep.key for member in pool.members)
    ]
    if pools:
        yield f"{rep.name} is in {'pools' if len(pools) > 1 else 'pool'} {', '.join(pools)}."
    else:
        yield f"{rep.name} is in no pool."
    leading = [rule for rule in case.policy.route if _leads_to(rule, rep.key, pools)]
    if not leading:
        yield "No rule of the policy leads there by pool or name."
    facts = case.facts()
    for rule in leading:
        yield _why_not(rule, case, facts, decision)


def _leads_to(rule: RouteRule, key: str, pools: list[str]) -> bool:
    targets = (rule.to, rule.if_nobody)
    return any(isinstance(one, Target) and _is(one, key, pools) for one in targets)


def _is(target: Target, key: str, pools: list[str]) -> bool:
    if target.kind is TargetKind.POOL:
        return target.name in pools
    return target.kind is TargetKind.PERSON and (target.name or "").lower() == key


def _why_not(rule: RouteRule, case: Case, facts: Facts, decision: Decision) -> str:
    missed = tuple(unmet(rule.when, case, facts))
    if missed:
        return f"Rule {rule.id} ({rule.to}) does not apply: {'; '.join(missed)}."
    decided = decision.route.rule_id if decision.route else None
    if decided and decided != rule.id:
        return (
            f"Rule {rule.id} ({rule.to}) applies too, but step {decided} comes first and decided."
        )
    return f"Rule {rule.id} ({rule.to}) applied."


def unmet(condition: Condition, case: Case, facts: Facts) -> Iterator[str]:
    """Yield in words what keeps a condition from holding; nothing when it holds."""
    if case.judge.holds(condition, facts, case.moment):
        return
    match condition:
        case AllOf(parts):
            for part in parts:
                yield from unmet(part, case, facts)
        case AnyOf(parts):
            yield " and ".join(text for part in parts for text in unmet(part, case, facts))
        case NoneOf(parts):
            for part in parts:
                if case.judge.holds(part, facts, case.moment):
                    yield f"{part.describe()}, which rules it out"
        case _:
            values = {label: in_words(facts.get(label)) for label in sorted(condition.labels())}
            known_as = ", ".join(values.values())
            yield f"asks that {condition.describe()}, but it is {known_as}"
