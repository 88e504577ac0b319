"""Single records: list, get, create, change, archive, merge, search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sandbox.hubspot.call import Call, Reply
from crm_sandbox.hubspot.errors import invalid, not_found
from crm_sandbox.hubspot.links import chosen_types
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.hubspot.records import Record
from crm_sandbox.hubspot.search import read_query
from crm_sandbox.hubspot.shapes import Shape, as_texts

_PAGE_DEFAULT, _PAGE_MAX, _PAGE_MAX_HISTORIES = 10, 100, 50


def _shape(call: Call) -> Shape:
    asked, others = call.names("properties"), call.names("associations")
    histories = call.names("propertiesWithHistory")
    return Shape.of(call.portal, call.type, asked, others, histories=histories)


def list_records(call: Call) -> Reply:
    """GET /crm/v3/objects/{type}"""
    most = _PAGE_MAX_HISTORIES if call.names("propertiesWithHistory") else _PAGE_MAX
    limit = call.whole("limit", default=_PAGE_DEFAULT, most=most)
    shape = _shape(call)
    results: list[dict[str, Any]] = []
    following: Record | None = None
    for record in call.portal.page(call.type, call.after(), archived=call.flag("archived")):
        if len(results) == limit:
            following = record
            break
        results.append(shape.show(record))
    body: dict[str, Any] = {"results": results}
    if following is not None:
        body["paging"] = call.next_page(following.id)
    return Reply(body)


def get_record(call: Call) -> Reply:
    """GET /crm/v3/objects/{type}/{id}"""
    record_id = call.path["id"]
    found = call.portal.resolve(call.type, record_id, call.query.get("idProperty"))
    if found is None or found.archived != call.flag("archived"):
        raise not_found(record_id)
    return Reply(_shape(call).show(found))


def create_record(call: Call) -> Reply:
    """POST /crm/v3/objects/{type}"""
    record = create_one(call, call.fields)
    return Reply(written(call, record, call.fields), 201)


def create_one(call: Call, item: Mapping[str, Any]) -> Record:
    """Create the record of one input, with its associations."""
    values = read_properties(item)
    links = read_associations(call, item)
    record = call.portal.create(call.type, values, checks=call.checks)
    for other_id, primary in links:
        associate(call.portal, call.type, record.id, other_id, primary=primary)
    return record


def read_properties(item: Mapping[str, Any]) -> dict[str, str | None]:
    """The property values of an input. Raises PortalFault 400."""
    raw = item.get("properties", {})
    if not isinstance(raw, dict):
        raise invalid("Invalid input JSON on line 1: properties must be an object")
    return as_texts(raw)


def read_associations(call: Call, item: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """The associations of an input: the other's id and whether it is the primary one."""
    links = []
    other = "companies" if call.type == "contacts" else "contacts"
    for entry in item.get("associations") or []:
        other_id = str(entry.get("to", {}).get("id", ""))
        types = [int(t.get("associationTypeId", 0)) for t in entry.get("types") or []]
        call.portal.require(other, other_id)
        links.append((other_id, chosen_types(types)))
    return links


def associate(
    portal: Portal, object_type: str, record_id: str, other_id: str, *, primary: bool
) -> None:
    """Associate a contact with a company, from either side."""
    contact, company = record_id, other_id
    if object_type == "companies":
        contact, company = other_id, record_id
    portal.associate(contact, company, primary=primary)


def written(call: Call, record: Record, item: Mapping[str, Any]) -> dict[str, Any]:
    """A record after a write: what was written, and what always comes."""
    return Shape.of(call.portal, call.type, list(item.get("properties") or {})).show(record)


def change_record(call: Call) -> Reply:
    """PATCH /crm/v3/objects/{type}/{id}"""
    record_id = call.path["id"]
    found = call.portal.resolve(call.type, record_id, call.query.get("idProperty"))
    if found is None or found.archived:
        raise not_found(record_id)
    values = read_properties(call.fields)
    record = call.portal.update(call.type, found.id, values, checks=call.checks)
    return Reply(written(call, record, call.fields))


def archive_record(call: Call) -> Reply:
    """DELETE /crm/v3/objects/{type}/{id}"""
    call.portal.archive(call.type, call.path["id"])
    return Reply(status=204)


def merge_records(call: Call) -> Reply:
    """POST /crm/v3/objects/{type}/merge"""
    primary = str(call.fields.get("primaryObjectId", ""))
    other = str(call.fields.get("objectIdToMerge", ""))
    record = call.portal.merge_records(call.type, primary, other)
    return Reply(Shape.of(call.portal, call.type, ()).show(record))


def gdpr_delete(call: Call) -> Reply:
    """POST /crm/v3/objects/contacts/gdpr-delete"""
    given = str(call.fields.get("objectId", ""))
    found = call.portal.resolve(call.type, given, call.fields.get("idProperty"))
    if found is not None:
        call.portal.erase(call.type, found.id)
    return Reply(status=204)


def search_records(call: Call) -> Reply:
    """POST /crm/v3/objects/{type}/search"""
    query = read_query(call.fields)
    found = call.portal.searcher(call.type).run(query)
    shape = Shape.of(call.portal, call.type, list(call.fields.get("properties") or []))
    records = (call.portal.get(call.type, str(number)) for number in found.numbers)
    results = [shape.show(record) for record in records if record and not record.archived]
    body: dict[str, Any] = {"total": found.total, "results": results}
    end = query.after + query.limit
    if end < found.total:
        body["paging"] = {
            "next": {"after": str(end), "link": f"{call.base}{call.url_path}?after={end}"}
        }
    return Reply(body)
