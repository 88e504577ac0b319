"""Touches: evidence that a human worked a lead, graded by how strong it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class TouchKind(StrEnum):
    """What was seen in the CRM."""

    MEETING = "meeting"
    CALL = "call"
    EMAIL = "email"
    MESSAGE = "message"
    COMPLETED_TASK = "completed_task"
    AUTOMATIC_EMAIL = "automatic_email"
    STATUS_CHANGE = "status_change"


class Grade(IntEnum):
    """How strongly a touch shows that a human worked the lead. NONE does not stop a clock."""

    NONE = 0
    WEAK = 1
    FAIR = 2
    STRONG = 3


_GRADES = {
    TouchKind.MEETING: Grade.STRONG,
    TouchKind.CALL: Grade.STRONG,
    TouchKind.EMAIL: Grade.FAIR,
    TouchKind.MESSAGE: Grade.FAIR,
    TouchKind.COMPLETED_TASK: Grade.WEAK,
    # A machine's mail and a changed picklist value are no contact: they would stop clocks unearned.
    TouchKind.AUTOMATIC_EMAIL: Grade.NONE,
    TouchKind.STATUS_CHANGE: Grade.NONE,
}


def grade_of(kind: TouchKind, *, by_human: bool = True) -> Grade:
    """Return the grade of a touch; whatever a machine did has none."""
    return _GRADES[kind] if by_human else Grade.NONE


@dataclass(frozen=True, slots=True)
class Touch:
    """One touch: when, what, how strong, by whom (e-mail of a user) if known."""

    at: datetime
    kind: TouchKind
    grade: Grade
    by_whom: str | None = None

    @property
    def counts(self) -> bool:
        """Tell whether it stops a clock and counts as work."""
        return self.grade > Grade.NONE


def first_human_touch(touches: Iterable[Touch], since: datetime) -> Touch | None:
    """Return the earliest touch that counts and is not before `since`."""
    counted = [touch for touch in touches if touch.counts and touch.at >= since]
    return min(counted, key=lambda touch: touch.at, default=None)
