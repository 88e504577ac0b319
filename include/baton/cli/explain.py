"""``baton explain`` and ``baton replay``: why a lead went where it went, and whether it still would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from baton.cli.installation import ledger
from baton.cli.moments import beginning
from baton.cli.shell import FAILED, MISCONFIGURED, err, out

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from baton.ledger.record.decisions import Selection
    from baton.pipeline.past.explain import Told
    from baton.pipeline.past.replay import Finding, ReplayReport

_MOST_OTHERS = 5
Lead = Annotated[
    str,
    typer.Argument(help="HubSpot id, e-mail, handoff (H12-1), Salesforce Lead or Contact id."),
]
Json = Annotated[bool, typer.Option("--json", help="For a machine: JSON on standard output.")]


def explain(
    lead: Lead,
    decision: Annotated[
        int | None, typer.Option("--decision", help="An older decision, by its number.")
    ] = None,
    rep: Annotated[
        str | None,
        typer.Option("--rep", metavar="EMAIL", help="Why this colleague got it, or did not."),
    ] = None,
    no_names: Annotated[
        bool, typer.Option("--no-names", help="Leave the lead's personal values as labels.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell why a lead was decided on as it was: score, band, owner, who else, what would alter it.

    Without --decision: the newest decision with an outcome, or that of the handoff named.

    Examples: `baton explain H12-1`, `baton explain 4711 --rep mira.lindner@example.com`
    """
    from baton.pipeline.intake.lead_lookup import find_lead
    from baton.pipeline.past.explain import explain_lead, with_names

    with ledger() as conn:
        told = explain_lead(conn, find_lead(conn, lead), decision_id=decision, rep=rep)
        if not no_names:
            told = with_names(conn, told)
    if as_json:
        typer.echo(json.dumps(told.to_json(), indent=2, ensure_ascii=False))
        return
    _show(told)


def _show(told: Told) -> None:
    title = f"Lead {told.hubspot_id}, decision {told.decision_id}"
    out().print(f"{title} of {told.decided_at:%Y-%m-%d %H:%M} UTC", style="bold", markup=False)
    out().print(told.explanation.headline, markup=False)
    for passage in told.explanation.passages:
        out().print()
        out().print(passage.title, style="bold", markup=False)
        for sentence in passage.sentences:
            out().print(Text(f"  {sentence}"))
    out().print()
    now = f"{told.has_it} has it now." if told.has_it else "Nobody of sales has it now."
    out().print(now, markup=False)
    if told.others:
        out().print(f"{len(told.others)} other decisions on this lead:", style="bold")
        for one in told.others[:_MOST_OTHERS]:
            band = f", {one.band}" if one.band else ""
            to = f", {one.owner}" if one.owner else ""
            out().print(
                f"  {one.id}: {one.decided_at:%Y-%m-%d %H:%M} UTC, {one.outcome}{to}{band}"
                f" [{one.reason_code}]",
                markup=False,
            )
        if len(told.others) > _MOST_OTHERS:
            out().print("  … any of them: --decision NUMBER")


def replay(
    since: Annotated[
        str, typer.Option(help="How far back: a length (90d, 12h, 2w) or a date.")
    ] = "90d",
    decision: Annotated[
        int | None, typer.Option("--decision", help="This decision alone, by its number.")
    ] = None,
    lead: Annotated[
        str | None,
        typer.Option("--lead", help="All decisions on one lead; the names `baton explain` takes."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many, the newest of those selected.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Repeat stored decisions from their own inputs, policy and roster, and compare every byte.

    Exits with 0 when all are equal, 1 when some differ, 2 when some cannot be repeated.

    Examples: `baton replay --since 7d`, `baton replay --decision 812`
    """
    from baton.clock import SystemClock
    from baton.errors import ConfigurationError
    from baton.ledger.record import decisions
    from baton.ledger.record.decisions import Selection
    from baton.pipeline.intake.lead_lookup import find_lead
    from baton.pipeline.past import replay as replaying

    with ledger() as conn:
        if decision is not None or lead is not None:
            lead_id = find_lead(conn, lead).lead_id if lead is not None else None
            wanted = Selection(decision_id=decision, lead_id=lead_id, newest=limit)
        else:
            wanted = Selection(since=beginning(since, SystemClock().now()), newest=limit)
        with _progress(conn, wanted, decisions.count) as advance:
            report = replaying.replay(conn.engine, wanted, progress=advance)
        if decision is not None and not report.total:
            where = "in the ledger" if lead is None else f"on the lead {lead}"
            raise ConfigurationError(f"there is no decision {decision} {where}")
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    else:
        _show_report(report)
    raise typer.Exit(_exit_code(report))


@contextmanager
def _progress(
    conn: Connection, wanted: Selection, count: Callable[[Connection, Selection], int]
) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task("replay", total=count(conn, wanted))
        yield lambda done: bar.update(task, completed=done)


def _show_report(report: ReplayReport) -> None:
    from baton.decision import ENGINE_VERSION
    from baton.pipeline.past.replay import Standing

    if not report.total:
        out().print("no decision was made in that time: nothing to replay")
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("decisions", str(report.total))
    for standing, words in {
        Standing.EQUAL: "equal, byte for byte",
        Standing.DIFFERENT: "different",
        Standing.DAMAGED: "damaged",
        Standing.UNREADABLE: "of a policy or roster that can no longer be read",
        Standing.ERASED: "of erased persons, excepted",
    }.items():
        if report.counts[standing] or standing is Standing.EQUAL:
            table.add_row(words, str(report.counts[standing]))
    engines = ", ".join(f"{count} by engine {name}" for name, count in report.engines.items())
    table.add_row("made", f"{engines}; repeated by engine {ENGINE_VERSION}")
    out().print(table)
    for words, count in report.unreadable.items():
        out().print(f"{count} decisions cannot be repeated: {words}", markup=False)
    _show_findings(report)


def _show_findings(report: ReplayReport) -> None:
    from baton.pipeline.past.replay import Standing

    first = report.first
    if first is not None:
        _show_difference(first)
    damaged = [one for one in report.findings if one.standing is Standing.DAMAGED]
    for one in damaged[:_MOST_OTHERS]:
        out().print(f"decision {one.decision_id}: {one.words}", markup=False)


def _show_difference(first: Finding) -> None:
    out().print(f"first difference: decision {first.decision_id}, {first.words}", markup=False)
    found = first.difference
    if found is not None:
        out().print(f"  at      {found.path}", markup=False)
        out().print(f"  stored  {found.before}", markup=False)
        out().print(f"  now     {found.after}", markup=False)
    out().print(f"why it was decided so: baton explain LEAD --decision {first.decision_id}")


def _exit_code(report: ReplayReport) -> int:
    from baton.pipeline.past.replay import Standing

    if report.counts[Standing.DIFFERENT]:
        return FAILED
    return 0 if report.all_equal else MISCONFIGURED
