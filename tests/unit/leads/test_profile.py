"""Progressive profiling: answers of several interactions, merged without losing better ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from baton.leads.model import LeadSnapshot
from baton.leads.profile import IN_THE_RECORD, Answer, merge
from baton.policy.durations import Duration
from baton.policy.facts import Facts
from baton.policy.lead_models import Profile

pytestmark = pytest.mark.requirement("002-17")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TIME, BUDGET = "Decision timeline", "Budget range"
PROFILE = Profile(keep=(TIME, BUDGET), vague=("Not sure", "just looking"))


def at(days_ago: float) -> datetime:
    return NOW - timedelta(days=days_ago)


def seen(captured: datetime = NOW, modified: datetime = NOW) -> LeadSnapshot:
    return LeadSnapshot("101", modified, NOW, captured, {})


def said(value: str, days_ago: float, label: str = TIME, form: str = "Demo request") -> Answer:
    return Answer(label, value, at(days_ago), form)


def told(facts: Facts, *earlier: Answer, form: str = "Contact sales") -> Facts:
    return merge(facts, earlier, seen(), PROFILE, form).facts


@pytest.mark.requirement("002-18")
def test_a_form_that_leaves_a_question_out_changes_nothing() -> None:
    assert told({}, said("This quarter", 49))[TIME] == "This quarter"


def test_a_newer_answer_beats_an_older_one() -> None:
    assert told({TIME: "This month"}, said("This year", 49))[TIME] == "This month"


@pytest.mark.parametrize("vague", ["Not sure", "JUST looking "])
def test_a_vague_answer_does_not_beat_a_specific_one(vague: str) -> None:
    assert told({TIME: vague}, said("This quarter", 49))[TIME] == "This quarter"
    assert told({TIME: vague})[TIME] == vague
    assert told({TIME: "This quarter"}, said(vague, 3))[TIME] == "This quarter"


def test_a_specific_answer_that_is_too_old_does_not_hide_a_vague_one() -> None:
    assert told({TIME: "Not sure"}, said("This quarter", 400))[TIME] == "Not sure"


def test_what_is_no_longer_shown_is_kept_for_its_time() -> None:
    assert told({}, said("This quarter", 365))[TIME] == "This quarter"
    assert TIME not in told({}, said("This quarter", 365.5))


def test_what_is_still_shown_never_grows_too_old() -> None:
    assert told({TIME: "This year"}, said("This year", 900))[TIME] == "This year"


def test_it_is_known_which_answer_came_when() -> None:
    first = merge({TIME: "This year"}, (), seen(at(49)), PROFILE, "Demo request")
    second = merge(
        {TIME: "This year", BUDGET: "50k to 200k"}, first.news, seen(at(3)), PROFILE, "Pricing"
    )
    assert [one.words() for one in first.news] == ["2026-10-02 in Demo request"]
    assert {one.label: one.words() for one in second.answers.values()} == {
        TIME: "2026-10-02 in Demo request",
        BUDGET: "2026-11-17 in Pricing",
    }
    assert [one.label for one in second.news] == [BUDGET], "what is known is no news"


def test_a_change_of_the_record_without_a_form_says_so() -> None:
    earlier = said("This year", 3)
    found = merge({TIME: "This month"}, (earlier,), seen(at(3), at(1)), PROFILE, "Demo request")
    assert found.answers[TIME].words() == f"2026-11-19 in {IN_THE_RECORD}"


def test_two_answers_of_one_instant_are_both_kept_apart() -> None:
    earlier = Answer(TIME, "This year", NOW, IN_THE_RECORD)
    (news,) = merge({TIME: "This month"}, (earlier,), seen(), PROFILE, "").news
    assert news.said_at > NOW


def test_other_facts_are_left_alone_and_nothing_kept_costs_nothing() -> None:
    facts = {"Country": "DE", TIME: "Not sure"}
    assert told(facts, said("This month", 2)) == {"Country": "DE", TIME: "This month"}
    nothing = merge(facts, (said("This month", 2),), seen(), Profile(), "Demo request")
    assert (nothing.facts, nothing.news) == (facts, ())


def test_an_answer_does_not_show_in_a_log() -> None:
    assert "secret" not in repr(said("secret words", 1))


def test_keeping_is_bounded_by_the_policy() -> None:
    short = Profile(keep=(TIME,), for_=Duration(86400))
    assert TIME not in merge({}, (said("This year", 2),), seen(), short, "").facts
