"""An open handoff whose owner is gone for good: it must end with somebody, whatever the ladder finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from baton.decision.case import Case
from baton.decision.inputs import Handover
from baton.policy.models import RouteRule
from baton.policy.targets import Target, TargetKind
from baton.routing.ladder import Owner, OwnerKind, Route, RouteReason, TraceStep

ASKED_BY_NAME = "asked-by-name"
"""The id of the step for a pool or person that somebody named for this one handing over."""
LAST_RESORT = "last-resort"

Climb = Callable[[Case], Route]


def handed_over(case: Case, handover: Handover, climb: Climb, climb_by_name: Climb) -> Route:
    """Return where a handoff goes that cannot stay: as asked, by the policy, or to its last queue.

    `climb` walks the ladder of a case's policy; `climb_by_name` does so without asking who knows
    the lead. Without an owner only where the policy ends in no queue.
    """
    wish = _wish(handover)
    if wish is None:
        found = climb(case)
    else:
        first = RouteRule(id=ASKED_BY_NAME, to=wish)
        asked = case.policy.model_copy(update={"route": (first, *case.policy.route)})
        found = climb_by_name(replace(case, policy=asked))
    if found.owner is None:
        found = _last_resort(case, found)
    why = TraceStep("handover", handover.because)
    return replace(found, trace=(why, *found.trace))


def _wish(handover: Handover) -> Target | None:
    if handover.pool is not None:
        return Target(kind=TargetKind.POOL, name=handover.pool)
    if handover.person is not None:
        return Target(kind=TargetKind.PERSON, name=handover.person)
    if handover.queue is not None:
        return Target(kind=TargetKind.QUEUE, name=handover.queue)
    return None


def _last_resort(case: Case, found: Route) -> Route:
    """Return the route to the queue that ends the ladder; `found` where it ends in none."""
    for rule in reversed(case.policy.route):
        for target in (rule.if_nobody, rule.to):
            if isinstance(target, Target) and target.kind is TargetKind.QUEUE:
                step = TraceStep(LAST_RESORT, f"queue {target.name}", chosen=True)
                return replace(
                    found,
                    rule_id=rule.id,
                    owner=Owner(OwnerKind.QUEUE, target.name or ""),
                    reason_code=RouteReason.QUEUE,
                    watched_by=rule.watched_by,
                    trace=(*found.trace, step),
                )
    return found
