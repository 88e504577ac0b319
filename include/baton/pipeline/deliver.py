"""The one drain of the outbox: every Dag, command and repair sends through it.

Claim by lease, commit, call out, record the outcome under the fence. No transaction is open while
a call is out. A worker that dies leaves a lease that expires; a worker that is late is refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from baton.errors import BatonError, FatalGatewayError, StaleLeaseError
from baton.leads.states import HandoffState
from baton.ledger import handoffs, leads, outbox
from baton.ledger.dossiers import handoff_dossiers, lead_dossiers
from baton.ledger.engine import transaction
from baton.ledger.outbox import ClaimedEffect
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.hubspot_effects import change_lists, write_states
from baton.pipeline.outcomes import Ambiguous, Done, Failed, Outcome, Retry, outcome_of
from baton.pipeline.report import StepReport
from baton.pipeline.salesforce_effects import write_records, write_tasks
from baton.pipeline.slack_effects import post_messages

logger = logging.getLogger(__name__)

LEASE_SECONDS = 120
"""Longer than a group of calls takes, short enough that a killed worker's leads move on."""
BUDGET_SECONDS = 300.0
GROUP = 200
"""Salesforce takes 200 records a call; HubSpot 100, twice."""
MESSAGES = 1
"""A message cannot be sent again without harm: its outcome is recorded before the next goes out."""

ASSIGNING = ("salesforce_record", "salesforce_task", "slack_message", "slack_reminder")
WRITING_BACK = ("hubspot_state", "hubspot_list")

Carry = Callable[[Context, Sequence[ClaimedEffect]], dict[int, Outcome]]


def deliver_and_notify(ctx: Context) -> StepReport:
    """Write owners and tasks to Salesforce and tell the owners."""
    return drain(ctx, ASSIGNING)


def write_back(ctx: Context) -> StepReport:
    """Write states and list memberships to HubSpot."""
    return drain(ctx, WRITING_BACK)


def drain(
    ctx: Context, kinds: Sequence[str], *, budget_seconds: float = BUDGET_SECONDS
) -> StepReport:
    """Carry out what is ready of these kinds until nothing is, or the time is up.

    Raises:
        FatalGatewayError: a connection refuses us; its effects wait and lose nothing.
    """
    report = StepReport()
    until = time.monotonic() + budget_seconds
    busy = True
    while busy and time.monotonic() < until:
        busy = False
        for kind in kinds:
            claimed = _claim(ctx, kind)
            if claimed:
                busy = True
                _carry_out(ctx, kind, claimed, report)
    return report


def _claim(ctx: Context, kind: str) -> list[ClaimedEffect]:
    with transaction(ctx.engine) as conn:
        return outbox.claim(
            conn,
            worker=ctx.worker,
            kinds=[kind],
            limit=MESSAGES if kind in _NOT_REPEATABLE else GROUP,
            now=ctx.clock.now(),
            lease_seconds=LEASE_SECONDS,
        )


def _carry_out(
    ctx: Context, kind: str, claimed: Sequence[ClaimedEffect], report: StepReport
) -> None:
    with transaction(ctx.engine) as conn:
        current = outbox.still_current(conn, [effect.id for effect in claimed])
    outcomes: dict[int, Outcome | None] = dict.fromkeys(
        effect.id for effect in claimed if effect.id not in current
    )
    sending = [effect for effect in claimed if effect.id in current]
    refusal: FatalGatewayError | None = None
    try:
        outcomes |= CARRIERS[kind](ctx, sending) if sending else {}
    except FatalGatewayError as error:
        refusal = error
        outcomes |= {one.id: Retry(type(error).__name__, str(error), _PAUSE) for one in sending}
    except BatonError as error:
        outcomes |= {
            one.id: outcome_of(error, one.attempts, repeatable=kind not in _NOT_REPEATABLE)
            for one in sending
        }
    missing = Retry("NO_RESULT", "no outcome came back for it", _PAUSE)
    _record_all(ctx, [(one, outcomes.get(one.id, missing)) for one in claimed], report)
    if refusal is not None:
        raise refusal


_PAUSE = timedelta(seconds=30)
_NOT_REPEATABLE = ("slack_message", "slack_reminder")


def _record_all(
    ctx: Context,
    carried: Sequence[tuple[ClaimedEffect, Outcome | None]],
    report: StepReport,
) -> None:
    """Record the outcomes of a group in one transaction; one by one if any was taken over."""
    try:
        with transaction(ctx.engine) as conn:
            names = [_record(conn, ctx, effect, outcome) for effect, outcome in carried]
    except StaleLeaseError:
        if len(carried) == 1:
            logger.warning("effect %s was taken over by another worker", carried[0][0].key)
            report[f"{carried[0][0].kind} taken over"] += 1
            return
        for pair in carried:
            _record_all(ctx, [pair], report)
        return
    report.update(names)


def _record(conn: Connection, ctx: Context, effect: ClaimedEffect, outcome: Outcome | None) -> str:
    """Record one outcome with what follows from it."""
    name = _settle(conn, effect, outcome, ctx.clock.now())
    if isinstance(outcome, Done) and effect.handoff_id is not None:
        found = handoffs.get(conn, effect.handoff_id)
        # In a replay an effect counts as carried out right after its decision.
        now = ctx.clock.now()
        _follow(conn, effect, outcome, ctx.clock.decides_at(found.decided_at) if found else now)
    return f"{effect.kind} {name}"


def _settle(conn: Connection, effect: ClaimedEffect, outcome: Outcome | None, now: datetime) -> str:
    match outcome:
        case None:
            outbox.superseded(conn, effect.id, effect.fence, now=now)
            return "superseded"
        case Done():
            outbox.done(conn, effect.id, effect.fence, now=now, result=dict(outcome.result))
            return "done"
        case Retry():
            outbox.retry(
                conn,
                effect.id,
                effect.fence,
                now=now,
                at=now + outcome.after,
                code=outcome.code,
                message=outcome.message,
            )
            return "waits"
        case Ambiguous():
            outbox.ambiguous(
                conn,
                effect.id,
                effect.fence,
                now=now,
                at=now + _PAUSE,
                code=outcome.code,
                message=outcome.message,
            )
            return "ambiguous"
        case Failed():
            report = {"rejected": outbox.rejected, "invalid": outbox.invalid, "dead": outbox.dead}
            report[outcome.state](
                conn,
                effect.id,
                effect.fence,
                now=now,
                code=outcome.code,
                message=outcome.message,
            )
            logger.error("effect %s is %s: %s", effect.key, outcome.state, outcome.code)
            return outcome.state


def _follow(conn: Connection, effect: ClaimedEffect, done: Done, at: datetime) -> None:
    """Move the handoff on: assigned once owner or task is written, notified once told."""
    if effect.handoff_id is None:
        return
    match effect.kind:
        case "salesforce_record":
            contact = done.result.get("sobject") == "Contact"
            leads.set_salesforce_ids(
                conn,
                effect.lead_id,
                lead_record=None if contact else done.result["id"],
                contact_record=done.result["id"] if contact else None,
            )
            handoffs.stamp(conn, effect.handoff_id, owner_written_at=at)
            handoffs.advance(
                conn, effect.handoff_id, HandoffState.ASSIGNED, at=at, cause=effect.key
            )
        case "salesforce_task":
            handoffs.stamp(conn, effect.handoff_id, task_written_at=at)
        case "slack_message":
            handoffs.stamp(conn, effect.handoff_id, notified_at=at)
            handoffs.advance(
                conn, effect.handoff_id, HandoffState.NOTIFIED, at=at, cause=effect.key
            )


def _of_handoffs(carry: Callable[..., dict[int, Outcome]]) -> Carry:
    def carried(ctx: Context, effects: Sequence[ClaimedEffect]) -> dict[int, Outcome]:
        with transaction(ctx.engine) as conn:
            found = handoff_dossiers(conn, [e.handoff_id for e in effects if e.handoff_id])
        return carry(ctx, effects, found)

    return carried


def _write_states(ctx: Context, effects: Sequence[ClaimedEffect]) -> dict[int, Outcome]:
    with transaction(ctx.engine) as conn:
        found = lead_dossiers(conn, [effect.lead_id for effect in effects])
        policy = active_policy(conn).policy
    return write_states(ctx, effects, found, policy)


def _change_lists(ctx: Context, effects: Sequence[ClaimedEffect]) -> dict[int, Outcome]:
    with transaction(ctx.engine) as conn:
        found = lead_dossiers(conn, [effect.lead_id for effect in effects])
    return change_lists(ctx, effects, found)


CARRIERS: Mapping[str, Carry] = {
    "salesforce_record": _of_handoffs(write_records),
    "salesforce_task": _of_handoffs(write_tasks),
    "slack_message": _of_handoffs(post_messages),
    "slack_reminder": _of_handoffs(post_messages),
    "hubspot_state": _write_states,
    "hubspot_list": _change_lists,
}
