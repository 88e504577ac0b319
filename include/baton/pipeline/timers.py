"""Carrying out the timers of leads: no lead stays anywhere for ever.

Timers that ask for a new judgement are not carried out here: `pipeline.qualify` reads and judges
those leads with its next run.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from baton.decision.decision import Decision, HoldReason, Origin
from baton.leads.states import EffectState, LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.leads import cold, leads
from baton.ledger.leads.backlog import WAITS_FOR_ROOM
from baton.ledger.leads.judgement_queue import JUDGE_AGAIN
from baton.ledger.leads.leads import LeadRow, StateChange
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.report import StepReport
from baton.policy.models import Policy, Timer, TimerAction
from baton.settings import Mode

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
    released: Sequence[str] = (),
) -> StateChange:
    """Return a move to `held` with what the lead waits for, and its deadline.

    `released`: what did not hold it any more in this decision. A lead that only waits for its turn
    now carries along what it has waited for long enough, so that this never holds it again.

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
        waits_for=decision.route.waits_for if decision.route else _turn(decision, released),
        retry_at=now + TRY_AGAIN_AFTER if again else now,
    )


STANDING = (HoldReason.BLAST_RADIUS, HoldReason.DRIP)
"""No deadline lifts these: what they hold comes through as the guard and the day's share let it."""
_ONCE_IS_ENOUGH = (HoldReason.AMBIGUOUS_ACCOUNT, HoldReason.ENRICHMENT)
_ITS_TURN = "its turn, past "


def _turn(decision: Decision, released: Sequence[str]) -> str | None:
    past = [reason.value for reason in _ONCE_IS_ENOUGH if reason in released]
    return _ITS_TURN + ", ".join(past) if past and decision.reason_code in STANDING else None


def waited_long_enough(row: LeadRow) -> tuple[HoldReason, ...]:
    """Return what a lead that waits for its turn has waited for before, to the end."""
    waits_for = row.waits_for or ""
    if not waits_for.startswith(_ITS_TURN):
        return ()
    past = waits_for.removeprefix(_ITS_TURN).split(", ")
    return tuple(reason for reason in _ONCE_IS_ENOUGH if reason in past)


def run_timers(ctx: Context) -> StepReport:
    """Carry out the timers that are due: to nurture, to cold, or an alarm in the log."""
    report = StepReport()
    now = ctx.clock.now()
    with transaction(ctx.engine) as conn:
        due = leads.due_timers(conn, now, but=JUDGE_AGAIN)
        if due:
            policy = active_policy(conn).policy
            due, active = _by_activity(conn, due, policy, now)
            leads.set_states(conn, _changes(due, policy, now) + active)
            report["nurture active"] += len(active)
            _mark_cold(conn, ctx, [row for row in due if row.timer_action == TimerAction.MARK_COLD])
    for row in due:
        report[f"{row.state.value} {row.timer_action}"] += 1
        if row.timer_action not in _TO_NURTURE:
            since = f"{row.state_since:%Y-%m-%d %H:%M}"
            logger.error("lead %s has been '%s' since %s UTC", row.id, row.state.value, since)
    return report


def _by_activity(
    conn: Connection, due: Sequence[LeadRow], policy: Policy, now: datetime
) -> tuple[list[LeadRow], list[StateChange]]:
    """Leave out who was active since the timer was set: theirs runs on from their last activity."""
    cold_after = timer_of(policy, LeadState.NURTURE)
    cooling = [row.id for row in due if row.timer_action == TimerAction.MARK_COLD]
    last = cold.last_activity(conn, cooling) if cooling and cold_after else {}
    still, active = [], []
    for row in due:
        seen = last.get(row.id)
        is_active = (
            cold_after is not None
            and seen is not None
            and row.timer_action == TimerAction.MARK_COLD
            and seen + timedelta(seconds=cold_after.after.seconds) > now
        )
        if is_active:
            cause = "timer:active"
            change = state_change(policy, row.id, row.state, at=now, cause=cause, timer_from=seen)
            active.append(change)
        else:
            still.append(row)
    return still, active


def _mark_cold(conn: Connection, ctx: Context, rows: Sequence[LeadRow]) -> None:
    """Flag leads as cold, here and in HubSpot."""
    if not rows:
        return
    now = ctx.clock.now()
    cold.mark(conn, [row.id for row in rows], at=now)
    effects = [
        NewEffect(
            key=f"L{row.id}.cold-{now:%Y%m%d}.hubspot_state",
            kind="hubspot_state",
            lead_id=row.id,
            state=EffectState.WITHHELD if ctx.mode is Mode.OBSERVE else EffectState.PENDING,
        )
        for row in rows
    ]
    outbox.add(conn, effects, at=now)


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
