"""Comparing Salesforce with the ledger: every open handoff with its record, its owner and its task.

Nothing is compared while something of a handoff is still to be carried out, nor where it failed or
was withheld: the reason is known there, and the outbox tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from baton.crm.salesforce import LeadRecord, TaskRecord
from baton.crm.salesforce.people import People
from baton.leads.states import HandoffState
from baton.ledger.database.engine import transaction
from baton.ledger.proofs import comparison
from baton.ledger.proofs.comparison import ComparedHandoff
from baton.ledger.proofs.reconciliation import Found
from baton.ledger.sources import references
from baton.pipeline.context import Context
from baton.pipeline.response.dispositions import ACCEPTED

OUTCOME = "Disposition__c"
_BEFORE_ACCEPTANCE = (HandoffState.PLANNED, HandoffState.ASSIGNED, HandoffState.NOTIFIED)
KEY = "Handoff_Key__c"
_ENDED = ("Closed", "Recycled", "Unqualified", "Disqualified")
"""How the names of the Lead statuses begin that end the work: Salesforce's own and the example's."""


@dataclass(frozen=True, slots=True)
class SalesforceSide:
    """What Salesforce shows of a group of handoffs, and who its users are.

    `keys` are the owners' keys by id; `inactive` the ids of users who may own nothing.
    """

    people: People
    tasks: Mapping[str, TaskRecord]
    keys: Mapping[str, str]
    inactive: frozenset[str]


def compare_handoffs(ctx: Context, handoffs: Sequence[ComparedHandoff]) -> list[Found]:
    """Compare these handoffs; costs a handful of calls for 200 of them.

    Raises GatewayError: Salesforce could not be asked.
    """
    ready = [one for one in handoffs if one.record == "done" and not one.busy]
    if not ready:
        return []
    side = _read(ctx, ready)
    found = [each for one in ready for each in compare_one(one, side)]
    if not found:
        return []
    with transaction(ctx.engine) as conn:
        again = comparison.handoffs_again(conn, [one.id for one in ready])
    unmoved = {one.id for one in ready if again.get(one.id) == one}
    found = [each for each in found if each.handoff_id in unmoved]
    return _by_whom(ctx, found)


def _read(ctx: Context, handoffs: Sequence[ComparedHandoff]) -> SalesforceSide:
    values = (OUTCOME,)
    people = ctx.salesforce.people(
        [one.hubspot_id for one in handoffs],
        [one.email for one in handoffs if one.email],
        values=values,
    )
    known = {
        record
        for one in handoffs
        for record in (one.salesforce_lead_id, one.salesforce_contact_id)
        if record
    }
    unread = known - people.leads.keys() - people.contacts.keys()
    if unread:
        more = ctx.salesforce.records(unread, values=values)
        people = People({**people.leads, **more.leads}, {**people.contacts, **more.contacts})
    tasks = ctx.salesforce.tasks_by_key(
        [f"{one.hop_key}.task" for one in handoffs if one.task == "done"]
    )
    with transaction(ctx.engine) as conn:
        users = references.users(conn)
        keys = references.owner_keys(conn)
    inactive = frozenset(user.salesforce_id for user in users if not user.active)
    return SalesforceSide(people, tasks, keys, inactive)


def compare_one(one: ComparedHandoff, side: SalesforceSide) -> Iterator[Found]:
    """Yield where one handoff differs from what Salesforce shows. Calls nothing."""
    base = Found(
        code="",
        lead_id=one.lead_id,
        handoff_id=one.id,
        hubspot_id=one.hubspot_id,
        salesforce_id=one.salesforce_contact_id or one.salesforce_lead_id,
    )
    if one.salesforce_contact_id is not None:
        yield from _of_contact(one, side, base)
    else:
        yield from _of_lead(one, side, base)
    yield from _of_task(one, side, base)


def _of_contact(one: ComparedHandoff, side: SalesforceSide, base: Found) -> Iterator[Found]:
    record = side.people.contacts.get(one.salesforce_contact_id or "")
    if record is None:
        yield replace(base, code="record_missing")
    elif record.is_deleted:
        survivor = side.people.match(one.hubspot_id, one.email).contact
        other = survivor.id if survivor else None
        yield _moved_or(base, "record_deleted", record.master_id or other)


def _moved_or(base: Found, code: str, survivor: str | None) -> Found:
    if survivor is None:
        return replace(base, code=code)
    return replace(base, code="record_moved", theirs=survivor)


def _of_lead(one: ComparedHandoff, side: SalesforceSide, base: Found) -> Iterator[Found]:
    match = side.people.match(one.hubspot_id, one.email)
    record = side.people.leads.get(one.salesforce_lead_id or "")
    survivor = match.lead.id if match.lead and match.matched_by == "hubspot_id" else None
    if record is None:
        yield _moved_or(base, "record_missing", survivor)
    elif record.is_deleted:
        yield _moved_or(base, "record_deleted", record.master_id or survivor)
    elif record.is_converted:
        yield replace(base, code="record_converted")
    else:
        yield from _of_live_lead(one, record, side, base)


def _of_live_lead(
    one: ComparedHandoff, record: LeadRecord, side: SalesforceSide, base: Found
) -> Iterator[Found]:
    if not record.hubspot_id:
        yield replace(base, code="record_unstamped")
    elif record.hubspot_id != one.hubspot_id:
        theirs = f"contact {record.hubspot_id}"
        yield replace(base, code="record_of_another", theirs=theirs)
    if record.handoff_key != one.hop_key:
        yield replace(
            base, code="key_outdated", field=KEY, ours=one.hop_key, theirs=record.handoff_key
        )
    elif _is_untaken(one, record.values.get(OUTCOME)):
        yield replace(base, code="outcome_unread")
    elif (record.status or "").startswith(_ENDED):
        yield replace(base, code="closed_without_outcome", theirs=record.status)
    yield from _of_owner(one, record, side, base)
    for other in side.people.leads.values():
        if _is_second(one, record, other):
            yield replace(base, code="second_lead", theirs=f"Lead {other.id}")


def _is_untaken(one: ComparedHandoff, outcome: object) -> bool:
    """Tell whether an outcome stands on the record that the handoff does not show."""
    if not outcome or one.refused:
        return False
    return outcome != ACCEPTED or one.state in _BEFORE_ACCEPTANCE


def _of_owner(
    one: ComparedHandoff, record: LeadRecord, side: SalesforceSide, base: Found
) -> Iterator[Found]:
    theirs = side.keys.get(record.owner_id)
    known = {one.owner_key.lower(), (one.override_to or one.owner_key).lower()}
    if one.change_owner and theirs is not None and theirs.lower() not in known:
        yield replace(base, code="owner_changed", field="owner", ours=one.owner_key, theirs=theirs)
    if record.owner_id in side.inactive:
        yield replace(base, code="owner_inactive", theirs=theirs)


def _is_second(one: ComparedHandoff, record: LeadRecord, other: LeadRecord) -> bool:
    if other.id == record.id or other.is_deleted or other.is_converted:
        return False
    if other.hubspot_id:
        return other.hubspot_id == one.hubspot_id
    return (
        bool(one.email)
        and (other.email or "").strip().casefold() == (one.email or "").strip().casefold()
    )


def _of_task(one: ComparedHandoff, side: SalesforceSide, base: Found) -> Iterator[Found]:
    if one.task != "done":
        return
    task = side.tasks.get(f"{one.hop_key}.task")
    if task is None:
        yield replace(base, code="task_missing")
    elif task.is_deleted:
        yield replace(base, code="task_deleted", theirs=f"Task {task.id}")


def _by_whom(ctx: Context, found: Sequence[Found]) -> list[Found]:
    """Tell keys that a person changed from those that are merely outdated, by the history."""
    doubtful = {
        one.salesforce_id
        for one in found
        if one.code == "key_outdated" and one.salesforce_id is not None
    }
    if not doubtful:
        return list(found)
    machine = ctx.salesforce.user_id()
    newest = {
        row.lead_id: row.by_id
        for row in ctx.salesforce.lead_history(doubtful, comparison.BEGINNING)
        if row.field == KEY
    }
    return [
        replace(one, code="key_edited")
        if one.code == "key_outdated" and newest.get(one.salesforce_id or "", machine) != machine
        else one
        for one in found
    ]
