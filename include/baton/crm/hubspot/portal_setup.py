"""What a portal must have for Baton: property definitions and static lists, read and created."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from baton.crm.hubspot.client import HubSpotClient
from baton.crm.hubspot.faults import ConflictError, NotFoundError
from baton.crm.hubspot.rows import ListChange, PropertyDefinition
from baton.crm.results import batches

_LIST_BATCH = 1000
_CONTACT_TYPE = "0-1"


class PortalSetup:
    """The gateway's part that is about the portal and not about its records."""

    _client: HubSpotClient
    _api: Any

    def property_definitions(
        self, object_type: str = "contacts", *, archived: bool = False
    ) -> dict[str, PropertyDefinition]:
        """Return all property definitions of an object type by internal name.

        `archived`: those that somebody has archived, and no others.
        """
        get_all = self._api.crm.properties.core_api.get_all
        answer = self._client.call(get_all, object_type, **({"archived": True} if archived else {}))
        defined = (PropertyDefinition.from_json(raw) for raw in answer.get("results") or ())
        return {one.name: one for one in defined}

    def property_groups(self, object_type: str = "contacts") -> dict[str, str]:
        """Return the labels of the property groups by internal name."""
        answer = self._client.call(self._api.crm.properties.groups_api.get_all, object_type)
        return {str(raw["name"]): str(raw.get("label")) for raw in answer.get("results") or ()}

    def create_property_group(self, name: str, label: str, object_type: str = "contacts") -> bool:
        """Create a property group; False when it exists already."""
        body = {"name": name, "label": label, "displayOrder": -1}
        return self._create(self._api.crm.properties.groups_api.create, object_type, body)

    def create_properties(
        self, definitions: Sequence[PropertyDefinition], object_type: str = "contacts"
    ) -> tuple[str, ...]:
        """Create the properties that do not exist yet; return their names."""
        create = self._api.crm.properties.core_api.create
        return tuple(
            one.name for one in definitions if self._create(create, object_type, one.to_json())
        )

    def find_list(self, name: str) -> str | None:
        """Return the id of the contact list with this name, or None."""
        try:
            return self._list_named(name)
        except NotFoundError:
            return None

    def ensure_list(self, name: str) -> str:
        """Return the id of the static contact list `name`; creates it when it is not there."""
        known = self.find_list(name)
        if known is not None:
            return known
        body = {"name": name, "objectTypeId": _CONTACT_TYPE, "processingType": "MANUAL"}
        self._create(self._api.crm.lists.lists_api.create, body)
        return self._list_named(name)  # whether we or another worker made it

    def add_to_list(self, list_id: str, ids: Sequence[str]) -> ListChange:
        """Add contacts to a static list; those that are members already change nothing."""
        return self._change_list("add", list_id, ids)

    def remove_from_list(self, list_id: str, ids: Sequence[str]) -> ListChange:
        """Take contacts off a static list."""
        return self._change_list("remove", list_id, ids)

    def _create(self, create: Callable[..., Any], *args: Any) -> bool:
        """Create something with a unique name; False when it is there already."""
        try:
            self._client.call(create, *args)
        except ConflictError:
            return False
        return True

    def _list_named(self, name: str) -> str:
        answer = self._client.call(self._api.crm.lists.lists_api.get_by_name, name, _CONTACT_TYPE)
        return str((answer.get("list") or answer)["listId"])

    def _change_list(self, verb: str, list_id: str, ids: Sequence[str]) -> ListChange:
        changed: list[str] = []
        missing: list[str] = []
        api = self._api.crm.lists.memberships_api
        change = api.add if verb == "add" else api.remove
        for batch in batches(list(dict.fromkeys(ids)), _LIST_BATCH):
            answer = self._client.call(change, list_id, list(batch)) or {}
            # HubSpot really spells these two keys differently.
            changed += answer.get("recordsIdsAdded" if verb == "add" else "recordIdsRemoved") or ()
            missing += answer.get("recordIdsMissing") or ()
        return ListChange(tuple(map(str, changed)), tuple(map(str, missing)))
