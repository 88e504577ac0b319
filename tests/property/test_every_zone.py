"""Promise 4 at every daylight change of every zone from 2020 to 2035, against plain arithmetic.

The calendar reads folds of the time zone database. Here nothing of that is used: around a change at
the instant T, from `before` to `after` seconds east of UTC, the clock on the wall shows x + before
until T and x + after from T on; opening and closing follow from their definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from baton.calendars.working_time import Block, WorkingCalendar

FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
HOUR = 3600
STEP = timedelta(days=5)
"""Two changes of one zone are never nearer: the nearest are some weeks apart, around Ramadan."""
Change = tuple[int, int, int]
"""Instant in seconds since 1970, offset before and after in seconds."""
Span = tuple[int, int]


def changes_of(name: str) -> tuple[Change, ...]:
    """Every change of a zone's offset, found by asking every few days and then halving."""
    zone, found = ZoneInfo(name), []
    at, offset = FIRST, _offset(zone, FIRST)
    while at < LAST:
        following = at + STEP
        then = _offset(zone, following)
        if then != offset:
            found.append((_halved(zone, at, following, offset), offset, then))
        at, offset = following, then
    return tuple(found)


def _halved(zone: ZoneInfo, low: datetime, high: datetime, offset: int) -> int:
    early, late = int(low.timestamp()), int(high.timestamp())
    while late - early > 1:
        middle = (early + late) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == offset:
            early = middle
        else:
            late = middle
    return late


def _offset(zone: ZoneInfo, at: datetime) -> int:
    shift = at.astimezone(zone).utcoffset()
    assert shift is not None
    return int(shift.total_seconds())


@cache
def kinds_of_zone() -> dict[tuple[Change, ...], str]:
    """One zone for every different sequence of changes; a zone without any has its offset."""
    found: dict[tuple[Change, ...], str] = {}
    for name in sorted(available_timezones()):
        offset = _offset(ZoneInfo(name), FIRST)
        fixed = ((int(FIRST.timestamp()) + 30 * 86_400, offset, offset),)
        found.setdefault(changes_of(name) or fixed, name)
    return found


def weeks_around(change: Change) -> Iterator[tuple[Block, ...]]:
    """Blocks whose edges lie before, in and after the hour that is skipped or repeated."""
    at, before, after = change
    low, high = sorted(((at + before) % 86_400, (at + after) % 86_400))
    middle = (low + high) // 2 // 60 * 60
    edges = sorted({middle, low, high, (middle + 900) % 86_400} - {0})
    yield (Block(0, 86_400),)
    for edge in edges:
        yield (Block(0, edge),)
        yield (Block(edge, 86_400),)
    yield tuple(Block(a, b) for a, b in zip([0, *edges], [*edges, 86_400], strict=True))[::2]


def expected_spans(change: Change, blocks: tuple[Block, ...]) -> list[Span]:
    """Working time of some days around a change, by the definition of opening and closing."""
    at, before, after = change
    today = (at + before) // 86_400
    spans = []
    for day in range(today - 4, today + 5):
        for block in blocks:
            opens, closes = day * 86_400 + block.opens, day * 86_400 + block.closes
            first = opens - before if opens - before < at else max(at, opens - after)
            last = closes - after if closes - after >= at else min(at, closes - before)
            if last > first:
                spans.append((first, last))
    return merged(spans)


def merged(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def check(name: str, change: Change, blocks: tuple[Block, ...]) -> None:
    calendar = WorkingCalendar(name, (blocks,) * 7)
    low, high = change[0] - 2 * 86_400, change[0] + 2 * 86_400
    spans = [(max(a, low), min(b, high)) for a, b in expected_spans(change, blocks) if b > low]
    spans = [(a, b) for a, b in spans if b > a]
    where = f"{name} {datetime.fromtimestamp(change[0], UTC)} {[str(block) for block in blocks]}"
    start, worked = datetime.fromtimestamp(low, UTC), 0
    assert calendar.elapsed(start, datetime.fromtimestamp(high, UTC)) == sum(
        b - a for a, b in spans
    ), where
    for opens, closes in spans:
        opening, closing = (datetime.fromtimestamp(edge, UTC) for edge in (opens, closes))
        assert calendar.is_open(opening), where
        assert calendar.is_open(closing - timedelta(microseconds=1)), where
        assert opens == low or not calendar.is_open(opening - timedelta(microseconds=1)), where
        assert closes == high or not calendar.is_open(closing), where
        assert calendar.deadline(start, worked + 1) == opening + timedelta(seconds=1), where
        worked += closes - opens
        assert calendar.deadline(start, worked) == closing, where
        assert calendar.elapsed(start, closing) == worked, where


def test_every_zone_is_looked_at() -> None:
    kinds = kinds_of_zone()
    assert len(available_timezones()) > 400
    assert len(kinds) > 60, "different sequences of changes"
    assert sum(len(changes) for changes in kinds) > 1_000


@pytest.mark.parametrize("part", range(4))
def test_hours_agree_with_the_definition_at_every_change_of_every_zone(part: int) -> None:
    for changes, name in list(kinds_of_zone().items())[part::4]:
        for number, change in enumerate(changes):
            patterns = list(weeks_around(change))
            # The rules of a zone recur: each year takes its turn at the patterns, the first has all.
            chosen = patterns if number < 2 else patterns[number % 3 :: 3]
            for blocks in chosen:
                check(name, change, blocks)


def test_the_arithmetic_knows_the_two_cases() -> None:
    """Berlin, 29 March 2026: 02:30 does not exist; 25 October 2026: it exists twice."""
    spring = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())
    assert (spring, spring + HOUR) in expected_spans(
        (spring, HOUR, 2 * HOUR), (Block(9_000, 4 * HOUR),)
    )
    autumn = int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp())
    (span,) = (
        one
        for one in expected_spans((autumn, 2 * HOUR, HOUR), (Block(9_000, 4 * HOUR),))
        if one[0] <= autumn <= one[1]
    )
    assert span == (autumn - 1_800, autumn + 2 * HOUR)
    assert date(2026, 10, 25).weekday() == 6
