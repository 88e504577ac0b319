"""Lengths of time as people write them: ``5 working minutes``, ``3 minutes``, ``90 days``.

A *working* length counts only the hours in which its owner works; a *wall* length counts every
second. Lengths are whole seconds. A day is 24 hours; ``working days`` are refused, because their
length depends on the calendar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_DURATION = re.compile(
    r"\s*(?P<count>\d{1,9})\s+(?:(?P<kind>working|wall)\s+)?(?P<unit>second|minute|hour|day|week)s?\s*",
    re.IGNORECASE,
)
LONGEST_SECONDS = 20 * 366 * 86400


class ClockKind(StrEnum):
    """Which seconds count."""

    WORKING = "working"
    WALL = "wall"


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in whole seconds, and the clock on which it is counted.

    `said` tells whether the text named the clock ("5 working minutes") or left it open
    ("3 minutes", which counts as wall time unless its surroundings say otherwise).
    """

    seconds: int
    kind: ClockKind = ClockKind.WALL
    said: bool = False

    @property
    def days(self) -> int:
        """Return the length in whole days, rounded down."""
        return self.seconds // 86400

    def on(self, kind: ClockKind) -> Duration:
        """Return this length counted on `kind`, unless its text named its clock itself."""
        return self if self.said else Duration(self.seconds, kind)

    def __str__(self) -> str:
        """Return the length as a person would write it, in its largest whole unit.

        Working time is never told in days: how long one is depends on who works.
        """
        units = [*_UNITS][:3] if self.kind is ClockKind.WORKING else [*_UNITS]
        unit = next(name for name in reversed(units) if self.seconds % _UNITS[name] == 0)
        count = self.seconds // _UNITS[unit]
        clock = "working " if self.kind is ClockKind.WORKING else ""
        return f"{count} {clock}{unit}{'' if count == 1 else 's'}"


def parse_duration(value: object) -> Duration:
    """Read a length such as ``5 working minutes``. Raises ValueError with a mend in its text."""
    if isinstance(value, Duration):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            f"'{value}' is not a length of time; write a number and a unit, "
            "for example '5 working minutes' or '90 days'"
        )
    unit, kind = match["unit"].lower(), (match["kind"] or "").lower()
    if kind == ClockKind.WORKING and unit in {"day", "week"}:
        raise ValueError(
            f"'{value}' depends on how long a working day is; write it in working hours"
        )
    seconds = int(match["count"]) * _UNITS[unit]
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"'{value}' must be longer than nothing and shorter than twenty years")
    return Duration(seconds, ClockKind(kind) if kind else ClockKind.WALL, bool(kind))


def parse_duration_or_never(value: object) -> Duration | None:
    """Read a length, or ``never`` (also an absent value), which is None."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "never"):
        return None
    return parse_duration(value)
