"""Quiet hours: what falls due at night is sent in the morning of whoever it is for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from baton.policy.models import QuietHours
from baton.sla.quiet import not_before

BERLIN = ZoneInfo("Europe/Berlin")


def quiet(**settings: Any) -> QuietHours:
    return QuietHours.model_validate({"from": "20:00", "to": "07:00", **settings})


def local(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-03T19:59:59", None),
        ("2026-11-03T20:00", "2026-11-04T07:00"),
        ("2026-11-04T00:00", "2026-11-04T07:00"),
        ("2026-11-04T06:59:59", "2026-11-04T07:00"),
        ("2026-11-04T07:00", None),
        ("2026-11-04T12:00", None),
        ("2026-11-07T12:00", None),  # a Saturday, and weekends are not quiet
    ],
)
def test_the_night_passes_midnight(at: str, until: str | None) -> None:
    found = not_before(quiet(), local(at), zone="Europe/Berlin")
    assert found == (local(until) if until else None)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-06T19:00", None),
        ("2026-11-06T20:30", "2026-11-09T07:00"),
        ("2026-11-07T12:00", "2026-11-09T07:00"),
        ("2026-11-08T23:00", "2026-11-09T07:00"),
    ],
)
def test_a_quiet_weekend_ends_on_monday_morning(at: str, until: str | None) -> None:
    found = not_before(quiet(weekends=True), local(at), zone="Europe/Berlin")
    assert found == (local(until) if until else None)


def test_hours_within_a_day() -> None:
    lunch = quiet(**{"from": "12:00", "to": "13:00"})
    assert not_before(lunch, local("2026-11-03T12:30"), zone="Europe/Berlin") == local(
        "2026-11-03T13:00"
    )
    assert not_before(lunch, local("2026-11-03T22:00"), zone="Europe/Berlin") is None


def test_until_midnight() -> None:
    evening = quiet(**{"from": "20:00", "to": "00:00"})
    found = not_before(evening, local("2026-11-03T23:59"), zone="Europe/Berlin")
    assert found == local("2026-11-04T00:00")


def test_the_zone_is_the_owners_unless_the_policy_names_one() -> None:
    at = datetime(2026, 11, 3, 22, tzinfo=UTC)  # 17:00 in New York, 23:00 in Berlin
    assert not_before(quiet(), at, zone="America/New_York") is None
    everywhere = quiet(zone="Europe/Berlin")
    assert not_before(everywhere, at, zone="America/New_York") == local("2026-11-04T07:00")
    assert not_before(quiet(zone="owner's"), at, zone="America/New_York") is None


def test_nobodys_zone_means_at_once() -> None:
    assert not_before(quiet(), local("2026-11-03T23:00"), zone=None) is None


@pytest.mark.parametrize(
    ("band", "trigger", "waits"),
    [
        ("hot", None, False),
        ("warm", "demo_request", False),
        ("warm", "quiz", True),
        (None, None, True),
    ],
)
def test_some_leads_are_announced_at_any_hour(
    band: str | None, trigger: str | None, waits: bool
) -> None:
    hours = quiet(except_bands=["hot"], except_triggers=["demo_request"])
    at = local("2026-11-03T23:00")
    found = not_before(hours, at, zone="Europe/Berlin", band=band, trigger=trigger)
    assert (found is not None) is waits


def test_without_quiet_hours_nothing_waits() -> None:
    assert not_before(None, local("2026-11-03T23:00"), zone="Europe/Berlin") is None


@pytest.mark.parametrize(
    ("at", "until"),
    [
        # 2027-03-28: the clock goes from 02:00 to 03:00; an edge in the gap moves to its end.
        ("2027-03-28T00:30:00+00:00", "2027-03-28T01:00:00+00:00"),
        # 2026-10-25: 02:30 comes twice; quiet hours end with the first.
        ("2026-10-24T23:00:00+00:00", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_daylight_changes(at: str, until: str) -> None:
    short = quiet(**{"from": "01:00", "to": "02:30"})
    found = not_before(short, datetime.fromisoformat(at), zone="Europe/Berlin")
    assert found == datetime.fromisoformat(until)


def test_the_end_is_never_quiet_itself_nor_far_away() -> None:
    hours = quiet(weekends=True)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for step in range(0, 366 * 24, 5):
        moment = at + timedelta(hours=step)
        end = not_before(hours, moment, zone="Europe/Berlin")
        if end is not None:
            assert moment < end <= moment + timedelta(hours=61)
            assert not_before(hours, end, zone="Europe/Berlin") is None
