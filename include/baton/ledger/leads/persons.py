"""Personal data of leads: the one table that holds any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from baton.ledger.database.bulk import insert_rows
from baton.ledger.tables.columns import among
from baton.ledger.tables.leads import person


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PersonFields:
    """What is personal in a lead. `raw` holds the personal properties as HubSpot has them.

    `identity` are the signs by which the same person is recognised in another contact
    (`baton.leads.identity`).
    """

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    title: str | None = None
    company_name: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    identity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person(PersonFields):
    """A lead's personal data as stored. Not shown by `repr`: it could end up in a log."""

    lead_id: int
    erased_at: datetime | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)


_SAID = ("email", "first_name", "last_name", "phone", "title", "company_name", "answers")
_KEPT = frozenset({"lead_id", "erased_at", "profile"})


def people(conn: Connection, lead_ids: Iterable[int]) -> dict[int, Person]:
    """Return the personal data of these leads, by lead id; forgotten ones are left out."""
    query = select(person).where(among(person.c.lead_id, lead_ids))
    rows = conn.execute(query).mappings()
    return {row["lead_id"]: Person(**{**row, "identity": tuple(row["identity"])}) for row in rows}


def told(conn: Connection, lead_ids: Iterable[int]) -> dict[int, PersonFields]:
    """Return what these persons' cards and records say, by lead id; forgotten ones are left out.

    `raw` and `identity` stay empty: they are long, and nobody is told them.
    """
    columns = [person.c[name] for name in ("lead_id", *_SAID)]
    rows = conn.execute(select(*columns).where(among(person.c.lead_id, lead_ids))).all()
    return {lead_id: PersonFields(**dict(zip(_SAID, said, strict=True))) for lead_id, *said in rows}


def lead_ids_by_mail(conn: Connection, address: str) -> list[int]:
    """Return the leads that have this e-mail address, in any case of letters."""
    query = select(person.c.lead_id).where(func.lower(person.c.email) == address.strip().lower())
    return list(conn.execute(query.order_by(person.c.lead_id)).scalars())


def store_people(conn: Connection, fields: Mapping[int, PersonFields]) -> None:
    """Store personal data by lead id; what was erased stays erased.

    Answers given over time (`profile`) are kept: `baton.ledger.leads.answers` adds to them.
    """
    names = [column.name for column in person.c if column.name not in _KEPT]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    insert_rows(
        conn,
        person,
        [
            {"lead_id": lead_id, **{name: getattr(given, name) for name in names}}
            for lead_id, given in sorted(fields.items())
        ],
        on_conflict=f"(lead_id) DO UPDATE SET {changes} WHERE person.erased_at IS NULL",
    )


def delete_people(conn: Connection, lead_ids: Iterable[int]) -> int:
    """Delete the personal data of these leads. Return how many rows there were."""
    return conn.execute(delete(person).where(among(person.c.lead_id, lead_ids))).rowcount
