"""A decision told to a person: why this outcome, this score, this band, this owner; what else could be.

Pure: made of the recorded inputs, the decision, and the policy and roster it was made under. Names
of people in sales come from the roster; personal values of the lead stay as labels in braces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from baton.decision.case import Case
from baton.decision.change_words import changes_in_words
from baton.decision.counterfactual import SmallestChanges, smallest_changes
from baton.decision.decision import Decision, DecisionOutcome, Origin
from baton.decision.inputs import DecisionInputs
from baton.decision.package import points_in_words, reason_in_words
from baton.policy.models import Band, Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.routing.ladder import STICKINESS, Owner, OwnerKind, Route, TraceStep
from baton.scoring.bands import higher

_OUTCOMES = {
    DecisionOutcome.HANDOFF: "It was handed over to sales",
    DecisionOutcome.UPDATE: "Its owner was told of news",
    DecisionOutcome.NURTURE: "It stays with marketing",
    DecisionOutcome.QUARANTINE: "It was quarantined: its data is not good enough",
    DecisionOutcome.SUPPRESS: "It must not be handed over",
    DecisionOutcome.HOLD: "It is held",
    DecisionOutcome.NONE: "Nothing was done",
}


@dataclass(frozen=True, slots=True)
class Passage:
    """Some sentences under a title. `key` names the passage for machines and templates."""

    key: str
    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision in words. `changes` is None where the policy or roster could not be read."""

    lead_key: str
    outcome: DecisionOutcome
    band: str | None
    total_milli: int | None
    owner: Owner | None
    headline: str
    passages: tuple[Passage, ...] = ()
    changes: SmallestChanges | None = field(default=None, repr=False)

    def passage(self, key: str) -> Passage | None:
        """Return a passage by its key, or None."""
        return next((one for one in self.passages if one.key == key), None)


def explain(
    inputs: DecisionInputs,
    decision: Decision,
    policy: Policy | None,
    roster: Roster | None,
    *,
    search: bool = True,
) -> Explanation:
    """Tell why it was decided so, and with `search` the smallest changes that would alter it.

    Without policy and roster (a version that can no longer be read) only what the decision itself
    recorded is told.
    """
    found = None
    passages = [_outcome(inputs, decision), _score(decision)]
    case = None
    if policy is not None and roster is not None:
        case = case_of(inputs, decision, policy, roster)
        passages.append(Passage("band", "Band and trigger", tuple(_band(case, decision))))
    passages.append(_owner(decision, roster))
    passages.append(_others(decision, roster))
    if search and policy is not None and roster is not None:
        found = smallest_changes(inputs, decision, policy, roster)
        sentences = tuple(changes_in_words(found, roster))
        passages.append(Passage("changes", "What would have altered it", sentences))
    route = decision.route
    return Explanation(
        decision.lead_key,
        decision.outcome,
        decision.band,
        decision.score.total_milli if decision.score else None,
        route.owner if route else None,
        headline(decision, roster),
        tuple(one for one in passages if one.sentences),
        found,
    )


def case_of(inputs: DecisionInputs, decision: Decision, policy: Policy, roster: Roster) -> Case:
    """Return everything that the steps of the decision looked at, worked out again."""
    consulted = decision.consulted
    book = PoolBook.from_consulted(consulted) if consulted else PoolBook()
    return Case.of(inputs, policy, roster, book)


def headline(decision: Decision, roster: Roster | None) -> str:
    """Return the decision in one sentence."""
    start = _OUTCOMES[decision.outcome]
    route = decision.route
    to = f", to {named(route.owner, roster)}" if route and route.owner else ""
    return f"{start}{to}: {_without_owner(decision.words)}."


def _without_owner(words: str) -> str:
    """Return the decision's words without what the headline tells itself."""
    return words.partition("; goes to ")[0].removesuffix(": stays with marketing")


def named(owner: Owner, roster: Roster | None) -> str:
    """Return an owner with name and e-mail, or the queue."""
    if owner.kind is OwnerKind.QUEUE:
        return f"queue {owner.key}"
    rep = roster.rep(owner.key) if roster else None
    return f"{rep.name} ({rep.key})" if rep else owner.key


def _outcome(inputs: DecisionInputs, decision: Decision) -> Passage:
    sentences = [f"In the words of the record: {decision.words} [{decision.reason_code}]."]
    if inputs.had_it is not None:
        sentences.append(
            "This decision looked for the next owner of an open handoff; it had been with "
            + (", ".join(inputs.had_it) or "nobody")
            + "."
        )
    if inputs.sated:
        sentences.append(
            "Given as many of others' leads as one run may give: " + ", ".join(inputs.sated) + "."
        )
    if decision.origin is Origin.IMPORT:
        sentences.append("Nobody asked for it: it came with an import, without a buyer's clock.")
    if decision.origin is Origin.TEST:
        sentences.append("It is a colleague's test: outside metrics, loads and the turns of pools.")
    sentences += [f"{one.label}: {one.message}." for one in decision.failures]
    relations = inputs.relations
    if relations.account_id is not None:
        sentences.append(
            f"It belongs to the account {relations.account_name or relations.account_id}"
            f" ({', '.join(relations.reasons) or relations.matched_by};"
            f" {relations.confidence} % sure)."
        )
    if not decision.may_call:
        sentences.append("It must not be called.")
    if not decision.may_email:
        sentences.append("It must not get marketing e-mail.")
    if inputs.released:
        sentences.append(f"No longer held back by: {', '.join(inputs.released)}.")
    return Passage("outcome", "What was decided", tuple(sentences))


def _score(decision: Decision) -> Passage:
    score = decision.score
    if score is None:
        return Passage("score", "Score", ())
    total, fit, intent = (
        points_in_words(part) for part in (score.total_milli, score.fit_milli, score.intent_milli)
    )
    sentences = [
        f"{total} points: {fit} for who they are (fit), {intent} for what they did and said (intent)."
    ]
    sentences += [f"{reason_in_words(one)} [{one.rule}]" for one in score.reasons]
    if not score.reasons:
        sentences.append("No rule of the score gave or took a point.")
    return Passage("score", "Score", tuple(sentences))


def _band(case: Case, decision: Decision) -> Iterator[str]:
    if decision.band is None or decision.score is None:
        return
    policy, total = case.policy, decision.score.total_milli
    band = policy.bands.get(decision.band)
    if band is None:
        yield f"The band is {decision.band}."
        return
    points = points_in_words(total)
    if band.holds(total):
        yield f"{points} points are {_edge(band)}: {band.name}."
    elif band.keeps(total):
        yield (
            f"{points} points are below the edge of {band.name}, but it was {band.name} before and "
            f"stays so while above {band.stays_above}."
        )
    else:
        yield f"The trigger makes it {band.name}, whatever its {points} points."
    above = [one for one in policy.bands_high_to_low if higher(one.name, band.name, policy)]
    if above and above[-1].lower_milli is not None:
        lacking = above[-1].lower_milli - total
        if lacking >= 0:
            least = "" if above[-1].lower_inclusive else "more than "
            words = f"it lacks {least}{points_in_words(lacking)} points"
            yield f"To {above[-1].name}, {_edge(above[-1])}, {words}."
    yield from _triggers(case, decision)


def _triggers(case: Case, decision: Decision) -> Iterator[str]:
    for one in case.fired:
        own = "hands over on its own" if one.trigger.hands_off else "does not hand over on its own"
        strongest = " It is the strongest." if one.trigger.id == decision.trigger else ""
        yield f"Trigger '{one.trigger.label}', {one.at:%Y-%m-%d %H:%M} UTC, {own}.{strongest}"
    if not case.fired:
        yield "No trigger fired."
    if case.band.hands_off and not case.trigger:
        yield f"The band {case.band.name} hands over without a trigger."


def _edge(band: Band) -> str:
    if band.above is not None:
        return f"above {band.above}"
    return f"at least {band.from_}" if band.from_ is not None else "the rest"


def _owner(decision: Decision, roster: Roster | None) -> Passage:
    route = decision.route
    if route is None:
        return Passage("owner", "Owner", ())
    sentences = [_went_to(route, roster)]
    if route.owner and not route.change_owner:
        sentences.append("The owner in Salesforce stays; only a task is made.")
    if route.watched_by:
        sentences.append(f"The queue is watched by {route.watched_by}.")
    if decision.terms is not None:
        due = decision.terms.first_touch_due
        sentences.append(f"A first touch is due by {due:%Y-%m-%d %H:%M} UTC.")
    sentences.append("Step by step:")
    sentences += [_step(number, one) for number, one in enumerate(route.trace, start=1)]
    return Passage("owner", "Owner", tuple(sentences))


def _went_to(route: Route, roster: Roster | None) -> str:
    if route.owner is None:
        return f"Nobody got it [{route.reason_code}]."
    by = f" by rule {route.rule_id}" if route.rule_id else ""
    if route.rule_id == STICKINESS:
        by = " as somebody who knows the lead"
    of = f" of pool {route.pool}" if route.pool else ""
    why = f": {route.say}" if route.say else ""
    return f"{named(route.owner, roster)}{of} got it{by}{why} [{route.reason_code}]."


def _step(number: int, step: TraceStep) -> str:
    mark = "→" if step.chosen else " "
    text = step.text.replace("does not apply: ", "does not apply; it asks that ", 1)
    return f"{number:>3} {mark} {step.step}: {text}"


def _others(decision: Decision, roster: Roster | None) -> Passage:
    """Tell of everybody whom the ladder looked at and did not pick."""
    route = decision.route
    if route is None or roster is None:
        return Passage("others", "Who else", ())
    owner = route.owner.key if route.owner else None
    sentences = []
    for rep in roster.people:
        if rep.key == owner:
            continue
        said = [step.text for step in route.trace if names_rep(step, rep.key)]
        sentences += [_of(rep.name, rep.key, text) for text in dict.fromkeys(said)]
    if not sentences and route.owner is not None:
        sentences.append("Nobody else came into question on the step that decided.")
    return Passage("others", "Who else could have got it", tuple(sentences))


def _of(name: str, key: str, text: str) -> str:
    """Return a sentence of the trace as one about somebody, whose name it begins with."""
    pool, colon, rest = text.partition(": ")
    where, said = (f" ({pool})", rest) if colon and pool.startswith("pool ") else ("", text)
    begins = f"{key} "
    return f"{name}{where}: {said.removeprefix(begins)}."


def names_rep(step: TraceStep, key: str) -> bool:
    """Tell whether a step of the trace speaks of a person."""
    return key in (word.strip(":;,.()").lower() for word in step.text.split())
