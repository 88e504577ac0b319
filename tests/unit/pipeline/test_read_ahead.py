"""Reading ahead: in order, one item further, errors in their place, in the right lane."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, current_thread, main_thread

import pytest

from baton.pipeline.intake.ahead import read_ahead
from baton.transport import Lane, current_lane, in_lane

LONG = 20.0
"""Seconds that nothing takes: whoever waits so long has waited in vain."""


def test_the_next_is_read_while_this_one_is_worked_on() -> None:
    second_read = Event()

    def source() -> Iterator[int]:
        yield 1
        second_read.set()
        yield 2

    got = []
    for item in read_ahead(source()):
        if item == 1:
            assert second_read.wait(LONG), "the second is read only after the first"
        got.append(item)
    assert got == [1, 2]


def test_no_more_than_one_item_is_read_ahead() -> None:
    read: list[int] = []

    def source() -> Iterator[int]:
        for number in range(5):
            assert current_thread() is not main_thread()
            read.append(number)
            yield number

    ahead = read_ahead(source())
    assert next(ahead) == 0
    ahead.close()  # type: ignore[attr-defined]  # an iterator that is a generator

    assert read == [0, 1]


def test_an_error_is_raised_after_what_was_read_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise ConnectionError("gone")

    got: list[int] = []
    with pytest.raises(ConnectionError, match="gone"):
        got.extend(read_ahead(source()))
    assert got == [1, 2]


def test_items_that_are_empty_do_not_end_it() -> None:
    assert list(read_ahead([[], [1], [], None])) == [[], [1], [], None]
    assert list(read_ahead(())) == []


def test_it_reads_in_the_lane_of_whoever_asks() -> None:
    lanes = (current_lane() for _ in range(3))
    with in_lane(Lane.BACKGROUND):
        assert list(read_ahead(lanes)) == [Lane.BACKGROUND] * 3
    assert current_lane() is Lane.NORMAL
