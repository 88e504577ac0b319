"""A colleague's test, an imported list, a booked meeting, people of one company."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.decision.test_decide import DEMO, FIT, HOT, JONAS, NOW, PERSON, Judge, judge

from baton.decision.decide import decide, reassign, replay
from baton.decision.decision import Decision, DecisionOutcome, HoldReason, Origin
from baton.decision.inputs import gather
from baton.leads.history import LeadHistory
from baton.leads.states import LeadState
from baton.policy.facts import FactValue
from baton.policy.models import Imports, Policy
from baton.policy.roster import Roster
from baton.routing.book import Loads, PoolBook
from baton.routing.ladder import Owner, OwnerKind, RouteReason
from baton.sla.clocks import evaluate

__all__ = ["judge"]

MIRA, SOFIA = "mira.lindner@relay.test", "sofia.ricci@relay.test"
SDR_DEMO = {**DEMO, "Form": "Contact sales", "Demo requested at": None}
TEST: dict[str, FactValue] = {
    **DEMO,
    "E-mail": "jonas.keller+test7@relay.test",
    "E-mail domain": "relay.test",
}
LIST: dict[str, FactValue] = {**HOT, "Source": "Offline", "Source detail": "IMPORT"}


def owner_of(found: Decision) -> str:
    assert found.route is not None
    assert found.route.owner is not None
    return found.route.owner.key


# -- a colleague's test ---------------------------------------------------------------------------


def test_a_colleagues_test_runs_through_to_the_colleague_and_leaves_no_trace_in_the_book(
    judge: Judge,
) -> None:
    book = PoolBook(open_loads={JONAS: 5})
    found = judge(TEST, book=book)
    assert (found.outcome, found.origin) == (DecisionOutcome.HANDOFF, Origin.TEST)
    assert found.trigger == "demo_request"
    assert found.route is not None
    assert found.route.owner == Owner(OwnerKind.USER, JONAS)
    assert found.route.reason_code is RouteReason.TESTER
    assert found.terms is not None
    assert found.terms.reassign_at is None
    assert (book.changed, book.handed_off, book.loads(JONAS)) == ({}, 0, Loads(open=5))
    following = judge(DEMO, book=book)
    assert following.route is not None
    assert following.route.reason_code is RouteReason.POOL


def test_the_tests_of_a_batch_never_reach_the_guard(judge: Judge) -> None:
    found = judge(TEST, book=PoolBook(handed_off=100_000))
    assert found.outcome is DecisionOutcome.HANDOFF


def test_a_colleague_without_the_plus_is_suppressed_as_before(judge: Judge) -> None:
    found = judge({**TEST, "E-mail": "jonas.keller@relay.test"})
    assert (found.outcome, found.reason_code) == (DecisionOutcome.SUPPRESS, "employee")


def test_a_stranger_at_our_domain_is_no_tester(judge: Judge) -> None:
    found = judge({**TEST, "E-mail": "nobody+test@relay.test"})
    assert (found.outcome, found.reason_code) == (DecisionOutcome.SUPPRESS, "employee")


def test_a_policy_may_name_who_gets_the_tests(judge: Judge, policy: Policy) -> None:
    (rule,) = policy.testers
    named = rule.model_copy(update={"to": "qa@elsewhere.test"})
    found = judge(TEST, under=policy.model_copy(update={"testers": (named,)}))
    assert owner_of(found) == "qa@elsewhere.test"


def test_a_refused_permission_is_tested_too(judge: Judge) -> None:
    found = judge({**TEST, "Permission to hand off": False})
    assert found.reason_code == "no_permission"
    assert found.origin is Origin.TEST


# -- an imported list -----------------------------------------------------------------------------


def test_who_stands_on_a_list_has_no_buyers_clock(judge: Judge) -> None:
    book = PoolBook(imported=3)
    found = judge(LIST, book=book)
    assert (found.outcome, found.origin) == (DecisionOutcome.HANDOFF, Origin.IMPORT)
    assert found.terms is not None
    assert (found.terms.source, found.terms.buyer_due) == ("import", None)
    assert book.imported == 4


def test_without_a_clock_of_its_own_a_list_has_none(judge: Judge, policy: Policy) -> None:
    assert policy.imports is not None
    bare = policy.imports.model_copy(update={"sla": None})
    found = judge(LIST, under=policy.model_copy(update={"imports": bare}))
    assert (found.outcome, found.terms) == (DecisionOutcome.HANDOFF, None)


def test_above_so_many_a_day_the_rest_of_a_list_waits(judge: Judge, policy: Policy) -> None:
    assert policy.imports is not None
    full = PoolBook(imported=policy.imports.a_day)
    found = judge(LIST, book=full)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.HOLD, HoldReason.DRIP)
    assert found.lead_state is LeadState.HELD
    assert found.origin is Origin.IMPORT
    # Buyers are not kept waiting by a list.
    assert judge(HOT, book=full).outcome is DecisionOutcome.HANDOFF


def test_a_trigger_lifts_a_lead_out_of_its_list(judge: Judge) -> None:
    raised = {**LIST, **DEMO, "Source": "Offline", "Source detail": "IMPORT"}
    found = judge(raised, book=PoolBook(imported=100_000))
    assert (found.outcome, found.origin) == (DecisionOutcome.HANDOFF, Origin.BUYER)
    assert found.terms is not None
    assert (found.terms.source, found.terms.buyer_due is None) == ("demo_request", False)


def test_a_list_waits_for_its_pool_instead_of_flooding_a_queue(
    judge: Judge, policy: Policy, roster: Roster
) -> None:
    nobody = Roster(people=roster.people, pools=())
    found = judge({**LIST, "Segment": "Small"}, staff=nobody)
    assert (found.outcome, found.reason_code) == (
        DecisionOutcome.HOLD,
        HoldReason.NOBODY_AVAILABLE,
    )
    assert found.route is not None
    assert found.route.waits_for == "pool SDR DACH"


# -- waiting --------------------------------------------------------------------------------------


def test_who_came_back_from_recycling_and_found_nobody_comes_back_still(
    judge: Judge, roster: Roster
) -> None:
    """A held lead that is due would else be taken for one that sales has just given back."""
    due = LeadHistory(
        state=LeadState.HELD,
        cycle=1,
        earlier_owners=(SOFIA,),
        last_disposition="bad_timing",
        return_at=NOW - timedelta(days=1),
        band_before="nurture",
    )
    found = judge(FIT, history=due)
    assert (found.outcome, found.reason_code) == (DecisionOutcome.HANDOFF, "return")


# -- a meeting ------------------------------------------------------------------------------------

MEETING: dict[str, FactValue] = {
    **DEMO,
    "Meeting booked at": NOW + timedelta(days=2),
    "Meeting host": "Helena.Voss@relay.test",
}


def test_the_host_of_a_booked_meeting_owns_and_the_clock_is_met(judge: Judge) -> None:
    found = judge(MEETING)
    assert owner_of(found) == "helena.voss@relay.test"
    assert found.route is not None
    assert found.route.reason_code is RouteReason.MEETING_HOST
    assert found.terms is not None
    assert found.terms.kept_at == NOW
    assert evaluate(found.terms, (), NOW + timedelta(days=30)) == []


@pytest.mark.parametrize(
    ("given", "booked"),
    [
        ({}, True),
        ({"Meeting booked at": NOW - timedelta(hours=23)}, True),
        ({"Meeting booked at": NOW - timedelta(hours=25)}, False),
        ({"Meeting host": None}, False),
        ({"Meeting host": "not an address"}, False),
        ({"Meeting booked at": "tomorrow"}, False),
    ],
)
def test_when_a_meeting_counts_as_booked(
    policy: Policy, given: dict[str, Any], booked: bool
) -> None:
    facts = {**MEETING, **given}
    inputs = gather(policy, lead_key="L1", facts=facts, captured_at=NOW, decided_at=NOW)
    assert inputs.facts["Meeting booked"] is booked


def test_where_somebody_else_owns_the_meeting_keeps_no_clock(judge: Judge) -> None:
    history = LeadHistory(state=LeadState.NURTURE, cycle=1, earlier_owners=(SOFIA,))
    found = judge({**MEETING, "Meeting booked at": NOW - timedelta(days=3)}, history=history)
    assert owner_of(found) == SOFIA
    assert found.terms is not None
    assert found.terms.kept_at is None


# -- people of one company ------------------------------------------------------------------------


def colleague(number: int) -> dict[str, FactValue]:
    mail = f"p{number}@acme.test"
    return {**SDR_DEMO, "E-mail": mail, "Company domain": "acme.test"}


def test_five_of_one_company_in_one_batch_have_one_owner(judge: Judge) -> None:
    book = PoolBook()
    found = [judge(colleague(number), book=book) for number in range(5)]
    assert {owner_of(one) for one in found} == {owner_of(found[0])}
    reasons = [one.route.reason_code for one in found if one.route]
    assert reasons == [RouteReason.POOL, *[RouteReason.COLLEAGUE] * 4]
    assert found[1].consulted["colleagues"] == {"domain:acme.test": owner_of(found[0])}
    other = judge({**colleague(9), "Company domain": "other.test"}, book=book)
    assert owner_of(other) != owner_of(found[0])


def test_who_was_given_a_colleague_before_is_asked(judge: Judge) -> None:
    assert owner_of(judge(colleague(1), colleagues="Mira.Lindner@relay.test")) == MIRA


def test_a_domain_of_free_mail_ties_nobody(judge: Judge) -> None:
    book = PoolBook()
    free = {**colleague(1), "Company domain": "gmail.com"}
    owners = [owner_of(judge(free, book=book)) for _ in range(2)]
    assert len(set(owners)) == 2


def test_a_policy_that_does_not_keep_them_together_takes_turns(
    judge: Judge, policy: Policy
) -> None:
    apart = policy.model_copy(update={"keep_together": None})
    book = PoolBook()
    owners = {owner_of(judge(colleague(n), book=book, under=apart)) for n in range(2)}
    assert len(owners) == 2


# -- repeating ------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", [TEST, LIST, MEETING, colleague(2)])
def test_each_of_them_can_be_repeated_byte_for_byte(
    policy: Policy, roster: Roster, facts: dict[str, FactValue]
) -> None:
    book = PoolBook(imported=49, week_loads={JONAS: 3})
    for _ in range(3):
        inputs = gather(
            policy,
            lead_key="L1",
            facts=facts,
            captured_at=NOW - timedelta(seconds=5),
            decided_at=NOW,
        )
        found = decide(inputs, policy, roster, book)
        again = replay(inputs.canonical(), found.canonical(), policy, roster)
        assert again.canonical() == found.canonical()
        assert "jonas.keller+test7" not in inputs.canonical().decode()


def test_an_import_that_is_passed_on_is_not_counted_against_the_day_again(
    policy: Policy, roster: Roster
) -> None:
    facts = {**LIST, "Segment": "Small"}
    inputs = gather(policy, lead_key="L1", facts=facts, captured_at=NOW, decided_at=NOW)
    book = PoolBook(imported=7)
    found = reassign(inputs, policy, roster, book, had_it=frozenset({JONAS}))
    assert owner_of(found) == MIRA
    assert found.terms is not None
    assert found.terms.buyer_due is None
    assert book.imported == 7


def test_imports_of_none_a_day_are_refused() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Imports.model_validate({"when": "x", "a_day": 0})


def test_the_personal_address_of_a_tester_is_not_kept(policy: Policy) -> None:
    facts = {**PERSON, "E-mail": "Jonas.Keller+Test@relay.test", "E-mail domain": "relay.test"}
    inputs = gather(policy, lead_key="L1", facts=facts, captured_at=NOW, decided_at=NOW)
    assert inputs.tester == JONAS


def test_the_address_of_a_stranger_who_looks_like_a_tester_is_not_kept(
    policy: Policy, roster: Roster
) -> None:
    """Only a colleague's own address may be stored with a decision."""
    stranger = {**TEST, "E-mail": "nobody.known+test1@relay.test"}
    for facts, tester in ((stranger, None), (TEST, JONAS)):
        inputs = gather(
            policy, lead_key="L1", facts=facts, captured_at=NOW, decided_at=NOW, roster=roster
        )
        assert inputs.tester == tester
        assert b"nobody.known" not in inputs.canonical()
