"""The terms of a hop: absolute instants, worked out once when it is assigned and never moved.

Three clocks are kept apart. The buyer's runs from the capture, the moment the criteria were met,
whatever we did until then. The rep's runs from the assignment, in the rep's hours. (The system's,
from capture to notification, is measured, not promised here.) Leave entered later, a new policy or
a new calendar do not alter terms that exist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from baton.calendars.working_time import WorkingCalendar
from baton.policy.durations import ClockKind, Duration
from baton.policy.models import Policy, Trigger


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised for one hop. Instants are UTC; None: never.

    `buyer_due` counts the same length from the capture; it is what the buyer was promised and what
    reports show, while `first_touch_due` and the three steps after it hold the owner to account.
    `source` is the key of the policy's `sla` part, `seconds` and `clock` its first touch.
    """

    captured_at: datetime
    assigned_at: datetime
    buyer_due: datetime
    first_touch_due: datetime
    remind_at: datetime | None
    tell_manager_at: datetime | None
    reassign_at: datetime | None
    clock: ClockKind
    seconds: int
    source: str


def born(
    policy: Policy,
    band: str | None,
    *,
    trigger: Trigger | None,
    captured_at: datetime,
    assigned_at: datetime,
    calendar: WorkingCalendar,
) -> Terms | None:
    """Return the terms of a hop assigned now, or None where the policy has none for this lead.

    `calendar` is the owner's. Raises NoWorkingTimeError for an owner who never works again.
    """
    found = policy.sla_for(trigger=trigger, band=band)
    if found is None:
        return None
    source, terms = found

    def due(length: Duration | None, start: datetime = assigned_at) -> datetime | None:
        return None if length is None else deadline(start, length, calendar)

    return Terms(
        captured_at=captured_at,
        assigned_at=assigned_at,
        buyer_due=deadline(captured_at, terms.first_touch, calendar),
        first_touch_due=deadline(assigned_at, terms.first_touch, calendar),
        remind_at=due(terms.remind_at),
        tell_manager_at=due(terms.tell_manager_at),
        reassign_at=due(terms.reassign_at),
        clock=terms.clock,
        seconds=terms.first_touch.seconds,
        source=source,
    )


def with_alarm(terms: Terms, alarm_after: Duration | None, calendar: WorkingCalendar) -> Terms:
    """Return terms whose manager (who watches the queue) is told at `alarm_after`, if that is earlier."""
    if alarm_after is None:
        return terms
    alarm = deadline(terms.assigned_at, alarm_after, calendar)
    told = alarm if terms.tell_manager_at is None else min(alarm, terms.tell_manager_at)
    return replace(terms, tell_manager_at=told)


def deadline(start: datetime, length: Duration, calendar: WorkingCalendar) -> datetime:
    """Return the instant at which `length` has passed since `start`, on the clock it names."""
    if length.kind is ClockKind.WORKING:
        return calendar.deadline(start, length.seconds)
    return start + timedelta(seconds=length.seconds)
