"""Switches: the mode by scope, the day on which we begin, and the kill switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.columns import among
from baton.ledger.tables.operation import switch
from baton.settings import Mode

KILL_SWITCH = "effects"
STOPPED = "stopped"
STARTS_AT = "starts_at"
_MODE = "mode:"
EVERYTHING = "all"


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
    wanted = [f"{_MODE}{scope}" for scope in (*scopes, EVERYTHING)]
    rows = conn.execute(select(switch.c.name, switch.c.value).where(among(switch.c.name, wanted)))
    found = {row.name.removeprefix(_MODE): row.value for row in rows}
    return choose(found, default, scopes)


def choose(by_scope: Mapping[str, str], default: Mode, scopes: Sequence[str] = ()) -> Mode:
    """Return the mode of the first of `scopes` that has one, else that of all, else `default`."""
    chosen = next((by_scope[one] for one in (*scopes, EVERYTHING) if one in by_scope), None)
    return Mode(chosen) if chosen else default


def modes(conn: Connection) -> dict[str, str]:
    """Return the mode of every scope that has one of its own (``all``, ``form:Demo request``)."""
    query = select(switch.c.name, switch.c.value).where(switch.c.name.startswith(_MODE))
    return {row.name.removeprefix(_MODE): row.value for row in conn.execute(query)}


def set_mode(conn: Connection, scope: str, mode: Mode, *, by: str, at: datetime) -> None:
    """Set the mode of one scope."""
    put(conn, f"{_MODE}{scope}", mode.value, by=by, at=at)


def clear_mode(conn: Connection, scope: str) -> None:
    """Forget the mode of one scope: the one above it counts again."""
    clear(conn, f"{_MODE}{scope}")


def starts_at(conn: Connection) -> datetime | None:
    """Return the instant from which captured leads are ours to hand over; None: all are."""
    found = get(conn, STARTS_AT)
    return datetime.fromisoformat(found) if found else None
