"""What Salesforce does to a record as it is saved, by object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from crm_sandbox.salesforce.errors import OrgFault, bad_reference, is_deleted
from crm_sandbox.salesforce.schema import Field, SObject
from crm_sandbox.salesforce.standard_objects import STAGES
from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.table import Row

_CLOSED_TASK = "Completed"
_NEEDS_ACTIVE_OWNER = frozenset({"Lead", "Opportunity"})
_SHARED_KEYS = {"Task": ("Task", "Event"), "Event": ("Task", "Event")}


def complete(store: Store, sobject: SObject, row: Row, before: Row | None, at: datetime) -> None:
    """Set the fields that follow from others. `before` is the row as it stood, None on insert."""
    rule = _COMPLETE.get(sobject.name)
    if rule is not None:
        rule(store, row, before, at)


def check_required(sobject: SObject, row: Row) -> None:
    """Raise OrgFault when a required field is empty."""
    missing = [
        one.name for one in sobject.fields.values() if one.required and row[one.name] is None
    ]
    if missing:
        raise OrgFault(
            "REQUIRED_FIELD_MISSING",
            f"Required fields are missing: [{', '.join(missing)}]",
            missing,
        )


def check_references(store: Store, sobject: SObject, values: Mapping[str, Any]) -> None:
    """Raise OrgFault when a reference names a record that is not there or of the wrong kind."""
    for name, value in values.items():
        field = sobject.fields[name]
        if field.references and value is not None:
            _check_target(store, field, value)
    owner = values.get("OwnerId")
    if owner is not None:
        _check_owner(store, sobject, owner)


def check_unique(store: Store, sobject: SObject, row: Row, record_id: str) -> None:
    """Raise OrgFault DUPLICATE_VALUE when another live record has the same unique value."""
    for field in sobject.fields.values():
        if not field.unique or row[field.name] is None:
            continue
        shared = _SHARED_KEYS.get(sobject.name, (sobject.name,)) if field.custom else ()
        for name in shared or (sobject.name,):
            for other in store.equal(store.sobject(name), field.name, row[field.name]):
                if other["Id"] != record_id:
                    raise OrgFault(
                        "DUPLICATE_VALUE",
                        f"duplicate value found: {field.name} duplicates value on record "
                        f"with id: {other['Id'][:15]}",
                    )


def note_activity(store: Store, sobject: SObject, row: Row) -> None:
    """Carry an activity's date up to its parents, as their LastActivityDate."""
    if sobject.name not in _SHARED_KEYS or row["ActivityDate"] is None:
        return
    for parent_id in (row["WhoId"], row["WhatId"]):
        parent = store.by_id(parent_id)
        if parent is None:
            continue
        last = parent["LastActivityDate"]
        if last is None or last < row["ActivityDate"]:
            kind = store.schema.by_id(parent["Id"])
            if kind is not None:
                changed = {**parent, "LastActivityDate": row["ActivityDate"]}
                store.put(kind.name, parent["Id"], changed)


def _check_target(store: Store, field: Field, value: str) -> None:
    kind = store.schema.by_id(value)
    if kind is None or kind.name not in field.references:
        raise OrgFault(
            "MALFORMED_ID",
            f"{field.label or field.name}: id value of incorrect type: {value}",
            [field.name],
        )
    target = store.by_id(value)
    if target is None:
        raise bad_reference()
    if target.get("IsDeleted"):
        raise is_deleted()
    if target.get("IsConverted") and kind.name == "Lead":
        raise OrgFault("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")


def _check_owner(store: Store, sobject: SObject, owner_id: str) -> None:
    owner = store.by_id(owner_id)
    if owner is None:
        raise bad_reference()
    if "IsActive" in owner:
        if not owner["IsActive"] and sobject.name in _NEEDS_ACTIVE_OWNER:
            raise OrgFault(
                "INACTIVE_OWNER_OR_USER",
                f"operation performed with inactive user [{owner_id}] as owner of "
                f"{sobject.name.lower()}",
                ["OwnerId"],
            )
        return
    links = store.equal(store.sobject("QueueSobject"), "QueueId", owner_id)
    if not any(link["SobjectType"] == sobject.name for link in links):
        raise OrgFault(
            "INVALID_CROSS_REFERENCE_KEY",
            "Queue not associated with this SObject type",
            ["OwnerId"],
        )


def _full_name(_store: Store, row: Row, _before: Row | None, _at: datetime) -> None:
    row["Name"] = " ".join(one for one in (row["FirstName"], row["LastName"]) if one)


def _task(store: Store, row: Row, before: Row | None, at: datetime) -> None:
    closed = row["Status"] == _CLOSED_TASK
    was_closed = before is not None and before["IsClosed"]
    row["IsClosed"] = closed
    row["IsHighPriority"] = row["Priority"] == "High"
    if closed and not was_closed:
        row["CompletedDateTime"] = at
    elif not closed:
        row["CompletedDateTime"] = None
    _related(store, row)


def _event(store: Store, row: Row, before: Row | None, _at: datetime) -> None:
    moved = before is None or row["ActivityDateTime"] != before["ActivityDateTime"]
    if row["ActivityDateTime"] is not None and moved:
        row["StartDateTime"] = row["ActivityDateTime"]
    start, end = row["StartDateTime"], row["EndDateTime"]
    if start is None:
        raise OrgFault(
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [ActivityDateTime, DurationInMinutes]",
            ["ActivityDateTime", "DurationInMinutes"],
        )
    stretched = before is None or row["DurationInMinutes"] != before["DurationInMinutes"]
    if row["DurationInMinutes"] is not None and (end is None or (stretched and before)):
        end = start + timedelta(minutes=row["DurationInMinutes"])
    if end is None or end < start:
        raise OrgFault(
            "FIELD_INTEGRITY_EXCEPTION",
            "End Date: The end of an event must not lie before its start",
            ["EndDateTime"],
        )
    row["EndDateTime"] = end
    row["ActivityDateTime"] = start
    row["DurationInMinutes"] = int((end - start).total_seconds() // 60)
    row["ActivityDate"] = start.date()
    _related(store, row)


def _related(store: Store, row: Row) -> None:
    who, what = row["WhoId"], row["WhatId"]
    if who is not None and what is not None and who.startswith("00Q"):
        raise OrgFault(
            "FIELD_INTEGRITY_EXCEPTION",
            "Related To ID: an activity of a lead cannot relate to another record",
            ["WhatId"],
        )
    if what is not None and what.startswith("001"):
        row["AccountId"] = what
        return
    parent = store.by_id(what) or store.by_id(who)
    row["AccountId"] = None if parent is None else parent.get("AccountId")


def _opportunity(_store: Store, row: Row, before: Row | None, _at: datetime) -> None:
    stage = row["StageName"]
    staged = before is None or before["StageName"] != stage
    kept = row["Probability"] is None or (
        before is not None and row["Probability"] == before["Probability"]
    )
    if staged and kept and stage in STAGES:
        row["Probability"] = float(STAGES[stage])
    row["IsClosed"] = stage in ("Closed Won", "Closed Lost")
    row["IsWon"] = stage == "Closed Won"


_COMPLETE: dict[str, Callable[[Store, Row, Row | None, datetime], None]] = {
    "Lead": _full_name,
    "Contact": _full_name,
    "User": _full_name,
    "Task": _task,
    "Event": _event,
    "Opportunity": _opportunity,
}
