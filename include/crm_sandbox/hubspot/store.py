"""The records of one object type: by id, by unique value, and in the search index."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from crm_sandbox.hubspot.errors import invalid
from crm_sandbox.hubspot.index import SearchIndex
from crm_sandbox.hubspot.properties import PropertyBook, PropertyDefinition
from crm_sandbox.hubspot.records import Record, Version, instant, milliseconds


@dataclass(frozen=True, slots=True)
class Kind:
    """What is particular to an object type.

    `keys` are properties that identify a record; of these, `unique` ones may occur once only.
    """

    name: str
    noun: str
    type_id: str
    group: str
    first_id: int
    modified: str
    always: tuple[str, ...]
    defaults: tuple[str, ...]
    keys: tuple[str, ...]
    unique: tuple[str, ...]
    ordered: tuple[str, ...]
    unsearchable: frozenset[str]
    text_fields: tuple[str, ...]


CONTACT_KIND = Kind(
    name="contacts",
    noun="Contact",
    type_id="0-1",
    group="contactinformation",
    first_id=88_120_000_001,
    modified="lastmodifieddate",
    always=("createdate", "hs_object_id", "lastmodifieddate"),
    defaults=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    keys=("email",),
    unique=("email",),
    ordered=("lastmodifieddate", "createdate", "recent_conversion_date"),
    unsearchable=frozenset({"hs_lastmodifieddate"}),
    text_fields=("firstname", "lastname", "email", "phone", "company", "hs_additional_emails"),
)
COMPANY_KIND = Kind(
    name="companies",
    noun="Company",
    type_id="0-2",
    group="companyinformation",
    first_id=19_050_000_001,
    modified="hs_lastmodifieddate",
    always=("createdate", "hs_lastmodifieddate", "hs_object_id"),
    defaults=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    keys=("domain",),
    unique=(),
    ordered=("hs_lastmodifieddate", "createdate"),
    unsearchable=frozenset(),
    text_fields=("name", "domain", "website", "phone"),
)


class Store:
    """Records of one type. Checks nothing about values; keeps its indexes true."""

    def __init__(
        self, kind: Kind, book: PropertyBook, *, lag_seconds: float, random: random.Random
    ) -> None:
        """Start empty; `random` spaces the ids."""
        self.kind = kind
        self.book = book
        self.index = SearchIndex(kind.ordered, kind.keys, lag_seconds=lag_seconds)
        self.live = 0
        self._random = random
        self._next = kind.first_id
        self._records: dict[int, Record] = {}
        self._order: list[int] = []
        self._archived_order: list[int] = []
        self._merged: dict[int, int] = {}
        self._keys: dict[str, dict[str, Record]] = {name: {} for name in kind.keys}

    # ---- reading -----------------------------------------------------------------------

    def get(self, record_id: str) -> Record | None:
        """The record of that id, or the one it was merged into."""
        if not record_id.isdecimal():
            return None
        number = int(record_id)
        while number in self._merged:
            number = self._merged[number]
        return self._records.get(number)

    def is_merged(self, record_id: str) -> bool:
        """True when the id belongs to a record that was merged into another."""
        return record_id.isdecimal() and int(record_id) in self._merged

    def resolve(self, value: str, id_property: str | None) -> Record | None:
        """The record with that id, or with that unique value. Raises PortalFault 400."""
        if id_property in (None, "", "hs_object_id"):
            return self.get(value)
        name = id_property or ""
        if name not in self.kind.unique and name not in self.book.unique_names():
            raise invalid(
                f"Unable to perform read by non-unique {self.kind.type_id} property {name}"
            )
        return self._keys[name].get(value.strip().lower())

    def find(self, name: str, value: str) -> Record | None:
        """The first record, not archived, whose property has that value."""
        by_key = self._keys.get(name)
        if by_key is not None:
            return by_key.get(value.strip().lower())
        live = (self._records[number] for number in self._order)
        return next((record for record in live if record.properties.get(name) == value), None)

    def page(self, after: int, *, archived: bool) -> Iterator[Record]:
        """Records by id, from `after` on."""
        order = self._archived_order if archived else self._order
        for position in range(bisect_left(order, after), len(order)):
            yield self._records[order[position]]

    def holder(self, values: Mapping[str, str | None]) -> Record | None:
        """The record that already has one of the unique values."""
        for name in (*self.kind.unique, *self.book.unique_names()):
            value = values.get(name)
            found = self._keys[name].get(value.lower()) if value else None
            if found is not None:
                return found
        return None

    # ---- writing -----------------------------------------------------------------------

    def add_property(self, definition: PropertyDefinition) -> None:
        """Take a new definition; a unique one gets its look-up."""
        self.book.add(definition)
        if definition.unique:
            self._keys[definition.name] = {}

    def add(
        self,
        values: Mapping[str, str | None],
        *,
        born: datetime,
        now: datetime,
        indexed_from: datetime,
        source: str,
    ) -> Record:
        """Make a record of values that were checked."""
        number, self._next = self._next, self._next + self._random.randint(1, 9)
        made: dict[str, str | None] = {
            name: value for name, value in values.items() if value is not None
        }
        made.update(
            hs_object_id=str(number),
            createdate=instant(born),
            hs_createdate=instant(born),
            hs_object_source=source,
            hs_object_source_label=source,
        )
        if made.get("hubspot_owner_id"):
            made.setdefault("hubspot_owner_assigneddate", instant(now))
        record = Record(str(number), made, born, now)
        self._records[number] = record
        insort(self._order, number)
        self.live += 1
        self._stamp(record, now)
        self._learn_keys(record)
        self.index.note(record, now=indexed_from)
        return record

    def change(
        self,
        record: Record,
        values: Mapping[str, str | None],
        *,
        now: datetime,
        indexed_from: datetime,
        source: str = "CRM_UI",
    ) -> None:
        """Set values on a record; None clears one."""
        self._forget_keys(record, values)
        held = record.properties
        news = {name: value for name, value in values.items() if held.get(name) != value}
        if news:
            before = {name: held.get(name) for name in news}
            record.versions.append(Version(now, source, news, before))
        changed = {**record.properties, **values}
        record.properties = {name: value for name, value in changed.items() if value is not None}
        self._stamp(record, now)
        self._learn_keys(record)
        self.index.note(record, now=indexed_from)

    def archive(self, record: Record, *, now: datetime, indexed_from: datetime) -> None:
        """Move a record to the archive, without touching when it was last modified."""
        record.archived, record.archived_at = True, now
        del self._order[bisect_left(self._order, record.number)]
        insort(self._archived_order, record.number)
        self.live -= 1
        for by_value in self._keys.values():
            for value in [value for value, held in by_value.items() if held is record]:
                del by_value[value]
        self.index.note(record, now=indexed_from)

    def erase(self, record: Record) -> None:
        """Remove an archived record for good."""
        del self._archived_order[bisect_left(self._archived_order, record.number)]
        del self._records[record.number]

    def merge(
        self, primary: Record, other: Record, *, now: datetime, indexed_from: datetime
    ) -> None:
        """Let `other` go into `primary`: its id and its e-mail lead there from now on."""
        emails = [other.properties.get("email"), other.properties.get("hs_additional_emails")]
        merged_ids = [
            primary.properties.get("hs_merged_object_ids"),
            other.properties.get("hs_merged_object_ids"),
            other.id,
        ]
        self.archive(other, now=now, indexed_from=indexed_from)
        self.erase(other)
        self._merged[other.number] = primary.number
        values = {n: v for n, v in other.properties.items() if n not in primary.properties}
        values["hs_merged_object_ids"] = ";".join(part for part in merged_ids if part)
        if self.kind.name == "contacts":
            values.update(_merged_person(primary, other, emails, now))
        self.change(primary, values, now=now, indexed_from=indexed_from)

    def _stamp(self, record: Record, now: datetime) -> None:
        record.updated_at = now
        text = instant(now)
        record.properties["hs_lastmodifieddate"] = text
        record.properties[self.kind.modified] = text

    def _forget_keys(self, record: Record, values: Mapping[str, str | None]) -> None:
        for name, by_value in self._keys.items():
            old = record.properties.get(name)
            if name in values and old and by_value.get(old.lower()) is record:
                del by_value[old.lower()]

    def _learn_keys(self, record: Record) -> None:
        for name, by_value in self._keys.items():
            value = record.properties.get(name)
            if value:
                by_value.setdefault(value.lower(), record)
        additional = record.properties.get("hs_additional_emails")
        if additional and "email" in self._keys:
            for email in additional.split(";"):
                self._keys["email"].setdefault(email, record)


def _merged_person(
    primary: Record, other: Record, emails: list[str | None], now: datetime
) -> dict[str, str | None]:
    more = [primary.properties.get("hs_additional_emails"), *emails]
    if not primary.properties.get("email"):
        more = [item for item in more if item != other.properties.get("email")]
    vids = primary.properties.get("hs_calculated_merged_vids")
    note = f"{other.id}:{milliseconds(now)}"
    return {
        "hs_additional_emails": ";".join(part for part in more if part) or None,
        "hs_calculated_merged_vids": f"{vids};{note}" if vids else note,
    }
