"""From recorded inputs to a decision. Pure: the same inputs, policy, roster and book, the same bytes.

A lead passes these steps, the first that answers decides:
gone (merged, erased) → data not good enough → must not be handed off → a handoff is open already →
rests until its return → no reason to hand off → profile incomplete → held → routed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from baton.decision.case import Case, avoided, known_to, package_of, terms_of
from baton.decision.decision import RELEASED_FROM_REST, Decision, DecisionOutcome, HoldReason
from baton.decision.inputs import DecisionInputs, refuse_personal
from baton.decision.package import points_in_words
from baton.leads.permission import NO_PERMISSION
from baton.leads.relations import MatchedBy
from baton.leads.states import LeadState
from baton.leads.verdict import Failure
from baton.policy.models import Policy, StageBegins
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.routing.eligibility import Staffing
from baton.routing.ladder import (
    Owner,
    OwnerKind,
    Route,
    RouteReason,
    RouteRequest,
    TraceStep,
    route,
)
from baton.scoring.bands import higher


def decide(inputs: DecisionInputs, policy: Policy, roster: Roster, book: PoolBook) -> Decision:
    """Decide on one lead. A pick and a new handoff are written into `book`.

    Raises InvariantError for inputs that hold personal facts, and PolicyError where policy and
    roster contradict each other (a calendar that does not exist).
    """
    refuse_personal(inputs, policy)
    book.begin()
    case = Case.of(inputs, policy, roster, book)
    steps = (
        _gone, _bad_data, _forbidden, _open_handoff, _resting, _no_reason, _incomplete, _held
    )  # fmt: skip
    for step in steps:
        decision = step(case)
        if decision is not None:
            break
    else:
        decision = _routed(case)
    return replace(decision, consulted=book.consulted())


def replay(
    inputs: Mapping[str, object] | bytes | str,
    result: Mapping[str, object] | bytes | str,
    policy: Policy,
    roster: Roster,
) -> Decision:
    """Repeat a stored decision from its stored inputs and what its result says it consulted."""
    consulted = Decision.from_json(result).consulted
    book = PoolBook.from_consulted(consulted) if consulted else PoolBook()
    return decide(DecisionInputs.from_json(inputs), policy, roster, book)


def reassign(
    inputs: DecisionInputs,
    policy: Policy,
    roster: Roster,
    book: PoolBook,
    *,
    had_it: frozenset[str],
) -> Decision:
    """Find the next owner of an open handoff; nobody in `had_it` (keys of earlier owners) gets it.

    The buyer's clock goes on from where it started (`inputs.captured_at`), the new owner's starts
    now. Answers HOLD where nobody is left: the present owner keeps the lead.
    """
    refuse_personal(inputs, policy)
    book.begin()
    case = Case.of(inputs, policy, roster, book)
    found = _climb(case, had_it)
    if found.owner is None:
        words = "nobody is left to take it over: " + found.trace[-1].text
        decision = case.decision(DecisionOutcome.HOLD, found.reason_code, words)
        return replace(decision, route=found, consulted=book.consulted())
    terms = terms_of(case, found, inputs.captured_at)
    book.count_handoff(found.owner.key)
    words = f"reassigned; goes to {found.owner.kind} {found.owner.key}"
    return replace(
        case.decision(DecisionOutcome.HANDOFF, "reassigned", words),
        route=found,
        met_at=inputs.captured_at,
        terms=terms,
        package=package_of(case, "reassigned", found, terms),
        consulted=book.consulted(),
    )


def _gone(case: Case) -> Decision | None:
    if case.state not in (LeadState.MERGED, LeadState.ERASED):
        return None
    words = f"the lead is {case.state} and is not judged any more"
    return Decision(case.inputs.lead_key, DecisionOutcome.NONE, str(case.state), words)


def _bad_data(case: Case) -> Decision | None:
    failures = _of_everybody(case)
    if not failures:
        return None
    words = "; ".join(failure.message for failure in failures)
    if case.inputs.history.open_handoff is not None:
        # Bad data is no reason to take a lead away from somebody who is working it.
        return replace(
            case.decision(DecisionOutcome.NONE, "open_handoff_bad_data", words),
            failures=failures,
        )
    if _rests(case):
        return case.decision(DecisionOutcome.NONE, "rests", words)
    return replace(
        case.decision(DecisionOutcome.QUARANTINE, "bad_data", words, LeadState.QUARANTINED),
        failures=failures,
    )


def _rests(case: Case) -> bool:
    """Tell whether sales has answered and nothing new was asked: its answer and date must stand."""
    return case.state in (LeadState.DISQUALIFIED, LeadState.RECYCLED) and case.trigger is None


def _of_everybody(case: Case) -> tuple[Failure, ...]:
    """Return the failures that forbid judging: all but those in what only a handoff requires."""
    required = case.policy.required
    always = frozenset(required.get("always", ()))
    for_handoff = {label for labels in required.values() for label in labels} - always
    return tuple(
        failure for failure in case.inputs.verdict.failures if failure.label not in for_handoff
    )


def _forbidden(case: Case) -> Decision | None:
    permitted = case.permitted
    if permitted.hand_off:
        return None
    reason = permitted.reason_code or NO_PERMISSION
    if case.inputs.history.open_handoff is not None and reason != NO_PERMISSION:
        # A support form of somebody in an open handoff is news for the owner, not its end.
        return None
    if _rests(case):
        return case.decision(DecisionOutcome.NONE, "rests", permitted.words or reason)
    return case.decision(
        DecisionOutcome.SUPPRESS, reason, permitted.words or reason, LeadState.SUPPRESSED
    )


def _open_handoff(case: Case) -> Decision | None:
    history = case.inputs.history
    if history.open_handoff is None:
        return None
    rose = history.band_before is not None and higher(
        case.band.name, history.band_before, case.policy
    )
    if case.trigger is None and not rose:
        return case.decision(
            DecisionOutcome.NONE, "open_handoff", "a handoff is open and nothing new happened"
        )
    owner = history.open_handoff.owner
    news = case.trigger.trigger.label if case.trigger else f"the band rose to {case.band.name}"
    words = f"a handoff is open: its owner is told of the news ({news})"
    kept = Route(
        "open-handoff",
        Owner(OwnerKind.USER, owner) if owner else None,
        RouteReason.OWNER_KEPT,
        change_owner=False,
        recipient=case.recipient,
        channel=case.channel,
        trace=(TraceStep("open-handoff", words, chosen=True),),
    )
    code = case.trigger.trigger.id if case.trigger else "band_rose"
    return replace(
        case.decision(DecisionOutcome.UPDATE, code, words),
        route=kept,
        package=package_of(case, news, kept, None),
    )


def _resting(case: Case) -> Decision | None:
    if case.trigger is not None or case.due_back or RELEASED_FROM_REST in case.inputs.released:
        return None
    at = case.inputs.history.return_at
    if case.state is LeadState.RECYCLED:
        when = f"on {at:%Y-%m-%d}" if at else "with a new hand raise"
        return case.decision(DecisionOutcome.NONE, "not_due", f"recycled; returns {when}")
    if case.state is LeadState.DISQUALIFIED:
        words = "disqualified; only a new hand raise reopens it"
        return case.decision(DecisionOutcome.NONE, "disqualified", words)
    return None


def _no_reason(case: Case) -> Decision | None:
    if case.cause is not None:
        return None
    customers = case.policy.customers
    if customers is not None and case.judge.holds(customers.when, case.inputs.facts, case.moment):
        return case.decision(DecisionOutcome.NONE, "customer", customers.say, LeadState.CUSTOMER)
    points = points_in_words(case.score.total_milli)
    if case.sent_back_with_this_band:
        words = f"sales sent it back with the same band ({case.band.name}); waits for something new"
        return case.decision(DecisionOutcome.NURTURE, "sent_back", words, LeadState.NURTURE)
    words = f"{points} points ({case.band.name}) and no trigger: stays with marketing"
    return case.decision(DecisionOutcome.NURTURE, "below_threshold", words, LeadState.NURTURE)


def _incomplete(case: Case) -> Decision | None:
    required = case.policy.required
    trigger = case.trigger
    labels = [*required.get("always", ()), *(trigger.trigger.required if trigger else ())]
    labels += required.get(trigger.trigger.id if trigger else case.band.name, ())
    wanted = tuple(dict.fromkeys(labels))
    why = trigger.trigger.label if trigger else f"the band {case.band.name}"
    judged = tuple(f for f in case.inputs.verdict.failures if f.label in wanted)
    known_bad = {failure.label for failure in judged}
    missing = tuple(
        Failure(label, "required", f"{label} is missing")
        for label in wanted
        if label not in known_bad and not case.words.has(case.inputs.facts, label)
    )
    failures = judged + missing
    if not failures:
        return None
    words = f"not good enough for {why}: " + "; ".join(f.message for f in failures)
    return replace(
        case.decision(DecisionOutcome.QUARANTINE, "incomplete", words, LeadState.QUARANTINED),
        failures=failures,
    )


def _held(case: Case) -> Decision | None:
    released = case.inputs.released
    relations = case.inputs.relations
    ambiguous = relations.matched_by is MatchedBy.AMBIGUOUS
    if ambiguous and HoldReason.AMBIGUOUS_ACCOUNT not in released:
        words = "several accounts fit, a person has to choose: " + "; ".join(relations.reasons)
        return _hold(case, HoldReason.AMBIGUOUS_ACCOUNT, words)
    limit = case.policy.guards.handoffs_per_run
    hottest = case.band.name == next(iter(case.policy.bands))
    full = case.book.handed_off >= limit and not hottest
    if full and HoldReason.BLAST_RADIUS not in released:
        words = f"this run has made {limit} handoffs already; the rest waits for a person"
        return _hold(case, HoldReason.BLAST_RADIUS, words)
    return None


def _hold(case: Case, reason: HoldReason, words: str) -> Decision:
    return case.decision(DecisionOutcome.HOLD, reason, words, LeadState.HELD)


def _routed(case: Case) -> Decision:
    cause = case.cause
    assert cause is not None  # _no_reason has seen to it
    found = _climb(case)
    if found.owner is None:
        words = "nobody could be found: " + found.trace[-1].text
        return replace(_hold(case, HoldReason(found.reason_code), words), route=found)
    terms = terms_of(case, found, case.met_at)
    case.book.count_handoff(found.owner.key)
    stage = next(
        (s.name for s in case.policy.stages.values() if s.begins is StageBegins.HANDED_OFF), None
    )
    words = f"{cause.words}; goes to {found.owner.kind} {found.owner.key}"
    return replace(
        case.decision(DecisionOutcome.HANDOFF, cause.code, words, LeadState.IN_HANDOFF),
        route=found,
        met_at=case.met_at,
        terms=terms,
        stage=stage,
        package=package_of(case, cause.words, found, terms),
    )


def _climb(case: Case, had_it: frozenset[str] = frozenset()) -> Route:
    staffing = Staffing(
        case.roster,
        case.calendars,
        case.book,
        case.moment,
        excluded=had_it,
        avoided=avoided(case),
    )
    request = RouteRequest(
        case.facts(),
        case.inputs.relations,
        case.moment,
        recipient=case.recipient,
        channel=case.channel,
        known_to=known_to(case),
    )
    return route(request, case.policy, staffing, holds=case.judge.holds)
