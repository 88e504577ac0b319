"""Calendars of people: hours by name or written out, zones, public holidays, leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from baton.calendars.build import Calendars, calendar_for, public_holidays
from baton.errors import PolicyError
from baton.policy.calendar_rules import CalendarRule
from baton.policy.loader import parse_policy, read_bundle, roster_from_yaml
from baton.policy.models import Policy
from baton.policy.roster import Leave, Rep, Roster

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


def test_a_queue_has_the_first_calendar(policy: Policy, roster: Roster) -> None:
    calendars = Calendars(policy, roster)
    assert calendars.of(None).zone == "UTC"
    assert calendars.of(None) is calendars.of(None)
    assert calendars.of("nobody@relay.test") == calendars.of(None)


def test_an_unknown_calendar_is_told_with_those_there_are(policy: Policy) -> None:
    rep = person(hours="Nights")
    with pytest.raises(PolicyError, match=r"Nights.*\n.*Weekdays"):
        calendar_for(rep, policy, Roster(people=(rep,)))
