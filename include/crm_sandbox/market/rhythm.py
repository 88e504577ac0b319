"""How fast people act: in working hours of their own zone, or at the pace of a demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from crm_sandbox.market.randomness import lognormal
from crm_sandbox.market.staff import Person
from crm_sandbox.market.working_hours import WorkingHours


class Rhythm(Protocol):
    """Turns the wishes of a plan into instants."""

    def first(self, rng: Random, start: datetime, *, hot: bool) -> datetime | None:
        """When somebody first looks at a task that came at `start`; None for never."""

    def minutes(self, start: datetime, minutes: float) -> datetime:
        """After some minutes of work."""

    def days(self, rng: Random, start: datetime, span: tuple[float, float]) -> datetime:
        """Between `span` days later, while at work."""


class OfficeRhythm:
    """History: delays pass in the person's working hours."""

    def __init__(self, person: Person, hours: WorkingHours) -> None:
        """The rhythm of one person."""
        self._habits = person.habits
        self._hours = hours

    def first(self, rng: Random, start: datetime, *, hot: bool) -> datetime | None:
        """Hot tasks mostly within minutes, with a long tail; others mostly within hours."""
        never, off_hours = rng.random(), rng.random()
        wait = lognormal(rng, 9.0, 1.1) if hot else lognormal(rng, 75.0, 1.2)
        wait = max(0.5, wait * self._habits.pace)
        if never < self._habits.never * (1 if hot else 2):
            return None
        if hot and off_hours < self._habits.off_hours and not self._hours.open_at(start):
            return (start + timedelta(minutes=wait + 5)).replace(microsecond=0)
        return self._hours.after(start, timedelta(minutes=wait))

    def minutes(self, start: datetime, minutes: float) -> datetime:
        """Working minutes; somebody who answers at night goes on next morning."""
        return self._hours.after(start, timedelta(minutes=minutes * self._habits.pace**0.5))

    def days(self, rng: Random, start: datetime, span: tuple[float, float]) -> datetime:
        """Calendar days, then the next half hour or more at work."""
        later = start + timedelta(days=rng.uniform(*span))
        return self._hours.after(later, timedelta(minutes=rng.uniform(5, 200)))


class DemoRhythm:
    """Live: everybody is at work, seconds stand for minutes, a day lasts some seconds."""

    SECONDS_A_DAY = 12.0

    def __init__(self, person: Person) -> None:
        """The rhythm of one person; who is slow in the office is slow here."""
        self._pace = person.habits.pace
        self._never = person.habits.never

    def first(self, rng: Random, start: datetime, *, hot: bool) -> datetime | None:
        """Within seconds to a minute; some never."""
        never, wait = rng.random(), lognormal(rng, 9.0 if hot else 18.0, 0.6)
        if never < self._never:
            return None
        return start + timedelta(seconds=min(60.0, max(3.0, wait * self._pace**0.5)))

    def minutes(self, start: datetime, minutes: float) -> datetime:
        """Half a second for a minute, twenty seconds at most."""
        return start + timedelta(seconds=min(20.0, max(1.0, minutes * 0.5)))

    def days(self, rng: Random, start: datetime, span: tuple[float, float]) -> datetime:
        """Some seconds for a day."""
        return start + timedelta(seconds=rng.uniform(*span) * self.SECONDS_A_DAY)
