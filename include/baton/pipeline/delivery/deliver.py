"""The one drain of the outbox: every Dag, command and repair sends through it.

Claim by lease, commit, call out, record the outcome under the fence. No transaction is open while
a call is out. A worker that lives keeps its lease; one that dies leaves a lease that ends soon; a
worker that is late is refused.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from baton.errors import BatonError, FatalGatewayError, StaleLeaseError
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.effects.dossiers import handoff_dossiers, lead_dossiers
from baton.ledger.effects.outbox import ClaimedEffect
from baton.pipeline.active_policy import active_policy
from baton.pipeline.api_budget import waits_for_budget
from baton.pipeline.context import Context
from baton.pipeline.delivery.carried_out import record_carried_out
from baton.pipeline.delivery.follow_ups import plan_follow_ups
from baton.pipeline.delivery.hubspot_edits import restore_in_hubspot
from baton.pipeline.delivery.hubspot_effects import change_lists, write_states
from baton.pipeline.delivery.leases import LEASE_SECONDS, kept
from baton.pipeline.delivery.outcomes import Ambiguous, Done, Failed, Outcome, Retry, outcome_of
from baton.pipeline.delivery.restoring import restore
from baton.pipeline.delivery.salesforce_effects import write_records
from baton.pipeline.delivery.salesforce_handoffs import write_handoffs
from baton.pipeline.delivery.salesforce_tasks import set_aside, write_tasks
from baton.pipeline.delivery.slack_effects import post_messages, take_back_doubled
from baton.pipeline.report import StepReport
from baton.transport import Lane, in_lane

logger = logging.getLogger(__name__)

BUDGET_SECONDS = 300.0
GROUP = 200
"""Salesforce takes 200 records a call; HubSpot 100, twice."""
MESSAGES = 1
"""A message cannot be sent again without harm: its outcome is recorded before the next goes out."""

ASSIGNING = ("salesforce_record", "salesforce_task", "slack_message", "slack_reminder")
WRITING_BACK = (
    "salesforce_restore",
    "salesforce_aside",
    "hubspot_restore",
    "hubspot_state",
    "hubspot_list",
    "salesforce_handoff",
)

Carry = Callable[[Context, Sequence[ClaimedEffect]], dict[int, Outcome]]


def deliver_and_notify(ctx: Context) -> StepReport:
    """Write owners and tasks to Salesforce and tell the owners."""
    return drain(ctx, ASSIGNING)


def write_back(ctx: Context) -> StepReport:
    """Write states and list memberships to HubSpot, and what else follows from what happened."""
    report = plan_follow_ups(ctx)
    report.update(drain(ctx, WRITING_BACK))
    return report


def drain(
    ctx: Context, kinds: Sequence[str], *, budget_seconds: float = BUDGET_SECONDS
) -> StepReport:
    """Carry out what is ready of these kinds until nothing is, or the time is up.

    Raises:
        FatalGatewayError: a connection refuses us; its effects wait and lose nothing.
    """
    until, over = time.monotonic() + budget_seconds, threading.Event()
    beside: list[Future[StepReport]] = []

    def help_out() -> None:
        """Let a second worker carry out groups too: while one waits for an answer, one prepares."""
        if not beside and not ctx.replays:  # a replay goes in one order
            groups = [kind for kind in kinds if kind not in _NOT_REPEATABLE]
            work = partial(_work, ctx, groups, until, over, on_full=lambda: None)
            beside.append(pool.submit(copy_context().run, work))

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="drain") as pool:
        try:
            report = _work(ctx, kinds, until, over, on_full=help_out)
            helped = [one.result() for one in beside]
        except BaseException:
            over.set()  # whoever stops the task stops both
            raise
    for one in helped:
        report.update(one)
        # What waited for the second one's last group, messages above all, goes out now as well.
        report.update(_work(ctx, kinds, until, over, on_full=lambda: None))
    return report


def _work(
    ctx: Context,
    kinds: Sequence[str],
    until: float,
    over: threading.Event,
    *,
    on_full: Callable[[], None],
) -> StepReport:
    """Carry out what is ready, group by group. Workers share the outbox, and nothing else.

    `on_full` is called when a group was as large as it may be: there is more than one.
    """
    report = StepReport()
    busy = True
    while busy and time.monotonic() < until:
        busy = False
        for kind in kinds:
            if over.is_set():
                return report
            claimed = _claim(ctx, kind)
            if len(claimed) == GROUP:
                on_full()
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
            hot_only=waits_for_budget(conn, ctx, kind),
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
        # A group goes in the lane of its hottest.
        lane = Lane.HOT if any(one.priority == 0 for one in sending) else Lane.NORMAL
        with in_lane(lane), kept(ctx, claimed):
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
            names = _record(conn, ctx, carried)
    except StaleLeaseError:
        if len(carried) == 1:
            _taken_over(ctx, *carried[0], report)
            return
        for pair in carried:
            _record_all(ctx, [pair], report)
        return
    report.update(names)


def _taken_over(
    ctx: Context, effect: ClaimedEffect, outcome: Outcome | None, report: StepReport
) -> None:
    """Count what another worker has taken over; a message that went out twice is taken back."""
    logger.warning("effect %s was taken over by another worker", effect.key)
    report[f"{effect.kind} taken over"] += 1
    if effect.kind not in _NOT_REPEATABLE or not isinstance(outcome, Done | Ambiguous):
        return
    try:
        if taken_back := take_back_doubled(ctx, effect, outcome):
            report[f"{effect.kind} taken back"] += taken_back
    except BatonError as error:
        logger.exception(
            "effect %s: its message stands twice (%s)", effect.key, type(error).__name__
        )


def _record(
    conn: Connection, ctx: Context, carried: Sequence[tuple[ClaimedEffect, Outcome | None]]
) -> list[str]:
    """Record outcomes with what follows from them; return what to count."""
    done = [(effect, outcome) for effect, outcome in carried if isinstance(outcome, Done)]
    record_carried_out(conn, ctx, done)
    names = [f"{effect.kind} done" for effect, _ in done]
    for effect, outcome in carried:
        if not isinstance(outcome, Done):
            names.append(f"{effect.kind} {_settle(conn, effect, outcome, ctx.clock.now())}")
    return names


def _settle(
    conn: Connection,
    effect: ClaimedEffect,
    outcome: Retry | Failed | Ambiguous | None,
    now: datetime,
) -> str:
    match outcome:
        case None:
            outbox.superseded(conn, effect.id, effect.fence, now=now)
            return "superseded"
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


def _of_handoffs(carry: Callable[..., dict[int, Outcome]], *, scored: bool = False) -> Carry:
    def carried(ctx: Context, effects: Sequence[ClaimedEffect]) -> dict[int, Outcome]:
        ids = [effect.handoff_id for effect in effects if effect.handoff_id]
        with transaction(ctx.engine) as conn:
            found = handoff_dossiers(conn, ids, scored=scored)
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
    "salesforce_record": _of_handoffs(write_records, scored=True),
    "salesforce_task": _of_handoffs(write_tasks),
    "salesforce_aside": _of_handoffs(set_aside),
    "salesforce_restore": restore,
    "salesforce_handoff": _of_handoffs(write_handoffs),
    "hubspot_restore": restore_in_hubspot,
    "slack_message": _of_handoffs(post_messages),
    "slack_reminder": _of_handoffs(post_messages),
    "hubspot_state": _write_states,
    "hubspot_list": _change_lists,
}
