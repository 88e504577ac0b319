"""Carrying out the effects that write to HubSpot: states, shared properties, list memberships.

Contacts are read before they are written: only values that differ go out, and what a person has
put there stays (see `baton.pipeline.delivery.field_guard`). The lead source is never among them. Writing the
same value again changes nothing, so these effects may be repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from baton.crm.hubspot import ContactRow, ContactUpdate
from baton.crm.results import WriteResult
from baton.errors import RejectedRecordError
from baton.ledger.database.engine import transaction
from baton.ledger.effects import field_writes
from baton.ledger.effects.dossiers import LeadDossier
from baton.ledger.effects.field_writes import HUBSPOT, OF_LEAD, FieldWrite, NewFieldWrite
from baton.ledger.effects.outbox import ClaimedEffect
from baton.pipeline.context import Context
from baton.pipeline.delivery.field_guard import Kept, Record, by_lead, names, settle
from baton.pipeline.delivery.hubspot_edits import note_kept
from baton.pipeline.delivery.lifecycle import (
    LIFECYCLE,
    goes_back,
    shared_names,
    shared_values,
)
from baton.pipeline.delivery.outcomes import Done, Outcome, outcome_of
from baton.pipeline.delivery.package_text import filled
from baton.policy.models import Policy

LONGEST_REASONS = 1000


@dataclass(slots=True)
class _Change:
    """What is to be written to one contact, and which effects want it."""

    lead: LeadDossier
    effects: list[ClaimedEffect]
    contact: str
    write: dict[str, str] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    news: tuple[NewFieldWrite, ...] = ()
    intents: list[int] = field(default_factory=list)
    clear_first: bool = False


def write_states(
    ctx: Context,
    effects: Sequence[ClaimedEffect],
    leads: Mapping[int, LeadDossier],
    policy: Policy,
) -> dict[int, Outcome]:
    """Write each lead's present state to HubSpot. Several effects of one lead make one update."""
    by_id: defaultdict[int, list[ClaimedEffect]] = defaultdict(list)
    for effect in effects:
        by_id[effect.lead_id].append(effect)
    properties = (*policy.write_back.properties.values(), *shared_names(policy))
    read = ctx.hubspot.read_contacts([leads[one].hubspot_id for one in by_id], properties)
    owners = _owners(ctx) if policy.write_back.lead_owner else {}
    with ctx.engine.connect() as conn:
        memory = by_lead(field_writes.newest(conn, HUBSPOT, by_id))
    outcomes: dict[int, Outcome] = {}
    changes: list[_Change] = []
    for lead_id, wanting in by_id.items():
        lead = leads[lead_id]
        found = read.found.get(lead.hubspot_id)
        if found is None:
            outcomes |= _gone(wanting)
        else:
            known = memory.get(lead_id, {})
            changes.append(_planned(ctx, lead, wanting, found, known, policy, owners))
    results = _carry_out(ctx, changes)
    note_kept(ctx, [(one.lead, one.contact, one.kept) for one in changes])
    for one in changes:
        for effect in one.effects:
            outcomes[effect.id] = _settled(effect, one, results.get(one.contact))
    return outcomes


def _owners(ctx: Context) -> dict[str, str]:
    return {one.email.lower(): one.id for one in ctx.hubspot.owners() if one.email}


def _planned(
    ctx: Context,
    lead: LeadDossier,
    effects: list[ClaimedEffect],
    contact: ContactRow,
    memory: Mapping[str, FieldWrite],
    policy: Policy,
    owners: Mapping[str, str],
) -> _Change:
    current = contact.properties
    own = _properties(lead, policy)
    wanted = {**own, **shared_values(lead, policy, current, owners)}
    record = Record(
        lead_id=lead.lead_id,
        system=HUBSPOT,
        record_id=contact.id,
        scope=lead.handoff_key or OF_LEAD,
        looked_at=ctx.clock.now(),
        until_news=frozenset(own),
        long_texts=_texts(policy),
    )
    done = settle(record, wanted, current, _without_half_done(memory, current))
    write = {name: str(value or "") for name, value in done.write.items()}
    stage = write.get(LIFECYCLE)
    return _Change(
        lead=lead,
        effects=effects,
        contact=contact.id,
        write=write,
        kept=done.kept,
        news=(*done.writes, *done.equal),
        clear_first=goes_back(current.get(LIFECYCLE), stage),
    )


def _texts(policy: Policy) -> frozenset[str]:
    name = policy.write_back.properties.get("reasons")
    return frozenset({name} if name else ())


def _without_half_done(
    memory: Mapping[str, FieldWrite], current: Mapping[str, str | None]
) -> Mapping[str, FieldWrite]:
    """Leave out a stage that was cleared and not set before the worker died: nobody else did it."""
    before = memory.get(LIFECYCLE)
    if before is None or before.landed or current.get(LIFECYCLE):
        return memory
    return {name: write for name, write in memory.items() if name != LIFECYCLE}


def _carry_out(ctx: Context, changes: Sequence[_Change]) -> dict[str, WriteResult]:
    with transaction(ctx.engine) as conn:
        intents = field_writes.intend_each(conn, [one.news for one in changes])
    for one, mine in zip(changes, intents, strict=True):
        one.intents = mine
    clearing = [ContactUpdate(one.contact, {LIFECYCLE: ""}) for one in changes if one.clear_first]
    writing = [ContactUpdate(one.contact, one.write) for one in changes if one.write]
    if clearing:
        ctx.hubspot.update_contacts(clearing)
    results = ctx.hubspot.update_contacts(writing) if writing else {}
    done = [one for one in changes if not one.write or _is_ok(results.get(one.contact))]
    with transaction(ctx.engine) as conn:
        records: dict[int, str | None] = {one.lead.lead_id: one.contact for one in done}
        field_writes.landed(conn, records, [number for one in done for number in one.intents])
    return results


def _is_ok(result: WriteResult | None) -> bool:
    return result is not None and result.ok


def _gone(effects: Iterable[ClaimedEffect]) -> dict[int, Outcome]:
    error = RejectedRecordError("CONTACT_GONE", "HubSpot did not return the contact")
    return {one.id: outcome_of(error, one.attempts, repeatable=True) for one in effects}


def _settled(effect: ClaimedEffect, one: _Change, result: WriteResult | None) -> Outcome:
    kept = {"kept": names(one.kept)} if one.kept else {}
    if not one.write:
        return Done({"id": one.contact, "found": "true", **kept})
    if result is None:
        return _gone([effect])[effect.id]
    if result.ok:
        return Done({"id": result.id or result.key, **kept})
    error = result.error or RejectedRecordError("REFUSED", "HubSpot refused without a reason")
    return outcome_of(error, effect.attempts, repeatable=True)


def _properties(lead: LeadDossier, policy: Policy) -> dict[str, str]:
    """Return Baton's properties as HubSpot takes them: text, empty to clear."""
    score = lead.score
    values_of = {label: str(value) for label, value in lead.person.answers.items()}
    reasons = "; ".join(
        filled(str(reason["say"]), values_of) for reason in score.get("reasons", ())
    )
    values = {
        "state": lead.state,
        "band": lead.band or "",
        "score": _points(lead.score_milli),
        "reasons": reasons[:LONGEST_REASONS],
        "decided_at": _milliseconds(lead.decided_at),
        "owner": lead.owner_key or "",
        "handoff": lead.handoff_key or "",
        "disposition": lead.disposition_code or "",
        "return_date": lead.return_at.date().isoformat() if lead.return_at else "",
        "cold_since": lead.cold_since.date().isoformat() if lead.cold_since else "",
    }
    called = policy.write_back.properties
    return {called[what]: value for what, value in values.items() if what in called}


def _points(milli: int | None) -> str:
    return "" if milli is None else f"{milli / 1000:g}"


def _milliseconds(at: datetime | None) -> str:
    return "" if at is None else str(int(at.astimezone(UTC).timestamp() * 1000))


def change_lists(
    ctx: Context, effects: Sequence[ClaimedEffect], leads: Mapping[int, LeadDossier]
) -> dict[int, Outcome]:
    """Put leads on the static lists that marketing nurtures from."""
    by_list: defaultdict[str, list[ClaimedEffect]] = defaultdict(list)
    for effect in effects:
        by_list[str(effect.params["list"])].append(effect)
    outcomes: dict[int, Outcome] = {}
    for name, wanting in by_list.items():
        list_id = ctx.hubspot.ensure_list(name)
        contacts = {leads[effect.lead_id].hubspot_id: effect for effect in wanting}
        change = ctx.hubspot.add_to_list(list_id, list(contacts))
        missing = set(change.missing)
        for effect in wanting:
            contact = leads[effect.lead_id].hubspot_id
            gone = RejectedRecordError("CONTACT_GONE", "HubSpot does not know the contact")
            outcomes[effect.id] = (
                outcome_of(gone, effect.attempts, repeatable=True)
                if contact in missing
                else Done({"list": list_id})
            )
    return outcomes
