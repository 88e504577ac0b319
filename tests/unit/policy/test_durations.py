from __future__ import annotations

import pytest

from baton.policy.durations import ClockKind, Duration, parse_duration, parse_duration_or_never


@pytest.mark.parametrize(
    ("text", "seconds", "kind"),
    [
        ("5 working minutes", 300, ClockKind.WORKING),
        ("3 minutes", 180, ClockKind.WALL),
        ("90 days", 90 * 86400, ClockKind.WALL),
        ("1 wall hour", 3600, ClockKind.WALL),
        (" 20 Wall Seconds ", 20, ClockKind.WALL),
        ("2 weeks", 14 * 86400, ClockKind.WALL),
    ],
)
def test_lengths_are_read(text: str, seconds: int, kind: ClockKind) -> None:
    found = parse_duration(text)
    assert (found.seconds, found.kind) == (seconds, kind)


@pytest.mark.parametrize(
    "text", ["soon", "5", "minutes", "0 minutes", "5.5 minutes", "-1 days", ""]
)
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"length of time|longer than nothing"):
        parse_duration(text)


def test_a_working_day_has_no_length() -> None:
    with pytest.raises(ValueError, match="how long a working day is"):
        parse_duration("2 working days")


def test_never_is_none() -> None:
    assert parse_duration_or_never("never") is None
    assert parse_duration_or_never(None) is None


def test_a_bare_length_takes_the_clock_of_its_surroundings() -> None:
    assert parse_duration("3 minutes").on(ClockKind.WORKING) == Duration(180, ClockKind.WORKING)
    assert parse_duration("3 wall minutes").on(ClockKind.WORKING).kind is ClockKind.WALL


@pytest.mark.parametrize("text", ["5 working minutes", "1 day", "90 seconds", "3 weeks", "1 hour"])
def test_lengths_are_written_as_they_are_read(text: str) -> None:
    assert str(parse_duration(text)) == text
