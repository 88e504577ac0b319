"""From recorded inputs to a decision. Pure: the same inputs, policy, roster and book, the same bytes.

A lead passes these steps, the first that answers decides:
gone (merged, erased) → data not good enough → must not be handed off → a handoff is open already →
rests until its return → no reason to hand off → profile incomplete → held → routed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from baton.decision.case import Case, avoided, known_to, package_of, terms_of
from baton.decision.decision import (
    RELEASED_FROM_REST,
    Decision,
    DecisionOutcome,
    HoldReason,
    Origin,
)
from baton.decision.handover import handed_over
from baton.decision.inputs import DecisionInputs, Handover, refuse_personal
from baton.decision.requirements import asked_by, lacking, of_everybody
from baton.decision.sentences import (
    below_threshold,
    goes_to,
    in_one,
    nobody_found,
    not_good_enough,
    run_is_full,
)
from baton.leads.meetings import meeting_host
from baton.leads.permission import NO_PERMISSION
from baton.leads.relations import MatchedBy
from baton.leads.states import LeadState
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
    stored = json.loads(result) if isinstance(result, bytes | str) else result
    consulted: Any = stored.get("consulted")
    book = PoolBook.from_consulted(consulted) if consulted else PoolBook()
    return decide_again(DecisionInputs.from_json(inputs), policy, roster, book)


def decide_again(
    inputs: DecisionInputs, policy: Policy, roster: Roster, book: PoolBook
) -> Decision:
    """Decide on recorded inputs as they were decided on: by `decide`, or by `reassign`."""
    if inputs.had_it is None:
        return decide(inputs, policy, roster, book)
    return reassign(inputs, policy, roster, book, had_it=frozenset(inputs.had_it))


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
    now. Answers HOLD where nobody is left: the present owner keeps the lead. With
    `inputs.handover` the lead cannot stay: where nobody is left it goes to the policy's last queue.
    """
    refuse_personal(inputs, policy)
    book.begin()
    case = Case.of(inputs, policy, roster, book)
    handover = inputs.handover
    found = _climb(case, had_it) if handover is None else _handed_over(case, had_it, handover)
    if found.owner is None:
        words = "nobody is left to take it over: " + found.trace[-1].text
        decision = case.decision(DecisionOutcome.HOLD, found.reason_code, words)
        return replace(decision, route=found, consulted=book.consulted())
    terms = terms_of(case, found, inputs.captured_at)
    if case.origin is not Origin.TEST:
        book.count_handoff(found.owner.key)
    because = handover.because if handover else "reassigned"
    return replace(
        case.decision(DecisionOutcome.HANDOFF, "reassigned", goes_to(because, found.owner)),
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
    failures = of_everybody(case.inputs.verdict.failures, case.policy)
    if not failures:
        return None
    words = in_one(failures)
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


def _forbidden(case: Case) -> Decision | None:
    permitted = case.permitted
    if permitted.hand_off:
        return None
    reason = permitted.reason_code or NO_PERMISSION
    if case.tester is not None and reason != NO_PERMISSION:
        # A colleague is suppressed as one, but here tries what a buyer would see.
        return None
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
    if case.sent_back_with_this_band:
        words = f"sales sent it back with the same band ({case.band.name}); waits for something new"
        return case.decision(DecisionOutcome.NURTURE, "sent_back", words, LeadState.NURTURE)
    words = below_threshold(case.score.total_milli, case.band.name)
    return case.decision(DecisionOutcome.NURTURE, "below_threshold", words, LeadState.NURTURE)


def _incomplete(case: Case) -> Decision | None:
    asked = asked_by(case.policy, case.trigger.trigger if case.trigger else None, case.band.name)
    failures = lacking(
        asked.labels,
        case.inputs.verdict.failures,
        lambda label: case.words.has(case.inputs.facts, label),
    )
    if not failures:
        return None
    words = not_good_enough(asked.why, failures)
    return replace(
        case.decision(DecisionOutcome.QUARANTINE, "incomplete", words, LeadState.QUARANTINED),
        failures=failures,
    )


def _held(case: Case) -> Decision | None:
    if case.origin is Origin.TEST:
        return None
    released = case.inputs.released
    relations = case.inputs.relations
    ambiguous = relations.matched_by is MatchedBy.AMBIGUOUS
    if ambiguous and HoldReason.AMBIGUOUS_ACCOUNT not in released:
        words = "several accounts fit, a person has to choose: " + "; ".join(relations.reasons)
        return _hold(case, HoldReason.AMBIGUOUS_ACCOUNT, words)
    awaited = case.inputs.awaiting
    if awaited and HoldReason.ENRICHMENT not in released:
        words = f"waits for what {', '.join(awaited)} knows of the company"
        return _hold(case, HoldReason.ENRICHMENT, words)
    dripped = _dripped(case)
    if dripped is not None:
        return dripped
    limit = case.policy.guards.handoffs_per_run
    hottest = case.band.name == next(iter(case.policy.bands))
    full = case.book.handed_off >= limit and not hottest
    if full and HoldReason.BLAST_RADIUS not in released:
        return _hold(case, HoldReason.BLAST_RADIUS, run_is_full(limit))
    return None


def _dripped(case: Case) -> Decision | None:
    imports = case.policy.imports
    if imports is None or case.origin is not Origin.IMPORT:
        return None
    if case.book.imported < imports.a_day or HoldReason.DRIP in case.inputs.released:
        return None
    words = (
        f"{imports.say}: {case.book.imported} were handed over in the last 24 hours, "
        f"at most {imports.a_day} are; waits for its turn, the best first"
    )
    return _hold(case, HoldReason.DRIP, words)


def _hold(case: Case, reason: HoldReason, words: str) -> Decision:
    return case.decision(DecisionOutcome.HOLD, reason, words, LeadState.HELD)


def _routed(case: Case) -> Decision:
    cause = case.cause
    assert cause is not None  # _no_reason has seen to it
    found = _climb(case)
    if found.owner is None:
        held = _hold(case, HoldReason(found.reason_code), nobody_found(found))
        return replace(held, route=found)
    terms = terms_of(case, found, case.met_at)
    _count(case, found.owner)
    stage = next(
        (s.name for s in case.policy.stages.values() if s.begins is StageBegins.HANDED_OFF), None
    )
    words = goes_to(cause.words, found.owner)
    return replace(
        case.decision(DecisionOutcome.HANDOFF, cause.code, words, LeadState.IN_HANDOFF),
        route=found,
        met_at=case.met_at,
        terms=terms,
        stage=stage,
        package=package_of(case, cause.words, found, terms),
    )


def _count(case: Case, owner: Owner) -> None:
    """Count the handoff in the book; a test leaves no trace there."""
    if case.origin is Origin.TEST:
        return
    case.book.count_handoff(owner.key, imported=case.origin is Origin.IMPORT)
    if owner.kind is OwnerKind.USER:
        case.book.tie(case.companies, owner.key)


def _to_the_tester(case: Case, tester: str, had_it: frozenset[str]) -> Route:
    if tester in had_it:
        # Nobody else is to be bothered with it: without its tester it ends in the last queue.
        step = TraceStep("tester", f"the test of {tester}, who had it")
        return Route("tester", None, RouteReason.NOBODY_AVAILABLE, trace=(step,))
    say = next((each.say for each in case.policy.testers if each.to == tester), None)
    words = say or case.policy.testers[0].say
    step = TraceStep("tester", f"{words}: {tester} gets all of it", chosen=True)
    owner = Owner(OwnerKind.USER, tester)
    return Route("tester", owner, RouteReason.TESTER, say=words, trace=(step,))


def _handed_over(case: Case, had_it: frozenset[str], handover: Handover) -> Route:
    return handed_over(
        case,
        handover,
        lambda each: _climb(each, had_it),
        lambda each: _climb(each, had_it, by_name=True),
    )


def _climb(case: Case, had_it: frozenset[str] = frozenset(), *, by_name: bool = False) -> Route:
    if case.tester is not None:
        return _to_the_tester(case, case.tester, had_it)
    staffing = Staffing(
        case.roster,
        case.calendars,
        case.book,
        case.moment,
        excluded=had_it,
        avoided=avoided(case),
        sated=frozenset(case.inputs.sated),
    )
    request = RouteRequest(
        case.facts(),
        case.inputs.relations,
        case.moment,
        recipient=case.recipient,
        channel=case.channel,
        known_to=() if by_name else known_to(case),
        permission="may be handed to sales",
        may_wait=HoldReason.NOBODY_AVAILABLE not in case.inputs.released,
        rather_waits=case.origin is Origin.IMPORT,
        host=meeting_host(case.policy.meetings, case.inputs.facts),
    )
    return route(request, case.policy, staffing, holds=case.judge.holds)
