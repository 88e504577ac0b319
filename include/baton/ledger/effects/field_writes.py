"""What Baton wrote into the CRMs, field by field, so that a person's edit can be told from our own.

Three values decide who changed a field last: what we saw just before writing, what we wrote, and
what stands there now. They are kept as marks (see `baton.crm.marks`): short words as they are, long
texts as digests, so that nothing personal is stored twice.

A row is stored before the call goes out and marked as landed after it. Where a worker died between
the two, both values count as ours: what stands there tells which it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on

from baton.ledger.database.bulk import array_text, insert_columns
from baton.ledger.tables.columns import among
from baton.ledger.tables.edits import field_write

SALESFORCE, HUBSPOT = "salesforce", "hubspot"
OF_LEAD = "lead"
"""Scope of what is written for the lead as such, and not for one of its handoffs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFieldWrite:
    """A value about to be written. `saw` and `wrote` are marks; None is an empty field."""

    lead_id: int
    system: str
    record_id: str | None
    field: str
    scope: str
    saw: str | None
    wrote: str | None
    looked_at: datetime


_NAMES = tuple(NewFieldWrite.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWrite(NewFieldWrite):
    """A value as it was written, or may have been (`landed`)."""

    id: int
    landed: bool
    checked_at: datetime | None

    def is_ours(self, mark: str | None) -> bool:
        """Tell whether a field that holds `mark` still holds what we left there."""
        return mark == self.wrote or (not self.landed and mark == self.saw)


Newest = Mapping[tuple[int, str], FieldWrite]
"""The newest write by lead id and field."""


def intend(conn: Connection, news: Sequence[NewFieldWrite]) -> list[int]:
    """Store what is about to be written; return the ids in no promised order."""
    if not news:
        return []
    columns = {name: [getattr(new, name) for new in news] for name in _NAMES}
    return [row[0] for row in insert_columns(conn, field_write, columns, returning=("id",))]


def intend_each(conn: Connection, groups: Sequence[Sequence[NewFieldWrite]]) -> list[list[int]]:
    """As `intend`, for many records in one statement: the ids of each group, in its order.

    Rows are inserted in the order they are given in, so their ids ascend in it.
    """
    ids = iter(sorted(intend(conn, [new for group in groups for new in group])))
    return [[next(ids) for _ in group] for group in groups]


def landed(conn: Connection, records: Mapping[int, str | None], ids: Iterable[int]) -> None:
    """Mark those of `ids` as carried out whose lead is in `records`: lead id to record id."""
    conn.execute(
        text(
            "UPDATE field_write SET landed = true, record_id = coalesce(new.record, record_id)"
            " FROM unnest(CAST(:leads AS bigint[]), CAST(:records AS text[])) AS new(lead, record)"
            " WHERE field_write.id = ANY(CAST(:ids AS bigint[]))"
            " AND field_write.lead_id = new.lead"
        ),
        {
            "leads": array_text(records),
            "records": array_text(records.values()),
            "ids": array_text(ids),
        },
    )


def newest(conn: Connection, system: str, lead_ids: Iterable[int]) -> Newest:
    """Return the newest write of each field of these leads in one system."""
    query = (
        select(field_write)
        .ext(distinct_on(field_write.c.lead_id, field_write.c.field))
        .where(among(field_write.c.lead_id, lead_ids), field_write.c.system == system)
        .order_by(field_write.c.lead_id, field_write.c.field, field_write.c.id.desc())
    )
    return {(row.lead_id, row.field): _as_write(row) for row in conn.execute(query).all()}


def of_leads(
    conn: Connection, system: str, lead_ids: Iterable[int]
) -> dict[tuple[int, str], list[FieldWrite]]:
    """Return all writes of these leads in one system by lead id and field, newest first."""
    query = (
        select(field_write)
        .where(among(field_write.c.lead_id, lead_ids), field_write.c.system == system)
        .order_by(field_write.c.id.desc())
    )
    found: dict[tuple[int, str], list[FieldWrite]] = {}
    for row in conn.execute(query):
        found.setdefault((row.lead_id, row.field), []).append(_as_write(row))
    return found


def unchecked(conn: Connection, system: str, *, before: datetime, limit: int) -> list[FieldWrite]:
    """Return writes looked up before `before` whose history nobody has read, oldest first."""
    query = (
        select(field_write)
        .where(
            field_write.c.system == system,
            field_write.c.checked_at.is_(None),
            field_write.c.looked_at < before,
        )
        .order_by(field_write.c.id)
        .limit(limit)
    )
    return [_as_write(row) for row in conn.execute(query)]


def checked(conn: Connection, ids: Iterable[int], *, at: datetime) -> None:
    """Note that the history behind these writes has been read."""
    conn.execute(update(field_write).where(among(field_write.c.id, ids)).values(checked_at=at))


def _as_write(row: Row[Any]) -> FieldWrite:
    return FieldWrite(**row._asdict())
