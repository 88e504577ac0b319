"""Buyers, quizzes, companies and working time, each on its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm_sandbox.market import words
from crm_sandbox.market.buyers import KIND_WEIGHTS, Kind, make_buyer
from crm_sandbox.market.companies import NAMED_ACCOUNTS, Standing, all_companies
from crm_sandbox.market.forms import DEMO, QUIZ
from crm_sandbox.market.journeys import StepKind, arrivals, journey
from crm_sandbox.market.quiz import QUESTIONS, answer_quiz, quiz_with_score
from crm_sandbox.market.randomness import stream
from crm_sandbox.market.staff import BY_KEY, STAFF, Role, account_executive, reps_of_region
from crm_sandbox.market.working_hours import WorkingHours

COMPANIES = all_companies(7)
DAY = date(2026, 6, 2)


def test_companies_have_unique_fictitious_domains_and_known_ones_are_served() -> None:
    domains = [company.domain for company in COMPANIES]
    assert len(set(domains)) == len(domains) > 400
    assert all(domain.endswith(".test") for domain in domains)
    assert {company.domain for company in NAMED_ACCOUNTS} <= set(domains)
    known = [c for c in COMPANIES if c.standing is Standing.CUSTOMER]
    assert len(known) == 40
    assert not [c for c in known if c.industry in words.UNSERVED]
    assert {c.region for c in COMPANIES} == {
        "DACH",
        "UK",
        "Nordics",
        "Americas",
        "APAC",
        "Southern Europe",
    }


def test_a_buyer_is_the_same_whoever_was_made_before() -> None:
    alone = make_buyer(7, "2026-06-02-03", COMPANIES)
    for number in range(20):
        make_buyer(7, f"2026-06-02-{number:02d}", COMPANIES)
    assert make_buyer(7, "2026-06-02-03", COMPANIES) == alone
    assert make_buyer(8, "2026-06-02-03", COMPANIES) != alone


def test_every_kind_of_buyer_has_a_journey_in_order_of_time() -> None:
    seen: set[Kind] = set()
    for number in range(700):
        buyer = make_buyer(7, f"x-{number}", COMPANIES)
        steps = journey(7, buyer, DAY)
        seen.add(buyer.kind)
        assert steps
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        for step in steps:
            assert step.at.tzinfo is UTC
            if step.kind in (StepKind.FORM, StepKind.QUIZ):
                assert step.values["email"]
                assert (step.form == QUIZ) == (step.quiz is not None)
    assert seen == set(KIND_WEIGHTS)


@pytest.mark.requirement("002-17")
def test_profiles_grow_from_form_to_form() -> None:
    grown = 0
    for number in range(400):
        buyer = make_buyer(7, f"y-{number}", COMPANIES)
        forms = [step for step in journey(7, buyer, DAY) if step.kind is StepKind.FORM]
        if len(forms) < 2 or forms[-1].form != DEMO or forms[0].form == DEMO:
            continue
        assert "decision_timeline" not in forms[0].values
        grown += len(forms[-1].values) > len(forms[0].values)
    assert grown > 10


def test_arrivals_follow_the_week() -> None:
    week = [len(arrivals(7, date(2026, 6, 1) + timedelta(days=n))) for n in range(7)]
    assert sum(week[:5]) > 4 * sum(week[5:])
    assert arrivals(7, DAY) == arrivals(7, DAY)
    busy = arrivals(7, DAY, busy=12.0)
    assert len(busy) == len(set(busy)) > 8 * len(arrivals(7, DAY))
    assert busy[: len(arrivals(7, DAY))] == arrivals(7, DAY)


def test_buyers_are_about_in_their_own_daytime() -> None:
    inside = outside = 0
    for number in range(300):
        buyer = make_buyer(7, f"z-{number}", COMPANIES)
        first = journey(7, buyer, DAY)[0].at.astimezone(ZoneInfo(buyer.zone))
        inside += 8 <= first.hour < 18
        outside += not 8 <= first.hour < 18
    assert inside > 4 * outside > 0


def test_quiz_scores_are_the_sum_of_the_answers() -> None:
    points = {(question, text): worth for question, items in QUESTIONS for text, worth in items}
    for number in range(50):
        result = answer_quiz(stream(1, number), number / 50)
        assert result.score == sum(points[answer] for answer in result.answers)
        assert len(result.as_text().splitlines()) == len(QUESTIONS)
    best = sum(max(worth for _, worth in items) for _, items in QUESTIONS)
    assert best == 100


@pytest.mark.parametrize("score", [75, 80, 100])
def test_a_quiz_can_be_made_to_reach_a_score(score: int) -> None:
    assert quiz_with_score(stream(3), score).score == score


def test_a_score_that_no_answers_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="add up to 77"):
        quiz_with_score(stream(3), 77)


def test_staff_have_managers_and_regions_have_reps() -> None:
    assert all(
        person.manager in BY_KEY for person in STAFF if person.role is not Role.SALES_DIRECTOR
    )
    for region in ("DACH", "UK", "Nordics", "Americas", "APAC", "Southern Europe"):
        assert reps_of_region(region)
    assert account_executive("DACH", 5000).key == "helena.voss"
    assert account_executive("Americas", 300).key == "tom.adeyemi"


def test_working_time_skips_nights_weekends_holidays_and_absences() -> None:
    opened = datetime(2026, 4, 27, tzinfo=UTC)
    hours = WorkingHours(BY_KEY["jonas.keller"], opened)
    friday = datetime(2026, 4, 24, 15, 0, tzinfo=UTC)  # 17:00 in Berlin, half an hour left
    assert hours.after(friday, timedelta(minutes=45)) == datetime(2026, 4, 27, 7, 0, tzinfo=UTC)
    eve = datetime(2026, 4, 30, 16, 0, tzinfo=UTC)  # 1 May is a holiday, then a weekend
    assert hours.after(eve, timedelta(minutes=10)) == datetime(2026, 5, 4, 6, 55, tzinfo=UTC)
    assert not hours.open_at(datetime(2026, 5, 1, 9, 0, tzinfo=UTC))
    assert hours.open_at(datetime(2026, 5, 4, 9, 0, tzinfo=UTC))
    mira = WorkingHours(BY_KEY["mira.lindner"], opened)
    inside = opened + timedelta(days=36)
    assert mira.after(inside, timedelta(minutes=1)) > opened + timedelta(days=42)


def test_working_time_follows_daylight_saving() -> None:
    hours = WorkingHours(BY_KEY["priya.raman"], datetime(2026, 3, 1, tzinfo=UTC))
    before = datetime(2026, 3, 27, 23, 0, tzinfo=UTC)
    assert hours.after(before, timedelta(minutes=15)) == datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
