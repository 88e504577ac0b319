"""Empty ledgers for one test after another: emptied and used again, instead of made anew.

A new database costs the server a tenth of a second of CPU, emptying what a test has written a
fraction of it. A ledger whose tables, constraints, triggers or functions a test has changed, or
that has grown, is dropped, and so is one that has been used often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection

from baton.ledger.database import embedded
from baton.ledger.database.embedded import DatabaseAddress
from baton.ledger.database.engine import ledger_url

MOST_USES = 25
MOST_BYTES = 32 * 1024 * 1024

_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

_EMPTY = """
DO $$
DECLARE
    one record;
    filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica;  -- what is append-only is emptied too
    SET LOCAL lock_timeout = '5s';
    FOR one IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname <> 'baton_alembic_version'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one.name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %s', one.name);
        END IF;
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""

_SHAPE = """
SELECT
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_class WHERE oid >= 16384),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_attribute WHERE attrelid >= 16384),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_constraint WHERE oid >= 16384),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_trigger),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_proc WHERE oid >= 16384),
    (SELECT count(*) FROM pg_namespace),
    (SELECT count(*) FROM pg_db_role_setting)
"""
"""Every change of a definition writes a new row with a later transaction's number."""


@dataclass(slots=True)
class Kept:
    """A ledger, what it is made of, and how many tests have had it."""

    url: str
    shape: tuple[Any, ...]
    uses: int = 0


@dataclass(slots=True)
class KeptLedgers:
    """The ledgers of one test process. `create` makes a migrated, empty one."""

    address: DatabaseAddress
    create: Callable[[], str]
    _free: list[Kept] = field(default_factory=list)

    def take(self) -> Kept:
        """Return an empty ledger that nobody else has."""
        found = self._free.pop() if self._free else self._made()
        found.uses += 1
        return found

    def give_back(self, ledger: Kept) -> None:
        """Empty a ledger for the next test, or drop it; whoever is connected to it is sent away."""
        if ledger.uses < MOST_USES and self._emptied(ledger):
            self._free.append(ledger)
        else:
            embedded.drop_database(self.address, _name(ledger.url))

    def _made(self) -> Kept:
        url = self.create()
        with self.address.connect(_name(url)) as conn:
            return Kept(url, _shape(conn))

    def _emptied(self, ledger: Kept) -> bool:
        try:
            with self.address.connect(_name(ledger.url)) as conn:
                conn.execute(_END_OTHERS)
                (size,) = _row(conn, "SELECT pg_database_size(current_database())")
                if size > MOST_BYTES or _shape(conn) != ledger.shape:
                    return False
                conn.execute(_EMPTY)
        except psycopg.Error:
            return False  # gone, renamed or locked by the test: the next one gets another
        return True


def _name(url: str) -> str:
    return ledger_url(url).database or ""


def _shape(conn: Connection[Any]) -> tuple[Any, ...]:
    return _row(conn, _SHAPE)


def _row(conn: Connection[Any], query: Any) -> tuple[Any, ...]:
    found = conn.execute(query).fetchone()
    assert found is not None
    return tuple(found)
