"""What the HubSpot gateway gives and takes. Ids are strings; property values strings or None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class HubSpotAccount:
    """The portal behind a connection.

    `time_zone` is the portal's (the daily quota resets at its midnight). `missing_scopes` are
    those that the token turned out to lack.
    """

    portal_id: str | None
    time_zone: str | None
    daily_limit: int | None = None
    daily_used: int | None = None
    missing_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """A contact that the search index says was modified at `modified_at`."""

    id: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class ChangesRead:
    """Changed contacts, in id order.

    `next_id` is None when the window was read to its end; else the read stopped at a page limit
    and goes on with ``after_id=next_id``. Only a whole read may move a watermark.
    """

    rows: tuple[Changed, ...]
    next_id: str | None = None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact as read. `merged_ids` are the ids of contacts that were merged into it."""

    id: str
    properties: Mapping[str, str | None] = field(repr=False)
    merged_ids: tuple[str, ...] = ()
    modified_at: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContactsRead:
    """`found` maps each id that was asked for to its contact.

    The contact bears another id than the one asked for when that one was merged into it.
    `missing` were deleted or never existed.
    """

    found: Mapping[str, ContactRow]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactUpdate:
    """New property values of one contact; an empty string clears a value."""

    id: str
    properties: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """A marketing form."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class FormSubmission:
    """One submission; `values` holds personal data."""

    conversion_id: str
    submitted_at: datetime
    values: Mapping[str, str] = field(repr=False)
    page_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ListChange:
    """What a change of a list did; those for whom nothing changed are in neither."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """A HubSpot owner: `id` is what ``hubspot_owner_id`` holds."""

    id: str
    email: str | None
    name: str
    archived: bool
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class PropertyValue:
    """A value that a property was given. `source` is HubSpot's word for what gave it."""

    value: str = field(repr=False)
    at: datetime | None
    source: str

    @property
    def by_person(self) -> bool:
        """Tell whether a person gave it, in HubSpot itself or by an import."""
        return self.source.startswith(_BY_HAND)


_BY_HAND = ("CRM_UI", "MOBILE", "IMPORT", "CONTACTS", "CONVERSATIONS", "EXTENSION", "SIDEKICK")
"""How HubSpot's sources of a person's change begin (CRM_UI_BULK_ACTION, MOBILE_IOS, …)."""


@dataclass(frozen=True, slots=True)
class PropertyDefinition:
    """A property of contacts or companies. `options` are (value, label) pairs of an enumeration.

    `read_only`: its values cannot be written by the API. `open_options`: the options are not
    listed, because they come from elsewhere (owners, say).
    """

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = "contactinformation"
    description: str = ""
    options: tuple[tuple[str, str], ...] = ()
    read_only: bool = False
    open_options: bool = False

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> PropertyDefinition:
        """Read a definition as the properties API gives it."""
        return cls(
            name=str(raw["name"]),
            label=str(raw.get("label") or raw["name"]),
            type=str(raw.get("type") or "string"),
            field_type=str(raw.get("fieldType") or "text"),
            group=str(raw.get("groupName") or ""),
            description=str(raw.get("description") or ""),
            options=tuple(
                (str(one.get("value")), str(one.get("label"))) for one in raw.get("options") or ()
            ),
            read_only=bool((raw.get("modificationMetadata") or {}).get("readOnlyValue")),
            open_options=bool(raw.get("externalOptions")),
        )

    def to_json(self) -> dict[str, Any]:
        """Render the body that creates it."""
        body: dict[str, Any] = {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "groupName": self.group,
            "description": self.description,
        }
        if self.options:
            body["options"] = [
                {"value": value, "label": label, "hidden": False, "displayOrder": order}
                for order, (value, label) in enumerate(self.options)
            ]
        return body


def property_values(raw: Mapping[str, Any]) -> dict[str, tuple[PropertyValue, ...]]:
    """Read the history of a record's properties, newest value first, by property."""
    told: Mapping[str, Any] = raw.get("propertiesWithHistory") or {}
    return {
        str(name): tuple(
            PropertyValue(
                value=str(one.get("value") or ""),
                at=instant(str(one.get("timestamp") or "")),
                source=str(one.get("sourceType") or ""),
            )
            for one in values or ()
        )
        for name, values in told.items()
    }


def contact_row(raw: Mapping[str, Any]) -> ContactRow:
    """Read one record of an object endpoint."""
    properties: Mapping[str, str | None] = raw.get("properties") or {}
    return ContactRow(
        id=str(raw["id"]),
        properties=properties,
        merged_ids=merged_ids(properties),
        modified_at=instant(properties.get("lastmodifieddate") or raw.get("updatedAt")),
        created_at=instant(properties.get("createdate") or raw.get("createdAt")),
    )


def merged_ids(properties: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the ids that were merged into a contact, from the two properties that tell."""
    plain = (properties.get("hs_merged_object_ids") or "").split(";")
    timed = (properties.get("hs_calculated_merged_vids") or "").split(";")
    ids = dict.fromkeys(part.partition(":")[0].strip() for part in (*plain, *timed))
    return tuple(one for one in ids if one)


def instant(text: str | None) -> datetime | None:
    """Read a HubSpot instant: ISO with or without fraction, or epoch milliseconds as text."""
    if not text:
        return None
    try:
        return datetime.fromtimestamp(float(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def milliseconds(at: datetime) -> int:
    """Return epoch milliseconds of an aware instant, exactly (no float on the way)."""
    elapsed = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000
