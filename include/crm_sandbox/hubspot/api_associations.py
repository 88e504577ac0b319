"""Associations, version 4."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from typing import Any

from crm_sandbox.hubspot.api_batch import Item, read_inputs
from crm_sandbox.hubspot.api_objects import associate
from crm_sandbox.hubspot.call import Call, Reply
from crm_sandbox.hubspot.errors import PortalFault, invalid, not_found
from crm_sandbox.hubspot.links import LABELS, chosen_types

_READ_MAX, _CREATE_MAX, _PAGE = 1000, 2000, 500


def _ends(call: Call) -> tuple[str, str]:
    ends = call.portal.type_name(call.path["from"]), call.portal.type_name(call.path["to"])
    if ends not in LABELS:
        raise invalid(f"No association types are defined from {ends[0]} to {ends[1]}.")
    return ends


def _entry(call: Call, other_id: str, type_ids: list[int]) -> dict[str, Any]:
    labels = LABELS[_ends(call)]
    return {
        "toObjectId": int(other_id),
        "associationTypes": [
            {"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": labels[type_id]}
            for type_id in type_ids
        ],
    }


def _page(call: Call, record_id: str, after: str | None, size: int) -> dict[str, Any]:
    """The associations of one record from `after` on, with paging where there are more."""
    from_type, _ = _ends(call)
    start = _read_after(after)
    rows = [row for row in call.portal.links.of(from_type, record_id) if int(row[0]) > start]
    page: dict[str, Any] = {"to": [_entry(call, *row) for row in rows[:size]]}
    if len(rows) > size:
        token = urlsafe_b64encode(rows[size - 1][0].encode()).decode()
        page["paging"] = {"next": {"after": token}}
    return page


def _read_after(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(urlsafe_b64decode(token.encode()))
    except (BadBase64, ValueError):
        raise invalid("after is not a paging token of this API.") from None


def batch_read(call: Call) -> Reply:
    """POST /crm/v4/associations/{from}/{to}/batch/read; 207 as soon as one has none."""
    results, errors = [], []
    for item in read_inputs(call, most=_READ_MAX):
        record_id = str(item.get("id", ""))
        page = _page(call, record_id, item.get("after"), _PAGE)
        if page["to"]:
            results.append({"from": {"id": record_id}, **page})
        else:
            errors.append(_none_found(call, record_id))
    return call.batch(results, errors)


def _none_found(call: Call, record_id: str) -> dict[str, Any]:
    nouns = [call.portal.kind(end).noun.lower() for end in _ends(call)]
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {nouns[1]} is associated with {nouns[0]} {record_id}.",
        "context": {
            "fromObjectId": [record_id],
            "fromObjectType": [nouns[0]],
            "toObjectType": [nouns[1]],
        },
    }


def list_for_record(call: Call) -> Reply:
    """GET /crm/v4/objects/{from}/{id}/associations/{to}"""
    from_type, _ = _ends(call)
    record = call.portal.require(from_type, call.path["id"])
    size = call.whole("limit", default=_PAGE, most=_PAGE)
    page = _page(call, record.id, call.query.get("after"), size)
    body = {"results": page["to"]}
    if "paging" in page:
        body["paging"] = page["paging"]
    return Reply(body)


def labels(call: Call) -> Reply:
    """GET /crm/v4/associations/{from}/{to}/labels"""
    rows = LABELS[_ends(call)].items()
    return Reply(
        {
            "results": [
                {"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": label}
                for type_id, label in rows
            ]
        }
    )


def _id_of(item: Item, end: str) -> str:
    return str((item.get(end) or {}).get("id", ""))


def _types_of(raw: Any) -> list[int]:
    return [int(entry.get("associationTypeId", 0)) for entry in raw or []]


def batch_create(call: Call) -> Reply:
    """POST /crm/v4/associations/{from}/{to}/batch/create"""
    from_type, to_type = _ends(call)
    results, errors = [], []
    for item in read_inputs(call, most=_CREATE_MAX):
        ends, types = (_id_of(item, "from"), _id_of(item, "to")), _types_of(item.get("types"))
        try:
            associate(call.portal, from_type, *ends, primary=chosen_types(types))
        except PortalFault as refused:
            errors.append(_refusal(refused, ends))
            continue
        names = LABELS[from_type, to_type]
        results.append(
            {
                "fromObjectTypeId": call.portal.kind(from_type).type_id,
                "fromObjectId": int(ends[0]),
                "toObjectTypeId": call.portal.kind(to_type).type_id,
                "toObjectId": int(ends[1]),
                "labels": [names[t] for t in types if names.get(t)],
            }
        )
    return call.batch(results, errors, status=201)


def batch_create_default(call: Call) -> Reply:
    """POST /crm/v4/associations/{from}/{to}/batch/associate/default"""
    from_type, _ = _ends(call)
    results: list[Any] = []
    errors: list[Any] = []
    for item in read_inputs(call, most=_CREATE_MAX):
        ends = _id_of(item, "from"), _id_of(item, "to")
        try:
            associate(call.portal, from_type, *ends, primary=False)
        except PortalFault as refused:
            errors.append(_refusal(refused, ends))
        else:
            results.extend(_default_rows(call, ends))
    return call.batch(results, errors)


def _refusal(refused: PortalFault, ends: tuple[str, str]) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": refused.body["message"],
        "context": {"fromObjectId": [ends[0]], "toObjectId": [ends[1]]},
    }


def _default_rows(call: Call, ends: tuple[str, str]) -> list[dict[str, Any]]:
    """One row for each direction, as HubSpot answers."""
    from_type, to_type = _ends(call)
    rows = []
    for types, (one, other) in (((from_type, to_type), ends), ((to_type, from_type), ends[::-1])):
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": max(LABELS[types])}
        rows.append({"from": {"id": one}, "to": {"id": other}, "associationSpec": spec})
    return rows


def create_default(call: Call) -> Reply:
    """PUT /crm/v4/objects/{from}/{id}/associations/default/{to}/{other}"""
    from_type, _ = _ends(call)
    ends = call.path["id"], call.path["other"]
    associate(call.portal, from_type, *ends, primary=False)
    return call.batch(_default_rows(call, ends), [])


def create_one(call: Call) -> Reply:
    """PUT /crm/v4/objects/{from}/{id}/associations/{to}/{other}; the body lists the types."""
    from_type, to_type = _ends(call)
    ends, types = (call.path["id"], call.path["other"]), _types_of(call.body)
    associate(call.portal, from_type, *ends, primary=chosen_types(types))
    names = LABELS[from_type, to_type]
    return Reply(
        {
            "fromObjectTypeId": call.portal.kind(from_type).type_id,
            "fromObjectId": ends[0],
            "toObjectTypeId": call.portal.kind(to_type).type_id,
            "toObjectId": ends[1],
            "labels": [names[t] for t in types if names.get(t)],
        },
        201,
    )


def _remove(call: Call, record_id: str, other_id: str) -> None:
    pair = (record_id, other_id)
    if _ends(call)[0] == "companies":
        pair = (other_id, record_id)
    call.portal.disassociate(*pair)


def delete_one(call: Call) -> Reply:
    """DELETE /crm/v4/objects/{from}/{id}/associations/{to}/{other}"""
    if not call.path["id"].isdecimal():
        raise not_found(call.path["id"])
    _remove(call, call.path["id"], call.path["other"])
    return Reply(status=204)


def batch_archive(call: Call) -> Reply:
    """POST /crm/v4/associations/{from}/{to}/batch/archive"""
    for item in read_inputs(call, most=_CREATE_MAX):
        for other in item.get("to") or []:
            _remove(call, _id_of(item, "from"), str(other.get("id", "")))
    return Reply(status=204)
