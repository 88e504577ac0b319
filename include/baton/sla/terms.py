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
    `buyer_due` is None where no buyer waits (an imported list). `kept_at`: when the promise was
    kept already as the hop was born, because the buyer has a meeting with the owner; nothing falls
    due then.
    """

    captured_at: datetime
    assigned_at: datetime
    buyer_due: datetime | None
    first_touch_due: datetime
    remind_at: datetime | None
    tell_manager_at: datetime | None
    reassign_at: datetime | None
    clock: ClockKind
    seconds: int
    source: str
    kept_at: datetime | None = None


def born(
    policy: Policy,
    band: str | None,
    *,
    trigger: Trigger | None,
    captured_at: datetime,
    assigned_at: datetime,
    calendar: WorkingCalendar,
    source: tuple[str | None] | None = None,
) -> Terms | None:
    """Return the terms of a hop assigned now, or None where the policy has none for this lead.

    `calendar` is the owner's. `source` names the clock instead of trigger and band: (None,) is
    none at all. Raises NoWorkingTimeError for an owner who never works again.
    """
    found = (
        policy.sla_for(trigger=trigger, band=band)
        if source is None
        else policy.sla_for(trigger=None, band=source[0])
    )
    if found is None:
        return None
    key, terms = found

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
        source=key,
    )


def of_import(terms: Terms) -> Terms:
    """Return the terms of a lead that asked for nothing: nobody was promised an answer."""
    return replace(terms, buyer_due=None)


def of_test(terms: Terms) -> Terms:
    """Return the terms of a colleague's test: it stays with whoever tries the chain."""
    return replace(terms, reassign_at=None)


def staying(terms: Terms) -> Terms:
    """Return the terms of a hop whose lead is never taken away: the manager is told instead."""
    told = terms.reassign_at if terms.tell_manager_at is None else terms.tell_manager_at
    return replace(terms, reassign_at=None, tell_manager_at=told)


def kept_by(terms: Terms, moment: datetime) -> Terms:
    """Return the terms of a hop whose owner the buyer will meet: the promise is kept."""
    return replace(terms, kept_at=moment)


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
