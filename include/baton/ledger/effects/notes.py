"""Messages that go out once a day: claimed by one worker, settled when Slack has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from baton.ledger.tables.around_leads import daily_note

CLAIM_LASTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send a note. `maybe_sent`: an earlier claim lapsed, look before sending."""

    maybe_sent: bool


def claim(conn: Connection, name: str, day: date, *, worker: str, now: datetime) -> Claim | None:
    """Take a day's note; None when it is settled, or somebody else is at it."""
    made = conn.execute(
        upsert(daily_note)
        .values(name=name, day=day, state="claimed", claimed_at=now, claimed_by=worker)
        .on_conflict_do_nothing()
        .returning(daily_note.c.name)
    ).first()
    if made is not None:
        return Claim(maybe_sent=False)
    row = conn.execute(_one(name, day).with_for_update()).one()
    if row.state != "claimed" or row.claimed_at + CLAIM_LASTS > now:
        return None
    conn.execute(
        update(daily_note)
        .where(daily_note.c.name == name, daily_note.c.day == day)
        .values(claimed_at=now, claimed_by=worker)
    )
    return Claim(maybe_sent=True)


def settle(
    conn: Connection, name: str, day: date, state: str, *, result: Mapping[str, object]
) -> None:
    """Record that a note was sent, or that there was nothing to say."""
    conn.execute(
        update(daily_note)
        .where(daily_note.c.name == name, daily_note.c.day == day)
        .values(state=state, result=dict(result))
    )


def release(conn: Connection, name: str, day: date) -> None:
    """Give a claim back after a failure that surely sent nothing."""
    conn.execute(
        daily_note.delete().where(
            daily_note.c.name == name, daily_note.c.day == day, daily_note.c.state == "claimed"
        )
    )


def state_of(conn: Connection, name: str, day: date) -> str | None:
    """Return ``claimed``, ``sent`` or ``nothing``; None before anybody looked."""
    row = conn.execute(_one(name, day)).first()
    return str(row.state) if row is not None else None


def _one(name: str, day: date) -> Select[Any]:
    return select(daily_note).where(daily_note.c.name == name, daily_note.c.day == day)
