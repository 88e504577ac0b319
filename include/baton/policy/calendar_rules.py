"""Working hours as the policy and the roster write them: blocks of a week, holidays, zone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, field_validator, model_validator
from pydantic import Field as Setting

from baton.policy.actions import PolicyModel
from baton.policy.holiday_places import known_place

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OWNERS_ZONE = {"owner", "owner's", "owner’s"}
_TIME = re.compile(r"\s*(\d{1,2}):(\d{2})\s*")
_TIMES = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")


class TimeBlock(PolicyModel):
    """Part of a day, in local minutes since midnight; `end_minute` may be 1440."""

    start_minute: int
    end_minute: int

    @property
    def minutes(self) -> int:
        """Return its length in minutes, by the clock on the wall."""
        return self.end_minute - self.start_minute


def read_block(value: object) -> object:
    """Turn ``09:00-17:30`` into a block. Raises ValueError when it is none or is empty."""
    if not isinstance(value, str):
        return value
    match = _TIMES.fullmatch(value)
    if match is None:
        raise ValueError(f"'{value}' is not a part of a day: write '09:00-17:30'")
    start_hour, start_minute, end_hour, end_minute = (int(part) for part in match.groups())
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if max(start_minute, end_minute) > 59 or not 0 <= start < end <= 1440:
        raise ValueError(
            f"'{value}' must begin before it ends, between 00:00 and 24:00; "
            "split hours over midnight into two days"
        )
    return {"start_minute": start, "end_minute": end}


def read_minute(value: object) -> object:
    """Turn ``20:00`` into minutes since midnight. Raises ValueError for anything else."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f"'{value}' is not a time of day: write '20:00', in quotes")
    return int(match[1]) * 60 + int(match[2])


def read_zone(value: object) -> object:
    """Turn a zone, or ``owner's`` (None), into itself. Raises ValueError for an unknown zone."""
    if not isinstance(value, str):
        return value
    return None if value.strip().lower() in _OWNERS_ZONE else known_zone(value)


def read_week(value: object) -> object:
    """Turn ``{Mon-Fri: [09:00-12:30, 13:30-18:00]}`` into blocks by weekday (Monday is 0)."""
    if not isinstance(value, Mapping):
        return value
    week: dict[int, list[object]] = {}
    for days, blocks in value.items():
        parts = blocks if isinstance(blocks, Sequence) and not isinstance(blocks, str) else [blocks]
        for day in _days(days):
            if day in week:
                raise ValueError(f"{DAYS[day].title()} is given twice")
            week[day] = [read_block(part) for part in parts]
    return week


def _days(text: object) -> list[int]:
    # JSON has no whole numbers as keys: the ledger gives them back as texts.
    if str(text) in {"0", "1", "2", "3", "4", "5", "6"}:
        return [int(str(text))]
    ends = [part.strip().lower()[:3] for part in str(text).split("-")]
    if len(ends) > 2 or any(end not in DAYS for end in ends):
        raise ValueError(f"'{text}' is not a day or a stretch of days: write 'Mon' or 'Mon-Fri'")
    first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
    if first > last:
        raise ValueError(f"'{text}' runs backwards: a stretch of days begins at the earlier one")
    return list(range(first, last + 1))


Week = Annotated[Mapping[int, tuple[TimeBlock, ...]], BeforeValidator(read_week)]


class CalendarRule(PolicyModel):
    """Working hours. `zone` None: that of the person. `holidays`: ISO country of the public ones,
    or one of its parts ("DE-BY").

    `always`: round the clock, every day. Without `always` there must be some working time.
    """

    name: str
    always: bool = False
    zone: str | None = None
    week: Week = Setting(default_factory=dict)
    holidays: str | None = None
    closed_on: tuple[date, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return zone if zone is None else known_zone(zone)

    @field_validator("holidays")
    @classmethod
    def _known_place(cls, place: str | None) -> str | None:
        return place if place is None else known_place(place)

    @model_validator(mode="after")
    def _has_working_time(self) -> CalendarRule:
        if not self.always and not any(self.week.values()):
            raise ValueError("no working time at all: give it a week, or always: true")
        for day, blocks in self.week.items():
            ordered = sorted(blocks, key=lambda block: block.start_minute)
            for earlier, later in pairwise(ordered):
                if later.start_minute < earlier.end_minute:
                    raise ValueError(f"on {DAYS[day].title()} two working blocks overlap")
        return self


def known_zone(zone: str) -> str:
    """Return the zone if the time zone database has it; ValueError otherwise."""
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"'{zone}' is not a time zone: write, for example, Europe/Berlin"
        ) from error
    return zone
