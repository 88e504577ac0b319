"""Weekly hours in one line, as people type them: ``Mon-Fri 09:00-12:30 13:30-18:00; Sat 10-13``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from baton.policy.calendar_rules import DAYS, TimeBlock, read_week

_EXAMPLE = "write 'Mon-Fri 09:00-12:30 13:30-18:00; Sat 10:00-13:00'"
_HOURS = re.compile(r"\d{1,2}:\d{2}\s*-")


def is_week_text(text: str) -> bool:
    """Tell whether a text gives hours and is not the name of a calendar."""
    return _HOURS.search(text) is not None


def read_hours(value: object) -> object:
    """Turn hours in one line, or a map of days, into blocks; a calendar's name stays as it is.

    Raises ValueError for a part that names no day or no hours.
    """
    if isinstance(value, str) and is_week_text(value):
        return read_week(_days_in(value))
    return read_week(value) if isinstance(value, Mapping) else value


def _days_in(value: str) -> dict[str, list[str]]:
    week: dict[str, list[str]] = {}
    for part in value.split(";"):
        if part.strip():
            days, blocks = _part(part)
            if days in week:
                raise ValueError(f"'{days}' is given twice: {_EXAMPLE}")
            week[days] = blocks
    return week


def _part(text: str) -> tuple[str, list[str]]:
    words = re.sub(r"\s*[-–]\s*", "-", text.strip()).split()
    days, blocks = words[0], words[1:]
    if not blocks or not days[0].isalpha():
        raise ValueError(f"'{text.strip()}' does not name days and hours: {_EXAMPLE}")
    return days, blocks


def week_in_text(week: Mapping[int, Sequence[TimeBlock]]) -> str:
    """Return a week in the line that `read_hours` reads; days of the same hours stand together."""
    stretches: list[tuple[int, int, tuple[TimeBlock, ...]]] = []
    for day in range(7):
        blocks = tuple(sorted(week.get(day, ()), key=lambda block: block.start_minute))
        if stretches and stretches[-1][1] == day - 1 and stretches[-1][2] == blocks:
            stretches[-1] = (stretches[-1][0], day, blocks)
        else:
            stretches.append((day, day, blocks))
    return "; ".join(
        " ".join((_days(first, last), *map(_block, blocks)))
        for first, last, blocks in stretches
        if blocks
    )


def checked_week(week: Mapping[int, Sequence[TimeBlock]]) -> None:
    """Raise ValueError for a week without working time and for hours that overlap."""
    if not any(week.values()):
        raise ValueError(f"no working time at all: {_EXAMPLE}, or name a calendar of the policy")
    for day, blocks in week.items():
        ordered = sorted(blocks, key=lambda block: block.start_minute)
        for earlier, later in pairwise(ordered):
            if later.start_minute < earlier.end_minute:
                raise ValueError(
                    f"on {DAYS[day].title()} {_block(earlier)} and {_block(later)} overlap"
                )


def _days(first: int, last: int) -> str:
    name = DAYS[first].title()
    return name if first == last else f"{name}-{DAYS[last].title()}"


def _block(block: TimeBlock) -> str:
    return f"{_clock(block.start_minute)}-{_clock(block.end_minute)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
