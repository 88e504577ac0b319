"""Who made and who changed a record, and when: the fields that the org keeps by itself.

A user with the permission "Set Audit Fields upon Record Creation" may give four of them when a
record is created, never afterwards. `SystemModstamp` is the org's own, whatever is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm_sandbox.salesforce.schema import SObject
from crm_sandbox.salesforce.table import Row

AUDIT_FIELDS = frozenset({"CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate"})
_AUDITED = frozenset({"Account", "Contact", "Event", "Lead", "Opportunity", "Task"})
_MODIFIED = frozenset({"LastModifiedById", "LastModifiedDate"})


def settable_on_create(sobject: SObject) -> frozenset[str]:
    """The audit fields that the permission opens on that object; empty where it opens none."""
    return AUDIT_FIELDS if sobject.name in _AUDITED else frozenset()


def stamp(row: Row, *, by: str, at: datetime, written: datetime, created: bool) -> None:
    """Note in the row that `by` made or changed it.

    `at` is when it happened, `written` when the org stored it; both differ when somebody writes
    down later what was done. SystemModstamp never goes back, but a long commit may be stored with
    a stamp that lies behind what others have read already.
    """
    before = None if created else row.get("SystemModstamp")
    values: dict[str, Any] = {
        "LastModifiedDate": at,
        "LastModifiedById": by,
        "SystemModstamp": max(written, before or written),
    }
    if created:
        values |= {"CreatedDate": at, "CreatedById": by}
    row.update((name, value) for name, value in values.items() if name in row)


def set_audit_fields(sobject: SObject, row: Row, values: Mapping[str, Any]) -> None:
    """Put the audit fields that were given over those that `stamp` set.

    An activity of a person or another record keeps the stamps of its modification: Salesforce
    touches it once more as it is saved.
    """
    touched = sobject.name == "Task" and bool(row["WhoId"] or row["WhatId"])
    kept = AUDIT_FIELDS - _MODIFIED if touched else AUDIT_FIELDS
    row.update(
        (name, value) for name, value in values.items() if name in kept and value is not None
    )
