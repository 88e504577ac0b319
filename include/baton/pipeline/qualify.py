"""Pull, judge, score and route: what becomes of every changed lead, one transaction a chunk.

Reading and validating happen before the transaction, deciding inside it: leads and pools are
locked in one order, read, decided on and written together with the effects that follow. A run
that dies leaves nothing behind; a run that repeats finds the same leads already judged.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from baton import __version__
from baton.decision.decide import decide
from baton.decision.decision import Decision
from baton.decision.inputs import DecisionInputs, gather, personal_labels
from baton.leads.model import LeadSnapshot
from baton.leads.states import LeadState
from baton.ledger import batches, decisions, handoffs, judgement_queue, leads, pools, watermarks
from baton.ledger.decisions import NewDecision
from baton.ledger.engine import transaction
from baton.ledger.leads import LeadRow, PersonFields, SeenLead
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.context import Context
from baton.pipeline.plan import Judged, carry_into_ledger
from baton.pipeline.preparation import Prepared, Preparation
from baton.pipeline.pull import WATERMARK, Privacy, SnapshotReader, Window, changed_snapshots, window
from baton.pipeline.report import StepReport
from baton.policy.models import Policy
from baton.policy.phrases import in_words
from baton.routing.book import PoolBook
from baton.routing.distribution import PoolState

logger = logging.getLogger(__name__)

DAY = timedelta(days=1)


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
    preparation = Preparation(ctx, agreement.policy)
    reading = window(ctx)
    for snapshots in changed_snapshots(ctx, agreement.policy, reading):
        judge(ctx, agreement, preparation, snapshots, report)
    if due:
        reader = SnapshotReader(ctx, agreement.policy)
        found = ctx.hubspot.read_contacts(due, reader.contact_properties)
        again = reader.snapshots(found.found.values())
        judge(ctx, agreement, preparation, again, report, again=True)
    _move_watermark(ctx, reading)
    return report


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
    prepared = preparation.prepare(snapshots)
    with transaction(ctx.engine) as conn:
        judged = _decide_all(conn, ctx, agreement, prepared, again=again)
        counts = carry_into_ledger(conn, ctx, agreement, judged)
    report.update(counts)
    logger.info("judged %d of %d leads read", len(judged), len(snapshots))


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
) -> list[Judged]:
    policy, roster = agreement.policy, agreement.roster
    waiting = _see(conn, policy, prepared, again=again)
    if not waiting:
        return []
    now = ctx.clock.now()
    histories = leads.histories(conn, [one.row.id for one in waiting])
    book = _book(conn, agreement, now)
    batch_id = uuid.uuid4()
    batches.create(
        conn,
        batch_id,
        kind="judge again" if again else "changes",
        mode=ctx.mode,
        policy_hash=policy.hash,
        roster_hash=roster.hash,
        at=now,
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
            history=histories[one.row.id],
            position=position,
            problems=lead.problems,
        )
        decided.append((one, inputs, decide(inputs, policy, roster, book)))
    pools.save(conn, {name: state.to_json() for name, state in book.changed.items()})
    ids = decisions.record(
        conn,
        [
            _record(one, inputs, decision, agreement, batch_id)
            for one, inputs, decision in decided
        ],
    )
    judged = [
        Judged(decision_id, one.row, one.prepared, inputs, decision)
        for decision_id, (one, inputs, decision) in zip(ids, decided, strict=True)
    ]
    batches.finish(conn, batch_id, counts=_counts(judged), at=now)
    return judged


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
    )


def _book(conn: Connection, agreement: Agreement, now: datetime) -> PoolBook:
    names = [pool.name for pool in agreement.roster.pools]
    states: Mapping[str, Mapping[str, object]] = pools.lock(conn, names)
    return PoolBook(
        {name: PoolState.from_json(state) for name, state in states.items() if state},
        open_loads=handoffs.open_loads(conn),
        day_loads=handoffs.assigned_since(conn, now - DAY, now),
    )


def _record(
    one: _Waiting,
    inputs: DecisionInputs,
    decision: Decision,
    agreement: Agreement,
    batch_id: uuid.UUID,
) -> NewDecision:
    route = decision.route
    return NewDecision(
        lead_id=one.row.id,
        batch_id=batch_id,
        snapshot_hash=one.content_hash,
        policy_hash=agreement.policy.hash,
        roster_hash=agreement.roster.hash,
        decided_at=inputs.decided_at,
        engine_version=__version__,
        position=inputs.position,
        inputs=inputs.to_json(),
        inputs_hash=inputs.hash,
        result=decision.to_json(),
        result_hash=decision.hash,
        outcome=decision.outcome.value,
        band=decision.band,
        score_milli=decision.score.total_milli if decision.score else None,
        trigger=decision.trigger,
        rule=route.rule_id if route else None,
        owner_key=route.owner.key if route and route.owner else None,
        reason_code=decision.reason_code,
    )
