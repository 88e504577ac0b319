"""What could have been otherwise around a lead: who was there, when it came, what Salesforce held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from baton.calendars.build import Calendars
from baton.decision.decision import Decision
from baton.decision.facts_that_follow import FactChange, FactsThatFollow
from baton.decision.inputs import DecisionInputs
from baton.errors import PolicyError
from baton.leads.relations import CrmRelations, MatchedBy, relation_facts
from baton.policy.models import Policy
from baton.policy.roster import Leave, Rep, Roster

A_WHILE = timedelta(minutes=30)
A_DAY = timedelta(days=1)
_PLENTY = 100_000
_CAPS = ("cap_open", "cap_hour", "cap_day", "cap_week")


class CircumstanceKind(StrEnum):
    """What is otherwise; `key` and `at` of a circumstance say whom or when."""

    PRESENT = "present"
    AWAY = "away"
    BELOW_CAPS = "below_caps"
    LATER = "later"
    NEXT_TURN = "next_turn"
    NO_OPPORTUNITY = "no_opportunity"
    NO_ACCOUNT = "no_account"
    NO_LEAD_OWNER = "no_lead_owner"
    CLEAR_ACCOUNT = "clear_account"
    SMALL_RUN = "small_run"


_OF_ONE_PERSON = frozenset(
    {CircumstanceKind.PRESENT, CircumstanceKind.AWAY, CircumstanceKind.BELOW_CAPS}
)


@dataclass(frozen=True, slots=True)
class Circumstance:
    """One thing around the lead that is otherwise. `words` follow "if"."""

    kind: CircumstanceKind
    words: str
    key: str = ""
    at: datetime | None = None


def circumstances(
    inputs: DecisionInputs, decision: Decision, policy: Policy, roster: Roster
) -> tuple[Circumstance, ...]:
    """Return what is worth trying: about the people and pools that were looked at, time, relations."""
    found: list[Circumstance] = []
    reps = _looked_at(inputs, decision, roster)
    gone = _without_owner(inputs, decision, roster)
    if gone is not None and not decision.consulted.get("pools"):
        found.append(gone)
    for rep in reps:
        if rep.on_leave(inputs.decided_at):
            words = f"{rep.name} had not been away"
            found.append(Circumstance(CircumstanceKind.PRESENT, words, rep.key))
        if rep.key in decision.consulted.get("loads", {}):
            words = f"{rep.name} had been below every cap"
            found.append(Circumstance(CircumstanceKind.BELOW_CAPS, words, rep.key))
    if decision.consulted.get("pools"):
        words = "one more such lead had come just before it"
        found.append(Circumstance(CircumstanceKind.NEXT_TURN, words))
        found += _later(inputs, policy, roster, reps)
    if decision.consulted.get("handed_off"):
        words = "this run had handed over fewer leads before it"
        found.append(Circumstance(CircumstanceKind.SMALL_RUN, words))
    if gone is not None and gone not in found:
        found.append(gone)
    return (*found, *_related(inputs.relations))


def _without_owner(
    inputs: DecisionInputs, decision: Decision, roster: Roster
) -> Circumstance | None:
    """Return that whoever got it had been away; a colleague's test never goes elsewhere."""
    owner = decision.route.owner if decision.route else None
    rep = roster.rep(owner.key) if owner is not None and inputs.tester is None else None
    return (
        Circumstance(CircumstanceKind.AWAY, f"{rep.name} had been away", rep.key) if rep else None
    )


def _looked_at(inputs: DecisionInputs, decision: Decision, roster: Roster) -> tuple[Rep, ...]:
    """Return the people of the pools that were asked, and those who know the lead already."""
    keys = [
        member.rep
        for name in decision.consulted.get("pools", {})
        if (pool := roster.pool(name)) is not None
        for member in pool.members
    ]
    relations = inputs.relations
    keys += [
        owner.lower()
        for owner in (
            *inputs.history.earlier_owners,
            relations.salesforce_lead_owner,
            relations.account_owner,
            relations.open_opportunity_owner,
        )
        if owner
    ]
    named = inputs.facts.get("Named account owner")
    keys += [named.lower()] if isinstance(named, str) else []
    reps = (roster.rep(key) for key in dict.fromkeys(keys))
    return tuple(rep for rep in reps if rep is not None)


def _later(
    inputs: DecisionInputs, policy: Policy, roster: Roster, reps: tuple[Rep, ...]
) -> Iterator[Circumstance]:
    """Yield half an hour later, and the opening of those who were not in their hours."""
    moment = inputs.decided_at
    calendars = Calendars(policy, roster)
    instants = {moment + A_WHILE: "it had come 30 minutes later"}
    for rep in reps:
        try:
            calendar = calendars.of(rep.key)
            opens = None if calendar.is_open(moment) else calendar.next_open(moment)
        except PolicyError:
            continue
        if opens is not None:
            instants.setdefault(opens, f"it had come at {opens:%Y-%m-%d %H:%M} UTC")
    for at, words in instants.items():
        yield Circumstance(CircumstanceKind.LATER, words, at=at)


def _related(relations: CrmRelations) -> Iterator[Circumstance]:
    if relations.open_opportunity_id is not None:
        words = "no opportunity had been open"
        yield Circumstance(CircumstanceKind.NO_OPPORTUNITY, words)
    if relations.account_id is not None:
        yield Circumstance(CircumstanceKind.NO_ACCOUNT, "its company had been no account yet")
    if relations.salesforce_lead_owner is not None:
        words = "nobody had owned it in Salesforce"
        yield Circumstance(CircumstanceKind.NO_LEAD_OWNER, words)
    if relations.matched_by is MatchedBy.AMBIGUOUS:
        words = "none of the accounts that fit had been there"
        yield Circumstance(CircumstanceKind.CLEAR_ACCOUNT, words)


def inputs_under(circumstance: Circumstance, model: FactsThatFollow) -> DecisionInputs:
    """Return the inputs as they would have been, with the facts that follow."""
    inputs = model.inputs
    if circumstance.kind is CircumstanceKind.LATER:
        return model.with_changes((), at=circumstance.at)
    relations = _relations_under(circumstance.kind, inputs.relations)
    if relations == inputs.relations:
        return inputs
    changes = [
        FactChange(label, inputs.facts.get(label), value)
        for label, value in relation_facts(relations).items()
        if inputs.facts.get(label) != value
    ]
    return replace(model.with_changes(changes), relations=relations)


def _relations_under(kind: CircumstanceKind, relations: CrmRelations) -> CrmRelations:
    match kind:
        case CircumstanceKind.NO_OPPORTUNITY:
            return replace(relations, open_opportunity_id=None, open_opportunity_owner=None)
        case CircumstanceKind.NO_LEAD_OWNER:
            return replace(relations, salesforce_lead_owner=None)
        case CircumstanceKind.NO_ACCOUNT | CircumstanceKind.CLEAR_ACCOUNT:
            return CrmRelations(
                salesforce_lead_id=relations.salesforce_lead_id,
                salesforce_lead_owner=relations.salesforce_lead_owner,
                salesforce_contact_id=relations.salesforce_contact_id,
            )
    return relations


def roster_under(circumstance: Circumstance, roster: Roster, moment: datetime) -> Roster:
    """Return the roster as it would have been at `moment`."""
    if circumstance.kind not in _OF_ONE_PERSON:
        return roster
    people = tuple(
        _rep_under(circumstance.kind, rep, moment) if rep.key == circumstance.key else rep
        for rep in roster.people
    )
    return Roster(people=people, pools=roster.pools)


def _rep_under(kind: CircumstanceKind, rep: Rep, moment: datetime) -> Rep:
    values = {name: getattr(rep, name) for name in type(rep).model_fields}
    if kind is CircumstanceKind.PRESENT:
        values["leave"] = tuple(part for part in rep.leave if not part.covers(moment))
    elif kind is CircumstanceKind.AWAY:
        values["leave"] = (*rep.leave, Leave(start=moment, end=moment + A_DAY))
    else:
        values |= {name: _PLENTY for name in _CAPS if name in values}
    # Checked when the roster was read; a copy must not take over what was remembered of the old.
    return type(rep).model_construct(**values)
