"""Carrying out the effects that make, renew and set aside the tasks of hops.

A task is made once under its key. An existing one, open or closed, is the owner's: it is never
reopened and never given another date. News go on top of what it says. When the lead is gone from
the owner's hands, an open task is set aside with a note, not completed as if it had been worked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from baton.crm.results import WriteResult
from baton.crm.salesforce import TaskRecord
from baton.errors import BatonError, RejectedRecordError
from baton.ledger.database.engine import transaction
from baton.ledger.effects.dossiers import HandoffDossier, HopTerms
from baton.ledger.effects.outbox import ClaimedEffect
from baton.ledger.handoffs import overrides
from baton.ledger.handoffs.overrides import NewOverride
from baton.ledger.sources import references
from baton.pipeline.context import Context
from baton.pipeline.delivery import salesforce_shapes
from baton.pipeline.delivery.outcomes import Done, Outcome, outcome_of
from baton.pipeline.delivery.package_text import card_lines
from baton.pipeline.delivery.salesforce_plans import Dossiers, handoff_of
from baton.pipeline.delivery.salesforce_records import HANDOFF_KEY, Fields, task_fields

LONGEST_DESCRIPTION = 32_000
UNTOUCHED, SET_ASIDE = "Not Started", "Deferred"


def write_tasks(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    """Create the task of each hop, once: an existing one, open or closed, is left as it is.

    News of the lead (`refresh`) is put on top of what an open task says; what sales wrote stays.
    """
    refreshing = [effect for effect in effects if effect.params.get("refresh")]
    creating = [effect for effect in effects if not effect.params.get("refresh")]
    outcomes = _create_tasks(ctx, creating, dossiers) if creating else {}
    return outcomes | (_renew_tasks(ctx, refreshing, dossiers) if refreshing else {})


def set_aside(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    """Set an open task aside, with a note that says why; what its owner made of it stays."""
    existing = ctx.salesforce.tasks_by_key([_task_key(effect, dossiers) for effect in effects])
    changes = _Changes()
    for effect in effects:
        task, note = existing.get(_task_key(effect, dossiers)), str(effect.params["note"])
        if task is None or task.is_closed or task.is_deleted or note in task.description:
            changes.outcomes[effect.id] = _found(task)
            continue
        values: Fields = {
            "Description": f"{note}\n\n{task.description}"[:LONGEST_DESCRIPTION],
            "IsReminderSet": False,
        }
        if task.status == UNTOUCHED:
            values["Status"] = SET_ASIDE
        changes.add(effect, task, values)
    return changes.carried_out(ctx)


@dataclass(slots=True)
class _Changes:
    """Changes of existing tasks, one a task, and what is settled without any."""

    waiting: dict[str, tuple[ClaimedEffect, Fields]] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def add(self, effect: ClaimedEffect, task: TaskRecord, values: Fields) -> None:
        if task.id in self.waiting:
            # Two pieces of news at once say the same: both read the newest package.
            self.outcomes[effect.id] = _found(task)
        else:
            self.waiting[task.id] = (effect, {"Id": task.id, **values})

    def carried_out(self, ctx: Context) -> dict[int, Outcome]:
        if self.waiting:
            records = [record for _, record in self.waiting.values()]
            # Not repeated blindly: what the owner has written meanwhile is read first.
            written = ctx.salesforce.update("Task", records)
            for task_id, result in written.items():
                effect = self.waiting[task_id][0]
                self.outcomes[effect.id] = _settled(effect, result)
        return self.outcomes


def _found(task: TaskRecord | None) -> Done:
    return Done({"sobject": "Task", "id": task.id, "found": "true"} if task else {})


def _task_key(effect: ClaimedEffect, dossiers: Dossiers) -> str:
    return f"{dossiers[handoff_of(effect)].key_of(effect.hop or 1)}.task"


def _renew_tasks(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    existing = ctx.salesforce.tasks_by_key([_task_key(effect, dossiers) for effect in effects])
    _note_deleted(ctx, effects, existing, dossiers)
    changes = _Changes()
    for effect in sorted(effects, key=lambda one: one.id):
        task, news = existing.get(_task_key(effect, dossiers)), str(effect.params["news"])
        if task is None or task.is_closed or task.is_deleted or news in task.description:
            changes.outcomes[effect.id] = _found(task)
            continue
        dossier = dossiers[handoff_of(effect)]
        fresh = "\n".join((news, *card_lines(dossier, dossier.hop(effect.hop or 1))))
        text = f"{fresh}\n\n{task.description}"[:LONGEST_DESCRIPTION]
        changes.add(effect, task, {"Description": text})
    return changes.carried_out(ctx)


def _note_deleted(
    ctx: Context,
    effects: Sequence[ClaimedEffect],
    existing: Mapping[str, TaskRecord],
    dossiers: Dossiers,
) -> None:
    """Record the tasks that a person deleted: they are not made again."""
    gone = [
        NewOverride(
            lead_id=effect.lead_id,
            handoff_id=effect.handoff_id,
            field="task",
            ours="open",
            theirs="deleted",
            at=ctx.clock.now(),
        )
        for effect in effects
        if (task := existing.get(_task_key(effect, dossiers))) is not None and task.is_deleted
    ]
    if gone:
        with transaction(ctx.engine) as conn:
            overrides.record(conn, gone)


def _create_tasks(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    with ctx.engine.connect() as conn:
        owners = references.owner_ids(conn)
    shape = salesforce_shapes.shapes(ctx, ("Task",))["Task"]
    keys = {_task_key(effect, dossiers): effect for effect in effects}
    # What was never claimed before was never sent: nobody else makes tasks under these keys.
    existing = ctx.salesforce.tasks_by_key([key for key, one in keys.items() if one.fence > 1])
    _note_deleted(ctx, effects, existing, dossiers)
    outcomes: dict[int, Outcome] = {keys[key].id: _found(task) for key, task in existing.items()}
    records: dict[str, Fields] = {}
    for key, effect in keys.items():
        if effect.id in outcomes:
            continue
        try:
            dossier = dossiers[handoff_of(effect)]
            wanted = _task(dossier, dossier.hop(effect.hop or 1), key, owners, effect)
            records[key], findings = shape.fit(wanted, lead_id=dossier.lead_id)
        except BatonError as error:
            outcomes[effect.id] = outcome_of(error, effect.attempts, repeatable=True)
        else:
            salesforce_shapes.note(ctx, findings)
    if records:
        # Not repeated blindly: a task whose answer was lost is looked up first, and left to its owner.
        written = ctx.salesforce.upsert("Task", HANDOFF_KEY, list(records.values()))
        outcomes |= {keys[key].id: _settled(keys[key], one) for key, one in written.items()}
    return outcomes


def _task(
    dossier: HandoffDossier,
    hop: HopTerms,
    key: str,
    owners: Mapping[str, str],
    effect: ClaimedEffect,
) -> Fields:
    who = dossier.salesforce_contact_id or dossier.salesforce_lead_id
    if who is None:
        raise RejectedRecordError("NO_RECORD", "the person has no record in Salesforce yet")
    # A queue may own leads but no tasks: the task goes to whoever watches the queue.
    assignee = hop.owner_key if hop.owner_kind == "user" else str(effect.params.get("watcher", ""))
    owner = owners.get(assignee.lower())
    return {
        HANDOFF_KEY: key,
        "WhoId": who,
        **task_fields(dossier, hop),
        **({"OwnerId": owner} if owner else {}),
    }


def _settled(effect: ClaimedEffect, result: WriteResult) -> Outcome:
    if result.ok and result.id is not None:
        # One that was there after all has been made by another worker since we looked.
        raced = {"found": "true"} if result.created is False else {}
        return Done({"sobject": "Task", "id": result.id, **raced})
    error = result.error or RejectedRecordError("NO_ID", "the record came back without an id")
    return outcome_of(error, effect.attempts, repeatable=True)
