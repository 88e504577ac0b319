"""sObject Collections: up to 200 records in one call, each with its own result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from crm_sandbox.salesforce.api import ApiCall, ApiReply, Route
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.org import Org, no_key
from crm_sandbox.salesforce.rows import named_fields, saved, show_record
from crm_sandbox.salesforce.schema import SObject

MAX_RECORDS = 200
MAX_RETRIEVED = 2000
MAX_CHUNKS = 10
Save = Callable[[Any], dict[str, Any]]


class _RolledBackError(Exception):
    """Leaves a transaction whose results are known."""


class Collections:
    """Answers below `composite/sobjects`."""

    def __init__(self, org: Org) -> None:
        """Serve the records of this org."""
        self._org = org

    def routes(self) -> list[Route]:
        """The paths this class answers."""
        return [
            Route(
                "composite/sobjects",
                {"POST": self._create, "PATCH": self._update, "DELETE": self._delete},
            ),
            Route("composite/sobjects/{object}", {"GET": self._get, "POST": self._retrieve}),
            Route("composite/sobjects/{object}/{field}", {"PATCH": self._upsert}),
        ]

    # -- the calls ----------------------------------------------------------------------------

    def _create(self, call: ApiCall) -> ApiReply:
        records = _records(call)

        def save(record: Any) -> dict[str, Any]:
            kind = self._kind(record)
            if any(name.lower() == "id" for name in record):
                raise OrgFault(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    "cannot specify Id in an insert call",
                    ["Id"],
                )
            return saved(self._org.insert(kind.name, record, by=call.user_id, options=call.options))

        return self._each(call, records, save)

    def _update(self, call: ApiCall) -> ApiReply:
        records = _records(call)

        def save(record: Any) -> dict[str, Any]:
            kind = self._kind(record)
            fields = {name: value for name, value in record.items() if name.lower() != "id"}
            record_id = next((record[name] for name in record if name.lower() == "id"), None)
            if not isinstance(record_id, str):
                raise OrgFault("MISSING_ARGUMENT", "Id not specified in an update call")
            self._org.update(kind.name, record_id, fields, by=call.user_id, options=call.options)
            return saved(record_id)

        return self._each(call, records, save)

    def _upsert(self, call: ApiCall, name: str, field: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        key = kind.field(field)
        if key is None or not key.is_key:
            raise no_key(field)
        records = _records(call)
        counts = Counter(str(_key_of(one, key.name)) for one in records)

        def save(record: Any) -> dict[str, Any]:
            if self._kind(record) is not kind:
                raise OrgFault("INVALID_TYPE", f"every record of this call must be a {kind.name}")
            value = _key_of(record, key.name)
            if value is None:
                raise OrgFault("MISSING_ARGUMENT", f"{key.name} not specified", [key.name])
            if counts[str(value)] > 1:
                raise OrgFault(
                    "DUPLICATE_VALUE", f"Duplicate external id specified: {value}", [key.name]
                )
            fields = {one: record[one] for one in record if one.lower() != key.name.lower()}
            record_id, created = self._org.upsert(
                kind.name,
                key.name,
                value,
                fields,
                by=call.user_id,
                options=call.options,
            )
            return {**saved(record_id), "created": created}

        return self._each(call, records, save)

    def _delete(self, call: ApiCall) -> ApiReply:
        ids = [one for one in call.query.get("ids", "").split(",") if one]
        _check_count(ids)

        def remove(record_id: Any) -> dict[str, Any]:
            kind = self._org.schema.by_id(record_id)
            if kind is None:
                raise OrgFault("MALFORMED_ID", f"malformed id {record_id}")
            self._org.delete(kind.name, record_id)
            return saved(record_id)

        return self._each(call, ids, remove)

    def _retrieve(self, call: ApiCall, name: str) -> ApiReply:
        body = call.record()
        return self._show(call, name, body.get("ids") or [], body.get("fields") or [])

    def _get(self, call: ApiCall, name: str) -> ApiReply:
        ids, fields = (call.query.get(one, "").split(",") for one in ("ids", "fields"))
        return self._show(call, name, ids, fields)

    def _show(self, call: ApiCall, name: str, ids: list[str], fields: list[str]) -> ApiReply:
        kind = self._org.store.sobject(name)
        if not ids or not fields:
            raise OrgFault("MISSING_ARGUMENT", "ids and fields are required")
        if len(ids) > MAX_RETRIEVED:
            raise OrgFault("EXCEEDED_ID_LIMIT", f"at most {MAX_RETRIEVED} ids can be retrieved")
        names = named_fields(kind, fields)
        rows = [self._org.get(kind.name, one) for one in ids]
        shown = [None if row is None else show_record(kind, row, call, names) for row in rows]
        return ApiReply(200, shown)

    # -- every record for itself, or all together ---------------------------------------------

    def _each(self, call: ApiCall, records: Sequence[Any], save: Save) -> ApiReply:
        together = _all_or_none(call)
        spoiled = call.spoiled(len(records))
        results: list[dict[str, Any]] = []
        try:
            with self._org.transaction():
                results.extend(
                    _locked() if index in spoiled else _attempt(save, record)
                    for index, record in enumerate(records)
                )
                _keep_or_undo(results, together=together)
        except _RolledBackError:
            results = [_rolled_back() if one["success"] else one for one in results]
        return ApiReply(200, results)

    def _kind(self, record: Any) -> SObject:
        attributes = record.get("attributes")
        name = attributes.get("type") if isinstance(attributes, dict) else None
        kind = self._org.schema.get(name) if isinstance(name, str) else None
        if kind is None or not kind.prefix:
            raise OrgFault("INVALID_TYPE", f"sObject type '{name}' is not supported.")
        return kind


def _keep_or_undo(results: list[dict[str, Any]], *, together: bool) -> None:
    if together and not all(one["success"] for one in results):
        raise _RolledBackError


def _attempt(save: Save, record: Any) -> dict[str, Any]:
    try:
        return save(record)
    except OrgFault as fault:
        return {"success": False, "errors": [fault.save_error()]}


def _locked() -> dict[str, Any]:
    fault = OrgFault(
        "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records"
    )
    return {"success": False, "errors": [fault.save_error()]}


def _rolled_back() -> dict[str, Any]:
    fault = OrgFault(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using "
        "AllOrNone header",
    )
    return {"success": False, "errors": [fault.save_error()]}


def _all_or_none(call: ApiCall) -> bool:
    given: Any = call.query.get("allOrNone")
    if isinstance(call.body, dict):
        given = call.body.get("allOrNone", given)
    return str(given).lower() == "true"


def _key_of(record: Any, key: str) -> Any:
    return next((record[name] for name in record if name.lower() == key.lower()), None)


def _records(call: ApiCall) -> list[dict[str, Any]]:
    records = call.record().get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise OrgFault("JSON_PARSER_ERROR", "records must be an array of objects")
    _check_count(records)
    kinds = [_type_of(one) for one in records]
    chunks = sum(1 for index, kind in enumerate(kinds) if not index or kinds[index - 1] != kind)
    if chunks > MAX_CHUNKS:
        raise OrgFault(
            "LIMIT_EXCEEDED",
            f"Cannot have more than {MAX_CHUNKS} chunks in a single operation. Please rearrange "
            "the data to reduce chunking.",
        )
    return records


def _type_of(record: dict[str, Any]) -> Any:
    attributes = record.get("attributes")
    return attributes.get("type") if isinstance(attributes, dict) else None


def _check_count(records: Sequence[Any]) -> None:
    if len(records) > MAX_RECORDS:
        raise OrgFault(
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {MAX_RECORDS} records into this call",
        )
