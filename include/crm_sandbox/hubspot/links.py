"""Associations between records, with their types and the primary company of a contact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

CONTACT_TO_COMPANY, CONTACT_TO_PRIMARY_COMPANY = 279, 1
COMPANY_TO_CONTACT, PRIMARY_COMPANY_TO_CONTACT = 280, 2

LABELS: dict[tuple[str, str], dict[int, str | None]] = {
    ("contacts", "companies"): {CONTACT_TO_PRIMARY_COMPANY: "Primary", CONTACT_TO_COMPANY: None},
    ("companies", "contacts"): {PRIMARY_COMPANY_TO_CONTACT: "Primary", COMPANY_TO_CONTACT: None},
}
"""The HubSpot-defined types of each direction, with their labels."""

INLINE_NAMES: dict[int, str] = {
    CONTACT_TO_PRIMARY_COMPANY: "contact_to_company",
    CONTACT_TO_COMPANY: "contact_to_company_unlabeled",
    PRIMARY_COMPANY_TO_CONTACT: "company_to_contact",
    COMPANY_TO_CONTACT: "company_to_contact_unlabeled",
}
"""What a type is called where associations are shown with a record."""


@dataclass(slots=True)
class Links:
    """Which contacts belong to which companies; each contact has at most one primary company."""

    _companies: dict[str, dict[str, bool]] = field(default_factory=dict)
    _contacts: dict[str, set[str]] = field(default_factory=dict)

    def add(self, contact_id: str, company_id: str, *, primary: bool) -> None:
        """Associate; the first company, or one named as primary, becomes the primary one."""
        companies = self._companies.setdefault(contact_id, {})
        primary = primary or not any(companies.values())
        if primary:
            for other in companies:
                companies[other] = False
        companies[company_id] = primary or companies.get(company_id, False)
        self._contacts.setdefault(company_id, set()).add(contact_id)

    def remove(self, contact_id: str, company_id: str) -> None:
        """Take an association away, if there is one."""
        self._companies.get(contact_id, {}).pop(company_id, None)
        self._contacts.get(company_id, set()).discard(contact_id)

    def primary(self, contact_id: str) -> str | None:
        """The primary company of a contact."""
        companies = self._companies.get(contact_id, {})
        return next((company for company, main in companies.items() if main), None)

    def contacts_of(self, company_id: str) -> frozenset[str]:
        """The contacts of a company."""
        return frozenset(self._contacts.get(company_id, ()))

    def of(self, from_type: str, record_id: str) -> list[tuple[str, list[int]]]:
        """What a record is associated with: the other's id and the type ids, by id."""
        if from_type == "contacts":
            companies = self._companies.get(record_id, {})
            pairs = ((company, main) for company, main in companies.items())
            types = (CONTACT_TO_PRIMARY_COMPANY, CONTACT_TO_COMPANY)
        else:
            members = self._contacts.get(record_id, set())
            pairs = ((contact, self._companies[contact][record_id]) for contact in members)
            types = (PRIMARY_COMPANY_TO_CONTACT, COMPANY_TO_CONTACT)
        return sorted(
            ((other, list(types if main else types[1:])) for other, main in pairs),
            key=lambda pair: int(pair[0]),
        )

    def forget(self, from_type: str, record_id: str) -> list[str]:
        """Take away every association of a record; returns the ids it was associated with."""
        others = [other for other, _ in self.of(from_type, record_id)]
        for other in others:
            pair = (record_id, other) if from_type == "contacts" else (other, record_id)
            self.remove(*pair)
        return others

    def move(self, from_contact: str, to_contact: str) -> None:
        """Give one contact's companies to another (a merge); its primary company stays."""
        for company in self.forget("contacts", from_contact):
            self.add(to_contact, company, primary=False)


def chosen_types(raw: Iterable[int]) -> bool:
    """True when the type ids of a create request ask for the primary company."""
    return any(item in (CONTACT_TO_PRIMARY_COMPANY, PRIMARY_COMPANY_TO_CONTACT) for item in raw)
