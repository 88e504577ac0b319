"""Decisions on whole leads, with the shipped policy and roster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from baton.decision.decide import decide, reassign
from baton.decision.decision import RELEASED_FROM_REST, Decision, DecisionOutcome, HoldReason
from baton.decision.inputs import DecisionInputs, gather
from baton.errors import InvariantError
from baton.leads.history import NEW_LEAD, LeadHistory, OpenHandoff
from baton.leads.relations import CrmRelations, MatchedBy
from baton.leads.states import LeadState
from baton.leads.verdict import Failure, Verdict
from baton.policy.facts import FactValue
from baton.policy.models import Guards, Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.routing.ladder import OwnerKind, RouteReason

NOW = datetime(2026, 11, 3, 10, 0, 5, tzinfo=UTC)  # Tuesday, office hours in Europe
SUBMITTED = NOW - timedelta(seconds=5)
PERSON: dict[str, FactValue] = {
    "E-mail": "ada.vogel@acme.test",
    "First name": "Ada",
    "Last name": "Vogel",
    "Phone": "+4930123456",
    "E-mail domain": "acme.test",
}
FIT: dict[str, FactValue] = {
    **PERSON,
    "Job title": "Head of Sales",
    "Company name": "Acme",
    "Company size": 300,
    "Industry": "COMPUTER_SOFTWARE",
    "Country": "DE",
    "Territory": "DACH",
    "Segment": "Mid-market",
}
QUIZ: dict[str, FactValue] = {
    **FIT,
    "Form": "Demo-readiness quiz",
    "Last conversion at": SUBMITTED,
    "Quiz score": Decimal(80),
    "Quiz taken at": SUBMITTED,
    "Quiz answers": "Budget: yes",
}
DEMO: dict[str, FactValue] = {
    **FIT,
    "Form": "Demo request",
    "Last conversion at": SUBMITTED,
    "Demo requested at": SUBMITTED,
}
HOT: dict[str, FactValue] = {
    **FIT,
    "Pricing page views": 4,
    "Pricing page last view at": SUBMITTED,
    "Decision timeline": "This month",
    "Budget range": "50k to 200k",
}
JONAS = "jonas.keller@relay.test"

Judge = Callable[..., Decision]


@pytest.fixture
def judge(policy: Policy, roster: Roster) -> Judge:
    """Return a function that decides on facts, with a new book unless one is given."""

    def run(
        facts: dict[str, FactValue],
        *,
        book: PoolBook | None = None,
        under: Policy | None = None,
        staff: Roster | None = None,
        **given: Any,
    ) -> Decision:
        current = under or policy
        settings = {"captured_at": SUBMITTED, "decided_at": NOW, **given}
        inputs = gather(current, lead_key="L1", facts=facts, **settings)
        return decide(inputs, current, staff or roster, book or PoolBook())

    return run


def past(state: LeadState, **given: Any) -> LeadHistory:
    return LeadHistory(state=state, cycle=1, earlier_owners=(JONAS,), **given)


@pytest.mark.requirement("001-07")
def test_a_quiz_score_of_eighty_goes_to_the_territorys_sdr_with_a_channel_and_five_minutes(
    judge: Judge,
) -> None:
    found = judge(QUIZ)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.HANDOFF, "quiz")
    assert found.route is not None
    assert found.route.owner is not None
    assert (found.route.pool, found.route.owner.key) == ("SDR DACH", JONAS)
    assert (found.route.recipient, found.route.channel) == ("SDR", "sales-inbound")
    assert found.terms is not None
    assert found.terms.seconds == 300
    assert found.terms.captured_at == SUBMITTED == found.met_at
    assert found.package is not None
    answers = [line for part in found.package.sections for line in part.lines]
    assert "Quiz answers: {Quiz answers}" in answers


def with_score(points: str) -> dict[str, FactValue]:
    """Return facts worth exactly `points`: fit 40 by ceiling, the rest by what the test adds."""
    extra: dict[str, dict[str, FactValue]] = {
        "75": {
            "Pricing page views": 1,
            "Decision timeline": "This month",
            "Primary pain point": "x",
        },
        "80": {
            "Pricing page views": 1,
            "Decision timeline": "This month",
            "Budget range": "Over 200k",
        },
    }
    return {**FIT, "Pricing page last view at": SUBMITTED, **extra[points]}


@pytest.mark.requirement("000-10")
def test_above_seventy_five_goes_to_an_ae_directly_and_seventy_five_does_not(judge: Judge) -> None:
    exactly = judge(with_score("75"))
    assert exactly.score is not None
    assert exactly.score.total_milli == 75_000
    assert (exactly.outcome, exactly.band) == (DecisionOutcome.NURTURE, "warm")
    above = judge(with_score("80"))
    assert above.score is not None
    assert above.score.total_milli == 80_000
    assert (above.outcome, above.band, above.reason_code) == (
        DecisionOutcome.HANDOFF,
        "hot",
        "band",
    )
    assert above.route is not None
    assert above.route.owner is not None
    assert above.route.owner.key == "sofia.ricci@relay.test"
    assert (above.route.recipient, above.route.channel) == ("AE", None)
    assert above.lead_state is LeadState.IN_HANDOFF
    assert above.stage == "MQL"


def test_below_the_line_stays_with_marketing_and_says_why(judge: Judge) -> None:
    found = judge(FIT)
    assert (found.outcome, found.lead_state) == (DecisionOutcome.NURTURE, LeadState.NURTURE)
    assert "40 points" in found.words
    assert found.route is None


def test_gone_leads_are_not_judged(judge: Judge) -> None:
    for state in (LeadState.MERGED, LeadState.ERASED):
        found = judge(DEMO, history=LeadHistory(state=state))
        assert (found.outcome, found.reason_code) == (DecisionOutcome.NONE, str(state))
        assert found.score is None


def test_bad_data_is_quarantined_with_reasons(judge: Judge) -> None:
    verdict = Verdict(False, (Failure("E-mail", "matches", "is no e-mail address"),))
    found = judge(DEMO, verdict=verdict)
    assert (found.outcome, found.lead_state) == (DecisionOutcome.QUARANTINE, LeadState.QUARANTINED)
    assert found.words == "is no e-mail address"
    assert found.failures == verdict.failures
    open_now = past(LeadState.IN_HANDOFF, open_handoff=OpenHandoff(7, JONAS, 1))
    assert judge(DEMO, verdict=verdict, history=open_now).outcome is DecisionOutcome.NONE


@pytest.mark.requirement("003-08")
def test_a_handoff_needs_the_fields_that_were_agreed_for_it(judge: Judge) -> None:
    unnamed = {label: value for label, value in DEMO.items() if label != "Last name"}
    found = judge(unnamed)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.QUARANTINE, "incomplete")
    assert [failure.label for failure in found.failures] == ["Last name"]
    no_phone = {label: value for label, value in HOT.items() if label != "Phone"}
    assert [failure.label for failure in judge(no_phone).failures] == ["Phone"]
    assert judge({**DEMO, "Phone": None}).outcome is DecisionOutcome.HANDOFF


def test_without_permission_nothing_is_handed_off(judge: Judge) -> None:
    refused = judge({**DEMO, "Permission to hand off": False})
    assert (refused.outcome, refused.reason_code) == (DecisionOutcome.SUPPRESS, "no_permission")
    support = judge({**FIT, "Form": "Support request"})
    assert (support.outcome, support.reason_code) == (DecisionOutcome.SUPPRESS, "support")
    assert support.lead_state is LeadState.SUPPRESSED


def test_an_email_opt_out_does_not_stop_a_demo_request_and_the_card_says_it(judge: Judge) -> None:
    found = judge({**DEMO, "E-mail opt-out": True, "Permission to call": False})
    assert found.outcome is DecisionOutcome.HANDOFF
    assert (found.may_email, found.may_call) == (False, False)
    assert found.package is not None
    assert found.package.card[-1] == "Permission: do not call, no marketing e-mail"
    assert len(found.package.card) <= 10


def test_a_second_form_while_a_handoff_is_open_goes_to_the_same_owner(judge: Judge) -> None:
    history = past(
        LeadState.IN_HANDOFF,
        open_handoff=OpenHandoff(7, "mira.lindner@relay.test", 1),
        last_trigger_at=SUBMITTED - timedelta(hours=1),
        band_before="warm",
    )
    book = PoolBook()
    found = judge(DEMO, history=history, book=book)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.UPDATE, "demo_request")
    assert found.route is not None
    assert found.route.owner is not None
    assert found.route.owner.key == "mira.lindner@relay.test"
    assert not found.route.change_owner
    assert (found.terms, found.lead_state, book.changed, book.handed_off) == (None, None, {}, 0)
    seen = replace(history, last_trigger_at=SUBMITTED)
    assert judge(DEMO, history=seen).outcome is DecisionOutcome.NONE


def test_a_support_form_does_not_end_an_open_handoff(judge: Judge) -> None:
    history = past(
        LeadState.IN_HANDOFF, open_handoff=OpenHandoff(7, JONAS, 1), band_before="nurture"
    )
    assert (
        judge({**FIT, "Form": "Support request"}, history=history).outcome is DecisionOutcome.NONE
    )
    withdrawn = judge({**DEMO, "Permission to hand off": False}, history=history)
    assert withdrawn.outcome is DecisionOutcome.SUPPRESS


def test_a_band_that_rises_while_a_handoff_is_open_is_news(judge: Judge) -> None:
    history = past(LeadState.IN_HANDOFF, open_handoff=OpenHandoff(7, JONAS, 1), band_before="warm")
    found = judge(HOT, history=history)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.UPDATE, "band_rose")


def test_a_recycled_lead_rests_until_its_date_whatever_its_score(judge: Judge) -> None:
    history = past(
        LeadState.RECYCLED, return_at=NOW + timedelta(days=20), last_disposition="no_budget"
    )
    found = judge(HOT, history=history)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.NONE, "not_due")
    on_event = replace(history, return_at=None)
    assert "new hand raise" in judge(HOT, history=on_event).words


def test_a_demo_request_while_recycled_goes_out_at_once(judge: Judge) -> None:
    history = past(
        LeadState.RECYCLED,
        return_at=NOW + timedelta(days=20),
        last_disposition="bad_timing",
        last_trigger_at=NOW - timedelta(days=30),
    )
    found = judge(DEMO, history=history)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.HANDOFF, "demo_request")
    assert found.route is not None
    assert found.route.reason_code is RouteReason.EARLIER_OWNER


def test_a_recycled_lead_returns_on_its_date_to_the_same_rep(judge: Judge) -> None:
    history = past(LeadState.RECYCLED, return_at=NOW, last_disposition="bad_timing")
    found = judge(FIT, history=history)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.HANDOFF, "return")
    assert found.route is not None
    assert found.route.owner is not None
    assert found.route.owner.key == JONAS
    assert found.met_at == NOW


def test_a_lead_that_is_to_go_to_somebody_fresh_does(judge: Judge) -> None:
    history = past(LeadState.RECYCLED, return_at=NOW, last_disposition="no_reply")
    found = judge(FIT, history=history)
    assert found.route is not None
    assert found.route.owner is not None
    assert found.route.owner.key == "mira.lindner@relay.test"


def test_what_sales_sent_to_nurture_does_not_come_back_with_the_same_band(judge: Judge) -> None:
    back = past(LeadState.NURTURE, band_before="hot", last_disposition="no_reply")
    found = judge(HOT, history=back)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.NURTURE, "sent_back")
    risen = judge(HOT, history=replace(back, band_before="warm"))
    assert risen.outcome is DecisionOutcome.HANDOFF


def test_disqualified_leads_are_reopened_by_a_hand_raise_only(judge: Judge) -> None:
    history = past(LeadState.DISQUALIFIED, last_disposition="not_a_project")
    assert judge(HOT, history=history).reason_code == "disqualified"
    assert judge(DEMO, history=history).outcome is DecisionOutcome.HANDOFF


def test_a_customer_without_a_trigger_belongs_to_its_team(judge: Judge) -> None:
    relations = CrmRelations(
        account_id="001", account_type="Customer - Direct", account_owner="ines.moreau@relay.test"
    )
    quiet = judge(FIT, relations=relations)
    assert (quiet.reason_code, quiet.lead_state) == ("customer", LeadState.CUSTOMER)
    asked = judge(DEMO, relations=relations)
    assert asked.route is not None
    assert asked.route.owner is not None
    assert asked.route.owner.key == "ines.moreau@relay.test"
    assert not asked.route.change_owner


def test_where_several_accounts_fit_a_person_looks(judge: Judge) -> None:
    relations = CrmRelations(matched_by=MatchedBy.AMBIGUOUS, reasons=("fits 001 and 002",))
    book = PoolBook()
    found = judge(DEMO, relations=relations, book=book)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.HOLD, "ambiguous_account")
    assert (found.lead_state, book.changed) == (LeadState.HELD, {})
    released = judge(DEMO, relations=relations, released=(HoldReason.AMBIGUOUS_ACCOUNT,))
    assert released.outcome is DecisionOutcome.HANDOFF


def test_only_the_excess_of_a_large_run_is_held_and_hot_leads_pass(
    judge: Judge, policy: Policy
) -> None:
    small = policy.model_copy(update={"guards": Guards(handoffs_per_run=2)})
    book = PoolBook()
    found = [judge(QUIZ, book=book, under=small).outcome for _ in range(4)]
    assert found == [DecisionOutcome.HANDOFF] * 2 + [DecisionOutcome.HOLD] * 2
    assert judge(HOT, book=book, under=small).outcome is DecisionOutcome.HANDOFF
    let_pass = judge(QUIZ, book=book, under=small, released=(HoldReason.BLAST_RADIUS,))
    assert let_pass.outcome is DecisionOutcome.HANDOFF


def test_nobody_at_all_is_a_hold_with_a_reason(judge: Judge, policy: Policy) -> None:
    bare = policy.model_copy(
        update={
            "route": tuple(
                rule.model_copy(update={"if_nobody": None})
                for rule in policy.route
                if rule.id == "sdr-dach"
            )
        }
    )
    found = judge(QUIZ, under=bare, staff=Roster())
    assert (found.outcome, found.reason_code) == (DecisionOutcome.HOLD, "nobody_available")
    assert found.route is not None
    assert found.route.trace


def test_an_unrouted_country_ends_in_a_watched_queue_with_an_alarm(judge: Judge) -> None:
    nowhere = {label: value for label, value in DEMO.items() if label != "Territory"}
    found = judge(nowhere)
    assert found.route is not None
    assert found.route.owner is not None
    assert found.route.owner.kind is OwnerKind.QUEUE
    assert found.route.watched_by == "nadia.petrov@relay.test"
    assert found.terms is not None
    assert found.terms.tell_manager_at == NOW + timedelta(minutes=15)


def test_nonsense_gives_reasons_and_no_exception(judge: Judge) -> None:
    odd: dict[str, FactValue] = {"E-mail": "x", "Company size": -4, "Quiz score": Decimal("NaN")}
    found = judge(odd)
    assert found.outcome is DecisionOutcome.NURTURE
    assert judge({}).outcome is DecisionOutcome.NURTURE


def test_personal_facts_are_refused_as_inputs(policy: Policy, roster: Roster) -> None:
    inputs = DecisionInputs("L1", DEMO, Verdict(True), CrmRelations(), NEW_LEAD, SUBMITTED, NOW)
    with pytest.raises(InvariantError, match=r"gather\(\)") as raised:
        decide(inputs, policy, roster, PoolBook())
    assert "Vogel" not in str(raised.value)


def test_after_a_handoff_every_event_that_fired_is_used_up(judge: Judge) -> None:
    called = NOW - timedelta(days=5)
    both: dict[str, FactValue] = {**DEMO, "Inbound call at": called}
    found = judge(both)
    assert (found.trigger, found.trigger_at, found.met_at) == ("inbound_call", SUBMITTED, SUBMITTED)
    handed = past(
        LeadState.IN_HANDOFF,
        open_handoff=OpenHandoff(7, JONAS, 1),
        last_trigger_at=found.trigger_at,
        band_before=found.band,
    )
    assert judge(both, history=handed).outcome is DecisionOutcome.NONE


def test_a_timer_may_have_a_resting_lead_judged_again(judge: Judge) -> None:
    history = past(LeadState.DISQUALIFIED, last_disposition="not_a_project")
    assert judge(FIT, history=history).outcome is DecisionOutcome.NONE
    again = judge(FIT, history=history, released=(RELEASED_FROM_REST,))
    assert (again.outcome, again.lead_state) == (DecisionOutcome.NURTURE, LeadState.NURTURE)


@pytest.mark.requirement("003-10")
def test_reassignment_goes_to_somebody_else_and_the_buyers_clock_goes_on(
    policy: Policy, roster: Roster
) -> None:
    later = NOW + timedelta(hours=1)
    history = past(LeadState.IN_HANDOFF, open_handoff=OpenHandoff(7, JONAS, 1))
    inputs = gather(
        policy,
        lead_key="L1",
        facts=QUIZ,
        captured_at=SUBMITTED,
        decided_at=later,
        history=history,
    )
    book = PoolBook()
    found = reassign(inputs, policy, roster, book, had_it=frozenset({JONAS}))
    assert found.outcome is DecisionOutcome.HANDOFF
    assert found.route is not None
    assert found.route.owner is not None
    assert found.route.owner.key == "mira.lindner@relay.test"
    assert found.terms is not None
    assert found.terms.captured_at == SUBMITTED
    assert found.terms.assigned_at == later
    assert "SDR DACH" in book.changed
    everybody = frozenset(rep.key for rep in roster.people)
    queued = reassign(inputs, policy, roster, PoolBook(), had_it=everybody)
    assert queued.route is not None
    assert queued.route.owner is not None
    assert queued.route.owner.kind is OwnerKind.QUEUE


ACCOUNT = CrmRelations(account_id="001", account_owner="ines.moreau@relay.test")


@pytest.mark.requirement("002-25")
def test_who_has_the_account_or_the_customer_keeps_the_lead_when_the_clock_runs_out(
    judge: Judge, policy: Policy
) -> None:
    pooled = judge(DEMO)
    assert pooled.terms is not None
    assert pooled.terms.reassign_at is not None
    customer = replace(ACCOUNT, account_type="Customer - Direct")
    for relations, rule in ((customer, "customer"), (ACCOUNT, "account-owner")):
        found = judge(DEMO, relations=relations)
        assert found.route is not None
        assert found.route.rule_id == rule
        assert found.terms is not None
        assert found.terms.reassign_at is None
        assert found.terms.tell_manager_at == found.terms.assigned_at + timedelta(minutes=15)

    # A clock that never tells the manager tells them when the lead would have gone.
    silent = policy.sla["demo_request"].model_copy(update={"tell_manager_at": None})
    under = policy.model_copy(update={"sla": {**policy.sla, "demo_request": silent}})
    found = judge(DEMO, relations=ACCOUNT, under=under)
    assert found.terms is not None
    assert found.terms.tell_manager_at == found.terms.assigned_at + timedelta(minutes=60)
