"""Calendars of people: hours by name or written out, zones, public holidays, leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from baton.calendars.build import Calendars, calendar_for, public_holidays
from baton.calendars.working_time import WorkingCalendar
from baton.errors import PolicyError, PolicyErrors
from baton.policy.bundle import PolicyBundle
from baton.policy.calendar_rules import CalendarRule
from baton.policy.loader import parse_policy, read_bundle, roster_from_yaml
from baton.policy.models import Policy
from baton.policy.roster import Leave, Rep, Roster
from baton.policy.roster_csv import roster_from_csv

SHIPPED = Path(__file__).parents[3] / "include" / "policy"
TUESDAY = datetime(2026, 11, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse_policy(read_bundle(SHIPPED))


@pytest.fixture(scope="module")
def roster() -> Roster:
    return roster_from_yaml((SHIPPED / "roster.yaml").read_text(encoding="utf-8"))


def person(**settings: object) -> Rep:
    return Rep.model_validate({"key": "x@relay.test", "name": "X", **settings})


def test_everybody_of_the_shipped_roster_works_some_time(policy: Policy, roster: Roster) -> None:
    calendars = Calendars(policy, roster)
    for rep in roster.people:
        assert calendars.of(rep.key).elapsed(TUESDAY, TUESDAY + timedelta(days=7)) > 30 * 3600


def test_hours_are_in_the_persons_zone(policy: Policy, roster: Roster) -> None:
    tokyo = Calendars(policy, roster).of("hiro.tanaka@relay.test")
    wednesday = TUESDAY + timedelta(days=1)
    assert tokyo.next_open(wednesday - timedelta(hours=6)) == wednesday  # nine in Tokyo


def test_hours_may_be_written_out(policy: Policy) -> None:
    rep = person(zone="Europe/Berlin", hours={"Tue": ["10:00-11:00", "15:00-16:00"]})
    calendar = calendar_for(rep, policy, Roster(people=(rep,)))
    assert calendar.elapsed(TUESDAY, TUESDAY + timedelta(days=7)) == 2 * 3600
    assert calendar.is_open(TUESDAY + timedelta(hours=9))


def test_leave_of_the_roster_counts(policy: Policy) -> None:
    leave = (Leave(start=TUESDAY, end=TUESDAY + timedelta(days=1)),)
    rep = person(zone="UTC", leave=leave)
    calendar = calendar_for(rep, policy, Roster(people=(rep,)))
    assert calendar.next_open(TUESDAY).date() == date(2026, 11, 4)


def test_public_holidays_by_country_and_part(policy: Policy) -> None:
    assert date(2026, 10, 3) in public_holidays("DE")
    assert date(2026, 11, 1) in public_holidays("DE-BY")
    assert date(2026, 11, 1) not in public_holidays("DE")
    assert date(2035, 12, 25) in public_holidays("us")
    with pytest.raises(PolicyError, match="Atlantis"):
        public_holidays("Atlantis")


def test_a_calendars_holidays_and_closed_days_are_closed(policy: Policy) -> None:
    rule = CalendarRule.model_validate(
        {
            "name": "DE",
            "week": {"Mon-Sun": ["09:00-17:00"]},
            "holidays": "DE",
            "closed_on": ["2026-12-24"],
        }
    )
    changed = policy.model_copy(update={"calendars": {"DE": rule}})
    rep = person(zone="Europe/Berlin", hours="DE")
    calendar = calendar_for(rep, changed, Roster(people=(rep,)))
    eve = datetime(2026, 12, 24, tzinfo=UTC)
    assert calendar.next_open(eve).date() == date(2026, 12, 27)


@pytest.mark.parametrize(
    ("place", "hint"),
    [
        ("DE-BAY", "did you mean 'BY'?"),
        ("DE-XX", "its parts are: BB, BE, BW, BY"),
        ("Germany", "write an ISO country such as DE"),
        ("XX", "write an ISO country such as DE"),
    ],
)
def test_a_wrong_place_of_holidays_is_refused_when_the_policy_is_loaded(
    place: str, hint: str
) -> None:
    texts = dict(read_bundle(SHIPPED).texts)
    routing = texts["routing.yaml"]
    line = next(n for n, t in enumerate(routing.splitlines(), start=1) if "Office DE" in t)
    assert "holidays: DE" in routing.splitlines()[line - 1]
    texts["routing.yaml"] = routing.replace("holidays: DE}", f"holidays: {place}}}").replace(
        "holidays: DE,", f"holidays: {place},"
    )
    with pytest.raises(PolicyErrors) as raised:
        parse_policy(PolicyBundle(texts))
    assert f"routing.yaml:{line}:" in str(raised.value)
    assert f"public holidays of '{place}' are not known" in str(raised.value)
    assert hint in str(raised.value)


def test_bavaria_rests_on_all_saints_and_berlin_works(policy: Policy) -> None:
    def calendar(place: str) -> WorkingCalendar:
        rule = CalendarRule.model_validate(
            {"name": place, "week": {"Mon-Sun": ["09:00-17:00"]}, "holidays": place}
        )
        rep = person(zone="Europe/Berlin", hours=place)
        changed = policy.model_copy(update={"calendars": {place: rule}})
        return calendar_for(rep, changed, Roster(people=(rep,)))

    noon = datetime(2027, 11, 1, 11, tzinfo=UTC)  # a Monday
    assert calendar("DE-BE").is_open(noon)
    assert not calendar("de-by").is_open(noon)


@pytest.mark.parametrize(
    ("week", "said"),
    [
        ({"Mon": ["22:00-06:00"]}, "split hours over midnight into two days"),
        ({"Mon": []}, "no working time at all"),
        ({}, "no working time at all"),
        ({"Mon": ["09:00-12:00", "11:00-13:00"]}, "two working blocks overlap"),
    ],
)
def test_hours_that_cannot_be_are_refused_when_they_are_read(week: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CalendarRule.model_validate({"name": "Nights", "week": week})


def test_a_night_shift_is_written_as_two_days_and_counts_through_midnight(policy: Policy) -> None:
    rep = person(
        zone="Europe/Berlin",
        hours="Mon 22:00-24:00; Tue-Fri 00:00-06:00 22:00-24:00; Sat 00:00-06:00",
    )
    calendar = calendar_for(rep, policy, Roster(people=(rep,)))
    tuesday = datetime(2026, 11, 3, 22, tzinfo=UTC)  # 23:00 in Berlin
    assert calendar.deadline(tuesday, 3 * 3600) == tuesday + timedelta(hours=3)
    assert calendar.elapsed(tuesday, tuesday + timedelta(days=1)) == 8 * 3600


def test_half_an_hour_of_leave_and_whole_days_in_the_persons_zone(policy: Policy) -> None:
    people = "email,name,zone,hours\nx@relay.test,X,Asia/Tokyo,Mon-Fri 09:00-17:00\n"
    leave = (
        "email,from,until\nx@relay.test,2026-11-03T10:00,2026-11-03T10:30\n"
        "x@relay.test,2026-11-04,2026-11-04\n"
    )
    roster = roster_from_csv(people, "pool,email\n", leave)
    calendar = calendar_for(roster.people[0], policy, roster)
    nine = datetime(2026, 11, 3, tzinfo=UTC)  # Tuesday, nine in Tokyo
    assert calendar.deadline(nine, 2 * 3600) == nine + timedelta(hours=2, minutes=30)
    assert calendar.deadline(nine, 8 * 3600) == nine + timedelta(days=2, minutes=30)


def test_a_queue_has_the_first_calendar(policy: Policy, roster: Roster) -> None:
    calendars = Calendars(policy, roster)
    assert calendars.of(None).zone == "UTC"
    assert calendars.of(None) is calendars.of(None)
    assert calendars.of("nobody@relay.test") == calendars.of(None)


def test_an_unknown_calendar_is_told_with_those_there_are(policy: Policy) -> None:
    rep = person(hours="Nights")
    with pytest.raises(PolicyError, match=r"Nights.*\n.*Weekdays"):
        calendar_for(rep, policy, Roster(people=(rep,)))
