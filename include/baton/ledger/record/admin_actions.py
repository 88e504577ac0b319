"""What people did by hand on the pages: one entry for each, done or refused, never changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, text

from baton.ledger.tables.admin import admin_action

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAdminAction:
    """One entry. `subject` names what it is about, `seen` is the state that the form showed.

    `form` is the form that was sent: the same form acts on a subject once. `result` is "done" or
    "refused", `words` say what was done or why nothing was.
    """

    at: datetime
    by_whom: str
    action: str
    subject: str
    reason: str
    form: str
    seen: str
    result: str
    words: str
    lead_id: int | None = None
    handoff_id: int | None = None
    effect_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminAction(NewAdminAction):
    """One entry as stored."""

    id: int


def lock(conn: Connection, subject: str) -> None:
    """Let one person at a time act on a subject, until the transaction ends."""
    query = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    conn.execute(query, {"name": f"baton admin {subject}"})


def record(conn: Connection, new: NewAdminAction) -> int:
    """Add an entry; return its id."""
    statement = insert(admin_action).values(**asdict(new)).returning(admin_action.c.id)
    return int(conn.execute(statement).scalar_one())


def get(conn: Connection, entry_id: int) -> AdminAction | None:
    """Return one entry, or None."""
    row = conn.execute(select(admin_action).where(admin_action.c.id == entry_id)).one_or_none()
    return AdminAction(**row._asdict()) if row else None


def of_form(conn: Connection, form: str, subject: str) -> AdminAction | None:
    """Return what a form did to a subject already, or None."""
    query = select(admin_action).where(
        admin_action.c.form == form, admin_action.c.subject == subject
    )
    row = conn.execute(query).one_or_none()
    return AdminAction(**row._asdict()) if row else None


def of_one_form(conn: Connection, form: str, *, limit: int = 200) -> list[AdminAction]:
    """Return everything that one form did, or was refused."""
    query = select(admin_action).where(admin_action.c.form == form).order_by(admin_action.c.id)
    return [AdminAction(**row._asdict()) for row in conn.execute(query.limit(limit))]
