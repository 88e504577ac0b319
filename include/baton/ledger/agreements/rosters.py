"""Rosters: every version ever imported or edited; the newest is current."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from baton.errors import ConfigurationError
from baton.ledger.tables.agreements import roster_version
from baton.policy.roster import Roster

_LOCK = 7_302_155_166
_SHORTEST_HASH = 10


class StaleRosterError(ConfigurationError):
    """The roster that was edited is not current any more: somebody else was faster."""


@dataclass(frozen=True, slots=True)
class RosterVersion:
    """One version. `content` is JSON text for `baton.policy.roster.roster_from_json`."""

    id: int
    hash: str
    content: str
    at: datetime
    by_whom: str
    note: str | None


def store(
    conn: Connection,
    roster: Roster,
    *,
    by: str,
    at: datetime,
    note: str | None = None,
    parent: str | None = None,
) -> str:
    """Make `roster` the current one, unless it is already. Return its hash.

    With `parent`, the hash of the roster that was edited, it is refused by StaleRosterError if
    another has become current since; nothing is written then, and the lock is kept.
    """
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    before = current(conn)
    if parent is not None and (before is None or before.hash != parent):
        now = "there is none" if before is None else f"{before.hash[:12]} by {before.by_whom}"
        raise StaleRosterError(
            f"the roster has been changed by somebody else since you read it (it was {parent[:12]}, "
            f"now {now}): read it and try again"
        )
    if before is not None and before.hash == roster.hash:
        return roster.hash
    content = json.loads(roster.canonical())
    conn.execute(
        insert(roster_version).values(
            hash=roster.hash, content=content, at=at, by_whom=by, note=note
        )
    )
    return roster.hash


def current(conn: Connection) -> RosterVersion | None:
    """Return the current roster, or None if none was ever stored."""
    found = versions(conn, limit=1)
    return found[0] if found else None


def get(conn: Connection, roster_hash: str) -> RosterVersion | None:
    """Return a roster by its hash, or None."""
    query = select(roster_version).where(roster_version.c.hash == roster_hash).limit(1)
    row = conn.execute(query).one_or_none()
    return _version(row) if row else None


def named(conn: Connection, name: str) -> RosterVersion | None:
    """Return the newest version whose number is `name` or whose hash begins with it, or None."""
    wanted = roster_version.c.hash.startswith(name.lower(), autoescape=True)
    if name.isdecimal() and len(name) < _SHORTEST_HASH:
        wanted = roster_version.c.id == int(name)
    query = select(roster_version).where(wanted).order_by(roster_version.c.id.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    return _version(row) if row else None


def versions(
    conn: Connection, *, limit: int = 50, before_id: int | None = None
) -> list[RosterVersion]:
    """Return the versions, newest first; `before_id` continues a page."""
    query = select(roster_version).order_by(roster_version.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(roster_version.c.id < before_id)
    return [_version(row) for row in conn.execute(query)]


def _version(row: Row[Any]) -> RosterVersion:
    content = json.dumps(row.content, ensure_ascii=False)
    return RosterVersion(row.id, row.hash, content, row.at, row.by_whom, row.note)
