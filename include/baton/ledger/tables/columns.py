"""What all tables are made of: the metadata, the kinds of columns, the words that states have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Identity,
    MetaData,
    any_,
    literal,
    text,
)

from baton.leads.states import EffectState, HandoffState, LeadState

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Instant = DateTime(timezone=True)
NOW_EMPTY = text("'{}'::jsonb")

LEAD_STATES = tuple(state.value for state in LeadState)
FINAL_LEAD_STATES = ("merged", "erased")
DATED_LEAD_STATES = ("seen", "quarantined", "nurture", "held", "recycled")
"""States whose timer is an instant; the others wait for an event, named by the timer's action."""
HANDOFF_STATES = tuple(state.value for state in HandoffState)
OPEN_HANDOFF_STATES = ("planned", "assigned", "notified", "accepted", "working", "converted")
EFFECT_STATES = tuple(state.value for state in EffectState)
CLAIMABLE_EFFECT_STATES = ("pending", "waiting", "leased", "ambiguous")
MODES = ("live", "observe", "history")
ORIGINS = ("buyer", "import", "test")
APPEND_ONLY = ("transition", "decision", "attempt", "policy_activation", "admin_action")


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that `column` holds one of `values`."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def among(column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that `column` holds one of `values`, however many there are.

    They travel as one array: a list of parameters has a limit, and is planned anew for each length.
    """
    return column == any_(literal(list(values), ARRAY(column.type)))


def identity() -> Column[int]:
    """Return the primary key of a table whose rows the database numbers."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)
