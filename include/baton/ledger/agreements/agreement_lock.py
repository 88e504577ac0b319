"""Policy and roster are checked against each other: only one of them changes at a time."""

from __future__ import annotations

from sqlalchemy import Connection, text

_LOCK = 7_302_155_168


def hold_agreement(conn: Connection) -> None:
    """Wait until nobody else changes policy or roster, and keep others waiting until this commits.

    Call it before reading what the change is checked against. Readers and deciders never wait.
    """
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
