"""How a record is written as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_sandbox.hubspot.links import INLINE_NAMES
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.hubspot.records import Record, instant

_INLINE_MAX = 100
_VERSIONS_MAX = 20

WITHOUT_RECORDS = frozenset({"deal", "deals", "0-3", "ticket", "tickets", "0-5"})
"""Object types that HubSpot has and nobody here uses: a record has no associations with them."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Which properties and associations a reply shows, settled once a request.

    A property that is asked for but not defined is left out; one that is defined but empty is
    null; what HubSpot always returns comes whether asked for or not.
    """

    portal: Portal
    object_type: str
    names: tuple[str, ...]
    others: tuple[str, ...] = ()
    histories: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        portal: Portal,
        object_type: str,
        asked: Iterable[str],
        others: Iterable[str] = (),
        *,
        histories: Iterable[str] = (),
    ) -> Shape:
        """The shape for the properties asked for (none: the type's defaults).

        `histories` are properties of which every value is shown that they ever had.
        """
        kind, book = portal.kind(object_type), portal.book(object_type)
        chosen = set(asked) or set(kind.defaults)
        names = sorted({name for name in chosen if name in book} | set(kind.always))
        plural = (
            portal.type_name(other) for other in others if other.lower() not in WITHOUT_RECORDS
        )
        past = tuple(sorted(name for name in set(histories) if name in book))
        return cls(portal, kind.name, tuple(names), tuple(dict.fromkeys(plural)), past)

    def show(self, record: Record) -> dict[str, Any]:
        """One record."""
        values = record.properties
        shown: dict[str, Any] = {
            "id": record.id,
            "properties": {name: values.get(name) for name in self.names},
            "createdAt": instant(record.created_at),
            "updatedAt": instant(record.updated_at),
            "archived": record.archived,
            "url": self._url(record),
        }
        if self.histories:
            shown["propertiesWithHistory"] = {
                name: history(record, name) for name in self.histories
            }
        if record.archived_at is not None:
            shown["archivedAt"] = instant(record.archived_at)
        if self.others:
            self._add_associations(shown, record)
        return shown

    def _url(self, record: Record) -> str:
        type_id = self.portal.kind(self.object_type).type_id
        home = f"https://app.hubspot.com/contacts/{self.portal.portal_id}"
        return f"{home}/record/{type_id}/{record.id}"

    def _add_associations(self, shown: dict[str, Any], record: Record) -> None:
        found = {}
        for other in self.others:
            rows = [
                {"id": other_id, "type": INLINE_NAMES[type_id]}
                for other_id, type_ids in self.portal.links.of(self.object_type, record.id)
                for type_id in type_ids
            ]
            if rows and other != self.object_type:
                found[other] = {"results": rows[:_INLINE_MAX]}
        if found:
            shown["associations"] = found


def history(record: Record, name: str) -> list[dict[str, Any]]:
    """Every value that a property had, newest first; a cleared one is shown as an empty text."""
    found = [
        _value(version.values[name], version.source, version.at)
        for version in reversed(record.versions)
        if name in version.values
    ]
    changes = (version.before[name] for version in record.versions if name in version.before)
    first = next(changes, record.properties.get(name))
    if first is not None:
        source = record.properties.get("hs_object_source") or "CRM_UI"
        found.append(_value(first, source, record.created_at))
    return found[:_VERSIONS_MAX]


def _value(value: str | None, source: str, at: datetime) -> dict[str, Any]:
    return {"value": value or "", "timestamp": instant(at), "sourceType": source}


def as_texts(raw: Mapping[str, Any]) -> dict[str, str | None]:
    """Property values as HubSpot stores them: text, whatever JSON type was sent."""
    return {str(name): _as_text(value) for name, value in raw.items()}


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
