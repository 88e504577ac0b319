"""Deciding on a chunk of leads in one transaction: what is seen is locked, decided on, recorded.

The mode of each lead is settled here, before it is decided: leads that are only observed take
their turn in books of their own.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from baton.decision.decide import decide
from baton.decision.decision import RELEASED_FROM_REST, Decision, DecisionOutcome, HoldReason
from baton.decision.inputs import DecisionInputs, gather, personal_labels
from baton.leads.states import LeadState
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads import histories, judgement_queue
from baton.ledger.leads.leads import LeadRow
from baton.ledger.leads.persons import PersonFields
from baton.ledger.record import batches, decisions
from baton.pipeline.active_policy import Agreement
from baton.pipeline.context import Context
from baton.pipeline.intake.answers import keep_answers
from baton.pipeline.intake.duplicates import Ties
from baton.pipeline.intake.preparation import Prepared
from baton.pipeline.intake.pull import Privacy
from baton.pipeline.judging.colleagues import Colleagues
from baton.pipeline.judging.cut_over import end_for_news
from baton.pipeline.judging.decided import open_books, recorded, save_books
from baton.pipeline.judging.judged import Judged
from baton.pipeline.modes import Modes
from baton.pipeline.report import StepReport
from baton.pipeline.timers import STANDING, waited_long_enough
from baton.policy.models import Policy, TimerAction
from baton.policy.phrases import in_words
from baton.routing.book import PoolBook
from baton.settings import Mode

__all__ = ["Asked", "decide_all"]


@dataclass(frozen=True, slots=True)
class Asked:
    """How leads are to be judged.

    `again`: also those about whom nothing changed. `handed_off`: handoffs that the run has made in
    earlier transactions. `kind` names the batches.
    """

    again: bool = False
    handed_off: int = 0
    kind: str = "changes"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A lead that is to be decided on, with its row as locked, and in which mode."""

    prepared: Prepared
    row: LeadRow
    content_hash: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class _Decided:
    one: _Waiting
    inputs: DecisionInputs
    decision: Decision


@dataclass(slots=True)
class _Table:
    """What every decision of the chunk looks at."""

    conn: Connection
    ctx: Context
    agreement: Agreement
    asked: Asked
    now: datetime
    ties: Ties
    books: Mapping[Mode, PoolBook]
    colleagues: Mapping[Mode, Colleagues] = field(default_factory=dict)


def decide_all(
    conn: Connection,
    ctx: Context,
    agreement: Agreement,
    prepared: Sequence[Prepared],
    asked: Asked,
) -> list[Judged]:
    """Record what was seen, decide on what is news, and record the decisions."""
    policy, now = agreement.policy, ctx.clock.now()
    modes = Modes.read(conn, ctx.mode)
    waiting = _see(conn, policy, prepared, modes, again=asked.again)
    if not waiting:
        return []
    keep_answers(conn, policy, {one.row.id: one.prepared.answers for one in waiting})
    ids = [one.row.id for one in waiting]
    ties = Ties(conn, ctx, ids)
    used = sorted({one.mode for one in waiting})
    books = open_books(conn, ctx, agreement, dict.fromkeys(used, asked.handed_off))
    # Read once the pools are locked: whoever decided before has committed by then.
    past = histories.histories(conn, ids)
    colleagues = {
        mode: Colleagues(
            conn,
            policy,
            [one.prepared for one in waiting if one.mode is mode],
            now,
            observed=mode is Mode.OBSERVE,
        )
        for mode in used
    }
    table = _Table(conn, ctx, agreement, asked, now, ties, books, colleagues)
    batch_id = _begin(table, modes)
    decided = []
    for position, one in enumerate(waiting):
        history = ties.history(one.row.id, past[one.row.id])
        inputs = _inputs(table, one, position)
        found = _decide(table, one, replace(inputs, history=history))
        ties.learn(one.row.id, found.decision)
        decided.append(found)
    save_books(conn, books)
    judged = _record(table, decided, batch_id)
    batches.finish(conn, batch_id, counts=_counts(judged), at=now)
    return judged


def _begin(table: _Table, modes: Modes) -> uuid.UUID:
    batch_id, agreement = uuid.uuid4(), table.agreement
    batches.create(
        table.conn,
        batch_id,
        kind="judge again" if table.asked.again else table.asked.kind,
        mode=modes.default_of_all,
        policy_hash=agreement.policy.hash,
        roster_hash=agreement.roster.hash,
        at=table.now,
        run=table.ctx.run,
    )
    return batch_id


def _inputs(table: _Table, one: _Waiting, position: int) -> DecisionInputs:
    lead, again = one.prepared, table.asked.again
    clock = table.ctx.clock
    return gather(
        table.agreement.policy,
        lead_key=lead.snapshot.hubspot_id,
        facts=lead.facts,
        captured_at=lead.snapshot.captured_at,
        decided_at=table.now if again else clock.decides_at(lead.snapshot.captured_at),
        verdict=lead.verdict,
        relations=lead.relations,
        position=position,
        problems=lead.problems,
        released=_released(one.row, table.now) if again else (),
        told=lead.told,
        awaiting=lead.awaiting,
        colleagues=table.colleagues[one.mode].of(one.row.id, lead),
        roster=table.agreement.roster,
    )


def _decide(table: _Table, one: _Waiting, inputs: DecisionInputs) -> _Decided:
    agreement, book = table.agreement, table.books[one.mode]
    decision = decide(inputs, agreement.policy, agreement.roster, book)
    if decision.outcome is not DecisionOutcome.UPDATE or one.mode is Mode.OBSERVE:
        return _Decided(one, inputs, decision)
    row = end_for_news(table.conn, table.ctx, agreement.policy, one.row)
    if row is None:
        return _Decided(one, inputs, decision)
    # Nothing of ours stands in Salesforce for it: whoever raises a hand anew is handed over anew.
    fresh = histories.histories(table.conn, [row.id])[row.id]
    inputs = replace(inputs, history=table.ties.history(row.id, fresh))
    decision = decide(inputs, agreement.policy, agreement.roster, book)
    return _Decided(replace(one, row=row), inputs, decision)


def _record(table: _Table, decided: Sequence[_Decided], batch_id: uuid.UUID) -> list[Judged]:
    ids = decisions.record(
        table.conn,
        [
            recorded(
                each.inputs,
                each.decision,
                table.agreement,
                lead_id=each.one.row.id,
                snapshot_hash=each.one.content_hash,
                batch_id=batch_id,
            )
            for each in decided
        ],
    )
    return [
        Judged(
            decision_id,
            each.one.row,
            each.one.prepared,
            each.inputs,
            each.decision,
            each.one.mode,
            table.asked.again,
        )
        for decision_id, each in zip(ids, decided, strict=True)
    ]


def _released(row: LeadRow, now: datetime) -> tuple[str, ...]:
    """Return what no longer holds a lead whose timer is due."""
    if row.timer_at is None or row.timer_at > now:
        return waited_long_enough(row)
    if row.timer_action == judgement_queue.RELEASE:
        return tuple(HoldReason)
    if row.timer_action == judgement_queue.RELEASE_BATCH:
        return (HoldReason.BLAST_RADIUS, *waited_long_enough(row))
    if row.timer_action == TimerAction.ROUTE_TO_FALLBACK:
        return tuple(reason for reason in HoldReason if reason not in STANDING)
    if row.timer_action == TimerAction.JUDGE_AGAIN:
        return (RELEASED_FROM_REST,)
    return ()


def _counts(judged: Sequence[Judged]) -> dict[str, int]:
    return StepReport(one.decision.outcome.value for one in judged).counts()


def _see(
    conn: Connection,
    policy: Policy,
    prepared: Sequence[Prepared],
    modes: Modes,
    *,
    again: bool,
) -> list[_Waiting]:
    """Record what was seen; return the leads that are news, or not judged yet."""
    privacy = Privacy.of(policy)
    personal = personal_labels(policy)
    seen = {one.snapshot.hubspot_id: _seen_lead(one, privacy, personal) for one in prepared}
    rows = seen_leads.upsert_seen(conn, list(seen.values()))
    waiting = []
    for one in prepared:
        key = one.snapshot.hubspot_id
        row = rows[key]
        if row.held_for == judgement_queue.HELD_BY_HAND and not again:
            continue
        if again or row.changed or row.created or row.state is LeadState.SEEN:
            mode = _mode(one, row, modes)
            waiting.append(_Waiting(one, row, seen[key].content_hash, mode))
    return waiting


def _mode(lead: Prepared, row: LeadRow, modes: Modes) -> Mode:
    form, territory = (lead.facts.get(label) for label in ("Form", "Territory"))
    return modes.of(
        form if isinstance(form, str) else None,
        territory if isinstance(territory, str) else None,
        captured_at=lead.snapshot.captured_at,
        state=row.state,
    )


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
