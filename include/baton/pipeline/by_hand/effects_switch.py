"""The kill switch by hand: stops every write to the outside, and lets them go out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.ledger.effects import switches
from baton.ledger.effects.switches import Switch
from baton.ledger.record import admin_actions
from baton.ledger.record.admin_actions import NewAdminAction
from baton.pipeline.by_hand.admin_requests import Done, Refused, RefusedError, Why, checked_reason

__all__ = ["RUNNING", "SUBJECT", "Asked", "switch_effects", "version"]

SUBJECT = "effects"
RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody (`by`) wants writes to `stop`, or to go on.

    `form` is the form that was sent: sent twice it acts once. `seen` is the version it showed.
    """

    stop: bool
    by: str
    reason: str
    form: str
    seen: str


def stopped(conn: Connection) -> Switch | None:
    """Return the kill switch if it is on."""
    for one in switches.all_switches(conn):
        if one.name == switches.KILL_SWITCH and one.value == switches.STOPPED:
            return one
    return None


def version(conn: Connection) -> str:
    """Return what a form is to carry: since when writes are stopped, or that they run."""
    found = stopped(conn)
    return RUNNING if found is None else found.at.isoformat()


def switch_effects(conn: Connection, asked: Asked, *, at: datetime) -> Done | Refused:
    """Stop or resume, on the record; nothing is done when somebody else was faster."""
    try:
        reason = checked_reason(asked.reason)
    except RefusedError as refusal:
        return Refused(refusal.words, refusal.why)
    admin_actions.lock(conn, SUBJECT)
    before = admin_actions.of_form(conn, asked.form, SUBJECT)
    if before is not None:
        if before.result == "done":
            return Done(before.words, before.id, again=True)
        return Refused(before.words, Why.STALE, before.id)
    present = version(conn)
    if present != asked.seen:
        words = _overtaken(conn)
        entry = _record(conn, asked, reason, at=at, result="refused", words=words)
        return Refused(words, Why.STALE, entry)
    if asked.stop:
        switches.stop_effects(conn, by=asked.by, at=at)
        words = "All writes are stopped. They are kept, and go out when you resume them."
    else:
        switches.resume_effects(conn)
        words = "Writes go out again, with the next delivery."
    return Done(words, _record(conn, asked, reason, at=at, result="done", words=words))


def _overtaken(conn: Connection) -> str:
    found = stopped(conn)
    if found is None:
        return "Somebody else has let writes go out again meanwhile. Nothing was done."
    return f"{found.by_whom} has stopped all writes meanwhile. Nothing was done."


def _record(
    conn: Connection, asked: Asked, reason: str, *, at: datetime, result: str, words: str
) -> int:
    return admin_actions.record(
        conn,
        NewAdminAction(
            at=at,
            by_whom=asked.by,
            action="stop_effects" if asked.stop else "resume_effects",
            subject=SUBJECT,
            reason=reason,
            form=asked.form,
            seen=asked.seen,
            result=result,
            words=words,
        ),
    )
