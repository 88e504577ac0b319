"""What is due on a hop at an instant: reminder, breach, the manager, reassignment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from baton.sla.terms import Terms
from baton.sla.touches import Touch, first_human_touch


class DueKind(StrEnum):
    """What the clock of a hop asks for."""

    REMIND = "remind"
    BREACH = "breach"
    TELL_MANAGER = "tell_manager"
    REASSIGN = "reassign"


@dataclass(frozen=True, slots=True)
class Due:
    """Something that fell due on a hop, and when it did."""

    kind: DueKind
    due_at: datetime


def evaluate(terms: Terms, touches: Iterable[Touch], now: datetime) -> list[Due]:
    """Return everything that is due at `now`, in the order in which it fell due.

    A first human touch since the capture, at the latest at the deadline, prevents everything; a
    later one leaves the breach on record but prevents reminders, escalation and reassignment from
    then on: a lead is never taken away from somebody who has worked it. What was already acted
    upon is returned again; whoever records it does so once per hop and kind. Nothing ever falls due
    on terms that were kept when they were born.
    """
    if terms.kept_at is not None:
        return []
    touch = first_human_touch(touches, terms.captured_at)
    touched = touch is not None and touch.at <= now
    due: list[Due] = []
    if breached(terms, touch.at if touch else None, now):
        due.append(Due(DueKind.BREACH, terms.first_touch_due))
    if not touched:
        steps = (
            (DueKind.REMIND, terms.remind_at),
            (DueKind.TELL_MANAGER, terms.tell_manager_at),
            (DueKind.REASSIGN, terms.reassign_at),
        )
        due += [Due(kind, at) for kind, at in steps if at is not None and at <= now]
    order = list(DueKind)
    return sorted(due, key=lambda item: (item.due_at, order.index(item.kind)))


def breached(terms: Terms, first_touch_at: datetime | None, now: datetime) -> bool:
    """Tell whether the deadline passed untouched; a touch at the deadline itself is in time."""
    if first_touch_at is not None and first_touch_at <= now:
        return first_touch_at > terms.first_touch_due
    return now > terms.first_touch_due


def next_due_at(terms: Terms, now: datetime) -> datetime | None:
    """Return the next instant after `now` at which something can fall due, or None."""
    instants = (terms.remind_at, terms.first_touch_due, terms.tell_manager_at, terms.reassign_at)
    return min((at for at in instants if at is not None and at > now), default=None)
