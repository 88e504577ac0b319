"""What to write on the Salesforce record of a handoff: looked at, planned field by field, written.

The record is read before it is written and written under unique keys: a repetition changes nothing,
and what a person changed meanwhile stays as it is. What we are about to write is stored first, so
that afterwards our own values can be told from a person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from baton.crm.results import WriteResult
from baton.crm.salesforce import ContactRecord, LeadRecord, People, PersonMatch
from baton.errors import BatonError, OwnerInactiveError, RejectedRecordError
from baton.ledger.database.engine import transaction
from baton.ledger.effects import field_writes
from baton.ledger.effects.crm_objects import Finding
from baton.ledger.effects.dossiers import HandoffDossier, HopTerms
from baton.ledger.effects.field_writes import SALESFORCE, FieldWrite, NewFieldWrite
from baton.ledger.effects.outbox import ClaimedEffect
from baton.ledger.sources import references
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.delivery import salesforce_shapes
from baton.pipeline.delivery.field_guard import Kept, Record, by_lead, names, new_record, settle
from baton.pipeline.delivery.human_edits import record_kept
from baton.pipeline.delivery.outcomes import Done, Outcome, Retry, outcome_of
from baton.pipeline.delivery.salesforce_records import (
    GUARDED,
    HANDOFF_KEY,
    HUBSPOT_ID,
    Fields,
    contact_fields,
    lead_fields,
)
from baton.pipeline.delivery.salesforce_shapes import Shape
from baton.policy.crm_models import Duplicates, SalesforceRules

Dossiers = Mapping[int, HandoffDossier]
"""Dossiers by handoff id."""

MACHINE_FIELDS = (HUBSPOT_ID, HANDOFF_KEY)
"""Nobody's but ours: keys by which records are found again."""
LOOK_AGAIN = timedelta(seconds=10)
WAITS = "WAITS_FOR_NATIVE_SYNC"


@dataclass(frozen=True, slots=True)
class Look:
    """What was read before anything is written; one for a group of effects."""

    rules: SalesforceRules
    shapes: Mapping[str, Shape]
    owner_ids: Mapping[str, str]
    owner_keys: Mapping[str, str]
    people: People
    memory: Mapping[int, Mapping[str, FieldWrite]]
    """Our newest write of each field, by lead."""
    changed_since: Mapping[str, frozenset[str]]
    """Fields that a person changed since the handoff was decided, by Lead id."""


@dataclass(slots=True)
class Planned:
    """A record that is about to be written for an effect."""

    effect: ClaimedEffect
    dossier: HandoffDossier
    sobject: str
    record_id: str | None
    fields: Fields
    writes: tuple[NewFieldWrite, ...] = ()
    equal: tuple[NewFieldWrite, ...] = ()
    kept: tuple[Kept, ...] = ()
    findings: tuple[Finding, ...] = ()
    adopted: bool = False
    intents: list[int] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Return what the result of the write is found by."""
        return self.record_id or self.dossier.hubspot_id


def handoff_of(effect: ClaimedEffect) -> int:
    """Return the handoff of an effect; raises RejectedRecordError where it has none."""
    if effect.handoff_id is None:
        raise RejectedRecordError("NO_HANDOFF", f"effect {effect.key} belongs to no handoff")
    return effect.handoff_id


def look_at(ctx: Context, dossiers: Iterable[HandoffDossier]) -> Look:
    """Read the records of these persons, what we wrote to them, and what people changed since."""
    ones = list(dossiers)
    people = ctx.salesforce.people(
        [one.hubspot_id for one in ones],
        [one.person.email for one in ones if one.person.email],
        values=GUARDED,
    )
    people = _with_known(ctx, people, ones)
    with ctx.engine.connect() as conn:
        memory = field_writes.newest(conn, SALESFORCE, [one.lead_id for one in ones])
        look = Look(
            rules=active_policy(conn).policy.salesforce,
            shapes={},
            owner_ids=references.owner_ids(conn),
            owner_keys=references.owner_keys(conn),
            people=people,
            memory=by_lead(memory),
            changed_since={},
        )
    return replace(
        look,
        shapes=salesforce_shapes.shapes(ctx, ("Lead", "Contact")),
        changed_since=_changed_since(ctx, look, ones),
    )


def _with_known(ctx: Context, people: People, dossiers: Sequence[HandoffDossier]) -> People:
    """Read also the Leads that only the ledger knows: HubSpot has merged their contact away."""
    lost = [
        one.salesforce_lead_id
        for one in dossiers
        if one.salesforce_lead_id
        and _nobody(people.match(one.hubspot_id, one.person.email))
        and one.salesforce_lead_id not in people.leads
    ]
    if not lost:
        return people
    more = ctx.salesforce.records(lost, values=GUARDED)
    return People({**people.leads, **more.leads}, {**people.contacts, **more.contacts})


def _nobody(match: PersonMatch) -> bool:
    return match.lead is None and match.contact is None


def match_of(look: Look, dossier: HandoffDossier) -> PersonMatch:
    """Return the person's records: by HubSpot id, by e-mail, or as the ledger knows them."""
    match = look.people.match(dossier.hubspot_id, dossier.person.email)
    if _nobody(match) and dossier.salesforce_lead_id is not None:
        known = look.people.of_record(dossier.salesforce_lead_id)
        match = match if _nobody(known) else known
    return match


def _changed_since(
    ctx: Context, look: Look, dossiers: Sequence[HandoffDossier]
) -> dict[str, frozenset[str]]:
    """Return which fields people changed between the decision and now, for our first write.

    Asks the history only for Leads that were changed since, which is rare.
    """
    since = {}
    for one in dossiers:
        lead = match_of(look, one).lead
        first = all(write.scope != one.key for write in look.memory.get(one.lead_id, {}).values())
        if lead is not None and first and lead.modified_at > one.decided_at:
            since[lead.id] = one.decided_at
    if not since or ctx.replays:
        return {}
    machine = ctx.salesforce.user_id()
    found: dict[str, set[str]] = {}
    for row in ctx.salesforce.lead_history(since, min(since.values())):
        if row.by_id != machine and row.at >= since.get(row.lead_id, row.at):
            found.setdefault(row.lead_id, set()).add(row.field)
    return {lead_id: frozenset(fields) for lead_id, fields in found.items()}


def plan_record(
    ctx: Context, look: Look, effect: ClaimedEffect, dossier: HandoffDossier, match: PersonMatch
) -> Planned | Done | Retry:
    """Return what to write, Done when it is there already, or Retry while another may make it.

    Raises RejectedRecordError, OwnerInactiveError where the record or its owner cannot be had.
    """
    hop = dossier.hop(effect.hop or 1)
    key, refresh = dossier.key_of(hop.number), bool(effect.params.get("refresh"))
    target = match.contact or match.lead
    if target is not None and target.handoff_key == key and not refresh:
        return Done({"sobject": _sobject(target), "id": target.id, "found": "true"})
    if isinstance(target, ContactRecord):
        fields, findings = look.shapes["Contact"].fit(
            contact_fields(dossier, key), lead_id=dossier.lead_id
        )
        return Planned(
            effect, dossier, "Contact", target.id, fields, findings=tuple(findings),
            adopted=not target.hubspot_id,
        )  # fmt: skip
    if target is not None:
        return _update(ctx, look, effect, dossier, target, ambiguous=match.ambiguous)
    if match.converted is not None:
        raise RejectedRecordError(
            "CONVERTED_CONTACT_GONE",
            f"Lead {match.converted.id} was converted and its Contact is gone; "
            "restore the Contact or clear HubSpot_Contact_Id__c on the Lead, then retry",
        )
    if refresh:
        raise RejectedRecordError("NO_RECORD", "the person's record in Salesforce is gone")
    waiting = _waits_for_native_sync(ctx, look.rules, dossier)
    return waiting or _create(ctx, look, effect, dossier, hop)


def _waits_for_native_sync(
    ctx: Context, rules: SalesforceRules, dossier: HandoffDossier
) -> Retry | None:
    """Return a pause while HubSpot's own sync may still make the record, which we then adopt."""
    if rules.wait_for_native_sync is None or ctx.replays:
        return None
    until = dossier.decided_at + timedelta(seconds=rules.wait_for_native_sync.seconds)
    left = until - ctx.clock.now()
    if left <= timedelta():
        return None
    text = f"HubSpot's own sync may make the record until {until:%H:%M:%S} UTC"
    return Retry(WAITS, text, min(left, LOOK_AGAIN))


def _update(
    ctx: Context,
    look: Look,
    effect: ClaimedEffect,
    dossier: HandoffDossier,
    lead: LeadRecord,
    *,
    ambiguous: bool,
) -> Planned:
    hop, refresh = dossier.hop(effect.hop or 1), bool(effect.params.get("refresh"))
    key = dossier.key_of(hop.number)
    wanted = lead_fields(dossier, hop, key, begins=hop.number == 1 and not refresh)
    if hop.change_owner and not refresh:
        wanted["OwnerId"] = owner_id(look, hop)
    fitting, findings = look.shapes["Lead"].fit(wanted, lead_id=dossier.lead_id)
    record = Record(
        lead_id=dossier.lead_id,
        system=SALESFORCE,
        record_id=lead.id,
        scope=dossier.key,
        looked_at=ctx.clock.now(),
        changed_since=_theirs_already(look, dossier, lead),
    )
    guarded = {name: fitting[name] for name in fitting if name not in MACHINE_FIELDS}
    current = {**lead.values, "OwnerId": lead.owner_id, "Status": lead.status}
    done = settle(record, guarded, current, look.memory.get(dossier.lead_id, {}))
    if ambiguous:
        findings.append(Finding("Lead", "Email", "ambiguous", "", dossier.lead_id))
    return Planned(
        effect=effect,
        dossier=dossier,
        sobject="Lead",
        record_id=lead.id,
        fields={HUBSPOT_ID: dossier.hubspot_id, HANDOFF_KEY: key, **done.write},
        writes=done.writes,
        equal=done.equal,
        kept=done.kept,
        findings=tuple(findings),
        adopted=not lead.hubspot_id,
    )


def _theirs_already(look: Look, dossier: HandoffDossier, lead: LeadRecord) -> frozenset[str]:
    """Return the fields that are people's by now, also where we kept no book of what we wrote."""
    changed = look.changed_since.get(lead.id, frozenset())
    if "OwnerId" in look.memory.get(dossier.lead_id, {}):
        return changed
    applied = next(
        (one for one in dossier.hops if dossier.key_of(one.number) == lead.handoff_key), None
    )
    if applied is None:
        return changed
    # The owner may have been deactivated since, so users of every kind are looked up.
    stands = look.owner_keys.get(lead.owner_id, "").lower()
    return changed | {"OwnerId"} if stands != applied.owner_key.lower() else changed


def _create(
    ctx: Context, look: Look, effect: ClaimedEffect, dossier: HandoffDossier, hop: HopTerms
) -> Planned:
    key = dossier.key_of(hop.number)
    wanted = lead_fields(dossier, hop, key, begins=True, creating=True)
    wanted["OwnerId"] = owner_id(look, hop)
    fitting, findings = look.shapes["Lead"].fit(wanted, lead_id=dossier.lead_id)
    record = Record(
        lead_id=dossier.lead_id,
        system=SALESFORCE,
        record_id=None,
        scope=dossier.key,
        looked_at=ctx.clock.now(),
    )
    guarded = {name: value for name, value in fitting.items() if name in (*GUARDED, "OwnerId")}
    return Planned(
        effect=effect,
        dossier=dossier,
        sobject="Lead",
        record_id=None,
        fields={HUBSPOT_ID: dossier.hubspot_id, **fitting},
        writes=new_record(record, guarded),
        findings=tuple(findings),
    )


def owner_id(look: Look, hop: HopTerms) -> str:
    """Return the Salesforce id of a hop's owner. Raises OwnerInactiveError where there is none."""
    owner = look.owner_ids.get(hop.owner_key.lower())
    if owner is None:
        raise OwnerInactiveError(
            "OWNER_NOT_IN_SALESFORCE",
            f"'{hop.owner_key}' is no active user or queue of Salesforce; "
            "mend the roster or the user, then run crm_reference_sync and retry",
        )
    return owner


def _sobject(record: LeadRecord | ContactRecord) -> str:
    return "Contact" if isinstance(record, ContactRecord) else "Lead"


def carry_out(ctx: Context, look: Look, planned: Sequence[Planned]) -> dict[str, WriteResult]:
    """Store what is about to be written, write it, and store what landed; results by record's key."""
    if not planned:
        return {}
    with transaction(ctx.engine) as conn:
        intents = field_writes.intend_each(conn, [(*one.writes, *one.equal) for one in planned])
    for one, mine in zip(planned, intents, strict=True):
        one.intents = mine
    results: dict[str, WriteResult] = {}
    for sobject in ("Lead", "Contact"):
        group = [one for one in planned if one.sobject == sobject]
        updates = [{"Id": one.record_id, **one.fields} for one in group if one.record_id]
        creates = [one.fields for one in group if not one.record_id]
        if updates:
            results |= ctx.salesforce.update(sobject, updates, repeat_ambiguous=True)
        if creates:
            results |= ctx.salesforce.upsert(
                sobject,
                HUBSPOT_ID,
                creates,
                repeat_ambiguous=True,
                allow_duplicates=look.rules.duplicates is Duplicates.ALLOW,
            )
    _note_landed(ctx, look, planned, results)
    return results


def _note_landed(
    ctx: Context, look: Look, planned: Sequence[Planned], results: Mapping[str, WriteResult]
) -> None:
    done = [one for one in planned if one.key in results and results[one.key].ok]
    with transaction(ctx.engine) as conn:
        records = {one.dossier.lead_id: results[one.key].id for one in done}
        field_writes.landed(conn, records, [number for one in done for number in one.intents])
        for one in done:
            record_kept(conn, one.dossier, one.kept, look.owner_keys, at=ctx.clock.now())
    salesforce_shapes.note(ctx, [finding for one in done for finding in one.findings])


def land_found(ctx: Context, look: Look, found: Mapping[int, Outcome]) -> None:
    """Note that an earlier attempt was carried out and nobody heard of it."""
    records = {
        lead_id: outcome.result["id"]
        for lead_id, outcome in found.items()
        if isinstance(outcome, Done) and "id" in outcome.result
    }
    open_ones = [
        write.id
        for lead_id in records
        for write in look.memory.get(lead_id, {}).values()
        if not write.landed
    ]
    if open_ones:
        with transaction(ctx.engine) as conn:
            field_writes.landed(conn, records, open_ones)


def settled(one: Planned, result: WriteResult | None) -> Outcome | BatonError:
    """Return what became of a record: an outcome, or the error with which it was refused."""
    if result is None:
        return Retry("NO_RESULT", "no result came back for it", LOOK_AGAIN)
    if result.ok and result.id is not None:
        told = {"sobject": one.sobject, "id": result.id}
        if one.kept:
            told["kept"] = names(one.kept)
        if one.adopted and one.record_id:
            told["adopted"] = "true"
        return Done(told)
    return result.error or RejectedRecordError("NO_ID", "the record came back without an id")


def outcome_of_error(effect: ClaimedEffect, error: BatonError) -> Outcome:
    """Translate an error of a record's write, which may be repeated without harm."""
    return outcome_of(error, effect.attempts, repeatable=True)
