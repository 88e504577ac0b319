"""Comparing HubSpot with the ledger: contact by contact, in the order in which HubSpot lists them.

The list endpoint is read, not the search: it has no ceiling and no lag. Our own properties come with
it, so that comparing them costs no further call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from baton.crm.hubspot import ContactRow, PropertyValue
from baton.crm.marks import mark
from baton.leads.states import FINAL_LEAD_STATES, LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import field_writes
from baton.ledger.effects.field_writes import HUBSPOT, FieldWrite
from baton.ledger.proofs import comparison
from baton.ledger.proofs.comparison import ComparedLead
from baton.ledger.proofs.reconciliation import Found
from baton.pipeline.context import Context
from baton.pipeline.delivery.lifecycle import LEAD_OWNER, shared_names, shared_values
from baton.pipeline.intake.gone import CAUSES, what_became_of
from baton.policy.models import Policy

GRACE = timedelta(minutes=30)
"""What is younger is on its way: pulling, its sweep and the write-back may not have come to it."""
GAP = 5000
"""So many leads are looked at in one go: between two contacts that HubSpot lists there may be all."""
COMPARED = ("state", "band", "score", "owner", "handoff", "disposition")
"""What is compared of what Baton writes back; the texts follow from these."""


@dataclass(frozen=True)  # without slots, since the owners are kept once they were asked for
class HubSpotSide:
    """What the comparison needs beside the rows: when it began, and the properties' names.

    `names` are our own properties by what they hold; `policy` says what else Baton writes.
    """

    ctx: Context
    policy: Policy
    names: Mapping[str, str]
    contact_properties: tuple[str, ...]
    at: datetime

    @classmethod
    def of(cls, ctx: Context, policy: Policy, contact_properties: Sequence[str]) -> HubSpotSide:
        """Return what a comparison that begins now needs."""
        written = policy.write_back.properties
        names = {what: written[what] for what in COMPARED if what in written}
        at = ctx.clock.now() if ctx.replays else ctx.hubspot.server_now()
        return cls(ctx, policy, names, tuple(contact_properties), at)

    @property
    def listed_properties(self) -> tuple[str, ...]:
        """Return what to ask the list for."""
        return ("createdate", "lastmodifieddate", *self.compared_properties)

    @property
    def compared_properties(self) -> tuple[str, ...]:
        """Return the properties that are compared: ours, and those of HubSpot's that Baton writes."""
        return (*self.names.values(), *shared_names(self.policy))

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """Return HubSpot's owner ids by address, where Baton writes the owner."""
        if not self.policy.write_back.lead_owner:
            return {}
        return {one.email.lower(): one.id for one in self.ctx.hubspot.owners() if one.email}

    def shown(self, name: str, value: str) -> str:
        """Return a value as people know it: an owner by their address."""
        if name != LEAD_OWNER:
            return value
        return next((email for email, one in self.owners.items() if one == value), value)


@dataclass(frozen=True, slots=True)
class ComparedStretch:
    """What a stretch of HubSpot's list came to. `reached`: the id it ends with; None: the list's end."""

    found: list[Found]
    contacts: int
    reached: str | None


def compare_page(
    side: HubSpotSide, rows: Sequence[ContactRow], *, after: str | None, last: bool
) -> Iterator[ComparedStretch]:
    """Compare the contacts of a page, and the leads that should have been on it.

    `after` is the id that the page before ended with; `last`: nothing comes after this page. One
    stretch for most pages; where many neighbours are gone, one for each GAP leads, so that neither
    memory nor the work that a failure costs grows with their number.

    Raises GatewayError: HubSpot could not be asked.
    """
    listed = {row.id: row for row in rows}
    until = None if last else max(listed, key=int)
    while True:
        with transaction(side.ctx.engine) as conn:
            expected = comparison.leads_between(conn, after, until, limit=GAP)
        ends = len(expected) < GAP
        reached = until if ends else expected[-1].hubspot_id
        here = {one: row for one, row in listed.items() if _lies(one, after, reached)}
        with transaction(side.ctx.engine) as conn:
            known = comparison.leads_by_hubspot_ids(conn, here)
        found = compare_contacts(side, here, known)
        found += _absent(side, [lead for lead in expected if lead.hubspot_id not in listed])
        yield ComparedStretch(found, len(here), reached)
        if ends:
            return
        after = reached


def _lies(one: str, after: str | None, until: str | None) -> bool:
    return (after is None or int(one) > int(after)) and (until is None or int(one) <= int(until))


def compare_leads(side: HubSpotSide, hubspot_ids: Iterable[str]) -> list[Found]:
    """Compare single leads. Raises GatewayError: HubSpot could not be asked."""
    read = side.ctx.hubspot.read_contacts(list(hubspot_ids), side.listed_properties)
    there = {one: row for one, row in read.found.items() if row.id == one}
    with transaction(side.ctx.engine) as conn:
        known = comparison.leads_by_hubspot_ids(conn, [*read.found, *read.missing])
    absent = [
        lead
        for one, lead in known.items()
        if one not in there and lead.state not in FINAL_LEAD_STATES
    ]
    return compare_contacts(side, there, known) + _absent(side, absent)


def compare_contacts(
    side: HubSpotSide, listed: Mapping[str, ContactRow], known: Mapping[str, ComparedLead]
) -> list[Found]:
    """Compare contacts that are there with their leads."""
    found: list[Found] = []
    differing: dict[str, ComparedLead] = {}
    for one, row in listed.items():
        lead = known.get(one)
        if lead is None:
            if row.created_at is None or row.created_at < side.at - GRACE:
                found.append(Found(code="contact_unknown", hubspot_id=one))
        elif lead.state not in FINAL_LEAD_STATES:
            code = _state_of_reading(side, row, lead)
            if code is not None:
                found.append(Found(code=code, lead_id=lead.id, hubspot_id=one))
            written = lead.write_back == "done" and code != "contact_restored"
            if written and _differing(side, row.properties, lead):
                differing[one] = lead
    return found + _of_properties(side, differing)


def _state_of_reading(side: HubSpotSide, row: ContactRow, lead: ComparedLead) -> str | None:
    if lead.state == LeadState.SUPPRESSED and lead.last_cause in CAUSES:
        return "contact_restored"
    seen, changed = lead.last_modified_seen, row.modified_at
    late = changed is not None and changed < side.at - GRACE
    if late and (seen is None or (changed is not None and changed > seen)):
        return "contact_unread"
    return None


def _differing(
    side: HubSpotSide, shown: Mapping[str, str | None], lead: ComparedLead
) -> dict[str, tuple[str, str]]:
    """Return the properties that differ: ours and theirs, by the property's name."""
    held = {
        "state": lead.state,
        "band": lead.band or "",
        "score": "" if lead.score_milli is None else f"{lead.score_milli / 1000:g}",
        "owner": lead.owner or "",
        "handoff": lead.handoff or "",
        "disposition": lead.disposition or "",
    }
    ours = {name: held[what] for what, name in side.names.items()}
    # Where people, or HubSpot itself, have taken a lead further, nothing is wanted of the stage.
    ours |= shared_values(lead, side.policy, shown, side.owners)
    return {
        name: (value, shown.get(name) or "")
        for name, value in ours.items()
        if not _same(value, shown.get(name) or "")
    }


def _same(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        return float(ours) == float(theirs)
    except ValueError:
        return False


def _of_properties(side: HubSpotSide, differing: Mapping[str, ComparedLead]) -> list[Found]:
    """Look once more at leads whose properties differ, and at who gave the properties their values.

    What changed meanwhile in the ledger is not compared: its write-back is on the way.
    """
    if not differing:
        return []
    histories = side.ctx.hubspot.property_history(list(differing), side.compared_properties)
    with transaction(side.ctx.engine) as conn:
        again = comparison.leads_by_hubspot_ids(conn, differing)
        ids = [lead.id for lead in differing.values()]
        memory = field_writes.newest(conn, HUBSPOT, ids)
        # What follows a move of the handoff is planned with the next delivery.
        under_way = comparison.moved_since(conn, ids, side.at - GRACE)
    found = []
    for one, lead in differing.items():
        if again.get(one) != lead or lead.id in under_way or one not in histories:
            continue
        newest = {name: values[0] for name, values in histories[one].items() if values}
        shown = {name: value.value for name, value in newest.items()}
        for name, (ours, theirs) in _differing(side, shown, lead).items():
            edited = _is_theirs(newest.get(name), memory.get((lead.id, name)))
            found.append(_of_property(side, lead, (name, ours, theirs), edited=edited))
    return found


def _of_property(
    side: HubSpotSide, lead: ComparedLead, differing: tuple[str, str, str], *, edited: bool
) -> Found:
    name, ours, theirs = differing
    kind = "property" if name in side.names.values() else "shared"
    # What a person typed is theirs to know: it might be anything.
    told = "changed by hand" if edited else side.shown(name, theirs)
    return Found(
        code=f"{kind}_{'edited' if edited else 'outdated'}",
        lead_id=lead.id,
        hubspot_id=lead.hubspot_id,
        field=name,
        ours=side.shown(name, ours),
        theirs=told,
    )


def _is_theirs(value: PropertyValue | None, before: FieldWrite | None) -> bool:
    """Tell whether somebody else gave the property its value after we had written ours."""
    if value is None:
        return False
    return value.by_person if before is None else not before.is_ours(mark(value.value))


def _absent(side: HubSpotSide, leads: Sequence[ComparedLead]) -> list[Found]:
    """Say what became of leads that HubSpot did not list."""
    if not leads:
        return []
    by_id = {lead.hubspot_id: lead for lead in leads}
    read = side.ctx.hubspot.read_contacts(list(by_id), side.listed_properties)
    gone = what_became_of(side.ctx, read, side.listed_properties)
    found = [
        Found(
            code="contact_merged",
            lead_id=by_id[one].id,
            hubspot_id=one,
            theirs=f"into contact {row.id}",
        )
        for one, row in gone.merged.items()
    ]
    for code, ids in (("contact_archived", gone.archived), ("contact_erased", gone.erased)):
        for one in sorted(ids, key=lambda each: (len(each), each)):
            found += _gone(by_id[one], code)
    return found


_STAYS = frozenset({LeadState.SUPPRESSED, LeadState.CUSTOMER, LeadState.DISQUALIFIED})
"""Nobody hands these off: that their contact is gone changes nothing."""


def _gone(lead: ComparedLead, code: str) -> list[Found]:
    if lead.state in _STAYS:
        return []
    if lead.state == LeadState.IN_HANDOFF:
        code = "contact_gone_in_handoff"
    return [Found(code=code, lead_id=lead.id, hubspot_id=lead.hubspot_id)]
