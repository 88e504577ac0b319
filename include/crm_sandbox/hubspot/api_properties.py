"""Property definitions and groups."""

from __future__ import annotations

from typing import Any

from crm_sandbox.hubspot.api_batch import read_inputs
from crm_sandbox.hubspot.call import Call, Reply
from crm_sandbox.hubspot.errors import PortalFault, fault, invalid


def get_all(call: Call) -> Reply:
    """GET /crm/v3/properties/{type}: all of them, without paging."""
    book = call.portal.book(call.type)
    return Reply({"results": [d.to_json() for d in book.all(archived=call.flag("archived"))]})


def get_one(call: Call) -> Reply:
    """GET /crm/v3/properties/{type}/{name}"""
    return Reply(call.portal.book(call.type).require(call.path["name"]).to_json())


def create(call: Call) -> Reply:
    """POST /crm/v3/properties/{type}"""
    return Reply(_create(call, dict(call.fields)).to_json(), 201)


def _create(call: Call, raw: dict[str, Any]) -> Any:
    if not raw.get("groupName"):
        raise invalid(
            "Invalid input JSON on line 1: some required fields were not set: ['groupName']"
        )
    return call.portal.define_property(call.type, raw)


def change(call: Call) -> Reply:
    """PATCH /crm/v3/properties/{type}/{name}"""
    return Reply(call.portal.book(call.type).change(call.path["name"], call.fields).to_json())


def archive(call: Call) -> Reply:
    """DELETE /crm/v3/properties/{type}/{name}"""
    call.portal.book(call.type).archive(call.path["name"])
    return Reply(status=204)


def batch_create(call: Call) -> Reply:
    """POST /crm/v3/properties/{type}/batch/create"""
    results, errors = [], []
    for item in read_inputs(call):
        try:
            results.append(_create(call, dict(item)).to_json())
        except PortalFault as refused:
            context = {"name": [str(item.get("name", ""))]}
            errors.append({**refused.body, "context": context})
    return call.batch(results, errors, status=201)


def batch_read(call: Call) -> Reply:
    """POST /crm/v3/properties/{type}/batch/read"""
    book = call.portal.book(call.type)
    names = [str(item.get("name", "")) for item in read_inputs(call)]
    missing = [name for name in names if name not in book]
    errors = (
        [
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "message": "Some properties do not exist.",
                "context": {"name": missing},
            }
        ]
        if missing
        else []
    )
    return call.batch([book.require(n).to_json() for n in names if n in book], errors)


def batch_archive(call: Call) -> Reply:
    """POST /crm/v3/properties/{type}/batch/archive"""
    for item in read_inputs(call):
        call.portal.book(call.type).archive(str(item.get("name", "")))
    return Reply(status=204)


def _group(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}


def get_groups(call: Call) -> Reply:
    """GET /crm/v3/properties/{type}/groups"""
    groups = call.portal.book(call.type).groups
    return Reply({"results": [_group(*item) for item in sorted(groups.items())]})


def get_group(call: Call) -> Reply:
    """GET /crm/v3/properties/{type}/groups/{name}"""
    name, groups = call.path["name"], call.portal.book(call.type).groups
    if name not in groups:
        raise fault(404, f"Property group '{name}' does not exist.", "OBJECT_NOT_FOUND")
    return Reply(_group(name, groups[name]))


def create_group(call: Call) -> Reply:
    """POST /crm/v3/properties/{type}/groups"""
    name, label = str(call.fields.get("name") or ""), str(call.fields.get("label") or "")
    groups = call.portal.book(call.type).groups
    if not name or not label:
        raise invalid(
            "Invalid input JSON on line 1: some required fields were not set: ['name', 'label']"
        )
    if name in groups:
        raise fault(
            409, f"A property group named '{name}' already exists.", "OBJECT_ALREADY_EXISTS"
        )
    groups[name] = label
    return Reply(_group(name, label), 201)
