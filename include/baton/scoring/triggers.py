"""Triggers: events that hand a lead off on their own, whatever its score."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from baton.policy.facts import Facts
from baton.policy.models import Policy, Trigger
from baton.scoring.points import Holds, evaluated


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger and the instant of the event that fired it."""

    trigger: Trigger
    at: datetime


def fired(
    facts: Facts,
    policy: Policy,
    moment: datetime,
    *,
    captured_at: datetime,
    since: datetime | None = None,
    total_milli: int = 0,
    holds: Holds = evaluated,
) -> tuple[Fired, ...]:
    """Return the triggers that fire, strongest first.

    A trigger fires when its condition holds, the score reaches its least score, and its event is
    later than `since`, the newest event that already led to a handoff. The event's instant is the
    fact that the trigger names with `at`; without one it is the capture.
    """
    found: list[Fired] = []
    for trigger in policy.triggers_strongest_first:
        if trigger.min_score_milli is not None and total_milli < trigger.min_score_milli:
            continue
        if not holds(trigger.when, facts, moment):
            continue
        at = _instant(trigger, facts, captured_at)
        if since is None or at > since:
            found.append(Fired(trigger, at))
    return tuple(found)


def _instant(trigger: Trigger, facts: Facts, captured_at: datetime) -> datetime:
    at = facts.get(trigger.at) if trigger.at else None
    return at if isinstance(at, datetime) and at.tzinfo is not None else captured_at
