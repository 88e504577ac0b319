"""Pull, judge, score and route: what becomes of every changed lead, one transaction a chunk.

Reading and validating happen before the transaction, deciding inside it: leads and pools are
locked in one order, read, decided on and written together with the effects that follow. A run
that dies leaves nothing behind; a run that repeats finds the same leads already judged.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.decision.decide import decide
from baton.decision.decision import RELEASED_FROM_REST, Decision, HoldReason
from baton.decision.inputs import DecisionInputs, gather, personal_labels
from baton.leads.model import LeadSnapshot
from baton.leads.states import FINAL_LEAD_STATES, LeadState
from baton.ledger import backlog, batches, decisions, judgement_queue, leads, pools, watermarks
from baton.ledger.engine import transaction
from baton.ledger.leads import LeadRow, PersonFields, SeenLead
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.answers import keep_answers
from baton.pipeline.backlog import let_in
from baton.pipeline.colleagues import Colleagues
from baton.pipeline.context import Context
from baton.pipeline.decided import open_book, recorded
from baton.pipeline.duplicates import Ties
from baton.pipeline.plan import Judged, carry_into_ledger
from baton.pipeline.preparation import Preparation, Prepared
from baton.pipeline.pull import (
    GOES_ON,
    WATERMARK,
    Privacy,
    SnapshotReader,
    Window,
    changed_snapshots,
    window,
)
from baton.pipeline.report import StepReport
from baton.pipeline.timers import TRY_AGAIN_AFTER, state_change
from baton.policy.models import Policy, TimerAction
from baton.policy.phrases import in_words

logger = logging.getLogger(__name__)


def qualify_and_route(ctx: Context) -> StepReport:
    """Decide on every lead that changed since the watermark, and on those whose time has come.

    Raises:
        ConfigurationError: no policy or roster is active.
        GatewayError: HubSpot or Salesforce could not be read; what was decided stays decided.
    """
    report = StepReport()
    with transaction(ctx.engine) as conn:
        agreement = active_policy(conn)
        due = judgement_queue.due(conn, ctx.clock.now())
        waiting = [one for one in let_in(conn, ctx, agreement) if one not in due]
    preparation = Preparation(ctx, agreement.policy)
    reading = window(ctx)
    # Who waited for room goes before who comes now: there is only as much of them as there is room.
    gone = _judge_again(ctx, agreement, preparation, waiting, report)
    _try_later(ctx, gone)
    for snapshots in changed_snapshots(ctx, agreement.policy, reading, report):
        judge(ctx, agreement, preparation, snapshots, report)
    _put_off(ctx, agreement, _judge_again(ctx, agreement, preparation, due, report))
    if not report[GOES_ON]:
        _move_watermark(ctx, reading)
    return report


def _judge_again(
    ctx: Context,
    agreement: Agreement,
    preparation: Preparation,
    hubspot_ids: Sequence[str],
    report: StepReport,
) -> Sequence[str]:
    """Judge leads about whom nothing changed, in this order; return those HubSpot has not."""
    if not hubspot_ids:
        return ()
    reader = SnapshotReader(ctx, agreement.policy)
    read = ctx.hubspot.read_contacts(hubspot_ids, reader.contact_properties)
    found = {one.hubspot_id: one for one in reader.snapshots(read.found.values())}
    again = [found[one] for one in hubspot_ids if one in found]
    judge(ctx, agreement, preparation, again, report, again=True)
    return read.missing


def _try_later(ctx: Context, hubspot_ids: Sequence[str]) -> None:
    """Leave held leads that HubSpot no longer shows to their timer."""
    if hubspot_ids:
        with transaction(ctx.engine) as conn:
            backlog.put_off(conn, hubspot_ids, ctx.clock.now() + TRY_AGAIN_AFTER)


def _put_off(ctx: Context, agreement: Agreement, missing: Sequence[str]) -> None:
    """Give the leads that HubSpot no longer shows a new timer: they must not block the others."""
    if not missing:
        return
    now = ctx.clock.now()
    with transaction(ctx.engine) as conn:
        rows = leads.by_hubspot_ids(conn, missing).values()
        changes = [
            state_change(agreement.policy, row.id, row.state, at=now, cause="gone from HubSpot")
            for row in rows
            if row.state not in FINAL_LEAD_STATES
        ]
        leads.set_states(conn, changes)


def _move_watermark(ctx: Context, reading: Window) -> None:
    """Move the watermark forward only: an overlapping run may have read further."""
    with transaction(ctx.engine) as conn:
        mark = watermarks.get(conn, WATERMARK, lock=True)
        if mark is None or datetime.fromisoformat(mark) < reading.until:
            watermarks.set(conn, WATERMARK, reading.until.isoformat(), at=ctx.clock.now())


def judge(
    ctx: Context,
    agreement: Agreement,
    preparation: Preparation,
    snapshots: Sequence[LeadSnapshot],
    report: StepReport,
    *,
    again: bool = False,
) -> None:
    """Judge these leads in one transaction; `again` also those about whom nothing changed."""
    if not snapshots:
        return
    report["read"] += len(snapshots)
    news = snapshots if again else _without_echoes(ctx, agreement.policy, snapshots)
    if not news:
        return
    prepared = preparation.prepare(news, again=again)
    report.update(preparation.outside.take_counts())
    with transaction(ctx.engine) as conn:
        judged = _decide_all(
            conn, ctx, agreement, prepared, again=again, handed_off=report["handoff"]
        )
        counts = carry_into_ledger(conn, ctx, agreement, judged)
    report.update(counts)
    logger.info("judged %d of %d leads read", len(judged), len(snapshots))


def _without_echoes(
    ctx: Context, policy: Policy, snapshots: Sequence[LeadSnapshot]
) -> list[LeadSnapshot]:
    """Return the snapshots that say anything new; of the others only the stamp is noted.

    Every write-back of ours comes back as a change: it must not cost a validation.
    """
    ignored = Privacy.of(policy).ignored
    with transaction(ctx.engine) as conn:
        known = leads.by_hubspot_ids(conn, [one.hubspot_id for one in snapshots])
        news, echoes = [], {}
        for one in snapshots:
            row = known.get(one.hubspot_id)
            judged = row is not None and row.state is not LeadState.SEEN
            if row is not None and judged and row.last_content_hash == one.content_hash(ignored):
                echoes[row.id] = one.modified_at
            else:
                news.append(one)
        leads.note_echoes(conn, echoes)
    return news


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A lead that is to be decided on, with its row as locked."""

    prepared: Prepared
    row: LeadRow
    content_hash: str


def _decide_all(
    conn: Connection,
    ctx: Context,
    agreement: Agreement,
    prepared: Sequence[Prepared],
    *,
    again: bool,
    handed_off: int,
) -> list[Judged]:
    policy, roster = agreement.policy, agreement.roster
    waiting = _see(conn, policy, prepared, again=again)
    if not waiting:
        return []
    now = ctx.clock.now()
    keep_answers(conn, policy, {one.row.id: one.prepared.answers for one in waiting})
    ties = Ties(conn, ctx, [one.row.id for one in waiting])
    histories = leads.histories(conn, [one.row.id for one in waiting])
    book = open_book(conn, ctx, agreement, handed_off=handed_off)
    colleagues = Colleagues(conn, policy, [one.prepared for one in waiting], now)
    batch_id = uuid.uuid4()
    batches.create(
        conn,
        batch_id,
        kind="judge again" if again else "changes",
        mode=ctx.mode,
        policy_hash=policy.hash,
        roster_hash=roster.hash,
        at=now,
        run=ctx.run,
    )
    decided: list[tuple[_Waiting, DecisionInputs, Decision]] = []
    for position, one in enumerate(waiting):
        lead = one.prepared
        inputs = gather(
            policy,
            lead_key=lead.snapshot.hubspot_id,
            facts=lead.facts,
            captured_at=lead.snapshot.captured_at,
            decided_at=ctx.clock.decides_at(lead.snapshot.captured_at) if not again else now,
            verdict=lead.verdict,
            relations=lead.relations,
            history=ties.history(one.row.id, histories[one.row.id]),
            position=position,
            problems=lead.problems,
            released=_released(one.row, now) if again else (),
            told=lead.told,
            awaiting=lead.awaiting,
            colleagues=colleagues.of(one.row.id, lead),
            roster=roster,
        )
        decision = decide(inputs, policy, roster, book)
        ties.learn(one.row.id, decision)
        decided.append((one, inputs, decision))
    pools.save(conn, {name: state.to_json() for name, state in book.changed.items()})
    ids = decisions.record(
        conn,
        [
            recorded(
                inputs,
                decision,
                agreement,
                lead_id=one.row.id,
                snapshot_hash=one.content_hash,
                batch_id=batch_id,
            )
            for one, inputs, decision in decided
        ],
    )
    judged = [
        Judged(decision_id, one.row, one.prepared, inputs, decision, again)
        for decision_id, (one, inputs, decision) in zip(ids, decided, strict=True)
    ]
    batches.finish(conn, batch_id, counts=_counts(judged), at=now)
    return judged


_STANDING = (HoldReason.BLAST_RADIUS, HoldReason.DRIP)
"""No deadline lifts these: what they hold comes through as the guard and the day's share let it."""


def _released(row: LeadRow, now: datetime) -> tuple[str, ...]:
    """Return what no longer holds a lead whose timer is due."""
    if row.timer_at is None or row.timer_at > now:
        return ()
    if row.timer_action == judgement_queue.RELEASE:
        return tuple(HoldReason)
    if row.timer_action == TimerAction.ROUTE_TO_FALLBACK:
        return tuple(reason for reason in HoldReason if reason not in _STANDING)
    if row.timer_action == TimerAction.JUDGE_AGAIN:
        return (RELEASED_FROM_REST,)
    return ()


def _counts(judged: Sequence[Judged]) -> dict[str, int]:
    return StepReport(one.decision.outcome.value for one in judged).counts()


def _see(
    conn: Connection, policy: Policy, prepared: Sequence[Prepared], *, again: bool
) -> list[_Waiting]:
    """Record what was seen; return the leads that are news, or not judged yet."""
    privacy = Privacy.of(policy)
    personal = personal_labels(policy)
    seen = {one.snapshot.hubspot_id: _seen_lead(one, privacy, personal) for one in prepared}
    rows = leads.upsert_seen(conn, list(seen.values()))
    waiting = []
    for one in prepared:
        key = one.snapshot.hubspot_id
        row = rows[key]
        if row.held_for == judgement_queue.HELD_BY_HAND and not again:
            continue
        if again or row.changed or row.created or row.state is LeadState.SEEN:
            waiting.append(_Waiting(one, row, seen[key].content_hash))
    return waiting


def _seen_lead(lead: Prepared, privacy: Privacy, personal: frozenset[str]) -> SeenLead:
    snapshot = lead.snapshot
    return SeenLead(
        hubspot_id=snapshot.hubspot_id,
        modified_at=snapshot.modified_at,
        seen_at=snapshot.seen_at,
        captured_at=snapshot.captured_at,
        content_hash=snapshot.content_hash(privacy.ignored),
        content={
            "contact": {
                name: value
                for name, value in snapshot.properties.items()
                if value and name not in privacy.personal
            },
            "company": dict(snapshot.company or {}),
        },
        person=_person(lead, privacy, personal),
        merged_ids=snapshot.merged_ids,
    )


def _person(lead: Prepared, privacy: Privacy, personal: frozenset[str]) -> PersonFields:
    facts = lead.facts

    def text(label: str) -> str | None:
        value = facts.get(label)
        return in_words(value) if value not in (None, ()) else None

    return PersonFields(
        email=text("E-mail"),
        first_name=text("First name"),
        last_name=text("Last name"),
        phone=text("Phone"),
        title=text("Job title"),
        company_name=text("Company name"),
        answers={label: found for label in sorted(personal) if (found := text(label)) is not None},
        raw={
            name: value
            for name, value in lead.snapshot.properties.items()
            if value and name in privacy.personal
        },
        identity=lead.identity,
    )
