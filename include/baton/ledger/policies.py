"""Policies: every version ever loaded, and which one is current."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_unless_there

from baton.errors import ConfigurationError
from baton.ledger.tables import among, policy_activation, policy_version
from baton.policy.bundle import PolicyBundle

# Any constant will do: activations wait for each other, readers do not.
_LOCK = 7_302_155_165


@dataclass(frozen=True, slots=True)
class Activation:
    """One policy became current, after `parent_hash`."""

    id: int
    hash: str
    parent_hash: str | None
    by_whom: str
    at: datetime


def store(conn: Connection, bundle: PolicyBundle, *, at: datetime) -> str:
    """Store a policy under the hash of its content, once. Return the hash."""
    conn.execute(
        insert_unless_there(policy_version)
        .values(hash=bundle.hash, bundle=dict(bundle.texts), loaded_at=at)
        .on_conflict_do_nothing()
    )
    return bundle.hash


def activate(
    conn: Connection, policy_hash: str, *, parent: str | None, by: str, at: datetime
) -> None:
    """Make a stored policy the current one.

    `parent` is the hash that whoever activates believes to be current (None for the first).
    Raises ConfigurationError if it no longer is, or if no such policy is stored: two people who
    edit at once do not undo each other unseen.
    """
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if get(conn, policy_hash) is None:
        raise ConfigurationError(f"there is no policy {policy_hash[:12]} in the ledger: store it")
    current = current_hash(conn)
    if current != parent:
        raise ConfigurationError(
            f"the current policy is {_short(current)}, not {_short(parent)}: "
            "somebody has activated another since; look at the difference and activate again"
        )
    conn.execute(
        insert(policy_activation).values(hash=policy_hash, parent_hash=parent, by_whom=by, at=at)
    )


def current_hash(conn: Connection) -> str | None:
    """Return the hash of the current policy, or None if none was ever activated."""
    found: str | None = conn.execute(
        select(policy_activation.c.hash).order_by(policy_activation.c.id.desc()).limit(1)
    ).scalar_one_or_none()
    return found


def current(conn: Connection) -> PolicyBundle | None:
    """Return the current policy, or None if none was ever activated."""
    found = current_hash(conn)
    return None if found is None else get(conn, found)


def get(conn: Connection, policy_hash: str) -> PolicyBundle | None:
    """Return a stored policy by its hash, or None."""
    return get_many(conn, [policy_hash]).get(policy_hash)


def get_many(conn: Connection, hashes: Iterable[str]) -> dict[str, PolicyBundle]:
    """Return stored policies by hash; unknown ones are left out."""
    query = select(policy_version).where(among(policy_version.c.hash, hashes))
    return {row.hash: PolicyBundle(row.bundle) for row in conn.execute(query)}


def activations(conn: Connection, *, limit: int = 50) -> list[Activation]:
    """Return which policies became current, newest first."""
    query = select(policy_activation).order_by(policy_activation.c.id.desc()).limit(limit)
    return [Activation(**row._asdict()) for row in conn.execute(query)]


def _short(policy_hash: str | None) -> str:
    return "none" if policy_hash is None else policy_hash[:12]
