"""When somebody is at work: hours of their own zone, weekends, public holidays, absences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from crm_sandbox.market.staff import Person

_FAR = 400


@cache
def _public_holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


class WorkingHours:
    """The working time of one person."""

    def __init__(self, person: Person, opened: datetime) -> None:
        """`opened` is the first instant of the market, from which absences are counted."""
        self._person = person
        self._zone = ZoneInfo(person.zone)
        away = person.habits.away_days
        self._away: tuple[date, date] | None = None
        if away is not None:
            first = opened.astimezone(self._zone).date()
            self._away = (first + timedelta(days=away[0]), first + timedelta(days=away[1]))

    def after(self, start: datetime, work: timedelta) -> datetime:
        """The instant at which `work` of working time has passed since `start`, in UTC."""
        left = work
        for opens, ends in self._blocks(start):
            begins = max(opens, start)
            if ends - begins > left:
                return _whole(begins + left)
            left -= ends - begins
        return _whole(start + timedelta(days=_FAR))

    def open_at(self, at: datetime) -> bool:
        """Whether the person is at work at that instant."""
        begins, ends = next(self._blocks(at))
        return begins <= at < ends

    def _blocks(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working days that end after `start`, as spans in UTC."""
        day = start.astimezone(self._zone).date() - timedelta(days=1)
        for _ in range(_FAR):
            day += timedelta(days=1)
            if not self._works(day):
                continue
            habits = self._person.habits
            begins = datetime.combine(day, habits.starts, self._zone).astimezone(UTC)
            ends = datetime.combine(day, habits.ends, self._zone).astimezone(UTC)
            if ends > start:
                yield begins, ends

    def _works(self, day: date) -> bool:
        if day.weekday() >= 5 or day in _public_holidays(self._person.country, day.year):
            return False
        return self._away is None or not self._away[0] <= day < self._away[1]


def _whole(at: datetime) -> datetime:
    """Salesforce keeps whole seconds."""
    return at.replace(microsecond=0)
