"""The stretch of days that a page looks at: 7, 30 or 90 days, or one's own dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from fastapi import HTTPException

LENGTHS: Final = (7, 30, 90)
LONGEST: Final = 366
"""So many days at most are looked at, however long the stretch that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Days in UTC, both ends included. `chosen`: the length, 0 for dates of one's own.

    `note` says that less is shown than was asked for; empty if not.
    """

    first: date
    last: date
    chosen: int
    note: str = ""

    @property
    def days(self) -> int:
        """Return how many days it has."""
        return (self.last - self.first).days + 1

    @property
    def since(self) -> datetime:
        """Return the instant at which it begins."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """Return the instant at which it ends, which does not belong to it."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)

    @property
    def words(self) -> str:
        """Return it in words: "the last 30 days", "2026-10-01 to 2026-10-31"."""
        return f"the last {self.chosen} days" if self.chosen else f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAsked:
    """What the address asks for, as it is written there."""

    days: str = ""
    since: str = ""
    until: str = ""

    def window(self, now: datetime, *, default: int = 30) -> Window:
        """Return the window. Raises HTTPException 422 for what makes no sense."""
        today = now.astimezone(UTC).date()
        if not self.since and not self.until:
            return _last(today, self._length(default))
        last = min(_day(self.until) or today, today)
        first = _day(self.since) or last - timedelta(days=default - 1)
        if first > last:
            raise HTTPException(422, "The first day lies after the last one, or after today.")
        if (last - first).days < LONGEST:
            return Window(first=first, last=last, chosen=0)
        return Window(
            first=last - timedelta(days=LONGEST - 1),
            last=last,
            chosen=0,
            note=f"At most {LONGEST} days are shown: the last of those you asked for.",
        )

    def _length(self, default: int) -> int:
        if not self.days:
            return default
        if self.days not in {str(length) for length in LENGTHS}:
            raise HTTPException(422, "Choose 7, 30 or 90 days, or dates of your own.")
        return int(self.days)


def _last(today: date, length: int) -> Window:
    return Window(first=today - timedelta(days=length - 1), last=today, chosen=length)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise HTTPException(422, "A day is written as 2026-11-20.") from None
