"""Policies: every version ever loaded, and which one is current."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_unless_there

from baton.errors import ConfigurationError
from baton.ledger.tables.agreements import policy_activation, policy_version
from baton.ledger.tables.columns import among
from baton.policy.bundle import PolicyBundle

# Any constant will do: activations wait for each other, readers do not.
_LOCK = 7_302_155_165


class ActivationKind(StrEnum):
    """What an activation was."""

    ACTIVATE = "activate"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Activation:
    """One policy became current, after `parent_hash`. `note`: why, in the words of who did it."""

    id: int
    hash: str
    parent_hash: str | None
    by_whom: str
    at: datetime
    kind: ActivationKind = ActivationKind.ACTIVATE
    note: str | None = None


def store(conn: Connection, bundle: PolicyBundle, *, at: datetime) -> str:
    """Store a policy under the hash of its content, once. Return the hash."""
    conn.execute(
        insert_unless_there(policy_version)
        .values(hash=bundle.hash, bundle=dict(bundle.texts), loaded_at=at)
        .on_conflict_do_nothing()
    )
    return bundle.hash


def activate(
    conn: Connection,
    policy_hash: str,
    *,
    parent: str | None,
    by: str,
    at: datetime,
    kind: ActivationKind = ActivationKind.ACTIVATE,
    note: str | None = None,
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
        insert(policy_activation).values(
            hash=policy_hash, parent_hash=parent, by_whom=by, at=at, kind=kind.value, note=note
        )
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
    return [_activation(row) for row in conn.execute(query)]


def before_current(conn: Connection) -> str | None:
    """Return the policy to which one step back leads, or None if there is none.

    Each activation is a step forward and a rollback takes steps back, so that two rollbacks in a
    row lead two versions back and not to and fro.
    """
    query = select(policy_activation.c.hash, policy_activation.c.kind)
    path: list[str] = []
    for row in conn.execute(query.order_by(policy_activation.c.id)):
        if row.kind == ActivationKind.ROLLBACK and row.hash in path:
            last = len(path) - 1 - path[::-1].index(row.hash)
            del path[last + 1 :]
        else:
            path.append(row.hash)
    return path[-2] if len(path) > 1 else None


def was_active(conn: Connection, policy_hash: str) -> bool:
    """Tell whether a policy was ever current."""
    query = select(policy_activation.c.id).where(policy_activation.c.hash == policy_hash).limit(1)
    return conn.execute(query).first() is not None


def find(conn: Connection, prefix: str) -> str:
    """Return the hash of the one stored policy whose hash begins with `prefix`.

    Raises ConfigurationError when there is none, or several.
    """
    wanted = prefix.strip().lower()
    query = select(policy_version.c.hash).where(
        policy_version.c.hash.startswith(wanted, autoescape=True)
    )
    found = list(conn.execute(query.order_by(policy_version.c.hash).limit(2)).scalars())
    if not wanted or not found:
        raise ConfigurationError(
            f"there is no policy {prefix[:64]} in the ledger: 'baton policy history' lists them"
        )
    if len(found) > 1:
        raise ConfigurationError(f"several policies begin with {wanted}: give more of the hash")
    return str(found[0])


def _activation(row: Row[Any]) -> Activation:
    return Activation(
        row.id, row.hash, row.parent_hash, row.by_whom, row.at, ActivationKind(row.kind), row.note
    )


def _short(policy_hash: str | None) -> str:
    return "none" if policy_hash is None else policy_hash[:12]
