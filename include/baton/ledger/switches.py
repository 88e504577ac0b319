"""Switches: the mode by scope, and the kill switch that stops every effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables import among, switch
from baton.settings import Mode

KILL_SWITCH = "effects"
STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch: its name, value, and who set it when."""

    name: str
    value: str
    by_whom: str
    at: datetime


def all_switches(conn: Connection) -> list[Switch]:
    """Return every switch that was set, by name."""
    return [Switch(**row._asdict()) for row in conn.execute(select(switch).order_by(switch.c.name))]


def get(conn: Connection, name: str) -> str | None:
    """Return the value of a switch, or None if it was never set."""
    value: str | None = conn.execute(
        select(switch.c.value).where(switch.c.name == name)
    ).scalar_one_or_none()
    return value


def put(conn: Connection, name: str, value: str, *, by: str, at: datetime) -> None:
    """Set a switch."""
    values = {"value": value, "by_whom": by, "at": at}
    conn.execute(
        insert(switch)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=[switch.c.name], set_=values)
    )


def clear(conn: Connection, name: str) -> None:
    """Forget a switch: what is above it decides again."""
    conn.execute(delete(switch).where(switch.c.name == name))


def stop_effects(conn: Connection, *, by: str, at: datetime) -> None:
    """Pull the kill switch: nothing is claimed any more, everything is kept."""
    put(conn, KILL_SWITCH, STOPPED, by=by, at=at)


def resume_effects(conn: Connection) -> None:
    """Let effects go out again."""
    clear(conn, KILL_SWITCH)


def effects_stopped(conn: Connection) -> bool:
    """Tell whether the kill switch is on."""
    return get(conn, KILL_SWITCH) == STOPPED


def mode_for(conn: Connection, default: Mode, scopes: Sequence[str] = ()) -> Mode:
    """Return the mode for a lead in `scopes`, the most particular first (``form:Demo request``,
    ``region:DACH``); then the switch ``mode:all``; then `default`.
    """
    wanted = [f"mode:{scope}" for scope in (*scopes, "all")]
    rows = conn.execute(select(switch.c.name, switch.c.value).where(among(switch.c.name, wanted)))
    found = {row.name: row.value for row in rows}
    chosen = next((found[name] for name in wanted if name in found), None)
    return Mode(chosen) if chosen else default
