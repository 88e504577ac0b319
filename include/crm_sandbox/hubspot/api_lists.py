"""Lists and their members."""

from __future__ import annotations

from typing import Any

from crm_sandbox.hubspot.call import Call, Reply
from crm_sandbox.hubspot.errors import invalid
from crm_sandbox.hubspot.lists import StaticList
from crm_sandbox.hubspot.records import instant

_MEMBERS_MAX, _SEARCH_MAX = 250, 500


def create(call: Call) -> Reply:
    """POST /crm/v3/lists"""
    given = call.fields
    type_id = call.portal.kind(str(given.get("objectTypeId", "0-1"))).type_id
    processing = str(given.get("processingType", "MANUAL"))
    if processing not in ("MANUAL", "SNAPSHOT", "DYNAMIC"):
        raise invalid(f"'{processing}' is not one of MANUAL, SNAPSHOT, DYNAMIC")
    made = call.portal.lists.create(
        str(given.get("name") or ""), type_id, processing, at=call.now()
    )
    return Reply({"list": made.to_json()})


def get_one(call: Call) -> Reply:
    """GET /crm/v3/lists/{id}"""
    return Reply({"list": _list(call).to_json()})


def get_named(call: Call) -> Reply:
    """GET /crm/v3/lists/object-type-id/{type}/name/{name}"""
    type_id = call.portal.kind(call.type).type_id
    return Reply({"list": call.portal.lists.named(call.path["name"], type_id).to_json()})


def get_several(call: Call) -> Reply:
    """GET /crm/v3/lists?listIds="""
    found = [call.portal.lists.get(list_id).to_json() for list_id in call.names("listIds")]
    return Reply({"lists": found})


def search(call: Call) -> Reply:
    """POST /crm/v3/lists/search"""
    offset, count = _number(call, "offset", 0), _number(call, "count", 20)
    found = call.portal.lists.search(str(call.fields.get("query") or ""))
    wanted = set(call.fields.get("processingTypes") or ()) or {"MANUAL", "SNAPSHOT", "DYNAMIC"}
    ids = {str(item) for item in call.fields.get("listIds") or ()}
    chosen = [x for x in found if x.processing in wanted and (not ids or x.id in ids)]
    page = chosen[offset : offset + min(count, _SEARCH_MAX)]
    end = offset + len(page)
    return Reply(
        {
            "lists": [item.to_json() for item in page],
            "offset": end,
            "hasMore": end < len(chosen),
            "total": len(chosen),
        }
    )


def _number(call: Call, name: str, default: int) -> int:
    value = call.fields.get(name) or default
    if not str(value).isdecimal():
        raise invalid(f"{name} must be a whole number, not '{value}'")
    return int(value)


def delete(call: Call) -> Reply:
    """DELETE /crm/v3/lists/{id}"""
    call.portal.lists.delete(call.path["id"])
    return Reply(status=204)


def _list(call: Call) -> StaticList:
    return call.portal.lists.get(call.path["id"])


def members(call: Call) -> Reply:
    """GET /crm/v3/lists/{id}/memberships, by record id."""
    held = _list(call).members
    limit = call.whole("limit", default=100, most=_MEMBERS_MAX)
    start = call.after()
    ids = sorted((record_id for record_id in held if int(record_id) > start), key=int)
    body: dict[str, Any] = {
        "results": [
            {"recordId": key, "membershipTimestamp": instant(held[key])} for key in ids[:limit]
        ],
        "total": len(held),
    }
    if len(ids) > limit:
        body["paging"] = call.next_page(ids[limit - 1])
    return Reply(body)


def _ids(raw: Any) -> list[str]:
    if not isinstance(raw, list):
        raise invalid("Invalid input JSON on line 1: expected a list of record ids")
    return [str(item) for item in raw]


def _changed(added: list[str], removed: list[str], missing: list[str]) -> Reply:
    # "recordsIdsAdded" is HubSpot's own spelling.
    return Reply(
        {"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing}
    )


def add(call: Call) -> Reply:
    """PUT /crm/v3/lists/{id}/memberships/add; who is a member already is passed over."""
    added, missing = call.portal.add_to_list(call.path["id"], _ids(call.body))
    return _changed(added, [], missing)


def remove(call: Call) -> Reply:
    """PUT /crm/v3/lists/{id}/memberships/remove"""
    return _changed([], _remove(call, _ids(call.body)), [])


def _remove(call: Call, ids: list[str]) -> list[str]:
    held = _list(call).members
    removed = [record_id for record_id in ids if record_id in held]
    for record_id in removed:
        del held[record_id]
    return removed


def add_and_remove(call: Call) -> Reply:
    """PUT /crm/v3/lists/{id}/memberships/add-and-remove"""
    wanted = _ids(call.fields.get("recordIdsToAdd") or [])
    added, missing = call.portal.add_to_list(call.path["id"], wanted)
    removed = _remove(call, _ids(call.fields.get("recordIdsToRemove") or []))
    return _changed(added, removed, missing)


def remove_all(call: Call) -> Reply:
    """DELETE /crm/v3/lists/{id}/memberships"""
    _list(call).members.clear()
    return Reply(status=204)


def of_record(call: Call) -> Reply:
    """GET /crm/v3/lists/records/{type}/{id}/memberships"""
    record = call.portal.require(call.type, call.path["id"])
    rows = [
        {
            "listId": item.id,
            "listVersion": 1,
            "isPublicList": False,
            "firstAddedTimestamp": instant(item.members[record.id]),
            "lastAddedTimestamp": instant(item.members[record.id]),
        }
        for item in call.portal.lists.containing(record.id)
    ]
    return Reply({"results": rows, "total": len(rows)})
