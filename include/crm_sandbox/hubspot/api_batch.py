"""Batches of records, with HubSpot's rules on what a partly failed batch looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crm_sandbox.hubspot.api_objects import create_one, read_properties, written
from crm_sandbox.hubspot.call import Call, Reply
from crm_sandbox.hubspot.errors import PortalFault, fault, invalid
from crm_sandbox.hubspot.records import Record
from crm_sandbox.hubspot.shapes import Shape

BATCH_MAX, BATCH_MAX_HISTORIES = 100, 50

Item = Mapping[str, Any]
Row = dict[str, Any]


def read_inputs(call: Call, *, most: int = BATCH_MAX) -> list[Item]:
    """The inputs of a batch. Raises PortalFault 400 for none, too many, or wrong ones."""
    inputs = call.fields.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(item, dict) for item in inputs):
        raise invalid("Invalid input JSON on line 1: inputs must be a list of objects")
    if len(inputs) > most:
        raise invalid(
            f"The maximum number of inputs supported in a batch request is {most}. "
            f"Received {len(inputs)}."
        )
    return inputs


def _in_any_order(rows: list[Row]) -> list[Row]:
    """The results in an order that owes nothing to the inputs, as with HubSpot."""
    return sorted(rows, key=lambda row: str(row["id"])[::-1])


def batch_read(call: Call) -> Reply:
    """POST /crm/v3/objects/{type}/batch/read"""
    inputs, id_property = read_inputs(call), call.fields.get("idProperty")
    histories = call.fields.get("propertiesWithHistory") or []
    if histories and len(inputs) > BATCH_MAX_HISTORIES:
        raise invalid(
            "The maximum number of inputs supported in a batch request for property histories is "
            f"{BATCH_MAX_HISTORIES}. Received {len(inputs)}."
        )
    asked = call.fields.get("properties") or []
    shape = Shape.of(call.portal, call.type, asked, histories=histories)
    failing = call.failing(len(inputs))
    found: dict[str, Row] = {}
    missing = []
    for row, item in enumerate(inputs):
        key = str(item.get("id", ""))
        record = call.portal.resolve(call.type, key, id_property)
        gone = record is None or record.archived != call.flag("archived")
        if record is None or gone or row in failing:
            missing.append(key)
        else:
            found[record.id] = shape.show(record)
    errors = [_missing(call, missing)] if missing else []
    return call.batch(_in_any_order(list(found.values())), errors)


def _missing(call: Call, ids: list[str]) -> Row:
    noun = call.portal.kind(call.type).noun.upper()
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {noun} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": {"ids": ids},
    }


def _traced(inputs: list[Item]) -> bool:
    """True when every input has a trace id of its own, which turns row results on."""
    traces = [item.get("objectWriteTraceId") for item in inputs]
    return all(traces) and len(set(traces)) == len(traces)


def _row_error(refused: PortalFault, item: Item) -> Row:
    body = refused.body
    context = dict(body.get("context", {}))
    if item.get("objectWriteTraceId"):
        context["objectWriteTraceId"] = [item["objectWriteTraceId"]]
    if "id" in item:
        context.setdefault("ids", [str(item["id"])])
    return {
        "status": "error",
        "category": body.get("category", "OBJECT_NOT_FOUND"),
        "message": body["message"],
        "context": context,
        **({"errors": body["errors"]} if "errors" in body else {}),
    }


def _write_rows(
    call: Call, inputs: list[Item], write: Callable[[Item], Row | None]
) -> tuple[list[Row], list[Row]]:
    """Write row by row; a refused row becomes an error. A row that yields None is left out."""
    failing = call.failing(len(inputs))
    results, errors = [], []
    for row, item in enumerate(inputs):
        if row in failing:
            spoilt = fault(500, "There was a problem with the request.", "INTERNAL_ERROR")
            errors.append(_row_error(spoilt, item))
            continue
        try:
            result = write(item)
        except PortalFault as refused:
            errors.append(_row_error(refused, item))
        else:
            if result is not None:
                results.append(result)
    return _in_any_order(results), errors


def batch_create(call: Call) -> Reply:
    """POST /crm/v3/objects/{type}/batch/create: all or nothing unless every row has a trace id."""
    inputs = read_inputs(call)
    if not _traced(inputs):
        _verify_new(call, inputs)

    def write(item: Item) -> Row:
        shown = written(call, create_one(call, item), item)
        return _with_trace(shown, item)

    results, errors = _write_rows(call, inputs, write)
    return call.batch(results, errors, status=201)


def _verify_new(call: Call, inputs: list[Item]) -> None:
    """Raise the first refusal among rows that are to be created together."""
    taken: set[tuple[str, str]] = set()
    for item in inputs:
        values = call.portal.verify(call.type, read_properties(item), checks=call.checks)
        for name, value in call.portal.unique_values(call.type, values):
            if (name, value) in taken:
                raise invalid(f"Duplicate values found in batch input for {name}.")
            taken.add((name, value))


def _with_trace(shown: Row, item: Item) -> Row:
    if item.get("objectWriteTraceId"):
        shown["objectWriteTraceId"] = item["objectWriteTraceId"]
    return shown


def _refuse_duplicates(inputs: list[Item]) -> None:
    ids = [str(item.get("id", "")) for item in inputs]
    twice = sorted({key for key in ids if ids.count(key) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise invalid(
            f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique"
        )


def batch_update(call: Call) -> Reply:
    """POST /crm/v3/objects/{type}/batch/update

    Rows are named by record id or by a custom unique property. A row that names a merged record
    is missing from the results, without an error. Without trace ids a refused value fails all.
    """
    inputs = read_inputs(call)
    _refuse_duplicates(inputs)
    targets = [_target(call, item) for item in inputs]
    if not _traced(inputs):
        for item, target in zip(inputs, targets, strict=True):
            if target is not None:
                values = read_properties(item)
                call.portal.verify(call.type, values, checks=call.checks, record=target)

    def write(item: Item) -> Row | None:
        key, id_property = str(item.get("id", "")), item.get("idProperty")
        if not id_property and call.portal.was_merged(call.type, key):
            return None
        target = _target(call, item)
        if target is None:
            raise _no_such(call, key)
        values = read_properties(item)
        record = call.portal.update(call.type, target.id, values, checks=call.checks)
        return _with_trace(written(call, record, item), item)

    return call.batch(*_write_rows(call, inputs, write))


def _target(call: Call, item: Item) -> Record | None:
    id_property = item.get("idProperty")
    _refuse_weak_key(call, id_property, "email", "hs_object_id")
    found = call.portal.resolve(call.type, str(item.get("id", "")), id_property)
    return None if found is None or found.archived else found


def _refuse_weak_key(call: Call, id_property: str | None, *weak: str) -> None:
    unique = call.portal.book(call.type).unique_names()
    if id_property and (id_property in weak or id_property not in (*unique, "email")):
        type_id = call.portal.kind(call.type).type_id
        raise invalid(
            f"Unable to perform update/upsert by non-unique {type_id} property {id_property}"
        )


def _no_such(call: Call, key: str) -> PortalFault:
    return fault(404, _missing(call, [key])["message"], "OBJECT_NOT_FOUND", context={"ids": [key]})


def batch_upsert(call: Call) -> Reply:
    """POST /crm/v3/objects/{type}/batch/upsert; by e-mail one bad row fails the whole call."""
    inputs = read_inputs(call)
    _refuse_duplicates(inputs)
    for item in inputs:
        _refuse_weak_key(call, item.get("idProperty") or "hs_object_id", "hs_object_id")
    by_email = any(item.get("idProperty") == "email" for item in inputs)
    if by_email or not _traced(inputs):
        for item in inputs:
            values, found = _upsert_values(call, item)
            call.portal.verify(call.type, values, checks=call.checks, record=found)

    def write(item: Item) -> Row:
        values, found = _upsert_values(call, item)
        if found is None:
            record = call.portal.create(call.type, values, checks=call.checks)
        else:
            record = call.portal.update(call.type, found.id, values, checks=call.checks)
        shown = written(call, record, {"properties": values})
        return _with_trace({**shown, "new": found is None}, item)

    return call.batch(*_write_rows(call, inputs, write))


def _upsert_values(call: Call, item: Item) -> tuple[dict[str, str | None], Record | None]:
    name, key = str(item["idProperty"]), str(item.get("id", ""))
    found = call.portal.resolve(call.type, key, name)
    values = read_properties(item)
    if found is None:
        values.setdefault(name, key)
    return values, found


def batch_archive(call: Call) -> Reply:
    """POST /crm/v3/objects/{type}/batch/archive; unknown ids are ignored."""
    for item in read_inputs(call):
        call.portal.archive(call.type, str(item.get("id", "")))
    return Reply(status=204)
