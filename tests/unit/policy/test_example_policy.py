"""The shipped example, read as a RevOps manager would read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from baton.leads.states import TIMED_LEAD_STATES
from baton.policy.actions import ActionKind
from baton.policy.conditions import Test
from baton.policy.durations import ClockKind
from baton.policy.facts import FactValue
from baton.policy.lint import lint
from baton.policy.loader import parse_policy, read_bundle, read_roster
from baton.policy.models import Outcome, Policy
from baton.scoring.points import score

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)

PERFECT_FIT: dict[str, FactValue] = {
    "Company size": 300,
    "Industry": "COMPUTER_SOFTWARE",
    "Job title": "VP Sales",
    "Territory": "DACH",
    "Tech stack": ("Salesforce", "Slack"),
}
# What Salesforce's picklist Disposition_Reason__c offers; "Accepted" is a value of Disposition__c.
REASONS_IN_SALESFORCE = {
    "Bad timing", "No budget yet", "No reply yet", "Needs nurturing", "Wrong contact", "Too small",
    "Industry we do not serve", "Competitor", "Student or job seeker", "Duplicate", "Not a project",
    "Locked in with competitor",
}  # fmt: skip


def points(policy: Policy, facts: Mapping[str, FactValue]) -> float:
    return score(facts, policy, NOW).total_milli / 1000


def by_rule(policy: Policy, facts: Mapping[str, FactValue]) -> dict[str, float]:
    return {reason.rule: reason.points_milli / 1000 for reason in score(facts, policy, NOW).reasons}


def test_nothing_is_wrong_with_it_not_even_a_warning(policy: Policy, shipped: Path) -> None:
    roster = read_roster(shipped / "roster.yaml")
    assert lint(policy, roster) == ()


@pytest.mark.parametrize("name", ["demo", "xeducation"])
def test_each_overlay_is_a_policy(shipped: Path, name: str) -> None:
    overlaid = parse_policy(read_bundle(shipped, shipped / "overlays" / f"{name}.yaml"))
    # The demonstration counts in seconds on purpose, and leaves some of the example unused.
    meant = {"unused-pool", "sla-cannot-be-met"} if name == "demo" else {"unused-pool"}
    assert [finding for finding in lint(overlaid) if finding.code not in meant] == []


@pytest.mark.requirement("002-06")
def test_the_example_points(policy: Policy) -> None:
    assert by_rule(policy, {"Company size": 200})["size-fit"] == 20
    pricing: dict[str, FactValue] = {"Pricing page views": 1, "Pricing page last view at": NOW}
    assert by_rule(policy, pricing)["pricing-page"] == 15
    demo: dict[str, FactValue] = {"Form": "Demo request", "Demo requested at": NOW}
    assert by_rule(policy, demo)["demo-request"] == 30
    assert by_rule(policy, {"Industry": "TOBACCO"})["unserved"] < 0


@pytest.mark.requirement("002-07")
def test_asking_for_a_demo_outweighs_reading(policy: Policy) -> None:
    reads: dict[str, FactValue] = {"Content downloads": 1, "Last content at": NOW}
    asks: dict[str, FactValue] = {"Form": "Demo request", "Demo requested at": NOW}
    assert points(policy, asks) > points(policy, reads)


@pytest.mark.requirement("002-08")
@pytest.mark.parametrize(
    "off_profile",
    [
        {**PERFECT_FIT, "Company size": 35},
        {**PERFECT_FIT, "Industry": "RETAIL", "Job title": "Specialist"},
        {"Company size": 35, "Industry": "RETAIL", "Territory": "DACH"},
    ],
)
def test_a_keen_lead_beats_a_perfect_fit_that_does_nothing(
    policy: Policy, off_profile: dict[str, FactValue]
) -> None:
    keen = off_profile | {
        "Content downloads": 5,
        "Site revisits": 3,
        "Last content at": NOW - DAY,
        "Last visit at": NOW - DAY,
    }
    assert points(policy, keen) > points(policy, PERFECT_FIT)


@pytest.mark.requirement("000-10")
def test_seventy_five_itself_is_not_above_the_line(policy: Policy) -> None:
    facts = PERFECT_FIT | {
        "Content downloads": 5,
        "Site revisits": 1,
        "Last content at": NOW,
        "Last visit at": NOW,
    }
    total = score(facts, policy, NOW).total_milli
    assert total == 75_000
    hot = policy.bands["hot"]
    assert not hot.holds(total)
    assert hot.holds(total + 1)
    assert hot.hands_off
    assert hot.recipient == "AE"
    assert hot.channel is None, "the owner is told directly"
    assert not policy.bands["warm"].hands_off
    assert policy.bands["warm"].holds(50_000)


@pytest.mark.requirement("001-07")
@pytest.mark.requirement("001-06")
def test_the_quiz_goes_to_the_territorys_sdr_and_the_sales_channel(policy: Policy) -> None:
    quiz = policy.triggers["quiz"]
    facts: dict[str, FactValue] = {"Quiz score": 80, "Quiz taken at": NOW - timedelta(minutes=1)}
    assert quiz.when.evaluate(facts, NOW)
    assert not quiz.when.evaluate(facts | {"Quiz score": 75}, NOW)
    assert (quiz.recipient, quiz.channel) == ("SDR", "sales-inbound")
    assert "Quiz answers" in policy.required["quiz"]
    key, terms = policy.sla_for(trigger=quiz, band="nurture") or ("", None)
    assert key == "quiz"
    assert terms is not None
    assert (terms.first_touch.seconds, terms.clock) == (300, ClockKind.WORKING)


@pytest.mark.requirement("003-09")
def test_the_hand_raises_are_triggers_whatever_the_score(policy: Policy) -> None:
    assert list(policy.triggers) == ["inbound_call", "demo_request", "quiz", "contact_sales"]
    assert all(trigger.hands_off and trigger.at for trigger in policy.triggers.values())


@pytest.mark.requirement("003-07")
@pytest.mark.requirement("003-14")
def test_every_stage_has_entry_exit_and_owner(policy: Policy) -> None:
    assert list(policy.stages) == ["MQL", "SAL", "SQL"]
    assert all(stage.entry and stage.exit and stage.owner for stage in policy.stages.values())


@pytest.mark.requirement("002-13")
def test_a_handoff_without_a_hand_raise_needs_the_whole_profile(policy: Policy) -> None:
    asked = {*policy.required["always"], *policy.required["hot"]}
    assert asked == {
        "First name", "Last name", "Job title", "E-mail", "Phone",
        "Company name", "Company size", "Industry",
    }  # fmt: skip


@pytest.mark.requirement("002-27")
def test_faster_for_hotter(policy: Policy) -> None:
    seconds = [policy.sla[band].first_touch.seconds for band in ("hot", "warm", "nurture")]
    assert seconds == sorted(seconds)
    assert seconds[0] == 300


@pytest.mark.requirement("003-12")
def test_no_reply_comes_back_and_is_bounded(policy: Policy) -> None:
    code = policy.dispositions["no_reply"]
    assert (code.outcome, code.action.kind, code.return_days) == (
        Outcome.RECYCLE, ActionKind.RECYCLE, 90,
    )  # fmt: skip
    assert code.allowed_after is not None
    assert (code.allowed_after.touches, code.allowed_after.days) == (6, 10)
    assert (code.at_most, code.then_after_cap) != (None, None)


@pytest.mark.requirement("004-14")
@pytest.mark.requirement("004-12")
def test_reasons_are_those_of_salesforce_and_each_leads_on(policy: Policy) -> None:
    shown = {code.rep_sees for code in policy.dispositions.values()}
    assert shown == REASONS_IN_SALESFORCE | {"Accepted"}
    assert not [label for label in shown if label.lower() == "bad"]
    assert all(code.action for code in policy.dispositions.values())


def test_every_state_that_is_not_final_has_a_timer(policy: Policy) -> None:
    assert {state.value for state in TIMED_LEAD_STATES} == set(type(policy.timers).model_fields)


def test_norway_is_a_country(policy: Policy) -> None:
    assert policy.territories.of("NO", None, date(2026, 11, 3)) == "UK and Nordics"


@pytest.mark.requirement("003-03")
@pytest.mark.requirement("003-10")
def test_every_territory_ends_with_somebody(policy: Policy) -> None:
    routed = {
        operand
        for route in policy.route
        for test in route.when.tests()
        if isinstance(test, Test) and test.label == "Territory"
        for operand in (test.operand if isinstance(test.operand, tuple) else (test.operand,))
    }
    assert routed == policy.territories.names()
    assert policy.route[-1].fallback
    assert policy.route[-1].watched_by == "nadia.petrov@relay.test"


@pytest.mark.requirement("002-26")
@pytest.mark.requirement("001-09")
def test_both_sides_promise_something(policy: Policy) -> None:
    assert policy.commitments.marketing
    assert policy.commitments.sales


@pytest.mark.requirement("002-16")
def test_the_opening_depends_on_the_source(policy: Policy) -> None:
    def opening(facts: dict[str, FactValue]) -> str:
        return next(o.say for o in policy.enablement.openings if o.when.evaluate(facts, NOW))

    assert opening({"Source": "Paid search"}) != opening({"Source": "Campaign"})
    assert opening({}), "there is always one"


def test_the_write_back_names_what_marketing_sees(policy: Policy) -> None:
    assert policy.write_back.group == "Baton"
    assert set(policy.write_back.properties.values()) == {
        "baton_state", "baton_band", "baton_score", "baton_reasons", "baton_owner",
        "baton_handoff", "baton_decided_at", "baton_return_date", "baton_disposition",
        "baton_cold_since",
    }  # fmt: skip
