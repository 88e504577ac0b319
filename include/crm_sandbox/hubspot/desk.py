"""Records of contacts and companies, their associations, and the rules of every write."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm_sandbox.clock import SandboxClock
from crm_sandbox.hubspot import links
from crm_sandbox.hubspot.changes import Change, ChangeKind, property_changes
from crm_sandbox.hubspot.errors import (
    PropertyError,
    conflict,
    invalid,
    invalid_properties,
    not_found,
)
from crm_sandbox.hubspot.lists import ListShelf
from crm_sandbox.hubspot.owners import Owner
from crm_sandbox.hubspot.properties import PropertyBook
from crm_sandbox.hubspot.records import Record, instant
from crm_sandbox.hubspot.search import Searcher
from crm_sandbox.hubspot.standard import LIFECYCLE, company_book, contact_book
from crm_sandbox.hubspot.store import COMPANY_KIND, CONTACT_KIND, Kind, Store
from crm_sandbox.hubspot.webhooks import Webhooks

_ALIASES = {
    "contacts": "contacts",
    "contact": "contacts",
    "0-1": "contacts",
    "companies": "companies",
    "company": "companies",
    "0-2": "companies",
}


@dataclass(frozen=True, slots=True)
class Checks:
    """How far a write is checked: the market's is trusted, the API's is not."""

    values: bool
    read_only: bool


_TRUSTED = Checks(values=False, read_only=False)
STRICT = Checks(values=True, read_only=True)
LOADING = Checks(values=True, read_only=False)
"""An import: values are checked, but what HubSpot computes may be set."""


class RecordDesk:
    """The records of a portal and the rules that hold for them."""

    def __init__(
        self,
        clock: SandboxClock,
        *,
        seed: int = 0,
        search_lag_seconds: float = 0.0,
        portal_id: int = 4400123,
        time_zone: str = "America/New_York",
    ) -> None:
        """Start an empty portal. Search trails every change by `search_lag_seconds`."""
        self.clock = clock
        self.portal_id = portal_id
        self.time_zone = ZoneInfo(time_zone)
        self.random = random.Random(seed)
        self.lists = ListShelf()
        self.links = links.Links()
        self.owners: dict[str, Owner] = {}
        self.webhooks = Webhooks(portal_id)
        self._stores = {
            kind.name: Store(kind, book, lag_seconds=search_lag_seconds, random=self.random)
            for kind, book in ((CONTACT_KIND, contact_book()), (COMPANY_KIND, company_book()))
        }
        self._searchers = {name: self._searcher(name) for name in self._stores}

    def _searcher(self, name: str) -> Searcher:
        store = self._stores[name]
        return Searcher(
            store.index,
            store.book,
            dead=store.kind.unsearchable,
            text_fields=store.kind.text_fields,
            associated=lambda other, other_id: self._associated(name, other, other_id),
        )

    # ---- object types ------------------------------------------------------------------

    def type_name(self, given: str) -> str:
        """The plural name of an object type given by name or type id. Raises PortalFault 400."""
        name = _ALIASES.get(given.lower())
        if name is None:
            raise invalid(f"Unable to infer object type from: {given}")
        return name

    def kind(self, object_type: str) -> Kind:
        """What is particular to an object type."""
        return self._store(object_type).kind

    def book(self, object_type: str) -> PropertyBook:
        """The property definitions of an object type."""
        return self._store(object_type).book

    def searcher(self, object_type: str) -> Searcher:
        """The search of an object type, after everything that is due has been indexed."""
        store = self._store(object_type)
        store.index.catch_up(self.clock.now())
        return self._searchers[store.kind.name]

    def _store(self, object_type: str) -> Store:
        return self._stores[self.type_name(object_type)]

    def _now(self, at: datetime | None) -> datetime:
        at = self.clock.now() if at is None else at
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    # ---- reading -----------------------------------------------------------------------

    def get(self, object_type: str, record_id: str) -> Record | None:
        """The record of that id, or the one it was merged into; archived ones too."""
        return self._store(object_type).get(record_id)

    def find(self, object_type: str, prop: str, value: str) -> Record | None:
        """The first record, not archived, whose property has that value."""
        return self._store(object_type).find(prop, value)

    def records(self, object_type: str) -> Iterator[Record]:
        """Every record that is not archived, by id."""
        return self._store(object_type).page(0, archived=False)

    def page(self, object_type: str, after: int, *, archived: bool = False) -> Iterator[Record]:
        """Records by id from `after` on (inclusive): archived ones only, or the others only."""
        return self._store(object_type).page(after, archived=archived)

    def count(self, object_type: str) -> int:
        """How many records there are, archived ones not counted."""
        return self._store(object_type).live

    def require(self, object_type: str, record_id: str, id_property: str | None = None) -> Record:
        """The record that a request names, or PortalFault 404."""
        store = self._store(object_type)
        found = store.resolve(record_id, id_property)
        if found is None or found.archived:
            raise not_found(record_id)
        return found

    def resolve(self, object_type: str, value: str, id_property: str | None) -> Record | None:
        """The record with that id or unique value, or None; archived ones too."""
        return self._store(object_type).resolve(value, id_property)

    # ---- writing -----------------------------------------------------------------------

    def create(
        self,
        object_type: str,
        properties: Mapping[str, str | None],
        *,
        at: datetime | None = None,
        source: str = "API",
        checks: Checks = _TRUSTED,
    ) -> Record:
        """Make a record. Raises PortalFault: 400 for a value, 409 for a unique value taken."""
        store, now = self._store(object_type), self._now(at)
        values = self.verify(object_type, properties, checks=checks)
        born = _given_birth(values, now)
        record = store.add(values, born=born, now=now, indexed_from=self.clock.now(), source=source)
        self._tell(store, ChangeKind.CREATION, record, now, source, changeFlag="CREATED")
        self._tell_properties(store, record, {}, now, source)
        self._follow_company(record, values, now)
        return record

    def update(
        self,
        object_type: str,
        record_id: str,
        properties: Mapping[str, str | None],
        *,
        at: datetime | None = None,
        source: str = "API",
        checks: Checks = _TRUSTED,
    ) -> Record:
        """Change a record. Raises PortalFault: 404, 400 for a value, 409 for a unique value.

        `source` names who changes it, for the history of its properties.
        """
        store, now = self._store(object_type), self._now(at)
        record = self.require(object_type, record_id)
        values = self.verify(object_type, properties, checks=checks, record=record)
        if checks.read_only:
            self._only_forward(record, values)
        if record.properties.get("hubspot_owner_id") != values.get(
            "hubspot_owner_id", record.properties.get("hubspot_owner_id")
        ):
            values["hubspot_owner_assigneddate"] = instant(now)
        before = record.properties
        store.change(record, values, now=now, indexed_from=self.clock.now(), source=source)
        self._tell_properties(store, record, before, now, source)
        self._follow_company(record, values, now)
        return record

    def archive(self, object_type: str, record_id: str, *, at: datetime | None = None) -> None:
        """Archive a record; its last-modified moment does not move. Unknown ids are ignored."""
        store = self._store(object_type)
        record = store.get(record_id)
        if record is None or record.archived:
            return
        if store.kind.name == "contacts":
            self.lists.remove_everywhere(record.id)
        others = self.links.forget(store.kind.name, record.id)
        store.archive(record, now=self._now(at), indexed_from=self.clock.now())
        self._tell(store, ChangeKind.DELETION, record, self._now(at), "CRM_UI")
        if store.kind.name == "companies":
            for contact_id in others:
                self._refresh_primary(contact_id, self._now(at))

    def verify(
        self,
        object_type: str,
        properties: Mapping[str, str | None],
        *,
        checks: Checks,
        record: Record | None = None,
    ) -> dict[str, str | None]:
        """Check a write without doing it; returns the values as they would be stored.

        `record` is the one to be changed, None for a new one. Raises as `create` does.
        """
        store = self._store(object_type)
        values = self._checked(store, properties, checks)
        taken = store.holder(values)
        if taken is not None and taken is not record:
            raise conflict(store.kind.noun, taken.id)
        return values

    def unique_values(
        self, object_type: str, values: Mapping[str, str | None]
    ) -> list[tuple[str, str]]:
        """The values that no other record may have, with their property names."""
        store = self._store(object_type)
        names = (*store.kind.unique, *store.book.unique_names())
        pairs = ((name, values.get(name)) for name in names)
        return [(name, value.lower()) for name, value in pairs if value]

    def was_merged(self, object_type: str, record_id: str) -> bool:
        """True when the id belongs to a record that went into another one."""
        return self._store(object_type).is_merged(record_id)

    def erase(self, object_type: str, record_id: str) -> None:
        """Forget a record for good."""
        record = self.get(object_type, record_id)
        if record is None:
            return
        self.archive(object_type, record.id)
        self._store(object_type).erase(record)
        store = self._store(object_type)
        self._tell(store, ChangeKind.PRIVACY_DELETION, record, self._now(None), "CRM_UI")

    def merge(self, primary_id: str, other_id: str, *, at: datetime | None = None) -> Record:
        """Merge one contact into another, which survives and keeps its own values."""
        return self.merge_records("contacts", primary_id, other_id, at=at)

    def merge_records(
        self, object_type: str, primary_id: str, other_id: str, *, at: datetime | None = None
    ) -> Record:
        """Merge two records: the primary one survives, its gaps are filled from the other."""
        store, now = self._store(object_type), self._now(at)
        primary = self.require(object_type, primary_id)
        other = self.require(object_type, other_id)
        if primary is other:
            raise invalid("An object cannot be merged with itself.")
        if store.kind.name == "contacts":
            self.links.move(other.id, primary.id)
            self.lists.replace_member(other.id, primary.id)
        store.merge(primary, other, now=now, indexed_from=self.clock.now())
        parts = {"mergedObjectIds": [other.number], "newObjectId": primary.number}
        of = {"primaryObjectId": primary.number, **parts}
        self._tell(store, ChangeKind.MERGE, primary, now, "CRM_UI", **of)
        if store.kind.name == "contacts":
            self._refresh_primary(primary.id, now)
        return primary

    def _tell(
        self, store: Store, kind: ChangeKind, record: Record, at: datetime, source: str, **more: Any
    ) -> None:
        noun = store.kind.noun.lower()
        self.webhooks.note(Change(noun, kind, record.number, at, source, more))

    def _tell_properties(
        self,
        store: Store,
        record: Record,
        before: Mapping[str, str | None],
        at: datetime,
        source: str,
    ) -> None:
        if self.webhooks.target is None:
            return
        now = record.properties
        names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        values = {name: now.get(name) for name in names}
        noun = store.kind.noun.lower()
        for change in property_changes(noun, record.number, values, at=at, source=source):
            self.webhooks.note(change)

    def _checked(
        self, store: Store, properties: Mapping[str, str | None], checks: Checks
    ) -> dict[str, str | None]:
        errors: list[PropertyError]
        if checks.values:
            errors = store.book.check(properties, allow_read_only=not checks.read_only)
        else:
            errors = store.book.undefined(properties)
        if checks.values and not errors:
            errors = self._unknown_owner(properties)
        if errors:
            raise invalid_properties(errors, self.portal_id)
        values = store.book.normalise(properties)
        for kept in ("hs_object_id", "lastmodifieddate", "hs_lastmodifieddate"):
            values.pop(kept, None)
        return values

    def _unknown_owner(self, properties: Mapping[str, str | None]) -> list[PropertyError]:
        owner = properties.get("hubspot_owner_id")
        if not owner or owner in self.owners:
            return []
        text = f"{owner} was not a valid owner id."
        return [PropertyError("hubspot_owner_id", "INVALID_OWNER_ID", text)]

    def _only_forward(self, record: Record, values: dict[str, str | None]) -> None:
        """A life-cycle stage that would go back is left as it is, as the API does."""
        new, old = values.get("lifecyclestage"), record.properties.get("lifecyclestage")
        if not new or not old or new not in LIFECYCLE or old not in LIFECYCLE:
            return
        if LIFECYCLE.index(new) < LIFECYCLE.index(old):
            del values["lifecyclestage"]

    # ---- companies of contacts -----------------------------------------------------------

    def associate_company(self, contact_id: str, company_id: str) -> None:
        """Make a company the primary one of a contact. Raises PortalFault 404."""
        self.associate(contact_id, company_id, primary=True)

    def associate(
        self, contact_id: str, company_id: str, *, primary: bool, at: datetime | None = None
    ) -> None:
        """Associate a contact with a company. Raises PortalFault 404 when one is missing."""
        contact = self.require("contacts", contact_id)
        company = self.require("companies", company_id)
        self.links.add(contact.id, company.id, primary=primary)
        self._refresh_primary(contact.id, self._now(at))

    def disassociate(self, contact_id: str, company_id: str, *, at: datetime | None = None) -> None:
        """Take a contact's association with a company away."""
        self.links.remove(contact_id, company_id)
        self._refresh_primary(contact_id, self._now(at))

    def _follow_company(
        self, record: Record, values: Mapping[str, str | None], now: datetime
    ) -> None:
        company_id = values.get("associatedcompanyid")
        if company_id and self.links.primary(record.id) != company_id:
            self.associate(record.id, company_id, primary=True, at=now)

    def _refresh_primary(self, contact_id: str, now: datetime) -> None:
        store = self._stores["contacts"]
        contact = store.get(contact_id)
        company_id = self.links.primary(contact_id)
        if contact is None or contact.archived:
            return
        if contact.properties.get("associatedcompanyid") != company_id:
            change = {"associatedcompanyid": company_id}
            now = max(now, contact.updated_at)
            store.change(contact, change, now=now, indexed_from=self.clock.now())

    def _associated(self, name: str, other: str, other_id: str) -> frozenset[int]:
        """Ids of records of type `name` that are associated with the other record."""
        other_type = self.type_name(other)
        if other_type == name:
            return frozenset()
        return frozenset(int(found) for found, _ in self.links.of(other_type, other_id))


def _given_birth(values: dict[str, str | None], now: datetime) -> datetime:
    """The create date that an import brings along, else now."""
    text = values.pop("createdate", None)
    if not text:
        return now
    try:
        born = datetime.fromisoformat(text)
    except ValueError:
        return now
    return min(born, now) if born.tzinfo else now
