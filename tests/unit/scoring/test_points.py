"""Points with reasons: the shipped examples, decay, ceilings, and what the documents ask of order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from baton.policy.condition_reader import parse_condition
from baton.policy.conditions import ALWAYS
from baton.policy.durations import parse_duration
from baton.policy.facts import Facts
from baton.policy.models import Policy, ScoreGroup, ScoreKind, ScoreRule, Scoring
from baton.scoring.points import decay_table, points_of, score, whole_days

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)


def rule(points: str = "10", **settings: Any) -> ScoreRule:
    given = {"id": "r", "when": ALWAYS, "say": "", **settings}
    return ScoreRule(points=Decimal(points), **given)


def points(policy: Policy, **facts: Any) -> int:
    labelled: Facts = {label.replace("_", " "): value for label, value in facts.items()}
    return score(labelled, policy, NOW).total_milli


@pytest.mark.requirement("002-06")
def test_the_example_points_work_out_of_the_box(policy: Policy) -> None:
    assert points(policy, Company_size=300) == 20_000
    assert points(policy, Pricing_page_views=1) == 15_000
    assert points(policy, Form="Demo request", Demo_requested_at=NOW) == 30_000
    unserved = policy.score[[r.id for r in policy.score].index("unserved")].when.tests()
    industry = next(iter(next(iter(unserved)).operand))  # type: ignore[arg-type]  # a list
    assert points(policy, Industry=industry) < 0


@pytest.mark.requirement("002-06")
@pytest.mark.parametrize(
    ("size", "expected"), [(49, 10_000), (50, 20_000), (1000, 20_000), (1001, 10_000), (5, -10_000)]
)
def test_the_size_range_includes_its_edges(policy: Policy, size: int, expected: int) -> None:
    assert points(policy, Company_size=size) == expected


@pytest.mark.requirement("002-07")
def test_explicit_intent_outweighs_passive_signals(policy: Policy) -> None:
    demo = points(policy, Form="Demo request", Demo_requested_at=NOW)
    one_read = points(policy, Content_downloads=1, Last_content_at=NOW)
    visits = points(policy, Site_revisits=3, Last_visit_at=NOW)
    assert demo > one_read > 0
    assert demo > visits > 0


@pytest.mark.requirement("002-08")
def test_an_engaged_lead_slightly_off_profile_beats_a_silent_perfect_fit(policy: Policy) -> None:
    engaged = points(
        policy,
        Company_size=40,
        Industry="COMPUTER_SOFTWARE",
        Job_title="Marketing Manager",
        Territory="DACH",
        Content_downloads=5,
        Last_content_at=NOW,
        Site_revisits=3,
        Last_visit_at=NOW,
    )
    silent = points(
        policy,
        Company_size=400,
        Industry="COMPUTER_SOFTWARE",
        Job_title="Chief Marketing Officer",
        Territory="DACH",
        Tech_stack=("Salesforce", "HubSpot"),
    )
    assert engaged > silent


def test_the_total_is_the_sum_of_the_listed_reasons(policy: Policy) -> None:
    facts: Facts = {
        "Company size": 300,
        "Industry": "COMPUTER_SOFTWARE",
        "Job title": "Head of Sales",
        "Tech stack": ("HubSpot",),
        "Territory": "DACH",
        "Content downloads": 9,
        "Last content at": NOW - timedelta(days=11),
        "Webinars attended": 2,
        "Site revisits": 7,
        "Last visit at": NOW - timedelta(days=3),
        "Free mail": True,
    }
    found = score(facts, policy, NOW)
    assert found.total_milli == sum(reason.points_milli for reason in found.reasons)
    assert found.total_milli == found.fit_milli + found.intent_milli
    assert found.fit_milli == 40_000 - 10_000  # the profile's ceiling, less the private address
    assert all(reason.points_milli for reason in found.reasons)


def test_a_sentence_gets_its_values(policy: Policy) -> None:
    found = score({"Company size": 300}, policy, NOW)
    assert [reason.say for reason in found.reasons] == ["300 people, our size"]


def test_points_halve_by_whole_days() -> None:
    halving = rule(halves_every=parse_duration("14 days"), since="At")
    given = {
        days: points_of(halving, {"At": NOW - timedelta(days=days)}, NOW) for days in range(60)
    }
    assert given[0] == 10_000
    assert given[14] == 5_000
    assert given[28] == 2_500
    assert given[7] == 7_071
    assert points_of(halving, {"At": NOW - timedelta(days=13, hours=23)}, NOW) == given[13]
    assert points_of(halving, {"At": NOW + timedelta(hours=5)}, NOW) == 10_000
    assert points_of(halving, {}, NOW) == 10_000
    assert points_of(halving, {"At": NOW - timedelta(days=9000)}, NOW) == 0


def test_negative_points_halve_alike() -> None:
    halving = rule("-10", halves_every=parse_duration("7 days"), since="At")
    assert points_of(halving, {"At": NOW - timedelta(days=3)}, NOW) == -points_of(
        rule("10", halves_every=parse_duration("7 days"), since="At"),
        {"At": NOW - timedelta(days=3)},
        NOW,
    )


def test_the_decay_table_falls_without_a_step_up() -> None:
    for half_life in (1, 7, 14, 30, 90, 365):
        table = decay_table(half_life)
        assert table[0] == 1_000_000
        assert table[half_life] == 500_000
        assert list(table) == sorted(table, reverse=True)
        assert table[-1] <= 1


def test_days_since_a_date_begin_at_midnight() -> None:
    assert whole_days(date(2026, 11, 3), NOW) == 0
    assert whole_days(date(2026, 11, 1), NOW) == 2
    assert whole_days(date(2026, 12, 1), NOW) == 0


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, 0), (1, 10_000), (3, 30_000), (99, 30_000), (-4, 0), (Decimal("2.9"), 20_000),
     (Decimal("NaN"), 0), (True, 0), ("many", 0), (None, 0)],
)  # fmt: skip
def test_points_for_each_are_limited(number: Any, expected: int) -> None:
    assert points_of(rule(for_each="N", up_to=3), {"N": number}, NOW) == expected


def capped(policy: Policy, rules: list[ScoreRule]) -> Policy:
    groups = {"g": ScoreGroup(name="g", at_most=Decimal(25))}
    scoring = Scoring(fit=tuple(rules), groups=groups)
    changed = policy.model_copy(update={"scoring": scoring})
    changed.__dict__.pop("score", None)  # a copy keeps what was worked out for the original
    return changed


def test_a_groups_ceiling_cuts_the_last_reasons_and_says_so(policy: Policy) -> None:
    rules = [rule(id=name, group="g", say=name) for name in "abcd"]
    found = score({}, capped(policy, rules), NOW)
    assert [(r.rule, r.points_milli) for r in found.reasons] == [
        ("a", 10_000),
        ("b", 10_000),
        ("c", 5_000),
    ]
    assert found.total_milli == 25_000
    assert "ceiling" in found.reasons[-1].say


def test_a_negative_reason_in_a_group_counts_before_the_ceiling(policy: Policy) -> None:
    rules = [
        rule("20", id="a", group="g"),
        rule("20", id="b", group="g"),
        rule("-5", id="c", group="g"),
    ]
    assert score({}, capped(policy, rules), NOW).total_milli == 25_000


def test_a_rule_that_meets_a_missing_value_gives_nothing(policy: Policy) -> None:
    rules = [rule(id="a", when=parse_condition({"Company size": {"below": 10}}))]
    assert score({}, capped(policy, rules), NOW).reasons == ()


def test_kinds_are_kept_apart(policy: Policy) -> None:
    found = score({"Company size": 300, "Pricing page views": 1}, policy, NOW)
    assert (found.fit_milli, found.intent_milli) == (20_000, 15_000)
    assert [reason.kind for reason in found.strongest(1)] == [ScoreKind.FIT]
