"""Working time: deadlines and elapsed seconds over hours, zones, breaks, holidays and leave.

The rule that everything here obeys: ``elapsed(start, deadline(start, d)) == d``, and the deadline
is the earliest instant for which that holds.

A block of hours is written in local time, its seconds are absolute. With ``local(x)`` for what
the clock on the wall shows at the instant ``x``, a block opens at the first instant with
``local(x) >= opens`` and closes at the last one with ``local(x) <= closes``, which is no working
time any more. So an edge that falls into the gap of a daylight change moves forward to the end of
the gap, an edge that occurs twice opens on the first and closes on the second occurrence (02:00
too, where the clock goes from 03:00 back to 02:00), and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from baton.errors import PolicyError

SECONDS_A_DAY = 86_400
LOOK_AHEAD_DAYS = 3_660
"""How far a deadline may lie ahead: about ten years, then the calendar is called unusable."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_DAY_US = SECONDS_A_DAY * _SECOND_US
_LAST_ORDINAL = date.max.toordinal() - 2
# A local day may begin the day before or end the day after the UTC day of the same date; one
# more day because a closing edge at midnight that occurs twice reaches into the next local day.
_DAYS_BEFORE, _DAYS_AFTER = 2, 1

Span = tuple[int, int]


class NoWorkingTimeError(PolicyError):
    """A calendar has no working time, or none within the look-ahead."""


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """Hours of one weekday in local time, as seconds since midnight; `closes` may be 24:00."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= SECONDS_A_DAY:
            raise PolicyError(
                f"hours from {_clock(self.opens)} to {_clock(self.closes)} are not a block of a day",
                hint="write a block that ends after it starts, at the latest at 24:00; "
                "split hours that pass midnight into two days",
            )

    @classmethod
    def of(cls, text: str) -> Self:
        """Read "09:00-17:30" (24:00 is the end of the day); PolicyError if it is not that."""
        opens, dash, closes = text.replace("–", "-").partition("-")
        if not dash:
            raise PolicyError(f"hours '{text}' are not understood", hint='write "09:00-17:00"')
        return cls(_seconds(opens, text), _seconds(closes, text))

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


Week = tuple[tuple[Block, ...], ...]
"""Blocks of each weekday, Monday first; seven entries."""


def week(days: Iterable[int], *blocks: str) -> Week:
    """Return a week with the same blocks on each of `days` (0 is Monday)."""
    wanted = set(days)
    hours = tuple(Block.of(text) for text in blocks)
    return tuple(hours if day in wanted else () for day in range(7))


OFFICE_WEEK: Week = ((Block(9 * 3600, 17 * 3600),),) * 5 + ((), ())
"""Monday to Friday, nine to five."""


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """When somebody works.

    `week` holds seven tuples of blocks, Monday first, in the local time of `zone`. `holidays` are
    local dates without work. `leave` are pairs of instants (from, until). `always` means 24×7:
    week and holidays are not looked at, leave still counts. Raises PolicyError for an unknown
    zone, overlapping blocks, leave that ends before it starts, naive instants, and
    NoWorkingTimeError for a week without any block.
    """

    zone: str
    week: Week = OFFICE_WEEK
    holidays: frozenset[date] = frozenset()
    leave: tuple[tuple[datetime, datetime], ...] = ()
    always: bool = False
    _info: ZoneInfo = field(init=False, repr=False, compare=False)
    _away: tuple[Span, ...] = field(init=False, repr=False, compare=False)
    _days: dict[int, tuple[Span, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_info", _zone(self.zone))
        object.__setattr__(self, "_away", _merged(_leave_span(pair) for pair in self.leave))
        object.__setattr__(self, "week", _checked_week(self.week))
        if not self.always and not any(self.week):
            raise NoWorkingTimeError(
                f"the calendar in zone '{self.zone}' has no working time on any weekday",
                hint="give it at least one block of hours, or make it 24x7",
            )

    def deadline(self, start: datetime, seconds: int) -> datetime:
        """Return the earliest instant with `seconds` of working time since `start`.

        Zero seconds give `start` itself. Raises ValueError for a negative number and
        NoWorkingTimeError where the deadline lies beyond the look-ahead of ten years.
        """
        if seconds < 0:
            raise ValueError("a deadline cannot lie before its start")
        cursor = _micros(start)
        left = seconds * _SECOND_US
        if left == 0:
            return _instant(cursor)
        for opens, closes in self._spans_from(cursor):
            begin = max(opens, cursor)
            if closes - begin >= left:
                return _instant(begin + left)
            if closes > begin:
                left -= closes - begin
                cursor = closes
        raise self._nothing_ahead(start)

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Return whole seconds of working time in [start, end); zero if `end` is not later."""
        cursor, until = _micros(start), _micros(end)
        total = 0
        if until <= cursor:
            return 0
        last_day = until // _DAY_US + _EPOCH_ORDINAL + _DAYS_AFTER
        for opens, closes in self._spans_from(cursor, last_day):
            begin, end_of_work = max(opens, cursor), min(closes, until)
            if end_of_work > begin:
                total += end_of_work - begin
                cursor = end_of_work
        return total // _SECOND_US

    def is_open(self, at: datetime) -> bool:
        """Tell whether `at` is working time; a block's closing edge is not."""
        moment = _micros(at)
        last_day = moment // _DAY_US + _EPOCH_ORDINAL + _DAYS_AFTER
        return any(opens <= moment < closes for opens, closes in self._spans_from(moment, last_day))

    def next_open(self, at: datetime) -> datetime:
        """Return the earliest working instant not before `at`; NoWorkingTimeError if none."""
        moment = _micros(at)
        for opens, closes in self._spans_from(moment):
            if closes > max(opens, moment):
                return _instant(max(opens, moment))
        raise self._nothing_ahead(at)

    def canonical(self) -> dict[str, object]:
        """Return the calendar as plain JSON values, the same for equal calendars."""
        return {
            "always": self.always,
            "holidays": sorted(day.isoformat() for day in self.holidays),
            "leave": [[_instant(a).isoformat(), _instant(b).isoformat()] for a, b in self._away],
            "week": [[str(block) for block in blocks] for blocks in self.week],
            "zone": self.zone,
        }

    def _nothing_ahead(self, start: datetime) -> NoWorkingTimeError:
        return NoWorkingTimeError(
            f"not enough working time in zone '{self.zone}' within {LOOK_AHEAD_DAYS} days "
            f"after {start.isoformat()}",
            hint="check hours, holidays and leave of this calendar",
        )

    def _spans_from(self, moment: int, last_day: int | None = None) -> Iterator[Span]:
        """Yield working spans in order of their start, from about `moment` on.

        Spans of neighbouring days may overlap by a repeated hour; callers keep a cursor.
        """
        if self.always:
            yield from _without((moment, moment + LOOK_AHEAD_DAYS * _DAY_US), self._away)
            return
        day = moment // _DAY_US + _EPOCH_ORDINAL
        last = min(_LAST_ORDINAL, day + LOOK_AHEAD_DAYS if last_day is None else last_day)
        for ordinal in range(max(2, day - _DAYS_BEFORE), last + 1):
            spans = self._days.get(ordinal)
            if spans is None:
                spans = self._days[ordinal] = self._day(ordinal)
            for span in spans:
                if span[1] > moment:
                    yield span

    def _day(self, ordinal: int) -> tuple[Span, ...]:
        day = date.fromordinal(ordinal)
        if day in self.holidays:
            return ()
        spans: list[Span] = []
        for block in self.week[day.weekday()]:
            opens, closes = self._edge(day, block.opens)[0], self._edge(day, block.closes)[1]
            if closes > opens:
                spans.extend(_without((opens, closes), self._away))
        return tuple(spans)

    def _edge(self, day: date, second: int) -> Span:
        """Return the instants at which an edge opens and at which it closes."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._info)
        # Sums within a zone are sums on the wall: this is the local time `second` after midnight.
        local = midnight + timedelta(seconds=second)
        first = _micros(local.replace(fold=0))
        second_time = _micros(local.replace(fold=1))
        if first <= second_time:
            return first, second_time
        end = self._gap_end(second_time, first)
        return end, end

    def _gap_end(self, before: int, after: int) -> int:
        """Return the instant of the daylight change that lies in (before, after]."""
        offset = _instant(before).astimezone(self._info).utcoffset()
        while after - before > 1:
            middle = (before + after) // 2
            if _instant(middle).astimezone(self._info).utcoffset() == offset:
                before = middle
            else:
                after = middle
        return after


def around_the_clock(leave: tuple[tuple[datetime, datetime], ...] = ()) -> WorkingCalendar:
    """Return the calendar that is always open, save for `leave`."""
    return WorkingCalendar("UTC", leave=leave, always=True)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PolicyError(
            f"the time zone '{name}' is not known",
            hint='use a name of the zone database, such as "Europe/Berlin"',
        ) from error


def _checked_week(blocks: Week) -> Week:
    if len(blocks) != 7:
        raise PolicyError(f"a week has seven days, this one has {len(blocks)}")
    days = tuple(tuple(sorted(day)) for day in blocks)
    for day in days:
        for earlier, later in pairwise(day):
            if later.opens < earlier.closes:
                raise PolicyError(
                    f"the hours {earlier} and {later} of one day overlap",
                    hint="write them as one block, or with a break between them",
                )
    return days


def _leave_span(pair: tuple[datetime, datetime]) -> Span:
    start, end = _micros(pair[0]), _micros(pair[1])
    if end <= start:
        raise PolicyError(
            f"leave from {pair[0].isoformat()} ends at {pair[1].isoformat()}, not after it starts"
        )
    return start, end


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _without(span: Span, away: tuple[Span, ...]) -> Iterator[Span]:
    """Yield the parts of `span` that no span of `away` (sorted, disjoint) covers."""
    cursor, end = span
    for start, until in away:
        if until <= cursor:
            continue
        if start >= end:
            break
        if start > cursor:
            yield cursor, start
        cursor = until
    if cursor < end:
        yield cursor, end


def _micros(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("an instant must carry its time zone")
    return (at.astimezone(UTC) - _EPOCH) // _MICROSECOND


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _seconds(text: str, whole: str) -> int:
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise PolicyError(f"hours '{whole}' are not understood", hint='write "09:00-17:00"')
    return int(hours) * 3600 + int(minutes) * 60


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"
