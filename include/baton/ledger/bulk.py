"""Many rows in one statement: a column travels as one array, whatever the number of rows.

Several times faster than a statement a row, and with no limit on the number of parameters.
"""

# Names of tables and columns come from the metadata, values travel as parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.json_text import json_text, storable


def insert_rows(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    on_conflict: str = "",
    returning: Sequence[str] = (),
) -> Sequence[Row[Any]]:
    """Insert `rows`, which all have the same keys, in their order.

    `on_conflict` is what follows ``ON CONFLICT``. With `returning`, return these columns of the rows
    that were inserted, in no promised order.
    """
    if not rows:
        return ()
    columns = [table.c[name] for name in rows[0]]
    names = ", ".join(column.name for column in columns)
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
    values = {column.name: [_sent(column, row[column.name]) for row in rows] for column in columns}
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


def _sent(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, JSONB):
        return json_text(value)
    # A state is an enumeration: its text is what is stored.
    return storable(str(value)) if isinstance(column.type, Text) else value
