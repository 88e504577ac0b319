"""Working time: golden cases of hours, breaks, zones, daylight changes, holidays and leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from baton.calendars.working_time import (
    OFFICE_WEEK,
    Block,
    NoWorkingTimeError,
    WorkingCalendar,
    around_the_clock,
    week,
)
from baton.errors import PolicyError

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600
EVERY_DAY = range(7)


def berlin(*parts: int, fold: int = 0) -> datetime:
    local = datetime(*parts, tzinfo=BERLIN, fold=fold)  # type: ignore[misc,arg-type]  # by position
    return local.astimezone(UTC)


def test_saturday_afternoon_plus_two_hours_is_monday_eleven() -> None:
    calendar = WorkingCalendar("Europe/Berlin", OFFICE_WEEK)
    assert calendar.deadline(berlin(2026, 11, 7, 16), 2 * HOUR) == berlin(2026, 11, 9, 11)


@pytest.mark.parametrize(("hour", "due"), [(8, 11), (16, 11), (20, 11)])
def test_the_hour_of_a_closed_day_is_not_carried_over(hour: int, due: int) -> None:
    calendar = WorkingCalendar("Europe/Berlin", OFFICE_WEEK)
    start = berlin(2026, 11, 7, hour)
    deadline = calendar.deadline(start, 2 * HOUR)
    assert deadline == berlin(2026, 11, 9, due)
    assert calendar.elapsed(start, deadline) == 2 * HOUR


def test_a_deadline_is_the_earliest_instant_so_it_may_be_closing_time() -> None:
    calendar = WorkingCalendar("Europe/Berlin", OFFICE_WEEK)
    assert calendar.deadline(berlin(2026, 11, 6, 16), HOUR) == berlin(2026, 11, 6, 17)
    assert calendar.deadline(berlin(2026, 11, 6, 20), 0) == berlin(2026, 11, 6, 20)


def test_a_break_is_not_working_time() -> None:
    calendar = WorkingCalendar("Europe/Berlin", week(range(5), "09:00-12:30", "13:30-18:00"))
    assert calendar.deadline(berlin(2026, 11, 9, 12, 20), 20 * 60) == berlin(2026, 11, 9, 13, 40)
    assert calendar.elapsed(berlin(2026, 11, 9), berlin(2026, 11, 10)) == 8 * HOUR


def test_seconds_are_absolute_in_the_night_that_loses_an_hour() -> None:
    calendar = WorkingCalendar("Europe/Berlin", week(EVERY_DAY, "00:00-24:00"))
    assert calendar.elapsed(berlin(2026, 3, 29), berlin(2026, 3, 30)) == 23 * HOUR
    assert calendar.elapsed(berlin(2026, 10, 25), berlin(2026, 10, 26)) == 25 * HOUR


def test_an_edge_in_the_gap_moves_forward_to_its_end() -> None:
    calendar = WorkingCalendar("Europe/Berlin", week([6], "02:30-04:00"))
    sunday = berlin(2026, 3, 29)
    assert calendar.next_open(sunday) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert calendar.elapsed(sunday, sunday + timedelta(days=1)) == HOUR
    closing = WorkingCalendar("Europe/Berlin", week([6], "01:00-02:30"))
    assert closing.elapsed(sunday, sunday + timedelta(days=1)) == HOUR


def test_a_repeated_edge_opens_on_the_first_and_closes_on_the_second() -> None:
    sunday = berlin(2026, 10, 25)
    opens = WorkingCalendar("Europe/Berlin", week([6], "02:30-04:00"))
    assert opens.next_open(sunday) == berlin(2026, 10, 25, 2, 30)
    assert opens.elapsed(sunday, sunday + timedelta(days=1)) == 2.5 * HOUR
    closes = WorkingCalendar("Europe/Berlin", week([6], "01:00-02:30"))
    assert closes.deadline(sunday, int(2.5 * HOUR)) == berlin(2026, 10, 25, 2, 30, fold=1)


def test_closing_when_the_clock_goes_back_to_the_closing_time_is_the_second_time() -> None:
    """Two o'clock comes twice, an hour apart: it closes on the second, and opens on the first."""
    sunday = berlin(2026, 10, 25)
    closes = WorkingCalendar("Europe/Berlin", week([6], "00:00-02:00"))
    assert closes.elapsed(sunday, sunday + timedelta(days=1)) == 3 * HOUR
    opens = WorkingCalendar("Europe/Berlin", week([6], "02:00-04:00"))
    assert opens.elapsed(sunday, sunday + timedelta(days=1)) == 3 * HOUR


def test_blocks_that_a_repeated_hour_makes_overlap_are_counted_once() -> None:
    calendar = WorkingCalendar("Europe/Berlin", week([6], "01:00-02:15", "02:45-04:00"))
    sunday = berlin(2026, 10, 25)
    assert calendar.elapsed(sunday, sunday + timedelta(days=1)) == 4 * HOUR


def test_midnight_that_occurs_twice_is_counted_once() -> None:
    havana = ZoneInfo("America/Havana")
    calendar = WorkingCalendar("America/Havana", week(EVERY_DAY, "00:00-24:00"))
    start = datetime(2026, 10, 31, tzinfo=havana)
    assert calendar.elapsed(start, datetime(2026, 11, 2, tzinfo=havana)) == 49 * HOUR


def test_holidays_are_local_dates() -> None:
    calendar = WorkingCalendar("Asia/Tokyo", OFFICE_WEEK, frozenset({date(2026, 11, 23)}))
    friday_evening = datetime(2026, 11, 20, 18, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert calendar.deadline(friday_evening, 60) == datetime(
        2026, 11, 24, 9, 1, tzinfo=ZoneInfo("Asia/Tokyo")
    )


def test_leave_is_part_of_a_day_and_need_not_be_in_order() -> None:
    leave = (
        (berlin(2026, 11, 9, 14), berlin(2026, 11, 9, 15)),
        (berlin(2026, 11, 9, 9), berlin(2026, 11, 9, 11)),
        (berlin(2026, 11, 9, 10), berlin(2026, 11, 9, 12)),
    )
    calendar = WorkingCalendar("Europe/Berlin", OFFICE_WEEK, leave=leave)
    assert calendar.elapsed(berlin(2026, 11, 9), berlin(2026, 11, 10)) == 4 * HOUR
    assert calendar.deadline(berlin(2026, 11, 9), 2 * HOUR) == berlin(2026, 11, 9, 14)
    assert not calendar.is_open(berlin(2026, 11, 9, 14, 30))
    assert calendar.is_open(berlin(2026, 11, 9, 15))


def test_round_the_clock_counts_every_second_save_leave() -> None:
    start = berlin(2026, 11, 7, 16)
    away = (start + timedelta(hours=1), start + timedelta(hours=3))
    assert around_the_clock().deadline(start, 90) == start + timedelta(seconds=90)
    assert around_the_clock((away,)).deadline(start, 2 * HOUR) == start + timedelta(hours=4)


def test_a_fraction_of_a_second_is_kept() -> None:
    calendar = WorkingCalendar("Europe/Berlin", OFFICE_WEEK)
    start = berlin(2026, 11, 6, 16, 59, 59) + timedelta(microseconds=250_000)
    deadline = calendar.deadline(start, 1)
    assert deadline == berlin(2026, 11, 9, 9) + timedelta(microseconds=250_000)
    assert calendar.elapsed(start, deadline) == 1


def test_an_early_answer_gives_no_negative_time() -> None:
    calendar = WorkingCalendar("Europe/Berlin", OFFICE_WEEK)
    assert calendar.elapsed(berlin(2026, 11, 9, 12), berlin(2026, 11, 9, 11)) == 0


def test_a_calendar_without_working_time_is_refused() -> None:
    with pytest.raises(NoWorkingTimeError, match="no working time on any weekday"):
        WorkingCalendar("Europe/Berlin", week([], "09:00-17:00"))


def test_leave_without_end_is_an_error_and_not_a_long_search() -> None:
    leave = ((berlin(2026, 1, 1), berlin(2099, 1, 1)),)
    calendar = WorkingCalendar("Europe/Berlin", OFFICE_WEEK, leave=leave)
    with pytest.raises(NoWorkingTimeError, match="not enough working time in zone"):
        calendar.deadline(berlin(2026, 5, 1), 60)


@pytest.mark.parametrize(
    "text", ["17:00-09:00", "09:00", "nine to five", "09:00-24:01", "09:70-10:00", "09:00-09:00"]
)
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        Block.of(text)


def test_bad_calendars_say_what_is_wrong() -> None:
    with pytest.raises(PolicyError, match="overlap"):
        WorkingCalendar("UTC", week(range(5), "09:00-13:00", "12:00-17:00"))
    with pytest.raises(PolicyError, match="Mars/Base"):
        WorkingCalendar("Mars/Base")
    with pytest.raises(PolicyError, match="not after it starts"):
        WorkingCalendar("UTC", leave=((berlin(2026, 2, 1), berlin(2026, 1, 1)),))
    with pytest.raises(ValueError, match="time zone"):
        WorkingCalendar("UTC").deadline(datetime(2026, 1, 1), 5)  # noqa: DTZ001
    with pytest.raises(ValueError, match="before its start"):
        WorkingCalendar("UTC").deadline(datetime(2026, 1, 1, tzinfo=UTC), -1)


def test_equal_calendars_write_themselves_equally() -> None:
    one = WorkingCalendar("UTC", OFFICE_WEEK, frozenset({date(2026, 1, 1), date(2026, 5, 1)}))
    two = WorkingCalendar("UTC", OFFICE_WEEK, frozenset({date(2026, 5, 1), date(2026, 1, 1)}))
    assert one == two
    assert one.canonical() == two.canonical()
