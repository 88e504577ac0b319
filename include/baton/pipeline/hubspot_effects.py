"""Carrying out the effects that write to HubSpot: Baton's own properties, and list memberships.

Only Baton's properties are written; what marketing holds is never touched. Writing the same value
again changes nothing, so these effects may be repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from baton.crm.hubspot import ContactUpdate
from baton.crm.results import WriteResult
from baton.errors import RejectedRecordError
from baton.ledger.dossiers import LeadDossier
from baton.ledger.outbox import ClaimedEffect
from baton.pipeline.context import Context
from baton.pipeline.outcomes import Done, Outcome, outcome_of
from baton.pipeline.package_text import filled
from baton.policy.models import Policy

LONGEST_REASONS = 1000


def write_states(
    ctx: Context,
    effects: Sequence[ClaimedEffect],
    leads: Mapping[int, LeadDossier],
    policy: Policy,
) -> dict[int, Outcome]:
    """Write each lead's present state to HubSpot. Several effects of one lead make one update."""
    by_contact: defaultdict[str, list[ClaimedEffect]] = defaultdict(list)
    updates: dict[str, ContactUpdate] = {}
    for effect in effects:
        lead = leads[effect.lead_id]
        by_contact[lead.hubspot_id].append(effect)
        updates[lead.hubspot_id] = ContactUpdate(lead.hubspot_id, _properties(lead, policy))
    results = ctx.hubspot.update_contacts(list(updates.values()))
    return {
        effect.id: _settled(effect, results.get(contact))
        for contact, wanting in by_contact.items()
        for effect in wanting
    }


def _settled(effect: ClaimedEffect, result: WriteResult | None) -> Outcome:
    if result is None:
        gone = RejectedRecordError("CONTACT_GONE", "HubSpot did not return the contact")
        return outcome_of(gone, effect.attempts, repeatable=True)
    if result.ok:
        return Done({"id": result.id or result.key})
    error = result.error or RejectedRecordError("REFUSED", "HubSpot refused without a reason")
    return outcome_of(error, effect.attempts, repeatable=True)


def _properties(lead: LeadDossier, policy: Policy) -> dict[str, str]:
    """Return Baton's properties as HubSpot takes them: text, empty to clear."""
    score = (lead.result.get("score") or {}) if lead.result else {}
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
    }
    names = policy.write_back.properties
    return {names[what]: value for what, value in values.items() if what in names}


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
