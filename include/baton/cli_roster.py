"""``baton roster``: who is there. Ten seconds, no deploy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from baton.cli_installation import ledger
from baton.cli_shell import CarefulGroup, out, whoever_calls

if TYPE_CHECKING:
    from baton.policy.roster import Rep, Roster

app = typer.Typer(
    name="roster",
    cls=CarefulGroup,
    help="Who is there: people, pools, weights, caps, leave.",
    no_args_is_help=True,
)

By = Annotated[str | None, typer.Option("--by", help="Who changes it (default: your login name).")]


@app.command(name="import")
def import_roster(
    file: Annotated[Path, typer.Argument(help="roster.yaml, or the people as CSV.")],
    pools: Annotated[
        Path | None, typer.Option(help="With people as CSV: the pools as CSV.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and say what would change, change nothing.")
    ] = False,
    by: By = None,
) -> None:
    """Replace the whole roster by that of a file.

    Example: `baton roster import include/policy/roster.yaml`
    """
    from baton.clock import SystemClock
    from baton.ledger import rosters
    from baton.pipeline.agreements import adopt_roster
    from baton.policy.roster import roster_from_json

    roster = _read(file, pools)
    with ledger() as conn:
        current = rosters.current(conn)
        before = None if current is None else roster_from_json(current.content)
        for line in changes(before, roster):
            out().print(f"  {line}", markup=False)
        if before is not None and before.hash == roster.hash:
            out().print("this roster is current already: nothing to do")
            return
        if not dry_run:
            adopt_roster(
                conn,
                roster,
                by=by or whoever_calls(),
                at=SystemClock().now(),
                note=f"import of {file.name}",
            )
    verb = "would be" if dry_run else "are"
    out().print(f"{len(roster.people)} people in {len(roster.pools)} pools {verb} on the roster")


@app.command()
def show() -> None:
    """Show everybody on the roster: pools, open handoffs, caps, leave."""
    from baton.clock import SystemClock
    from baton.ledger import handoffs
    from baton.pipeline.agreements import current_roster

    with ledger() as conn:
        roster = current_roster(conn)
        open_loads = handoffs.open_loads(conn)
    out().print(_table(roster, open_loads, SystemClock().now()))


@app.command()
def away(
    email: Annotated[str, typer.Argument(help="The person's e-mail on the roster.")],
    until: Annotated[
        str,
        typer.Option(help="The end: a date (that day is still leave) or an ISO 8601 time."),
    ],
    start: Annotated[
        str | None,
        typer.Option("--from", help="The beginning, likewise (default: now)."),
    ] = None,
    by: By = None,
) -> None:
    """Mark somebody away: no new leads until then. Times without a zone are the person's own.

    Example: `baton roster away mira.lindner@relay.test --until 2026-12-04`
    """
    from baton.clock import SystemClock
    from baton.ledger import handoffs
    from baton.pipeline.agreements import adopt_roster, current_roster

    now = SystemClock().now()
    with ledger() as conn:
        roster = current_roster(conn)
        rep = _known(roster, email)
        begins = now if start is None else read_edge(start, rep.zone, end=False)
        ends = read_edge(until, rep.zone, end=True)
        changed = with_leave(roster, rep, begins, ends)
        note = f"{rep.key} away until {ends.isoformat()}"
        adopt_roster(conn, changed, by=by or whoever_calls(), at=now, note=note, parent=roster.hash)
        left = handoffs.open_loads(conn).get(rep.key, 0)
    out().print(f"{rep.name} is away from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC")
    if left:
        out().print(f"{left} open handoffs stay with {rep.name}: their clocks keep the terms given")


def read_edge(text: str, zone: str, *, end: bool) -> datetime:
    """Read a date or time as typed; a date as `end` includes that day. Naive times are in `zone`.

    Raises SettingsError when it is neither.
    """
    from datetime import UTC, date, time, timedelta
    from zoneinfo import ZoneInfo

    from baton.errors import SettingsError

    local = ZoneInfo(zone)
    try:
        if len(text) == len("2026-12-04"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return datetime.combine(day, time(), tzinfo=local).astimezone(UTC)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"'{text}' is no date and no time: write 2026-12-04 or 2026-12-04T17:00"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=local)).astimezone(UTC)


def with_leave(roster: Roster, rep: Rep, start: datetime, end: datetime) -> Roster:
    """Return the roster with one more leave. Raises SettingsError if it ends before it begins."""
    from baton.errors import SettingsError
    from baton.policy.roster import Leave, Roster

    if end <= start:
        raise SettingsError(f"leave must end after it begins ({start.isoformat()})")
    leave = Leave(start=start, end=end)
    absent = rep.model_copy(update={"leave": (*rep.leave, leave)})
    people = tuple(absent if one.key == rep.key else one for one in roster.people)
    return Roster(people=people, pools=roster.pools)


def changes(before: Roster | None, after: Roster) -> list[str]:
    """Say in lines what a new roster changes."""
    old = {} if before is None else before.by_key
    new = after.by_key
    lines = [f"+ {key}" for key in new if key not in old]
    lines += [f"- {key}" for key in old if key not in new]
    lines += [f"~ {key}" for key in new if key in old and new[key] != old[key]]
    old_pools = {} if before is None else before.pool_by_name
    new_pools = after.pool_by_name
    lines += [
        f"~ pool {name}"
        for name in {**old_pools, **new_pools}
        if old_pools.get(name) != new_pools.get(name)
    ]
    return lines


def _read(file: Path, pools: Path | None) -> Roster:
    from baton.errors import SettingsError
    from baton.policy.bundle import read_text
    from baton.policy.loader import read_roster
    from baton.policy.roster import roster_from_csv

    if file.suffix.lower() != ".csv":
        return read_roster(file)
    if pools is None:
        raise SettingsError(f"{file} is CSV: name the pools as well, with --pools pools.csv")
    return roster_from_csv(read_text(file.name, file), read_text(pools.name, pools))


def _known(roster: Roster, email: str) -> Rep:
    from difflib import get_close_matches

    from baton.errors import SettingsError

    rep = roster.rep(email)
    if rep is None:
        near = get_close_matches(email.lower(), roster.by_key, n=1)
        hint = f": did you mean {near[0]}?" if near else "; see 'baton roster show'"
        raise SettingsError(f"{email} is not on the roster{hint}")
    return rep


def _table(roster: Roster, open_loads: Mapping[str, int], now: datetime) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("name", "e-mail", "role", "pools", "open", "away"):
        table.add_column(title, justify="right" if title == "open" else "left")
    for rep in roster.people:
        pools = ", ".join(
            pool.name + (f" ×{member.weight}" if member.weight != 1 else "")
            for pool in roster.pools
            for member in pool.members
            if member.rep == rep.key
        )
        load = str(open_loads.get(rep.key, 0))
        cap = f"/{rep.cap_open}" if rep.cap_open is not None else ""
        table.add_row(rep.name, rep.key, rep.role, pools, load + cap, _absence(rep, now))
    return table


def _absence(rep: Rep, now: datetime) -> str:
    if not rep.active:
        return "inactive"
    ahead = [one for one in rep.leave if one.end > now]
    return ", ".join(
        f"until {one.end:%Y-%m-%d %H:%M}" if one.covers(now) else f"from {one.start:%Y-%m-%d}"
        for one in ahead
    )
