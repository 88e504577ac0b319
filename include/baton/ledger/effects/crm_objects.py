"""What the objects of Salesforce take, as describe last said, and what they did not take as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, delete, select
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.columns import among
from baton.ledger.tables.edits import crm_object, field_finding


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as described at `described_at`. `fields` is JSON by field name."""

    name: str
    present: bool
    fields: Mapping[str, Mapping[str, Any]]
    described_at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """A value that a field did not take as it was. `detail` is a picklist value, or empty."""

    sobject: str
    field: str
    kind: str
    detail: str
    lead_id: int | None = None


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with how often it was made since `first_at`, and when last."""

    sobject: str
    field: str
    kind: str
    detail: str
    count: int
    first_at: datetime
    last_at: datetime
    lead_id: int | None


class Standing(StrEnum):
    """What a later description of its field says of a finding; `open`: it cannot settle it."""

    MENDED = "mended"
    STANDS = "stands"
    OPEN = "open"


_DETAIL = 80
"""So much of a picklist value is kept with a finding."""


def standing(
    one: FindingRow, before: StoredObject | None, now: Mapping[str, Mapping[str, Any]]
) -> Standing:
    """Judge a finding by its object's fields as described `now`, and as they were known `before`.

    How long a cut text was is not kept, and a field that may be written can refuse a value for
    reasons of its own: of these only a field that has changed for the better counts as mended.
    """
    field = now.get(one.field)
    then = before.fields.get(one.field) if before is not None else None
    if one.kind == "not_writable":
        return _of_writing(then, field)
    if one.kind == "not_a_value" and field is not None:
        return _of_value(one.detail, field)
    if one.kind == "cut" and field is not None and then is not None and before is not None:
        if not field["length"] or field["length"] > then["length"] > 0:
            return Standing.MENDED
        # Described after it was found last, it may have been mended before that.
        return Standing.STANDS if before.described_at <= one.last_at else Standing.OPEN
    return Standing.OPEN


def _of_writing(then: Mapping[str, Any] | None, field: Mapping[str, Any] | None) -> Standing:
    if field is None or not _is_writable(field):
        return Standing.STANDS
    return Standing.OPEN if then is None or _is_writable(then) else Standing.MENDED


def _is_writable(field: Mapping[str, Any]) -> bool:
    return bool(field["createable"] and field["updateable"])


def _of_value(detail: str, field: Mapping[str, Any]) -> Standing:
    values = {str(value)[:_DETAIL].casefold() for value in field["values"] or ()}
    fits = not values or not field["restricted"] or detail.casefold() in values
    return Standing.MENDED if fits else Standing.STANDS


def stored(conn: Connection, names: Iterable[str]) -> dict[str, StoredObject]:
    """Return what is known of these objects, by name; unknown ones are left out."""
    rows = conn.execute(select(crm_object).where(among(crm_object.c.name, names)))
    return {row.name: StoredObject(**row._asdict()) for row in rows}


def store(conn: Connection, one: StoredObject) -> None:
    """Keep what describe said of an object; what was found of its fields and is mended is dropped."""
    before = stored(conn, [one.name]).get(one.name)
    _drop(
        conn,
        (
            each
            for each in findings(conn)
            if each.sobject == one.name and standing(each, before, one.fields) is Standing.MENDED
        ),
    )
    values = {
        "name": one.name,
        "present": one.present,
        "fields": {name: dict(field) for name, field in one.fields.items()},
        "described_at": one.described_at,
    }
    statement = insert(crm_object).values(**values)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def _drop(conn: Connection, mended: Iterable[FindingRow]) -> None:
    columns = field_finding.c
    for one in sorted(mended, key=lambda each: (each.sobject, each.field, each.kind, each.detail)):
        is_it = and_(
            columns.sobject == one.sobject,
            columns.field == one.field,
            columns.kind == one.kind,
            columns.detail == one.detail,
            columns.last_at == one.last_at,  # found again meanwhile, it is not mended
        )
        conn.execute(delete(field_finding).where(is_it))


def forget(conn: Connection, names: Iterable[str]) -> None:
    """Forget objects that turned out to be otherwise: they are described anew when next needed."""
    conn.execute(delete(crm_object).where(among(crm_object.c.name, names)))


def find(conn: Connection, news: Sequence[Finding], *, at: datetime) -> None:
    """Count findings; the same one again raises its count."""
    for new in sorted(set(news), key=lambda one: (one.sobject, one.field, one.kind, one.detail)):
        statement = insert(field_finding).values(
            sobject=new.sobject,
            field=new.field,
            kind=new.kind,
            detail=new.detail,
            count=1,
            first_at=at,
            last_at=at,
            lead_id=new.lead_id,
        )
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["sobject", "field", "kind", "detail"],
                set_={
                    "count": field_finding.c.count + 1,
                    "last_at": at,
                    "lead_id": new.lead_id,
                },
            )
        )


def findings(conn: Connection, since: datetime | None = None) -> list[FindingRow]:
    """Return the findings made at or after `since`, the newest first."""
    query = select(field_finding).order_by(field_finding.c.last_at.desc(), field_finding.c.field)
    if since is not None:
        query = query.where(field_finding.c.last_at >= since)
    return [FindingRow(**row._asdict()) for row in conn.execute(query)]
