"""``baton decide``: score and route any export, with nothing running."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from baton.cli.moments import instant, lacks_zone
from baton.cli.shell import err, out

if TYPE_CHECKING:
    from baton.pipeline.exports.decide_file import FileTerms, Progress
    from baton.pipeline.exports.decided_file import FileReport
    from baton.pipeline.exports.export_columns import ColumnPlan
    from baton.pipeline.exports.export_text import Export
    from baton.policy.roster import Roster

__all__ = ["decide"]

_MOST_SHOWN = 12
_SECONDS_A_LINE = 10
_FEWEST_COLUMNS = 5
"""A mapping of fewer columns would fit files that it was not made for."""


def decide(
    leads: Annotated[Path, typer.Argument(help="A CSV with a header: one lead a row.")],
    policy: Annotated[Path, typer.Option(help="The policy's directory, say include/policy.")],
    overlay: Annotated[
        Path | None, typer.Option(help="A YAML file whose values replace those of the policy.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="The roster (default: roster.yaml of the policy).")
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="Say which field a column fills."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="A YAML file that says how columns become fields.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The column that names a lead.")] = None,
    at: Annotated[
        str | None,
        typer.Option(help="The moment to decide for, say 2026-11-20T10:00Z (default: now)."),
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option(help="A CSV of accounts: id, name, domain, owner, type …")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the decisions to this CSV.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Keep what is no row here (default: beside --out, if there is any)."),
    ] = None,
    explain: Annotated[
        int | None, typer.Option(metavar="ROW", help="Explain the decision on this row, no more.")
    ] = None,
    guard: Annotated[
        bool, typer.Option("--guard", help="Let the policy's limit on handoffs a run count.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Show the summary as JSON.")] = False,
) -> None:
    """Score and route an export: no CRM, no database, no server; nothing but files is read.

    Every row is judged as a lead never seen before. With the same `--at` the same file gives the
    same bytes. Exits with 2 when the file or the policy cannot be used.

    Example: `baton decide leads.csv --policy include/policy --map "Firm=Company name" --out
    decisions.csv`
    """
    from baton.pipeline.exports.decide_file import FileTerms, decide_file, read_accounts
    from baton.pipeline.exports.export_columns import plan_columns
    from baton.pipeline.exports.export_mapping import read_mapping
    from baton.pipeline.exports.export_text import open_export
    from baton.policy.loader import parse_policy, read_bundle

    agreed = parse_policy(read_bundle(policy, overlay))
    kept = rejects or (out_file.with_suffix(".rejects.csv") if out_file else None)
    _refuse_overwriting((out_file, kept), (leads, overlay, roster, mapping, accounts))
    export = open_export(leads)
    plan = plan_columns(
        export.columns,
        agreed,
        maps=maps or (),
        mapping=read_mapping(mapping) if mapping else None,
        key=key,
    )
    terms = FileTerms(
        agreed,
        _roster_of(policy, roster),
        plan,
        instant(at, "--at"),
        read_accounts(accounts, agreed) if accounts else None,
        guard,
    )
    if at is not None and lacks_zone(at):
        said = f"--at '{at}' names no zone: it is taken as {terms.moment:%Y-%m-%d %H:%M} UTC"
        err().print(said, style="yellow", markup=False)
    _say_what_is_read(export, plan, terms, policy, mapping)
    if explain is not None:
        _explain(export, terms, explain)
        return
    with _progress(export) as progress:
        report = decide_file(export, terms, out=out_file, rejects=kept, progress=progress)
    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        _show(report)
    _say_what_was_written(report, out_file, kept)


def _refuse_overwriting(written: Sequence[Path | None], read: Sequence[Path | None]) -> None:
    """Raise ConfigurationError where a result would take the place of what it is made of."""
    from baton.errors import ConfigurationError

    taken = {path.resolve() for path in read if path is not None}
    for path in written:
        if path is None:
            continue
        if path.is_dir():
            raise ConfigurationError(f"{path} is a directory: name a file in it")
        if path.resolve() in taken:
            raise ConfigurationError(f"{path} is read or written already: name another file")
        taken.add(path.resolve())


def _roster_of(policy: Path, roster: Path | None) -> Roster:
    """Return the roster that is named, else that of the policy's directory, else an empty one.

    Raises ConfigurationError when the one that is named is not there.
    """
    from baton.errors import ConfigurationError
    from baton.policy.loader import read_roster
    from baton.policy.roster import Roster

    path = roster or policy / "roster.yaml"
    if path.is_file():
        return read_roster(path)
    if roster is not None:
        raise ConfigurationError(f"there is no roster {roster}")
    err().print(f"there is no {path}: no pool has members", style="yellow", markup=False)
    return Roster()


def _say_what_is_read(
    export: Export, plan: ColumnPlan, terms: FileTerms, policy: Path, mapping: Path | None
) -> None:
    """Say once how the file is written, which column fills what, and what nothing reads."""
    say = err().print
    say(f"{export.path.name}: {export.in_words()}; {len(export.columns)} columns", markup=False)
    if plan.filled:
        pairs = ", ".join(
            label if column == label else f"{column} → {label}" for column, label in plan.filled
        )
        say(f"  read: {pairs}", style="dim", markup=False)
    if plan.key_column:
        say(f"  leads are named by: {plan.key_column}", style="dim", markup=False)
    _say_unread(plan, mapped=mapping is not None)
    for label, scopes in plan.missing:
        asked = "every lead" if "always" in scopes else ", ".join(scopes)
        text = f"  no column fills '{label}', which is required for {asked}"
        say(text, style="yellow", markup=False)
    fitting = None if mapping else _fitting_mapping(export, policy)
    if fitting is not None:
        say(f"  {fitting} fits these columns: --mapping {fitting}", style="yellow", markup=False)


def _say_unread(plan: ColumnPlan, *, mapped: bool) -> None:
    if mapped or not plan.unread:
        if plan.unread:
            err().print(f"  {len(plan.unread)} columns are not in the mapping", style="dim")
        return
    hinted = [f"{column} ({hint})" for column, hint in plan.unread if hint]
    plain = [column for column, hint in plan.unread if not hint]
    shown = "; ".join([*hinted, *([", ".join(plain)] if plain else [])])
    err().print(f"  not read: {shown}", style="dim", markup=False)


def _fitting_mapping(export: Export, policy: Path) -> Path | None:
    """Return a mapping of the policy's directory whose columns the file has."""
    from baton.errors import BatonError
    from baton.pipeline.exports.export_mapping import read_mapping

    for path in sorted((policy / "mappings").glob("*.yaml")):
        try:
            wanted = set(read_mapping(path).columns)
        except BatonError:
            continue  # it was not asked for; whoever names it hears what is wrong
        if len(wanted) >= _FEWEST_COLUMNS and wanted <= set(export.columns):
            return path
    return None


def _explain(export: Export, terms: FileTerms, number: int) -> None:
    from baton.decision.explanation import explain
    from baton.pipeline.exports.decide_file import row_explained

    found = row_explained(export, terms, number)
    told = explain(found.inputs, found.decision, terms.policy, terms.roster)
    say = out().print
    say(f"row {number}: {told.headline}", style="bold", markup=False)
    for passage in told.passages:
        say(f"\n{passage.title}", style="bold", markup=False)
        for sentence in passage.sentences:
            say(f"  {sentence}", markup=False)


@contextmanager
def _progress(export: Export) -> Iterator[Progress]:
    """Show how far it is and how fast; off a terminal a line now and then."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    if not err().is_terminal:
        yield _lines_of_progress(export)
        return
    columns = (
        TextColumn("deciding"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[speed]:,.0f} rows/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task("", total=export.size, rows=0, speed=0.0)

        def reached(rows: int, position: int) -> None:
            elapsed = bar.tasks[task].elapsed or 0
            speed = rows / elapsed if elapsed else 0.0
            bar.update(task, completed=position, rows=rows, speed=speed)

        yield reached


def _lines_of_progress(export: Export) -> Progress:
    """Return what tells of the progress in lines, for logs: one every few seconds."""
    import time

    began = told = time.monotonic()

    def reached(rows: int, position: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told < _SECONDS_A_LINE:
            return
        told = now
        share = f"{100 * position / export.size:.0f} %, " if export.size else ""
        err().print(f"{share}{rows:,} rows, {rows / (now - began):,.0f} rows/s", markup=False)

    return reached


def _show(report: FileReport) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))

    def part(title: str, rows: list[tuple[str, int]], of: int) -> None:
        table.add_row(Text(title, style="bold"), "", "")
        for name, count in rows[:_MOST_SHOWN]:
            share = f"{100 * count / of:.1f} %" if of else ""
            table.add_row(Text(f"  {name}"), str(count), share)
        rest = sum(count for _, count in rows[_MOST_SHOWN:])
        if rest:
            table.add_row(f"  … {len(rows) - _MOST_SHOWN} more", str(rest), "")

    total, handed = report.decided, sum(report.owners.values())
    part("Outcomes", list(report.outcomes.items()), total)
    part("Bands", [(band or "none", count) for band, count in report.bands.items()], total)
    if report.triggers:
        part("Triggers", list(report.triggers.items()), total)
    owners = [
        (owner if place in ("", owner) else f"{owner} ({place})", count)
        for (owner, place), count in report.owners.items()
    ]
    if owners:
        part("Owners", owners, handed)
    reasons = [(f"{outcome}: {why}", count) for (outcome, why), count in report.why_not.items()]
    if reasons:
        part("Why not handed off", reasons, total)
    if report.unreadable:
        part("Values that could not be read", list(report.unreadable.items()), total)
    if report.lower_ends:
        part("Ranges, taken at their lower end", list(report.lower_ends.items()), total)
    out().print(table)


def _say_what_was_written(report: FileReport, out_file: Path | None, kept: Path | None) -> None:
    say = err().print
    if out_file is not None:
        say(f"decisions on {report.decided} rows are in {out_file}", markup=False)
    if report.repeated:
        rows = ", ".join(f"row {row} as row {first}" for row, first in report.repeats)
        more = ", …" if report.repeated > len(report.repeats) else ""
        names = "row names" if report.repeated == 1 else "rows name"
        text = f"{report.repeated} {names} a lead that an earlier row names ({rows}{more})"
        say(f"{text}: each row was decided by itself", style="yellow", markup=False)
    if not report.rejected:
        return
    where = f"; they are in {kept}" if kept else "; --rejects FILE keeps them"
    say(f"not read as rows: {report.rejected}{where}", style="yellow", markup=False)
    for one in report.rejects:
        say(f"  line {one.line}: {one.reason}", markup=False)
