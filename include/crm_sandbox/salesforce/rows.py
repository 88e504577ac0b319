"""Calls about single records, and about what an object has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from crm_sandbox.salesforce.api import ApiCall, ApiReply, Route
from crm_sandbox.salesforce.describe import describe, summary
from crm_sandbox.salesforce.errors import OrgFault, is_deleted
from crm_sandbox.salesforce.ids import normalise_id
from crm_sandbox.salesforce.org import Org, no_key
from crm_sandbox.salesforce.schema import SObject
from crm_sandbox.salesforce.soql.shape import attributes
from crm_sandbox.salesforce.table import Row
from crm_sandbox.salesforce.values import parse_datetime, render

_REACH = timedelta(days=30)


class Rows:
    """Answers below `sobjects`."""

    def __init__(self, org: Org) -> None:
        """Serve the records of this org."""
        self._org = org

    def routes(self) -> list[Route]:
        """The paths this class answers."""
        by_key = {
            "GET": self._get_by_key,
            "PATCH": self._upsert,
            "DELETE": self._delete_by_key,
        }
        by_id = {"GET": self._get, "PATCH": self._update, "DELETE": self._delete}
        return [
            Route("sobjects", {"GET": self._all}),
            Route("sobjects/{object}", {"GET": self._about, "POST": self._create}),
            Route("sobjects/{object}/describe", {"GET": self._describe}),
            Route("sobjects/{object}/updated", {"GET": self._updated}),
            Route("sobjects/{object}/deleted", {"GET": self._deleted}),
            Route("sobjects/{object}/{id}", by_id),
            Route("sobjects/{object}/{field}/{value}", by_key),
        ]

    # -- what there is ------------------------------------------------------------------------

    def _all(self, call: ApiCall) -> ApiReply:
        found = [summary(one, call.base) for one in self._org.schema if one.prefix]
        return ApiReply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found})

    def _about(self, call: ApiCall, name: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        return ApiReply(200, {"objectDescribe": summary(kind, call.base), "recentItems": []})

    def _describe(self, call: ApiCall, name: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        return ApiReply(200, describe(self._org.schema, kind, call.base))

    # -- one record ---------------------------------------------------------------------------

    def _create(self, call: ApiCall, name: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        fields = call.record()
        if "Id" in fields:
            raise OrgFault(
                "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"]
            )
        record_id = self._org.insert(kind.name, fields, by=call.user_id, options=call.options)
        return ApiReply(201, saved(record_id), {"Location": _place(kind, record_id, call)})

    def _get(self, call: ApiCall, name: str, record_id: str) -> ApiReply:
        kind, row = self._addressed(name, record_id)
        return ApiReply(200, show_record(kind, row, call, wanted_fields(kind, call.query)))

    def _update(self, call: ApiCall, name: str, record_id: str) -> ApiReply:
        kind, row = self._addressed(name, record_id)
        fields = call.record()
        refuse_keys(fields, "Id")
        if _changed_since(call, row):
            return ApiReply(412)
        self._org.update(kind.name, row["Id"], fields, by=call.user_id, options=call.options)
        return ApiReply(204)

    def _delete(self, _call: ApiCall, name: str, record_id: str) -> ApiReply:
        kind, row = self._addressed(name, record_id)
        self._org.delete(kind.name, row["Id"])
        return ApiReply(204)

    def _addressed(self, name: str, record_id: str) -> tuple[SObject, Row]:
        kind = self._org.store.sobject(name)
        full = normalise_id(record_id)
        if full is None:
            raise no_key(record_id)
        row = self._org.get(kind.name, full, include_deleted=True)
        if row is None:
            raise OrgFault("NOT_FOUND", "The requested resource does not exist", http_status=404)
        if row.get("IsDeleted"):
            raise is_deleted()
        return kind, row

    # -- by external id -----------------------------------------------------------------------

    def _upsert(self, call: ApiCall, name: str, field: str, value: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        fields = call.record()
        refuse_keys(fields, "Id", field)
        if call.query.get("updateOnly", "").lower() == "true":
            self._one_match(kind, field, value)
        record_id, created = self._org.upsert(
            kind.name, field, value, fields, by=call.user_id, options=call.options
        )
        if not created and float(call.version) < 46:
            return ApiReply(204)
        body = {**saved(record_id), "created": created}
        place = {"Location": _place(kind, record_id, call)}
        return ApiReply(201 if created else 200, body, place)

    def _get_by_key(self, call: ApiCall, name: str, field: str, value: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        row = self._one_match(kind, field, value)
        return ApiReply(200, show_record(kind, row, call, wanted_fields(kind, call.query)))

    def _delete_by_key(self, _call: ApiCall, name: str, field: str, value: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        self._org.delete(kind.name, self._one_match(kind, field, value)["Id"])
        return ApiReply(204)

    def _one_match(self, kind: SObject, field: str, value: str) -> Row:
        matches = self._org.matches(kind.name, field, value)
        if len(matches) > 1:
            records = [f"{kind.name}/{one}" for one in matches]
            raise OrgFault(
                "DUPLICATE_EXTERNAL_ID", "several records", http_status=300, records=records
            )
        row = self._org.get(kind.name, matches[0]) if matches else None
        if row is None:
            raise OrgFault("NOT_FOUND", "The requested resource does not exist", http_status=404)
        return row

    # -- what changed -------------------------------------------------------------------------

    def _updated(self, call: ApiCall, name: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        start, end = self._window(call)
        rows = [row for row in self._org.rows(kind.name) if _stamped(row, start, end)]
        body = {"ids": [row["Id"] for row in rows], "latestDateCovered": render(end)}
        return ApiReply(200, body)

    def _deleted(self, call: ApiCall, name: str) -> ApiReply:
        kind = self._org.store.sobject(name)
        start, end = self._window(call)
        found = [
            {"id": row["Id"], "deletedDate": render(row["SystemModstamp"])}
            for row in self._org.rows(kind.name, include_deleted=True)
            if row.get("IsDeleted") and _stamped(row, start, end)
        ]
        earliest = self._org.clock.now() - timedelta(days=15)
        body = {
            "deletedRecords": found,
            "earliestDateAvailable": render(earliest),
            "latestDateCovered": render(end),
        }
        return ApiReply(200, body)

    def _window(self, call: ApiCall) -> tuple[datetime, datetime]:
        # A `+` that the client did not encode arrives as a space.
        given = [call.query.get(one, "").replace(" ", "+") for one in ("start", "end")]
        start, end = (parse_datetime(one) for one in given)
        now = self._org.clock.now()
        if start is None or end is None:
            raise OrgFault("INVALID_REPLICATION_DATE", "startDate and endDate are required")
        if start >= end:
            raise OrgFault("INVALID_REPLICATION_DATE", "startDate before endDate is required")
        if start < now - _REACH:
            raise OrgFault("INVALID_REPLICATION_DATE", "startDate is too far in the past")
        return start, min(end, now)


def saved(record_id: str) -> dict[str, Any]:
    """The result of a successful save."""
    return {"id": record_id, "success": True, "errors": []}


def refuse_keys(fields: Iterable[str], *keys: str) -> None:
    """Raise OrgFault when the body names a field that the URL already gives."""
    forbidden = {one.lower() for one in keys}
    for name in fields:
        if name.lower() in forbidden:
            raise OrgFault(
                "INVALID_FIELD",
                f"The {name} field should not be specified in the sobject data.",
                [name],
            )


def wanted_fields(kind: SObject, query: Mapping[str, str]) -> list[str]:
    """The fields of `?fields=A,B`, all without it. Raises OrgFault for one that is not there."""
    text = query.get("fields", "")
    return named_fields(kind, [one.strip() for one in text.split(",") if one.strip()])


def named_fields(kind: SObject, names: Iterable[str]) -> list[str]:
    """The schema's spelling of the names; every field when none is given."""
    found: list[str] = []
    for name in names:
        field = kind.field(name)
        if field is None:
            raise OrgFault("INVALID_FIELD", f"No such column '{name}' on entity '{kind.name}'.")
        found.append(field.name)
    return found or list(kind.fields)


def show_record(kind: SObject, row: Row, call: ApiCall, names: Iterable[str]) -> dict[str, Any]:
    """A record as JSON with these fields."""
    shown: dict[str, Any] = {"attributes": attributes(kind.name, row["Id"], call.base)}
    return shown | {name: render(row[name]) for name in names}


def _place(kind: SObject, record_id: str, call: ApiCall) -> str:
    return f"{call.base}/sobjects/{kind.name}/{record_id}"


def _stamped(row: Row, start: datetime, end: datetime) -> bool:
    stamp = row.get("SystemModstamp") or row.get("CreatedDate")
    return stamp is not None and start <= stamp <= end


def _changed_since(call: ApiCall, row: Row) -> bool:
    header = call.headers.get("if-unmodified-since")
    if header is None or row.get("LastModifiedDate") is None:
        return False
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return False
    return bool(row["LastModifiedDate"] > at.astimezone(UTC))
