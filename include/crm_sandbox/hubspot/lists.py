"""Static lists and their members."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_sandbox.hubspot.errors import fault, invalid
from crm_sandbox.hubspot.records import instant


@dataclass(slots=True)
class StaticList:
    """A list of records; `members` keeps when each was added, in that order."""

    id: str
    name: str
    type_id: str
    processing: str
    created_at: datetime
    members: dict[str, datetime] = field(default_factory=dict)

    @property
    def editable(self) -> bool:
        """True when members are added by hand or API rather than by a filter."""
        return self.processing in ("MANUAL", "SNAPSHOT")

    def to_json(self) -> dict[str, Any]:
        """As the lists API shows it."""
        at = instant(self.created_at)
        return {
            "listId": self.id,
            "name": self.name,
            "objectTypeId": self.type_id,
            "processingType": self.processing,
            "processingStatus": "COMPLETE",
            "listVersion": 1,
            "createdAt": at,
            "updatedAt": at,
            "filtersUpdatedAt": at,
            "size": len(self.members),
            "additionalProperties": {"hs_list_size": str(len(self.members))},
        }


class ListShelf:
    """Every list of the portal."""

    def __init__(self) -> None:
        """Start empty."""
        self._lists: dict[str, StaticList] = {}

    def create(self, name: str, type_id: str, processing: str, *, at: datetime) -> StaticList:
        """Make a list. Raises PortalFault 400 when the name is taken or missing."""
        if not name:
            raise invalid("Some required fields were not set: [name]")
        if any(item.name == name and item.type_id == type_id for item in self._lists.values()):
            raise invalid(
                f"A list named '{name}' already exists.",
                subCategory="ILS.DUPLICATE_LIST_NAMES",
            )
        made = StaticList(str(len(self._lists) + 1), name, type_id, processing, at)
        self._lists[made.id] = made
        return made

    def get(self, list_id: str) -> StaticList:
        """The list. Raises PortalFault 404."""
        found = self._lists.get(list_id)
        if found is None:
            raise fault(404, f"List does not exist with ID {list_id}.", "OBJECT_NOT_FOUND")
        return found

    def named(self, name: str, type_id: str) -> StaticList:
        """The list of that exact name. Raises PortalFault 404."""
        for item in self._lists.values():
            if item.name == name and item.type_id == type_id:
                return item
        raise fault(404, f"List does not exist with name {name}.", "OBJECT_NOT_FOUND")

    def search(self, text: str) -> list[StaticList]:
        """The lists whose name contains the text, by id."""
        folded = text.lower()
        return [item for item in self._lists.values() if folded in item.name.lower()]

    def containing(self, record_id: str) -> list[StaticList]:
        """The lists that hold a record."""
        return [item for item in self._lists.values() if record_id in item.members]

    def delete(self, list_id: str) -> None:
        """Remove a list. Raises PortalFault 404."""
        del self._lists[self.get(list_id).id]

    def replace_member(self, old_id: str, new_id: str) -> None:
        """Put the surviving record of a merge in the place of the other one."""
        for item in self.containing(old_id):
            added = item.members.pop(old_id)
            item.members.setdefault(new_id, added)

    def remove_everywhere(self, record_id: str) -> None:
        """Take an archived record off all lists."""
        for item in self.containing(record_id):
            del item.members[record_id]


def add_members(target: StaticList, record_ids: Iterable[str], *, at: datetime) -> list[str]:
    """Add records; returns those that were not members yet. Raises PortalFault 400."""
    if not target.editable:
        raise invalid(
            "Only lists with a processing type of MANUAL or SNAPSHOT can be edited.",
            subCategory="ILS.LIST_MEMBERSHIP_UPDATE_NOT_ALLOWED",
        )
    added = [record_id for record_id in record_ids if record_id not in target.members]
    target.members.update(dict.fromkeys(added, at))
    return added
