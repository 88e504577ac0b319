"""``baton roster``: who is there. Ten seconds, no deploy."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baton.cli import roster_edits, roster_leaver
from baton.cli.installation import ledger
from baton.cli.roster_words import By, DryRun, Note, tell
from baton.cli.shell import CarefulGroup, out, plain, whoever_calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from baton.pipeline.versions.roster_versions import HistoryEntry
    from baton.pipeline.versions.roster_views import Presence
    from baton.policy.roster import Roster

app = typer.Typer(
    name="roster",
    cls=CarefulGroup,
    help="Who is there: people, pools, weights, caps, hours, leave. Each change takes seconds, "
    "is kept in the history and can be taken back.",
    no_args_is_help=True,
)
_LOOK, _TODAY, _PEOPLE, _WHOLE = "Look", "Today", "People and pools", "The whole roster"

app.command(rich_help_panel=_TODAY)(roster_edits.away)
app.command(rich_help_panel=_TODAY)(roster_edits.weight)
app.command(rich_help_panel=_TODAY)(roster_edits.cap)
app.command(rich_help_panel=_PEOPLE)(roster_edits.add)
app.command(rich_help_panel=_PEOPLE)(roster_leaver.leaver)
app.command(rich_help_panel=_PEOPLE)(roster_edits.join)
app.command(rich_help_panel=_PEOPLE, name="quit")(roster_edits.quit_pool)
app.command(rich_help_panel=_PEOPLE)(roster_edits.hours)
app.command(rich_help_panel=_PEOPLE)(roster_edits.skills)


@app.command(rich_help_panel=_LOOK)
def show(
    pool: Annotated[str | None, typer.Option(help="One pool alone.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Show everybody: pools, who is here now, who is away until when, load against caps.

    Examples: `baton roster show`, `baton roster show --pool "SDR DACH" --json`
    """
    from baton.clock import SystemClock
    from baton.pipeline.versions.roster_views import presences

    with ledger() as conn:
        found = presences(conn, SystemClock().now(), pool=pool)
    if as_json:
        typer.echo(_json([one.to_json() for one in found]))
        return
    out().print(_table(found))
    here = sum(one.here for one in found)
    out().print(f"{len(found)} people, {here} here now")


@app.command(rich_help_panel=_LOOK)
def history(
    rep: Annotated[
        str | None, typer.Option("--rep", help="Only what concerns this person (an e-mail).")
    ] = None,
    limit: Annotated[int, typer.Option(help="So many versions, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Tell who changed what and when, in words.

    Example: `baton roster history --rep mira.lindner@relay.test`
    """
    from baton.pipeline.versions.roster_versions import roster_history

    with ledger() as conn:
        found = list(roster_history(conn, limit=limit, rep=rep))
    if as_json:
        typer.echo(_json([_entry_json(one) for one in found]))
        return
    if not found:
        out().print("nothing is recorded" + (f" about {rep}" if rep else ""))
    for one in found:
        version = one.version
        note = f": {version.note}" if version.note else ""
        out().print(
            f"{version.id}  {version.at:%Y-%m-%d %H:%M} UTC  {version.hash[:12]}  "
            f"{version.by_whom}{note}",
            markup=False,
        )
        for change in one.changes:
            out().print(f"    {change.text}", markup=False)


class Format(StrEnum):
    """How a roster is written."""

    CSV = "csv"
    YAML = "yaml"


@app.command(rich_help_panel=_WHOLE)
def export(
    target: Annotated[Path, typer.Argument(help="A directory for CSV; a file for YAML.")],
    form: Annotated[Format, typer.Option("--format", help="CSV (three tables) or YAML.")] = (
        Format.CSV
    ),
) -> None:
    """Write the roster to files that `baton roster import` reads: for a spreadsheet, for review.

    Examples: `baton roster export roster/`, `baton roster export roster.yaml --format yaml`
    """
    from baton.pipeline.versions.agreements import current_roster
    from baton.policy import roster_csv
    from baton.policy.roster_yaml import roster_yaml

    with ledger() as conn:
        roster = current_roster(conn)
    if form is Format.YAML:
        written = {target: roster_yaml(roster)}
    else:
        target.mkdir(parents=True, exist_ok=True)
        written = {
            target / roster_csv.PEOPLE: roster_csv.people_csv(roster),
            target / roster_csv.POOLS: roster_csv.pools_csv(roster),
            target / roster_csv.LEAVE: roster_csv.leave_csv(roster),
        }
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
        out().print(f"wrote {path}", markup=False)


@app.command(name="import", rich_help_panel=_WHOLE)
def import_roster(
    file: Annotated[
        Path, typer.Argument(help="roster.yaml, a directory with the tables, or people.csv.")
    ],
    pools: Annotated[Path | None, typer.Option(help="With people.csv: the pools as CSV.")] = None,
    leave: Annotated[
        Path | None, typer.Option(help="With people.csv: the leave as CSV, if wanted.")
    ] = None,
    replace_leave: Annotated[
        bool,
        typer.Option("--replace-leave", help="Forget recorded leave that the file does not state."),
    ] = False,
    parent: Annotated[
        str | None,
        typer.Option(help="Refuse if the current roster is not this one (its hash)."),
    ] = None,
    dry_run: DryRun = False,
    by: By = None,
    note: Note = None,
) -> None:
    """Replace the whole roster by that of files, after checking it against the active policy.

    Leave that is recorded stays for everybody for whom the files state none.

    Examples: `baton roster import include/policy/roster.yaml`, `baton roster import roster/`
    """
    from baton.clock import SystemClock
    from baton.pipeline.versions import roster_versions

    roster = _read(file, pools, leave)
    with ledger() as conn:
        edited = roster_versions.import_roster(
            conn,
            roster,
            by=by or whoever_calls(),
            at=SystemClock().now(),
            note=note or f"import of {file.name}",
            replace_leave=replace_leave,
            parent=_whole_hash(conn, parent),
            dry_run=dry_run,
        )
    tell(edited, dry_run=dry_run)
    verb = "would be" if dry_run else "are"
    out().print(f"{len(roster.people)} people in {len(roster.pools)} pools {verb} on the roster")


@app.command(rich_help_panel=_WHOLE)
def rollback(
    version: Annotated[
        str | None,
        typer.Argument(
            help="A number or hash of `baton roster history` (default: the one before)."
        ),
    ] = None,
    dry_run: DryRun = False,
    by: By = None,
) -> None:
    """Make an earlier roster current again, in one step. Leave recorded since goes back as well.

    Examples: `baton roster rollback --dry-run`, `baton roster rollback 41`
    """
    from baton.clock import SystemClock
    from baton.pipeline.versions.roster_versions import roll_back_roster

    with ledger() as conn:
        found, edited = roll_back_roster(
            conn,
            version or _one_before(conn),
            by=by or whoever_calls(),
            at=SystemClock().now(),
            dry_run=dry_run,
        )
    out().print(f"to version {found.id} of {found.at:%Y-%m-%d %H:%M} UTC by {found.by_whom}:")
    tell(edited, dry_run=dry_run)


def _one_before(conn: Any) -> str:
    from baton.errors import SettingsError
    from baton.ledger.agreements import rosters

    newest = rosters.versions(conn, limit=2)
    if len(newest) < 2:
        raise SettingsError("there is no earlier roster to go back to")
    return str(newest[1].id)


def _whole_hash(conn: Any, parent: str | None) -> str | None:
    from baton.ledger.agreements import rosters

    if parent is None:
        return None
    found = rosters.named(conn, parent)
    return found.hash if found else parent


def _read(file: Path, pools: Path | None, leave: Path | None) -> Roster:
    from baton.errors import SettingsError
    from baton.policy import roster_csv
    from baton.policy.bundle import read_text
    from baton.policy.loader import read_roster

    if file.is_dir():
        pools, absent = file / roster_csv.POOLS, file / roster_csv.LEAVE
        leave, file = absent if absent.exists() else None, file / roster_csv.PEOPLE
    if file.suffix.lower() != ".csv":
        return read_roster(file)
    if pools is None:
        raise SettingsError(f"{file} is CSV: name the pools as well, with --pools pools.csv")
    return roster_csv.roster_from_csv(
        read_text(file.name, file),
        read_text(pools.name, pools),
        read_text(leave.name, leave) if leave else None,
    )


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2)


def _entry_json(entry: HistoryEntry) -> dict[str, object]:
    version = entry.version
    return {
        "version": version.id,
        "hash": version.hash,
        "at": version.at.isoformat(),
        "by": version.by_whom,
        "note": version.note,
        "changes": [one.text for one in entry.changes],
    }


def _table(found: Iterable[Presence]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("name", "e-mail", "role", "pools", "now", "open", "hour", "day", "week"):
        right = title in {"open", "hour", "day", "week"}
        table.add_column(title, justify="right" if right else "left")
    for one in found:
        pools = ", ".join(f"{name} ×{w}" if w != 1 else name for name, w in one.pools.items())
        loads = (load.shown for load in one.loads)
        table.add_row(*plain(one.name, one.email, one.role, pools, one.now, *loads))
    return table
