"""Quiet hours: when a message that falls due at night may be sent."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from baton.calendars.working_time import Block, Week, WorkingCalendar
from baton.policy.models import QuietHours

_DAY = 86_400
_WEEKEND = (5, 6)


def not_before(
    quiet: QuietHours | None,
    at: datetime,
    *,
    zone: str | None,
    band: str | None = None,
    trigger: str | None = None,
) -> datetime | None:
    """Return the end of the quiet hours in which `at` (aware) falls, in UTC; None: send at once.

    `zone` is that of the owner; it counts unless the policy names one. Where neither is known
    nothing is quiet: late is worse than loud. `band` and `trigger` are those of the handoff.
    """
    if quiet is None or band in quiet.except_bands or trigger in quiet.except_triggers:
        return None
    where = quiet.zone or zone
    if where is None:
        return None
    waking = waking_hours(quiet, where)
    return None if waking.is_open(at) else waking.next_open(at)


@lru_cache(maxsize=256)
def waking_hours(quiet: QuietHours, zone: str) -> WorkingCalendar:
    """Return the hours in which messages go out, as a calendar: all that is not quiet."""
    first, last = quiet.from_ * 60, quiet.to * 60
    hours = ((last, first),) if first > last else ((0, first), (last, _DAY))
    blocks = tuple(Block(opens, closes) for opens, closes in hours if opens < closes)
    week: Week = tuple(() if quiet.weekends and day in _WEEKEND else blocks for day in range(7))
    return WorkingCalendar(zone, week)
