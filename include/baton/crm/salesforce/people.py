"""Finding the Salesforce records of a person: pure rules over Leads and Contacts already read.

A person may be a Lead, a Contact, both or neither. They are matched by the HubSpot id that Baton
stamped on the record, else by e-mail. Leads that were merged lead to their survivor, converted
ones to the Contact they became.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from baton.crm.salesforce.rows import ContactRecord, LeadRecord

Record = TypeVar("Record", LeadRecord, ContactRecord)


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """The records of one person.

    `lead` is a live, open Lead; `contact` a live Contact; `converted` the Lead that became a
    Contact, if any. `matched_by` is ``hubspot_id`` or ``email``; None when nothing was found.
    `ambiguous` says that several live records share the e-mail and none bears the HubSpot id; the
    one changed last was taken. `deleted_ids` are records that lie in the recycle bin.
    """

    lead: LeadRecord | None = None
    contact: ContactRecord | None = None
    converted: LeadRecord | None = None
    matched_by: str | None = None
    ambiguous: bool = False
    deleted_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """Leads and Contacts by id, as read for a batch of persons."""

    leads: Mapping[str, LeadRecord] = field(default_factory=dict)
    contacts: Mapping[str, ContactRecord] = field(default_factory=dict)
    _signs: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def match(self, hubspot_id: str, email: str | None) -> PersonMatch:
        """Return the records of the person with this HubSpot id and e-mail."""
        lead_hits, leads_by = self._leads_by_sign().hits(hubspot_id, email)
        contact_hits, contacts_by = self._contacts_by_sign().hits(hubspot_id, email)
        if not lead_hits and not contact_hits:
            return PersonMatch()
        leads = [self._survivor(lead) for lead in lead_hits]
        live = _unique(lead for lead in leads if not lead.is_deleted)
        open_leads = [lead for lead in live if not lead.is_converted]
        converted = _latest([lead for lead in live if lead.is_converted])
        contacts = _unique(one for one in contact_hits if not one.is_deleted)
        contact = _latest(contacts) or self._converted_contact(converted)
        lead = _latest(open_leads)
        by = [how for how, found in ((leads_by, live), (contacts_by, contacts)) if found]
        return PersonMatch(
            lead=lead,
            contact=contact,
            converted=converted,
            matched_by=min(by, key=("hubspot_id", "email").index, default=None),
            ambiguous=(len(open_leads) > 1 and leads_by == "email")
            or (len(contacts) > 1 and contacts_by == "email"),
            deleted_ids=(
                *(one.id for one in leads if one.is_deleted),
                *(one.id for one in contact_hits if one.is_deleted),
            ),
        )

    def of_record(self, record_id: str) -> PersonMatch:
        """Return the records of the person whose Lead or Contact has this id."""
        lead, contact = self.leads.get(record_id), self.contacts.get(record_id)
        if lead is None:
            live = contact is not None and not contact.is_deleted
            return PersonMatch(contact=contact if live else None)
        lead = self._survivor(lead)
        if lead.is_deleted:
            return PersonMatch(deleted_ids=(lead.id,))
        if lead.is_converted:
            return PersonMatch(contact=self._converted_contact(lead), converted=lead)
        return PersonMatch(lead=lead)

    def unread_ids(self) -> tuple[set[str], set[str]]:
        """Return ids of Leads and Contacts that records point to but that were not read."""
        masters = {lead.master_id for lead in self.leads.values() if lead.master_id}
        contacts = {
            lead.converted_contact_id for lead in self.leads.values() if lead.converted_contact_id
        }
        return masters - self.leads.keys(), contacts - self.contacts.keys()

    def _leads_by_sign(self) -> _Signs[LeadRecord]:
        found: _Signs[LeadRecord] | None = self._signs.get("Lead")
        if found is None:
            found = self._signs["Lead"] = _signs(self.leads.values())
        return found

    def _contacts_by_sign(self) -> _Signs[ContactRecord]:
        found: _Signs[ContactRecord] | None = self._signs.get("Contact")
        if found is None:
            found = self._signs["Contact"] = _signs(self.contacts.values())
        return found

    def _survivor(self, lead: LeadRecord) -> LeadRecord:
        seen = {lead.id}
        while lead.is_deleted and lead.master_id and lead.master_id not in seen:
            master = self.leads.get(lead.master_id)
            if master is None:
                break
            lead = master
            seen.add(lead.id)
        return lead

    def _converted_contact(self, converted: LeadRecord | None) -> ContactRecord | None:
        if converted is None or converted.converted_contact_id is None:
            return None
        contact = self.contacts.get(converted.converted_contact_id)
        return None if contact is None or contact.is_deleted else contact


@dataclass(frozen=True, slots=True)
class _Signs(Generic[Record]):
    """Records by what they are found by; many persons are looked for among many records."""

    by_id: dict[str, list[Record]]
    by_email: dict[str, list[Record]]

    def hits(self, hubspot_id: str, email: str | None) -> tuple[list[Record], str]:
        """Return the records with this HubSpot id, else those with this e-mail and no other id."""
        stamped: list[Record] = self.by_id.get(hubspot_id, [])
        if any(not one.is_deleted for one in stamped):
            return stamped, "hubspot_id"
        addressed: list[Record] = self.by_email.get(_address(email), [])
        return stamped + addressed, "email" if addressed else "hubspot_id"


def _signs(records: Iterable[Record]) -> _Signs[Record]:
    """Index records: by their HubSpot id, and those without one by e-mail."""
    found: _Signs[Record] = _Signs({}, {})
    for one in records:
        if one.hubspot_id:
            found.by_id.setdefault(one.hubspot_id, []).append(one)
        elif address := _address(one.email):
            found.by_email.setdefault(address, []).append(one)
    return found


def _address(email: str | None) -> str:
    return (email or "").strip().casefold()


def _unique(records: Iterable[Record]) -> list[Record]:
    return list({one.id: one for one in records}.values())


def _latest(records: list[Record]) -> Record | None:
    def order(one: Record) -> tuple[datetime, str]:
        return one.modified_at, one.id

    return max(records, key=order) if records else None
