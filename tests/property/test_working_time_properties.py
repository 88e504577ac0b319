"""Promise 4, over many zones and the years 2020 to 2035."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from baton.calendars.working_time import Block, WorkingCalendar

# Zones by rule of daylight change: hour, half hour (Lord Howe), at midnight (Havana, Beirut, Cairo,
# Santiago, Asunción), interrupted for Ramadan (Casablanca), negative (Dublin), none, odd offsets.
CHANGING = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut",
    "Africa/Cairo", "America/Santiago", "America/Asuncion", "Africa/Casablanca", "Europe/Dublin",
    "Pacific/Auckland", "Pacific/Chatham", "America/St_Johns", "Asia/Tehran", "Asia/Kathmandu",
    "Pacific/Apia", "Atlantic/Azores", "America/Nuuk", "Antarctica/Troll", "Pacific/Kiritimati",
)  # fmt: skip
ZONES = st.one_of(st.sampled_from(CHANGING), st.sampled_from(sorted(available_timezones())))
FIRST, LAST = datetime(2020, 1, 1), datetime(2035, 12, 31)  # noqa: DTZ001 (zone added below)
# The last Sundays of March and October and their neighbours see most daylight changes.
CHANGING_DAYS = st.builds(
    lambda year, month, day, second: (
        datetime(year, month, day, tzinfo=UTC) + timedelta(seconds=second)
    ),
    st.integers(2020, 2035),
    st.sampled_from((3, 4, 9, 10, 11)),
    st.integers(1, 30),
    st.integers(0, 86_400),
)
INSTANTS = st.one_of(st.datetimes(FIRST, LAST, timezones=st.just(UTC)), CHANGING_DAYS)


@st.composite
def days(draw: st.DrawFn) -> tuple[Block, ...]:
    edges = draw(st.lists(st.integers(0, 96), unique=True, max_size=6).map(sorted))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tuple(Block(opens * 900, closes * 900) for opens, closes in pairs)


def _hours(week: Sequence[tuple[Block, ...]]) -> float:
    return sum(block.closes - block.opens for day in week for block in day) / 3600


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """Calendars with three hours a week or more.

    Forty days of work, the most that is asked here, must lie within the look-ahead of ten years.
    """
    blocks = draw(st.lists(days(), min_size=7, max_size=7).filter(lambda week: _hours(week) >= 3))
    closed = draw(st.frozensets(st.dates(date(2020, 1, 1), date(2035, 12, 31)), max_size=8))
    leave = draw(
        st.lists(st.tuples(INSTANTS, st.integers(60, 40 * 86_400)), max_size=4).map(
            lambda parts: tuple((at, at + timedelta(seconds=length)) for at, length in parts)
        )
    )
    return WorkingCalendar(draw(ZONES), tuple(blocks), closed, leave)


@settings(deadline=None, max_examples=300)
@given(calendars(), INSTANTS, st.integers(0, 30 * 86_400))
def test_elapsed_until_the_deadline_is_what_was_asked(
    calendar: WorkingCalendar, start: datetime, seconds: int
) -> None:
    deadline = calendar.deadline(start, seconds)
    assert calendar.elapsed(start, deadline) == seconds
    if seconds:
        assert calendar.elapsed(start, deadline - timedelta(microseconds=1)) == seconds - 1


@settings(deadline=None, max_examples=120)
@given(calendars(), INSTANTS, st.integers(1, 40 * 86_400))
def test_no_earlier_instant_would_do(
    calendar: WorkingCalendar, start: datetime, seconds: int
) -> None:
    """The deadline ends a second of work: it was open right before, and a second less is earlier."""
    deadline = calendar.deadline(start, seconds)
    assert calendar.is_open(deadline - timedelta(microseconds=1))
    assert calendar.deadline(start, seconds - 1) < deadline
    assert calendar.next_open(start) < deadline


@settings(deadline=None, max_examples=100)
@given(ZONES, INSTANTS, st.integers(0, 90 * 86_400))
def test_round_the_clock_counts_every_second_in_every_zone(
    zone: str, start: datetime, seconds: int
) -> None:
    calendar = WorkingCalendar(zone, always=True)
    assert calendar.deadline(start, seconds) == start + timedelta(seconds=seconds)
    assert calendar.elapsed(start, start + timedelta(seconds=seconds)) == seconds


@settings(deadline=None, max_examples=100)
@given(calendars(), INSTANTS, st.integers(1, 20 * 86_400))
def test_leave_only_ever_moves_a_new_deadline_later(
    calendar: WorkingCalendar, start: datetime, seconds: int
) -> None:
    """And what was promised before the leave was entered is a stored instant that nothing moves."""
    without = WorkingCalendar(calendar.zone, calendar.week, calendar.holidays)
    assert without.deadline(start, seconds) <= calendar.deadline(start, seconds)


@settings(deadline=None, max_examples=150)
@given(calendars(), INSTANTS, st.integers(0, 20 * 86_400), st.integers(0, 20 * 86_400))
def test_time_adds_up(calendar: WorkingCalendar, start: datetime, one: int, two: int) -> None:
    start = start.replace(microsecond=0)
    middle, end = start + timedelta(seconds=one), start + timedelta(seconds=one + two)
    whole = calendar.elapsed(start, end)
    parts = calendar.elapsed(start, middle) + calendar.elapsed(middle, end)
    # Leave that ends within a second splits it; each part drops its fraction.
    split = any(at.microsecond for pair in calendar.leave for at in pair)
    assert 0 <= whole - parts <= split
    assert 0 <= whole <= one + two


def _around_a_change(zone: ZoneInfo, near: datetime) -> datetime:
    """Return a moment near the next change of the zone's offset, or `near` if there is none."""
    for hours in range(0, 366 * 24, 6):
        at = near + timedelta(hours=hours)
        later = at + timedelta(hours=6)
        if at.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            return at
    return near


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(CHANGING), st.lists(days(), min_size=7, max_size=7).filter(any), INSTANTS)
def test_blocks_agree_with_the_clock_on_the_wall(
    name: str, blocks: list[tuple[Block, ...]], near: datetime
) -> None:
    """Count quarter hours by the definition of opening and closing, without any fold."""
    zone = ZoneInfo(name)
    centre = _around_a_change(zone, near).replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(minutes=15)
    ticks = [centre - timedelta(days=4) + step * n for n in range(8 * 96)]
    wall = [at.astimezone(zone).replace(tzinfo=None) for at in ticks]
    worked: set[datetime] = set()
    for offset in range(-3, 4):
        day = wall[4 * 96].replace(hour=0, minute=0) + timedelta(days=offset)
        for block in blocks[day.weekday()]:
            opens = next(
                i for i, at in enumerate(wall) if at >= day + timedelta(seconds=block.opens)
            )
            shut = day + timedelta(seconds=block.closes)
            closes = max(i + (at < shut) for i, at in enumerate(wall) if at <= shut)
            worked.update(ticks[opens:closes])
    calendar = WorkingCalendar(name, tuple(blocks))
    inside = [at for at in ticks if centre - timedelta(days=2) <= at < centre + timedelta(days=2)]
    for at in inside:
        assert calendar.is_open(at) == (at in worked), at
    assert calendar.elapsed(inside[0], inside[-1] + step) == 900 * sum(
        at in worked for at in inside
    )
