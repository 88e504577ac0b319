"""Carrying out the effects that write to Salesforce: the record with its owner, and the task.

Both are read before they are written and written under unique keys: a repetition changes nothing,
and what a person changed meanwhile stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from baton.crm.results import WriteResult
from baton.crm.salesforce import ContactRecord, LeadRecord, PersonMatch
from baton.errors import BatonError, RejectedRecordError
from baton.ledger import references
from baton.ledger.dossiers import HandoffDossier, HopTerms
from baton.ledger.outbox import ClaimedEffect
from baton.pipeline.context import Context
from baton.pipeline.outcomes import Done, Outcome, outcome_of
from baton.pipeline.package_text import card_lines
from baton.pipeline.salesforce_records import contact_fields, lead_fields, task_fields

HUBSPOT_ID = "HubSpot_Contact_Id__c"
HANDOFF_KEY = "Handoff_Key__c"
LONGEST_DESCRIPTION = 32_000

Record = dict[str, object]
Dossiers = Mapping[int, HandoffDossier]
"""Dossiers by handoff id."""


@dataclass(slots=True)
class _Writes:
    """Records to write to one object, each with the effect that wants it."""

    sobject: str
    updates: dict[str, Record] = field(default_factory=dict)
    creates: dict[str, Record] = field(default_factory=dict)
    effect_of: dict[str, ClaimedEffect] = field(default_factory=dict)

    def update(self, effect: ClaimedEffect, record_id: str, record: Record) -> None:
        self.updates[record_id] = {"Id": record_id, **record}
        self.effect_of[record_id] = effect

    def create(self, effect: ClaimedEffect, hubspot_id: str, record: Record) -> None:
        self.creates[hubspot_id] = {HUBSPOT_ID: hubspot_id, **record}
        self.effect_of[hubspot_id] = effect


@dataclass(frozen=True, slots=True)
class _Owners:
    """Salesforce ids of active owners by key, and the key of every owner's id."""

    ids: Mapping[str, str]
    keys: Mapping[str, str]


def write_records(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    """Write owner and package on the Salesforce record of each handoff.

    A person who is a Contact keeps their owner and gets no Lead; a Lead found by HubSpot id or by
    e-mail is stamped and updated; only who is in neither is created.
    """
    with ctx.engine.connect() as conn:
        owners, owner_keys = references.owner_ids(conn), references.owner_keys(conn)
    wanted = {effect.id: dossiers[_handoff_of(effect)] for effect in effects}
    people = ctx.salesforce.people(
        [dossier.hubspot_id for dossier in wanted.values()],
        [d.person.email for d in wanted.values() if d.person.email],
    )
    outcomes: dict[int, Outcome] = {}
    writes = {"Lead": _Writes("Lead"), "Contact": _Writes("Contact")}
    for effect in effects:
        dossier = wanted[effect.id]
        try:
            match = people.match(dossier.hubspot_id, dossier.person.email)
            done = _plan(effect, dossier, match, _Owners(owners, owner_keys), writes)
        except BatonError as error:
            outcomes[effect.id] = outcome_of(error, effect.attempts, repeatable=True)
        else:
            if done is not None:
                outcomes[effect.id] = done
    for group in writes.values():
        outcomes |= _write(ctx, group)
    return outcomes


def _handoff_of(effect: ClaimedEffect) -> int:
    if effect.handoff_id is None:
        raise RejectedRecordError("NO_HANDOFF", f"effect {effect.key} belongs to no handoff")
    return effect.handoff_id


def _plan(
    effect: ClaimedEffect,
    dossier: HandoffDossier,
    match: PersonMatch,
    owners: _Owners,
    writes: Mapping[str, _Writes],
) -> Done | None:
    """Put what the effect wants among the writes, or return Done when it is there already."""
    hop = dossier.hop(effect.hop or 1)
    key = dossier.key_of(hop.number)
    refresh = bool(effect.params.get("refresh"))
    record = _target(match)
    if record is not None and record.handoff_key == key and not refresh:
        return Done({"sobject": _sobject(record), "id": record.id, "found": "true"})
    owner = None if refresh else _owner_id(hop, owners.ids)
    if isinstance(record, ContactRecord):
        writes["Contact"].update(effect, record.id, contact_fields(dossier, key))
    elif record is not None:
        fields = lead_fields(dossier, hop, key, begins=hop.number == 1 and not refresh)
        if owner is not None and _may_set_owner(hop, record, owners.keys, dossier):
            fields["OwnerId"] = owner
        writes["Lead"].update(effect, record.id, {HUBSPOT_ID: dossier.hubspot_id, **fields})
    elif dossier.salesforce_lead_id is not None:
        # Known to the ledger by another contact, which HubSpot has merged into this one.
        fields = lead_fields(dossier, hop, key, begins=hop.number == 1 and not refresh)
        stamped = {HUBSPOT_ID: dossier.hubspot_id, **fields}
        writes["Lead"].update(effect, dossier.salesforce_lead_id, stamped)
    elif refresh:
        raise RejectedRecordError("NO_RECORD", "the person's record in Salesforce is gone")
    else:
        fields = lead_fields(dossier, hop, key, begins=True, creating=True)
        writes["Lead"].create(effect, dossier.hubspot_id, fields | _owned(owner))
    return None


def _target(match: PersonMatch) -> LeadRecord | ContactRecord | None:
    """Return the record to write: a Contact before a Lead, since a Contact is known to sales."""
    return match.contact or match.lead


def _sobject(record: LeadRecord | ContactRecord) -> str:
    return "Contact" if isinstance(record, ContactRecord) else "Lead"


def _owned(owner: str | None) -> Record:
    return {"OwnerId": owner} if owner else {}


def _owner_id(hop: HopTerms, owners: Mapping[str, str]) -> str:
    owner = owners.get(hop.owner_key.lower())
    if owner is None:
        raise RejectedRecordError(
            "OWNER_NOT_IN_SALESFORCE",
            f"'{hop.owner_key}' is no active user or queue of Salesforce; "
            "mend the roster or the user, then run crm_reference_sync and retry",
        )
    return owner


def _may_set_owner(
    hop: HopTerms, record: LeadRecord, owner_keys: Mapping[str, str], dossier: HandoffDossier
) -> bool:
    """Tell whether the owner is ours to write.

    Not where the route keeps the owner; and not on a later hop when somebody changed the owner
    that we had written: a human edit wins. The record itself names the hop that was applied last;
    its owner may have been deactivated since, so users of every kind are looked up.
    """
    if not hop.change_owner:
        return False
    applied = next(
        (one for one in dossier.hops if dossier.key_of(one.number) == record.handoff_key), None
    )
    if applied is None:
        return True
    return owner_keys.get(record.owner_id, "").lower() == applied.owner_key.lower()


def _write(ctx: Context, group: _Writes) -> dict[int, Outcome]:
    results: dict[str, WriteResult] = {}
    if group.updates:
        results |= ctx.salesforce.update(
            group.sobject, list(group.updates.values()), repeat_ambiguous=True
        )
    if group.creates:
        results |= ctx.salesforce.upsert(
            group.sobject, HUBSPOT_ID, list(group.creates.values()), repeat_ambiguous=True
        )
    return {
        group.effect_of[key].id: _settled(group.effect_of[key], result, group.sobject)
        for key, result in results.items()
    }


def _settled(effect: ClaimedEffect, result: WriteResult, sobject: str) -> Outcome:
    if result.ok and result.id is not None:
        return Done({"sobject": sobject, "id": result.id})
    error = result.error or RejectedRecordError("NO_ID", "the record came back without an id")
    return outcome_of(error, effect.attempts, repeatable=True)


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


def _task_key(effect: ClaimedEffect, dossiers: Dossiers) -> str:
    return f"{dossiers[_handoff_of(effect)].key_of(effect.hop or 1)}.task"


def _renew_tasks(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    existing = ctx.salesforce.tasks_by_key([_task_key(effect, dossiers) for effect in effects])
    outcomes: dict[int, Outcome] = {}
    waiting: dict[str, tuple[ClaimedEffect, Record]] = {}
    for effect in sorted(effects, key=lambda one: one.id):
        task, news = existing.get(_task_key(effect, dossiers)), str(effect.params["news"])
        if task is None or task.is_closed or task.is_deleted or news in task.description:
            found = {"sobject": "Task", "id": task.id, "found": "true"} if task else {}
            outcomes[effect.id] = Done(found)
            continue
        dossier = dossiers[_handoff_of(effect)]
        fresh = "\n".join((news, *card_lines(dossier, dossier.hop(effect.hop or 1))))
        text = f"{fresh}\n\n{task.description}"[:LONGEST_DESCRIPTION]
        if task.id in waiting:
            # Two pieces of news at once say the same: both read the newest package.
            outcomes[effect.id] = Done({"sobject": "Task", "id": task.id, "found": "true"})
        else:
            waiting[task.id] = (effect, {"Id": task.id, "Description": text})
    if waiting:
        records = [record for _, record in waiting.values()]
        written = ctx.salesforce.update("Task", records, repeat_ambiguous=True)
        for task_id, result in written.items():
            effect = waiting[task_id][0]
            outcomes[effect.id] = _settled(effect, result, "Task")
    return outcomes


def _create_tasks(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    with ctx.engine.connect() as conn:
        owners = references.owner_ids(conn)
    keys = {_task_key(effect, dossiers): effect for effect in effects}
    existing = ctx.salesforce.tasks_by_key(list(keys))
    outcomes: dict[int, Outcome] = {
        keys[key].id: Done({"sobject": "Task", "id": task.id, "found": "true"})
        for key, task in existing.items()
    }
    records: dict[str, Record] = {}
    for key, effect in keys.items():
        if effect.id in outcomes:
            continue
        try:
            dossier = dossiers[_handoff_of(effect)]
            records[key] = _task(dossier, dossier.hop(effect.hop or 1), key, owners, effect)
        except BatonError as error:
            outcomes[effect.id] = outcome_of(error, effect.attempts, repeatable=True)
    if records:
        written = ctx.salesforce.upsert(
            "Task", HANDOFF_KEY, list(records.values()), repeat_ambiguous=True
        )
        outcomes |= {keys[key].id: _settled(keys[key], one, "Task") for key, one in written.items()}
    return outcomes


def _task(
    dossier: HandoffDossier,
    hop: HopTerms,
    key: str,
    owners: Mapping[str, str],
    effect: ClaimedEffect,
) -> Record:
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
        **_owned(owner),
    }
