"""Many rows in one statement: a column travels as one array, whatever the number of rows.

Several times faster than a statement a row, and with no limit on the number of parameters.
"""

# Names of tables and columns come from the metadata, values travel as parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.database.json_text import json_text, storable


def insert_rows(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    on_conflict: str = "",
    returning: Sequence[str] = (),
) -> Sequence[Row[Any]]:
    """Insert `rows`, which all have the same keys, in their order; see `insert_columns`."""
    if not rows:
        return ()
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return insert_columns(conn, table, columns, on_conflict=on_conflict, returning=returning)


def insert_columns(
    conn: Connection,
    table: Table,
    given: Mapping[str, Sequence[Any]],
    *,
    on_conflict: str = "",
    returning: Sequence[str] = (),
) -> Sequence[Row[Any]]:
    """Insert rows given as equally long columns by name, in their order.

    `on_conflict` is what follows ``ON CONFLICT``. With `returning`, return these columns of the rows
    that were inserted, in no promised order.
    """
    columns = [table.c[name] for name in given]
    names = ", ".join(given)
    arrays = ", ".join(f"CAST(:{column.name} AS {_carrier(conn, column)}[])" for column in columns)
    picked = ", ".join(_picked(column) for column in columns)
    statement = (
        f"INSERT INTO {table.name} ({names}) SELECT {picked}"
        f" FROM unnest({arrays}) WITH ORDINALITY AS new({names}, place) ORDER BY place"
    )
    if on_conflict:
        statement += f" ON CONFLICT {on_conflict}"
    if returning:
        statement += f" RETURNING {', '.join(returning)}"
    values = {column.name: _sent(column, given[column.name]) for column in columns}
    result = conn.execute(text(statement), values)
    return result.all() if returning else ()


def _carrier(conn: Connection, column: Column[Any]) -> str:
    if isinstance(column.type, JSONB):
        return "text"
    return str(column.type.compile(conn.dialect))


def _picked(column: Column[Any]) -> str:
    if isinstance(column.type, JSONB):
        return f"CAST(new.{column.name} AS jsonb)"
    return f"new.{column.name}"


def _sent(column: Column[Any], values: Sequence[Any]) -> str:
    """Return a column's values as they travel."""
    if isinstance(column.type, JSONB):
        return array_text([None if one is None else json_text(one) for one in values])
    return array_text(values)


def array_text(values: Iterable[Any]) -> str:
    """Return an array as PostgreSQL reads it from text, to be cast to the type of its column.

    The driver makes the same of a list, but element by element, which takes it ten times as long.
    What cannot be stored is left out of texts. A state is an enumeration: its text is what is sent.
    """
    given = list(values)
    joined = _joined(given)
    if joined.count("\0") != 2 * (len(given) - given.count(None)) or not _encodable(joined):
        joined = _joined([None if one is None else storable(str(one)) for one in given])
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"')
    return "{" + escaped.replace("\0", '"') + "}"


def _joined(values: Iterable[Any]) -> str:
    """Join values by commas, each between two NULs: no text that can be stored holds one."""
    return ",".join(["NULL" if one is None else f"\0{one!s}\0" for one in values])


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
