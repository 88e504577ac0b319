"""Every change of state, recorded once and never changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from baton.ledger.database.bulk import insert_rows
from baton.ledger.tables.record import transition

Subject = Literal["lead", "handoff", "effect"]


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state. `before` is None when the subject came into being.

    `cause` is a short code (``judged``, ``disposition``); `by_whom` a worker or a person's key.
    """

    subject: Subject
    subject_id: int
    before: str | None
    after: str
    at: datetime
    cause: str
    by_whom: str


def record(conn: Connection, changes: Iterable[Transition]) -> None:
    """Append `changes` to the record."""
    rows = [
        {
            "subject": change.subject,
            "subject_id": change.subject_id,
            "before": change.before,
            "after": change.after,
            "at": change.at,
            "cause": change.cause,
            "by_whom": change.by_whom,
        }
        for change in changes
    ]
    insert_rows(conn, transition, rows)


def of(conn: Connection, subject: Subject, subject_id: int) -> list[Transition]:
    """Return the changes of one subject, oldest first."""
    query = (
        select(transition)
        .where(transition.c.subject == subject, transition.c.subject_id == subject_id)
        .order_by(transition.c.id)
    )
    return [
        Transition(
            row.subject, row.subject_id, row.before, row.after, row.at, row.cause, row.by_whom
        )
        for row in conn.execute(query)
    ]
