"""Terms with absolute deadlines, graded touches, and what falls due when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from baton.calendars.build import calendar_for
from baton.calendars.working_time import OFFICE_WEEK, WorkingCalendar, around_the_clock
from baton.policy.durations import ClockKind, parse_duration
from baton.policy.models import Policy, SlaTerms
from baton.policy.roster import Leave, Roster
from baton.sla.clocks import Due, DueKind, breached, evaluate, next_due_at
from baton.sla.terms import Terms, born, with_alarm
from baton.sla.touches import Grade, Touch, TouchKind, first_human_touch, grade_of

CAPTURED = datetime(2026, 11, 3, 10, tzinfo=UTC)
ASSIGNED = CAPTURED + timedelta(seconds=6)
BERLIN = WorkingCalendar("Europe/Berlin", OFFICE_WEEK)


def minutes(count: float, start: datetime = ASSIGNED) -> datetime:
    return start + timedelta(minutes=count)


AGREED = {
    "quiz": {
        "first_touch": "5 working minutes",
        "remind_at": "3 minutes",
        "tell_manager_at": "15 minutes",
        "reassign_at": "60 minutes",
    },
    "hot": {"first_touch": "5 working minutes", "reassign_at": "never"},
    "warm": {"first_touch": "2 working hours"},
}


@pytest.fixture
def agreed(policy: Policy) -> Policy:
    """Return the shipped policy with clocks of our own, whatever the example says."""
    clocks = {key: SlaTerms.model_validate(value) for key, value in AGREED.items()}
    return policy.model_copy(update={"sla": clocks})


@pytest.fixture
def terms(agreed: Policy) -> Terms:
    found = born(
        agreed,
        "hot",
        trigger=agreed.triggers["quiz"],
        captured_at=CAPTURED,
        assigned_at=ASSIGNED,
        calendar=BERLIN,
    )
    assert found is not None
    return found


@pytest.mark.requirement("001-07")
def test_the_shipped_agreement_gives_a_quiz_five_minutes(policy: Policy) -> None:
    found = policy.sla_for(trigger=policy.triggers["quiz"], band="warm")
    assert found is not None
    assert found[1].first_touch.seconds == 300


def touch(at: datetime, kind: TouchKind = TouchKind.CALL) -> Touch:
    return Touch(at, kind, grade_of(kind))


def test_a_quiz_starts_a_five_minute_clock(terms: Terms) -> None:
    assert (terms.source, terms.seconds, terms.clock) == ("quiz", 300, ClockKind.WORKING)
    assert terms.first_touch_due == minutes(5)
    assert terms.remind_at == minutes(3)
    assert terms.tell_manager_at == minutes(15)
    assert terms.reassign_at == minutes(60)


def test_the_buyers_clock_runs_from_the_capture_and_the_reps_from_the_assignment(
    agreed: Policy,
) -> None:
    late = CAPTURED + timedelta(hours=2)
    found = born(
        agreed, "hot", trigger=None, captured_at=CAPTURED, assigned_at=late, calendar=BERLIN
    )
    assert found is not None
    assert found.buyer_due == minutes(5, CAPTURED)
    assert found.first_touch_due == minutes(5, late)
    assert found.reassign_at is None


def test_a_working_clock_sleeps_over_the_weekend_and_a_wall_clock_does_not(agreed: Policy) -> None:
    saturday = datetime(2026, 11, 7, 15, tzinfo=UTC)
    found = born(
        agreed, "warm", trigger=None, captured_at=saturday, assigned_at=saturday, calendar=BERLIN
    )
    assert found is not None
    assert found.first_touch_due == datetime(2026, 11, 9, 10, tzinfo=UTC)
    wall = agreed.sla["warm"].model_copy(
        update={"first_touch": parse_duration("2 wall hours"), "remind_at": None}
    )
    changed = agreed.model_copy(update={"sla": {"warm": wall}})
    found = born(
        changed, "warm", trigger=None, captured_at=saturday, assigned_at=saturday, calendar=BERLIN
    )
    assert found is not None
    assert found.first_touch_due == saturday + timedelta(hours=2)


def test_leave_entered_later_does_not_move_terms(agreed: Policy, roster: Roster) -> None:
    jonas = roster.by_key["jonas.keller@relay.test"]
    before = calendar_for(jonas, agreed, roster)
    found = born(
        agreed, "hot", trigger=None, captured_at=CAPTURED, assigned_at=ASSIGNED, calendar=before
    )
    leave = (Leave(start=CAPTURED, end=CAPTURED + timedelta(days=3)),)
    away = jonas.model_copy(update={"leave": leave})
    people = tuple(away if rep.key == jonas.key else rep for rep in roster.people)
    after = calendar_for(away, agreed, Roster(people=people, pools=roster.pools))
    assert found is not None
    assert found.first_touch_due == minutes(5)
    assert after.deadline(ASSIGNED, 300) > found.first_touch_due


def test_no_terms_without_an_agreement(agreed: Policy) -> None:
    silent = agreed.model_copy(update={"sla": {}})
    none = born(
        silent, "hot", trigger=None, captured_at=CAPTURED, assigned_at=ASSIGNED, calendar=BERLIN
    )
    assert none is None


def test_a_queue_alarm_tells_the_watcher_at_the_earlier_instant(terms: Terms) -> None:
    alarmed = with_alarm(terms, parse_duration("10 wall minutes"), around_the_clock())
    assert alarmed.tell_manager_at == minutes(10)
    late = with_alarm(terms, parse_duration("20 wall minutes"), around_the_clock())
    assert late.tell_manager_at == minutes(15)
    assert with_alarm(terms, None, BERLIN) == terms


@pytest.mark.requirement("002-21")
def test_what_falls_due_on_an_untouched_lead(terms: Terms) -> None:
    kinds = {
        at: [due.kind for due in evaluate(terms, [], minutes(at))] for at in (2, 3, 5, 5.1, 15, 360)
    }
    assert kinds[2] == []
    assert kinds[3] == [DueKind.REMIND]
    assert kinds[5] == [DueKind.REMIND]
    assert kinds[5.1] == [DueKind.REMIND, DueKind.BREACH]
    assert kinds[15] == [DueKind.REMIND, DueKind.BREACH, DueKind.TELL_MANAGER]
    assert kinds[360][-1] is DueKind.REASSIGN


def test_a_touch_in_time_prevents_everything(terms: Terms) -> None:
    assert evaluate(terms, [touch(minutes(5))], minutes(600)) == []


def test_a_late_touch_leaves_the_breach_and_stops_the_rest(terms: Terms) -> None:
    assert evaluate(terms, [touch(minutes(20))], minutes(600)) == [
        Due(DueKind.BREACH, terms.first_touch_due)
    ]


def test_a_touch_that_has_not_happened_yet_is_not_known(terms: Terms) -> None:
    assert breached(terms, minutes(20), minutes(10))
    assert [due.kind for due in evaluate(terms, [touch(minutes(20))], minutes(4))] == [
        DueKind.REMIND
    ]


@pytest.mark.parametrize("kind", [TouchKind.AUTOMATIC_EMAIL, TouchKind.STATUS_CHANGE])
def test_machines_and_status_flips_stop_no_clock(terms: Terms, kind: TouchKind) -> None:
    assert evaluate(terms, [touch(minutes(1), kind)], minutes(6)) != []


@pytest.mark.parametrize(
    "kind", [TouchKind.CALL, TouchKind.MEETING, TouchKind.EMAIL, TouchKind.COMPLETED_TASK]
)
def test_work_of_a_person_stops_the_clock(terms: Terms, kind: TouchKind) -> None:
    assert evaluate(terms, [touch(minutes(1), kind)], minutes(6)) == []
    assert grade_of(kind, by_human=False) is Grade.NONE


def test_touches_before_the_capture_belong_to_another_story() -> None:
    found = first_human_touch([touch(minutes(9)), touch(minutes(-60)), touch(minutes(4))], CAPTURED)
    assert found == touch(minutes(4))


def test_the_next_instant_to_look_at(terms: Terms) -> None:
    assert next_due_at(terms, ASSIGNED) == minutes(3)
    assert next_due_at(terms, minutes(5)) == minutes(15)
    assert next_due_at(replace(terms, reassign_at=None), minutes(15)) is None
