"""The rows that Salesforce writes about changes: LeadHistory and OpportunityHistory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from crm_sandbox.salesforce.schema import SObject
from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.table import Row
from crm_sandbox.salesforce.values import render

_SNAPSHOT = ("StageName", "Amount", "CloseDate", "Probability")


def record_history(
    store: Store, sobject: SObject, before: Row | None, row: Row, *, by: str, at: datetime
) -> None:
    """Write what the change from `before` (None: the record is new) to `row` leaves behind."""
    if sobject.name == "Lead":
        for field, old, new in _lead_changes(store, sobject, before, row):
            add_lead_history(store, row["Id"], field, old, new, by=by, at=at)
    elif sobject.name == "Opportunity" and (
        before is None or any(before[name] != row[name] for name in _SNAPSHOT)
    ):
        _add_stage(store, row, by=by, at=at)


def add_lead_history(
    store: Store, lead_id: str, field: str, old: Any, new: Any, *, by: str, at: datetime
) -> None:
    """Write one row about a lead."""
    entity = field == "Owner" and any(str(one).startswith(("005", "00G")) for one in (old, new))
    _add(
        store,
        "LeadHistory",
        {
            "LeadId": lead_id,
            "Field": field,
            "DataType": "EntityId" if entity else "Text",
            "OldValue": _shown(old),
            "NewValue": _shown(new),
            "CreatedById": by,
            "CreatedDate": at,
        },
    )


def _lead_changes(
    store: Store, sobject: SObject, before: Row | None, row: Row
) -> Iterator[tuple[str, Any, Any]]:
    if before is None:
        yield "created", None, None
        return
    for field in sobject.fields.values():
        old, new = before[field.name], row[field.name]
        if not field.tracked or old == new:
            continue
        if field.name == "OwnerId":
            # An owner change leaves two rows: one with the names, one with the ids.
            yield "Owner", _name_of(store, old), _name_of(store, new)
            yield "Owner", old, new
        else:
            yield field.name, old, new


def _add_stage(store: Store, row: Row, *, by: str, at: datetime) -> None:
    amount, probability = row["Amount"], row["Probability"]
    expected = None if amount is None or probability is None else amount * probability / 100
    _add(
        store,
        "OpportunityHistory",
        {
            "OpportunityId": row["Id"],
            **{name: row[name] for name in _SNAPSHOT},
            "ExpectedRevenue": expected,
            "CreatedById": by,
            "CreatedDate": at,
            "SystemModstamp": row["SystemModstamp"],
        },
    )


def _add(store: Store, name: str, values: dict[str, Any]) -> None:
    record_id = store.table(name).next_id()
    row = {**store.blank(store.sobject(name)), **values, "Id": record_id}
    store.put(name, record_id, row)


def _name_of(store: Store, owner_id: str | None) -> str | None:
    owner = store.by_id(owner_id)
    return None if owner is None else owner["Name"]


def _shown(value: Any) -> str | None:
    return None if value is None else str(render(value))[:255]
