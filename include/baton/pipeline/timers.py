"""Carrying out the timers of leads: no lead stays anywhere for ever.

Timers that ask for a new judgement are not carried out here: `pipeline.qualify` reads and judges
those leads with its next run.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from baton.decision.decision import Decision, Origin
from baton.leads.states import LeadState
from baton.ledger import leads
from baton.ledger.backlog import WAITS_FOR_ROOM
from baton.ledger.engine import transaction
from baton.ledger.judgement_queue import JUDGE_AGAIN
from baton.ledger.leads import LeadRow, StateChange
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.report import StepReport
from baton.policy.models import Policy, Timer, TimerAction

logger = logging.getLogger(__name__)

ALARM_AGAIN = timedelta(days=1)
TRY_AGAIN_AFTER = timedelta(minutes=5)
"""How soon a held lead that could not be taken although there was room is tried again."""


def timer_of(policy: Policy, state: LeadState) -> Timer | None:
    """Return the policy's timer for a state; None for the states that are final."""
    timer: Timer | None = getattr(policy.timers, state.value, None)
    return timer


def state_change(
    policy: Policy,
    lead_id: int,
    after: LeadState,
    *,
    at: datetime,
    cause: str,
    by: str = "baton",
    returns_at: datetime | None = None,
    timer_from: datetime | None = None,
) -> StateChange:
    """Return a move to `after` with the timer that the policy gives that state.

    The timer runs from `timer_from`, or from the move itself. `returns_at` is the date on which a recycled lead comes back; the policy's timer is the net
    beneath it.
    """
    timer = timer_of(policy, after)
    if returns_at is not None:
        when, then = returns_at, "return"
    elif timer is not None:
        begins = timer_from or at
        when, then = begins + timedelta(seconds=timer.after.seconds), timer.then.value
    else:
        return StateChange(lead_id=lead_id, after=after, at=at, cause=cause, by=by)
    return StateChange(
        lead_id=lead_id, after=after, at=at, cause=cause, by=by, timer_at=when, timer_action=then
    )


def held(
    policy: Policy,
    row: LeadRow,
    decision: Decision,
    change: StateChange,
    *,
    now: datetime,
    again: bool,
) -> StateChange:
    """Return a move to `held` with what the lead waits for, and its deadline.

    A lead of an import that waits for room waits as long as the policy lets it, and then stays with
    marketing; all others go to the fallback when the state's timer says so. A deadline that stands
    already is kept: trying again never pushes it back.
    """
    waits = decision.reason_code in WAITS_FOR_ROOM
    timer_at, action = change.timer_at, change.timer_action
    if waits and policy.imports is not None and decision.origin is Origin.IMPORT:
        since = row.state_since if row.state is LeadState.HELD else now
        timer_at = max(now, since + timedelta(seconds=policy.imports.give_up_after.seconds))
        action = TimerAction.NURTURE.value
    elif row.state is LeadState.HELD and row.timer_at is not None and row.timer_at > now:
        kept = row.timer_action == action and timer_at is not None
        timer_at = min(row.timer_at, timer_at) if kept and timer_at is not None else timer_at
    return replace(
        change,
        timer_at=timer_at,
        timer_action=action,
        held_for=decision.reason_code,
        waits_for=decision.route.waits_for if decision.route else None,
        retry_at=now + TRY_AGAIN_AFTER if again else now,
    )


def run_timers(ctx: Context) -> StepReport:
    """Carry out the timers that are due: to nurture, to cold, or an alarm in the log."""
    report = StepReport()
    now = ctx.clock.now()
    with transaction(ctx.engine) as conn:
        due = leads.due_timers(conn, now, but=JUDGE_AGAIN)
        if due:
            policy = active_policy(conn).policy
            leads.set_states(conn, _changes(due, policy, now))
    for row in due:
        report[f"{row.state.value} {row.timer_action}"] += 1
        if row.timer_action not in _TO_NURTURE:
            since = f"{row.state_since:%Y-%m-%d %H:%M}"
            logger.error("lead %s has been '%s' since %s UTC", row.id, row.state.value, since)
    return report


_TO_NURTURE = (TimerAction.NURTURE.value, TimerAction.MARK_COLD.value)


def _changes(due: Sequence[LeadRow], policy: Policy, now: datetime) -> list[StateChange]:
    changes = []
    for row in due:
        if row.timer_action in _TO_NURTURE:
            cause = f"timer:{row.timer_action}"
            changes.append(state_change(policy, row.id, LeadState.NURTURE, at=now, cause=cause))
        else:
            changes.append(
                StateChange(
                    lead_id=row.id,
                    after=row.state,
                    at=now,
                    cause="timer:alarm",
                    by="baton",
                    timer_at=now + ALARM_AGAIN,
                    timer_action=row.timer_action,
                )
            )
    return changes
