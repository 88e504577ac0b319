"""What must hold at the end of every case, whatever happened: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults.acts import Act
from tests.faults.catalogue import Edit
from tests.faults.edits import Edited
from tests.integration.pipeline.relay import Relay

from baton.ledger.proofs import conservation
from baton.ledger.proofs.conservation import Severity

_OPEN = ("pending", "leased", "waiting", "ambiguous")
_SETTLED = ("done", "superseded")


def unsettled(relay: Relay) -> int:
    """Return how many effects are still to be carried out."""
    return sum(one["state"] in _OPEN for one in relay.effects())


def breaches(relay: Relay, contacts: tuple[str, ...], act: Act, edited: Edited | None) -> list[str]:
    """Return every promise that does not hold, in words."""
    found: list[str] = []
    for check in (_leads, _effects, _tasks, _messages, _moves, _conserved):
        found += check(relay, contacts)
    owners = {edited.record_id} if edited is not None and edited.what is Edit.OWNER else set()
    for contact in contacts:
        found += _record(relay, contact, frozenset(owners))
        found += _told(relay, contact)
        if act.listed is not None and act.listed not in relay.lists_of(contact):
            found.append(f"{contact} is not on the list {act.listed}")
    found += _kept(relay, edited)
    return found


def doubled(relay: Relay) -> Iterator[str]:
    """Return what is there twice, at any moment: no promise waits for the end with that."""
    keys = [str(row["Handoff_Key__c"]) for row in relay.tasks()]
    keys += [one.key for one in relay.messages()]
    stamped = [row["HubSpot_Contact_Id__c"] for row in relay.org.rows("Lead")]
    keys += [f"lead {one}" for one in stamped if one]
    yield from (
        f"{key} is there {count} times" for key, count in Counter(keys).items() if count > 1
    )
    yield from _moves(relay, ())


def _leads(relay: Relay, contacts: tuple[str, ...]) -> Iterator[str]:
    """No lead lost: each contact is one lead, in one state, and has been judged."""
    rows = relay.rows("SELECT hubspot_id, state FROM lead")
    states = {row["hubspot_id"]: row["state"] for row in rows}
    if len(states) != len(rows):
        yield "a contact is two leads"
    for contact in contacts:
        if states.get(contact, "seen") == "seen":
            yield f"lead {contact} is lost: {states.get(contact, 'not in the ledger')}"


def _effects(relay: Relay, contacts: tuple[str, ...]) -> Iterator[str]:
    """Everything planned was carried out, once it could be."""
    for one in relay.effects():
        if one["state"] not in _SETTLED:
            why = f"{one['last_error_code']}: {one['last_error']}"
            yield f"effect {one['key']} is {one['state']} after {one['attempts']} tries ({why})"


def _tasks(relay: Relay, contacts: tuple[str, ...]) -> Iterator[str]:
    """One task a hop: where the ledger says so, and nowhere else."""
    there = Counter(
        str(row["Handoff_Key__c"])
        for row in relay.org.rows("Task", include_deleted=True)
        if row["Handoff_Key__c"]
    )
    yield from (f"task {key} is there {count} times" for key, count in there.items() if count > 1)
    for one in relay.effects(kind="salesforce_task", state="done"):
        key = one["key"].replace(".salesforce_task", "").split(".")
        wanted = f"{key[0]}.{key[1]}.task"
        if there[wanted] != 1:
            yield f"task {wanted} is there {there[wanted]} times, the ledger says it is done"


def _messages(relay: Relay, contacts: tuple[str, ...]) -> Iterator[str]:
    """One message an effect, and none for what was not carried out."""
    sent = Counter(one.key for one in relay.messages())
    yield from (f"message {key} was sent {count} times" for key, count in sent.items() if count > 1)
    for kind in ("slack_message", "slack_reminder"):
        for one in relay.effects(kind=kind):
            if one["state"] == "done" and sent[one["key"]] != 1:
                yield f"message {one['key']} is done, but was sent {sent[one['key']]} times"


def _moves(relay: Relay, contacts: tuple[str, ...]) -> Iterator[str]:
    """Each recorded move starts where the one before it ended."""
    at: dict[tuple[str, int], str] = {}
    for row in relay.rows("SELECT * FROM transition ORDER BY id"):
        subject = (row["subject"], row["subject_id"])
        if subject in at and row["before"] != at[subject]:
            yield f"{subject} moved from {row['before']}, but stood at {at[subject]}"
        at[subject] = row["after"]


def _conserved(relay: Relay, contacts: tuple[str, ...]) -> Iterator[str]:
    with relay.engine.connect() as conn:
        report = conservation.check(conn, now=relay.now())
    for one in report.findings:
        if one.severity is Severity.BROKEN:
            yield f"conservation: {one.code} of {one.subject} {one.subject_id}: {one.cause}"


def _record(relay: Relay, contact: str, edited: frozenset[str]) -> Iterator[str]:
    """One record a person, with the owner that the ledger gave it, written once a hop."""
    leads = [dict(row) for row in relay.org.find_all("Lead", Email=relay.email(contact))]
    people = list(relay.org.find_all("Contact", Email=relay.email(contact)))
    written = relay.handoffs(contact)
    if len(leads) + len(people) > 1:
        yield f"{contact} is {len(leads)} leads and {len(people)} contacts in Salesforce"
    if not written:
        return
    if not leads and not people:
        yield f"{contact} was handed over, but is not in Salesforce"
    (row,) = relay.rows("SELECT * FROM lead WHERE hubspot_id = :id", id=contact)
    for lead in leads:
        if row["salesforce_lead_id"] != lead["Id"] or lead["HubSpot_Contact_Id__c"] != contact:
            yield f"{contact}: the ledger and Salesforce do not name the same record"
        if lead["Id"] not in edited and relay.owner_name(lead) != written[-1]["owner_key"]:
            yield f"{contact} belongs to {relay.owner_name(lead)}, not {written[-1]['owner_key']}"
        yield from _owner_writes(relay, contact, lead, again=lead["Id"] in edited)


def _owner_writes(
    relay: Relay, contact: str, lead: dict[str, Any], *, again: bool
) -> Iterator[str]:
    """Our user changed the owner at most once a hop.

    Twice more where somebody edited it meanwhile: by a write repeated because its answer was lost,
    and to give back what that took.
    """
    ours = relay.org.integration_user_id
    changes = [
        one
        for one in relay.org.rows("LeadHistory")
        if one["LeadId"] == lead["Id"] and one["Field"] == "Owner" and one["CreatedById"] == ours
        and one["DataType"] == "EntityId"
    ]  # fmt: skip
    query = "SELECT count(*) AS n FROM hop JOIN handoff ON handoff.id = hop.handoff_id"
    (hops,) = relay.rows(f"{query} WHERE lead_id = (SELECT id FROM lead WHERE hubspot_id = :id)", id=contact)  # fmt: skip
    if len(changes) > hops["n"] + 2 * again:
        yield f"{contact}: the owner was written {len(changes)} times in {hops['n']} hops"


def _told(relay: Relay, contact: str) -> Iterator[str]:
    """HubSpot knows the state that the ledger holds."""
    rows = relay.rows("SELECT * FROM lead WHERE hubspot_id = :id", id=contact)
    told = relay.in_hubspot(contact)
    for row in rows:
        if told.get("state") != row["state"]:
            yield f"{contact} is {row['state']}, HubSpot was told {told.get('state')}"
        if (told.get("band") or None) != row["band"]:
            yield f"{contact} is {row['band']}, HubSpot was told {told.get('band')}"


def _kept(relay: Relay, edited: Edited | None) -> Iterator[str]:
    """What a person edited is theirs."""
    if edited is None or not edited.binding:
        return
    if edited.sobject == "contacts":
        record = relay.world.portal.get("contacts", edited.record_id)
        there: Any = record.properties if record is not None else {}
    else:
        there = relay.org.get(edited.sobject, edited.record_id) or {}
    for name, value in edited.values.items():
        if there.get(name) != value:
            yield f"edit lost ({edited.what.value}): {name} is {there.get(name)}, not {value}"
