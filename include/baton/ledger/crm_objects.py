"""What the objects of Salesforce take, as describe last said, and what they did not take as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables import among
from baton.ledger.tables_edits import crm_object, field_finding


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
    """A finding with how often it was made, and when."""

    sobject: str
    field: str
    kind: str
    detail: str
    count: int
    first_at: datetime
    last_at: datetime
    lead_id: int | None


def stored(conn: Connection, names: Iterable[str]) -> dict[str, StoredObject]:
    """Return what is known of these objects, by name; unknown ones are left out."""
    rows = conn.execute(select(crm_object).where(among(crm_object.c.name, names)))
    return {row.name: StoredObject(**row._asdict()) for row in rows}


def store(conn: Connection, one: StoredObject) -> None:
    """Keep what describe said of an object."""
    values = {
        "name": one.name,
        "present": one.present,
        "fields": {name: dict(field) for name, field in one.fields.items()},
        "described_at": one.described_at,
    }
    statement = insert(crm_object).values(**values)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


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
