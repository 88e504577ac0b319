"""``baton whatif``: what would have become of the past under another policy."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from baton.cli.installation import settings
from baton.cli.moments import beginning
from baton.cli.shell import err, out, plain

if TYPE_CHECKING:
    from baton.decision.comparison import Pair
    from baton.pipeline.past.whatif import WhatIfReport

__all__ = ["whatif"]

_MOST_MOVES = 20
_MOVES = (
    "decision", "lead", "decided_at", "outcome_before", "outcome_after", "reason_before",
    "reason_after", "band_before", "band_after", "owner_before", "owner_after", "pool_before",
    "pool_after",
)  # fmt: skip


def whatif(
    policy: Annotated[Path, typer.Option(help="The other policy's directory.")],
    since: Annotated[
        str, typer.Option(help="How far back: a length (90d, 12h, 2w) or a date.")
    ] = "90d",
    overlay: Annotated[
        Path | None, typer.Option(help="A YAML file whose values replace those of the policy.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="Another roster (default: that of each decision).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Show the report as JSON.")] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write every decision that comes out differently.")
    ] = None,
) -> None:
    """Decide the past again under another policy, and compare. Writes nothing to the ledger.

    Both ways are played through the same engine: as it was decided, and as the other policy would.
    How the leads that move would have converted, nobody can know.

    Example: `baton whatif --policy include/policy --since 90d --csv moves.csv`
    """
    from baton.clock import SystemClock
    from baton.ledger.database.engine import ledger_engine
    from baton.ledger.database.migrate import check_current
    from baton.pipeline.past.whatif import WhatIf, what_if
    from baton.policy.loader import parse_policy, read_bundle

    start = beginning(since, SystemClock().now())
    other = parse_policy(read_bundle(policy, overlay))
    question = WhatIf(other, start, _roster(roster))
    engine = ledger_engine(settings().database_url)
    try:
        check_current(engine)
        with _moves(csv_file) as hear, _progress() as progress:
            report = what_if(engine, question, progress=progress, hear=hear)
    finally:
        engine.dispose()
    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
        return
    show(report)
    if csv_file is not None:
        err().print(f"what comes out differently is in {csv_file}", markup=False)


def _roster(path: Path | None) -> Any:
    from baton.errors import ConfigurationError
    from baton.policy.loader import read_roster

    if path is None:
        return None
    if not path.is_file():
        raise ConfigurationError(f"there is no roster {path}")
    return read_roster(path)


@contextmanager
def _moves(path: Path | None) -> Iterator[Callable[[Pair], None]]:
    """Write what comes out differently, as it is found."""
    from baton.errors import ConfigurationError
    from baton.pipeline.exports.decided_file import harmless

    if path is None:
        yield lambda _pair: None
        return
    if path.is_dir():
        raise ConfigurationError(f"{path} is a directory: name a file in it")
    part = path.with_name(path.name + ".part")
    try:
        file = part.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    with file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_MOVES)

        def hear(pair: Pair) -> None:
            before, after = pair.before, pair.after
            if not pair.moved and (before.outcome, before.band) == (after.outcome, after.band):
                return
            texts = (
                before.outcome.value, after.outcome.value, before.reason, after.reason,
                before.band, after.band, before.receiver, after.receiver, before.pool, after.pool,
            )  # fmt: skip
            at = pair.decided_at.isoformat()
            cells = (harmless(text or "") for text in (pair.lead_key, at, *texts))
            writer.writerow([pair.decision_id, *cells])

        yield hear
    part.replace(path)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show how far it is; nothing off a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    if not err().is_terminal:
        yield lambda _done, _of: None
        return
    columns = (TextColumn("deciding again"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, Remaining(), console=err(), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def show(report: WhatIfReport) -> None:
    """Show a report on the screen."""
    found = report.to_json()
    say = out().print
    handoffs = found["handoffs"]
    say(
        f"{found['decisions']} decisions since {report.since:%Y-%m-%d %H:%M} UTC, decided again "
        f"by policy {report.after[:12]}",
        style="bold",
        markup=False,
    )
    moved = handoffs["to_somebody_else"] + handoffs["only_after"] + handoffs["only_before"]
    if report.same_policy:
        say(f"every one of them was made by that very policy; it moves {moved} leads")
    _show_totals(found)
    _show_moves(found["moves"])
    _show_change("Owner", "owner", found["owners"])
    _show_change("Pool", "pool", found["pools"])
    _show_matrix("Bands", found["bands"])
    _show_matrix("Outcomes", found["outcomes"])
    _show_hours(found["clocks"]["hours_utc"])
    _show_limits(found)


def _show_totals(found: dict[str, Any]) -> None:
    table = _table("", "before", "after")
    handoffs = found["handoffs"]
    table.add_row("handoffs", str(handoffs["before"]), str(handoffs["after"]))
    for name, part in (
        ("to a queue or by the last rule", found["fallback"]),
        ("assigned out of the owner's hours", found["clocks"]["assigned_out_of_hours"]),
        ("first touch due out of hours", found["clocks"]["due_out_of_hours"]),
    ):
        table.add_row(name, *(_share(part[way]) for way in ("before", "after")))
    caps = found["cap_hits"]
    table.add_row("somebody's cap was reached", str(caps["before"]), str(caps["after"]))
    out().print(table)
    out().print(
        f"{handoffs['to_somebody_else']} handoffs go to somebody else, {handoffs['only_after']} "
        f"are new, {handoffs['only_before']} are no more"
    )


def _show_moves(moves: list[dict[str, Any]]) -> None:
    if not moves:
        return
    table = _table("from", "to", "handoffs", numbers=1)
    for one in moves[:_MOST_MOVES]:
        table.add_row(*plain(one["from"], one["to"], str(one["handoffs"])))
    rest = sum(one["handoffs"] for one in moves[_MOST_MOVES:])
    if rest:
        table.add_row("…", f"{len(moves) - _MOST_MOVES} more", str(rest))
    _part("Who moves from whom to whom", table)


def _show_change(title: str, name: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    people = name == "owner"
    further = ("most open", "cap hits", "most due in an hour") if people else ()
    table = _table(title, "before", "after", "change", *further)
    for one in rows:
        cells = [str(one["before"]), str(one["after"]), f"{one['after'] - one['before']:+d}"]
        if people:
            cells += [
                f"{one[key]['before']} → {one[key]['after']}"
                for key in ("most_open", "cap_hits", "most_due_in_an_hour")
            ]
        table.add_row(*plain(one[name], *cells))
    _part(f"Volume by {title.lower()}", table)


def _show_matrix(title: str, rows: list[dict[str, Any]]) -> None:
    befores = list(dict.fromkeys(row["before"] for row in rows))
    afters = list(dict.fromkeys(row["after"] for row in rows))
    names = [name for name in dict.fromkeys([*befores, *afters]) if name in afters]
    counts = {(row["before"], row["after"]): row["decisions"] for row in rows}
    table = _table("before ↓ after →", *names)
    for before in befores:
        cells = [counts.get((before, after), 0) for after in names]
        table.add_row(*plain(before, *(str(count) if count else "·" for count in cells)))
    _part(title, table)


def _show_hours(hours: list[dict[str, Any]]) -> None:
    busy = [one for one in hours if one["due"]["before"] or one["due"]["after"]]
    if not busy:
        return
    names = ("due before", "due after", "rep hours before", "rep hours after")
    table = _table("hour (UTC)", *names)
    for one in busy:
        due, there = one["due"], one["working_hours"]
        table.add_row(
            f"{one['hour']:02d}:00",
            str(due["before"]),
            str(due["after"]),
            f"{there['before']:.0f}",
            f"{there['after']:.0f}",
        )
    _part("First touches due, and who works then", table)


def _show_limits(found: dict[str, Any]) -> None:
    """Say how far the answer can be trusted."""
    say = err().print
    simulation = found["simulation"]
    recorded, same = simulation["recorded_handoffs"], simulation["same_owner_as_recorded"]
    if recorded:
        say(f"\nThe simulation of what was decided names the recorded owner in {same} of "
            f"{recorded} decisions that gave a lead to somebody ({100 * same / recorded:.1f} %).")  # fmt: skip
    for why, count in simulation["not_judged"].items():
        say(f"{count} decisions could not be judged wholly: {why}", style="yellow", markup=False)
    for why, count in simulation["left_out"].items():
        say(f"{count} decisions are left out: {why}", style="yellow", markup=False)
    fields = simulation["fields_not_read_then"]
    if fields:
        named = ", ".join(fields)
        say(f"not read from HubSpot then, so unknown: {named}", style="yellow", markup=False)
    say("What this assumes:", style="dim")
    for text in found["assumptions"]:
        say(f"  {text}", style="dim", markup=False)


def _table(first: str, *others: str, numbers: int | None = None) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first)
    texts = len(others) - (len(others) if numbers is None else numbers)
    for place, name in enumerate(others):
        table.add_column(Text(name), justify="left" if place < texts else "right")
    return table


def _part(title: str, table: Table) -> None:
    out().print(f"\n{title}", style="bold")
    out().print(table)


def _share(part: dict[str, Any]) -> str:
    share = part["share"]
    return f"{part['handoffs']}" + (f" ({100 * share:.1f} %)" if share is not None else "")
