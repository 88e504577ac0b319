"""Batches that the limits hold back: a person is asked, the answer is carried out, or the deadline.

Asking, answering and carrying out are apart, so that Airflow, a command and the deadline may each
do any of them, in any order and again: an answer is given once, and what it means is done once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.errors import SettingsError
from baton.leads.states import EffectState, HandoffState, LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import effects, holds, outbox, switches
from baton.ledger.effects.holds import Figures, HeldBatch, HeldItem
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import OpenTerms
from baton.ledger.leads import leads
from baton.ledger.leads.judgement_queue import RELEASE_BATCH
from baton.ledger.leads.leads import StateChange
from baton.ledger.record import admin_actions
from baton.ledger.record.admin_actions import NewAdminAction
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.context import Context, Standing
from baton.pipeline.judging.leaver import Desk
from baton.pipeline.judging.plan import state_write_back
from baton.pipeline.judging.reassignment import reassign_all
from baton.pipeline.modes import Acting, Modes, acting_for_leads
from baton.pipeline.report import StepReport
from baton.pipeline.timers import state_change
from baton.policy.models import Policy

__all__ = [
    "KEEP",
    "RELEASE",
    "Answer",
    "Question",
    "answer",
    "ask",
    "carry_out",
    "question",
    "question_of",
]

logger = logging.getLogger(__name__)

RELEASE, KEEP = "release", "keep"
BY_DEADLINE = "deadline"
CHUNK = 500
_UNTOUCHED = (HandoffState.PLANNED, HandoffState.ASSIGNED, HandoffState.NOTIFIED)
_KINDS = {
    "handoff": ("handoff", "handoffs"),
    "reassignment": ("change of owner", "changes of owner"),
    "message": ("message", "messages"),
    "write_back": ("change of band, told to HubSpot", "changes of band, told to HubSpot"),
}
_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person (`by`), or the deadline, says of a batch: RELEASE or KEEP."""

    batch_id: int
    given: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """A batch with its figures, as a person is asked."""

    batch: HeldBatch
    figures: Figures

    @property
    def subject(self) -> str:
        """Return it in a line."""
        many = self.figures.total
        waits = "1 thing waits" if many == 1 else f"{many} things wait"
        return f"Batch {self.batch.id}: {waits} beyond the limits of one run"

    @property
    def default(self) -> str:
        """Say what happens when nobody answers."""
        ending = "released" if self.batch.unanswered == RELEASE else "kept as it is"
        return f"Without an answer by {self.batch.deadline:%Y-%m-%d %H:%M} UTC it is {ending}."

    @property
    def lines(self) -> list[str]:
        """Return the figures, a line each. No personal data of leads."""
        found = []
        for kind, many in self.figures.by_kind.items():
            one, several = _KINDS[kind]
            found.append(f"{many} {one if many == 1 else several}")
        if self.figures.by_band:
            found.append("handoffs by band: " + _listed(self.figures.by_band))
        if self.figures.by_owner:
            found.append("owners who would lose leads: " + _listed(self.figures.by_owner))
        return found

    @property
    def body(self) -> str:
        """Return the question as Markdown."""
        figures = "\n".join(f"* {line}" for line in self.lines)
        return (
            f"{figures}\n\nHeld since {self.batch.opened_at:%Y-%m-%d %H:%M} UTC. Leads of the "
            "highest band were not held.\n\n**Release**: what is held is judged again and goes "
            "out. **Keep**: leads stay with marketing, owners keep what they have, messages and "
            f"write-backs are not sent. {self.default}"
        )


def _listed(counted: Mapping[str, int]) -> str:
    shown = [f"{name} {many}" for name, many in list(counted.items())[:_MOST]]
    more = len(counted) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def question_of(conn: Connection, batch_id: int) -> Question | None:
    """Return a batch with its figures, or None."""
    batch = holds.find(conn, batch_id)
    return Question(batch, holds.figures(conn, batch_id)) if batch else None


def question(conn: Connection) -> list[Question]:
    """Return every batch that waits for an answer, oldest first."""
    return [Question(one, holds.figures(conn, one.id)) for one in holds.unanswered(conn)]


def ask(ctx: Context) -> StepReport:
    """Choose a batch that nobody asks about yet, and tell Slack; nothing in the report: none.

    The same run, when it is run again, asks about the same batch.

    Raises:
        GatewayError: Slack could not be told; the next run tries again and never doubles it.
    """
    now = ctx.clock.now()
    with transaction(ctx.engine) as conn:
        holds.close_ended(conn, at=now)
        waiting = [one for one in question(conn) if _may_ask(one.batch, ctx.run, now)]
        if not waiting:
            return StepReport()
        first = waiting[0]
        holds.ask(conn, first.batch.id, run=ctx.run, at=now)
        policy = active_policy(conn).policy
        live = Modes.read(conn, ctx.mode).anything_live and not switches.effects_stopped(conn)
    if live and first.batch.told_at is None:
        _tell(ctx, policy, first)
    minutes = int((first.batch.deadline - now).total_seconds() // 60)
    counts = {_KINDS[kind][1]: many for kind, many in first.figures.by_kind.items()}
    return StepReport({"batch": first.batch.id, "minutes left": max(1, minutes), **counts})


def _may_ask(batch: HeldBatch, run: str | None, now: datetime) -> bool:
    mine = batch.asked_at is None or (run is not None and batch.asked_run == run)
    return mine and batch.deadline > now


def _tell(ctx: Context, policy: Policy, asked: Question) -> None:
    digest = policy.digest
    channel = digest.channel if digest else next(iter(policy.channels), None)
    if channel is None:
        return
    key = f"held_batch.{asked.batch.id}"
    if ctx.slack.find_by_key(channel, key, asked.batch.opened_at) is None:
        lines = "\n".join(f"• {line}" for line in asked.lines)
        answer_at = (
            "Answer in Airflow › Required actions (handoff_release), or: "
            f"baton release --batch {asked.batch.id}"
        )
        words = f"*{asked.subject}*\n{lines}\n{asked.default}\n{answer_at}"
        block: dict[str, object] = {"type": "section", "text": {"type": "mrkdwn", "text": words}}
        ctx.slack.post(channel, words, [block], key=key)
    with transaction(ctx.engine) as conn:
        holds.told(conn, asked.batch.id, at=ctx.clock.now())


def answer(conn: Connection, given: Answer, *, at: datetime) -> HeldBatch:
    """Record an answer; the first one counts.

    Raises SettingsError for a batch that is not there or has its answer already.
    """
    batch = holds.find(conn, given.batch_id, lock=True)
    if batch is None:
        waiting = ", ".join(str(one.id) for one in holds.unanswered(conn)) or "none waits"
        raise SettingsError(f"there is no batch {given.batch_id}; waiting: {waiting}")
    if batch.answer is not None:
        raise SettingsError(
            f"batch {batch.id} has its answer: {batch.answer}, by {batch.by_whom} at "
            f"{batch.answered_at:%Y-%m-%d %H:%M} UTC"
        )
    holds.answer(conn, batch.id, given.given, by=given.by, reason=given.reason, at=at)
    admin_actions.record(
        conn,
        NewAdminAction(
            at=at,
            by_whom=given.by,
            action="release_batch",
            subject=f"batch {batch.id}",
            reason=given.reason,
            form=f"batch-{batch.id}",
            seen="",
            result="done",
            words=f"Batch {batch.id}: {given.given}.",
        ),
    )
    return batch


def carry_out(desk: Desk) -> StepReport:
    """Do what was answered, and what the deadline says of batches without an answer."""
    report = StepReport()
    with transaction(desk.engine) as conn:
        now = desk.clock.now()
        holds.close_ended(conn, at=now)
        for batch in holds.unanswered(conn):
            if batch.deadline <= now:
                words = "nobody answered in time"
                given = Answer(
                    batch_id=batch.id, given=batch.unanswered, by=BY_DEADLINE, reason=words
                )
                answer(conn, given, at=now)
        answered = holds.answered_with_items(conn)
    for batch in answered:
        report.update(_settle_all(desk, batch))
    return report


def _settle_all(desk: Desk, batch: HeldBatch) -> StepReport:
    report, last = StepReport(), 0
    while True:
        with transaction(desk.engine) as conn:
            agreement = active_policy(conn)
            items = holds.items(conn, batch.id, after=last, limit=CHUNK)
            if not items:
                return report
            last = items[-1].id
            chunk = _Chunk(conn, Acting(desk.clock, desk.mode), agreement, batch)
            for kind, settle in _WAYS.items():
                some = [one for one in items if one.kind == kind]
                if some:
                    report.update(settle(chunk, some))


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some items of an answered batch, in one transaction."""

    conn: Connection
    standing: Standing
    agreement: Agreement
    batch: HeldBatch

    @property
    def released(self) -> bool:
        return self.batch.answer == RELEASE

    def settle(self, items: Sequence[HeldItem], result: str) -> None:
        holds.settle(self.conn, [one.id for one in items], result, at=self.standing.clock.now())


def _leads(chunk: _Chunk, items: Sequence[HeldItem]) -> StepReport:
    """Let leads be judged again, past the limit; or leave them with marketing."""
    conn, now = chunk.conn, chunk.standing.clock.now()
    by = chunk.batch.by_whom or BY_DEADLINE
    rows = leads.lock_leads(conn, [one.lead_id for one in items]).values()
    held = [row for row in rows if row.state is LeadState.HELD and row.held_for == "blast_radius"]
    if chunk.released:
        changes = [
            StateChange(
                lead_id=row.id,
                after=LeadState.HELD,
                at=now,
                cause="released",
                by=by,
                timer_at=now,
                timer_action=RELEASE_BATCH,
            )
            for row in held
        ]
    else:
        policy = chunk.agreement.policy
        changes = [
            state_change(policy, row.id, LeadState.NURTURE, at=now, cause="kept_back", by=by)
            for row in held
        ]
        cause = f"batch-{chunk.batch.id}"
        acting = acting_for_leads(conn, chunk.standing, [row.id for row in held])
        write_backs = [state_write_back(acting[row.id], row.id, cause=cause) for row in held]
        outbox.add(conn, write_backs, at=now)
    leads.set_states(conn, changes)
    chunk.settle(items, "released" if chunk.released else "kept back")
    return StepReport({"leads released" if chunk.released else "leads kept back": len(held)})


def _reassignments(chunk: _Chunk, items: Sequence[HeldItem]) -> StepReport:
    """Reassign what still has the same owner and was not touched meanwhile."""
    moved = 0
    if chunk.released:
        hop_of = {one.handoff_id: one.hop for one in items}
        moved = reassign_all(
            chunk.conn,
            chunk.standing,
            chunk.agreement,
            _still_untouched(chunk.conn, hop_of),
            limited=False,
        )
    chunk.settle(items, "released" if chunk.released else "kept back")
    return StepReport({"reassigned": moved} if chunk.released else {"owners kept": len(items)})


def _still_untouched(conn: Connection, hop_of: Mapping[int | None, int | None]) -> list[OpenTerms]:
    found = []
    hops = handoffs.hops(conn, [one for one in hop_of if one is not None])
    for handoff_id, of_handoff in hops.items():
        row, present = handoffs.get(conn, handoff_id), of_handoff[-1]
        if row is None or row.state not in _UNTOUCHED or row.first_touch_at is not None:
            continue
        if present.number == hop_of[handoff_id]:
            found.append(OpenTerms(handoff=row, hop=present, recorded=frozenset()))
    return found


def _effects(chunk: _Chunk, items: Sequence[HeldItem]) -> StepReport:
    """Let effects go out; or set them aside."""
    conn, now = chunk.conn, chunk.standing.clock.now()
    by = chunk.batch.by_whom or BY_DEADLINE
    ids = [one.effect_id for one in items if one.effect_id is not None]
    if chunk.released:
        count = outbox.release(conn, ids, at=now, by=by)
    else:
        held = effects.withheld(conn, ids)
        for one in held:
            outbox.settle(conn, one, EffectState.SUPERSEDED, at=now, by=by, cause="kept_back")
        count = len(held)
    chunk.settle(items, "released" if chunk.released else "kept back")
    return StepReport({"effects released" if chunk.released else "effects kept back": count})


_WAYS: Mapping[str, Callable[[_Chunk, Sequence[HeldItem]], StepReport]] = {
    # Pools are locked before anything else, as by everybody who assigns.
    "reassignment": _reassignments,
    "handoff": _leads,
    "message": _effects,
    "write_back": _effects,
}
