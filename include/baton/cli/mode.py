"""``baton mode``, ``adopt``, ``compare``: from watching what we would do to doing it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from baton.cli.installation import ledger, pipeline_context, settings
from baton.cli.shell import out, plain, whoever_calls
from baton.settings import Mode

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from baton.pipeline.context import Context
    from baton.pipeline.going_live.mode_switch import Chosen
    from baton.pipeline.going_live.observed_owners import Comparison
    from baton.pipeline.judging.cut_over import InFlight
    from baton.pipeline.modes import Modes

__all__ = ["adopt", "app", "compare"]

app = typer.Typer(
    name="mode",
    no_args_is_help=True,
    help="Which leads are handed over (live), and which are only observed.",
)

Form = Annotated[str | None, typer.Option("--form", help="A form, as HubSpot names it.")]
Region = Annotated[str | None, typer.Option("--region", help="A territory of the policy.")]
Everything = Annotated[bool, typer.Option("--all", help="Everything that has no mode of its own.")]
By = Annotated[str | None, typer.Option("--by", help="Who (default: your login name).")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SHOWN = 20


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show the mode of everything, since when leads are ours, and what was only observed.

    Examples: `baton mode show`, `baton mode show --json`
    """
    from baton.ledger.effects import switches
    from baton.ledger.handoffs import observed
    from baton.pipeline.modes import Modes

    with ledger() as conn:
        modes = Modes.read(conn, settings().mode)
        stopped = switches.effects_stopped(conn)
        waiting = observed.count_open(conn)
    in_flight = sum(
        many for (form, region), many in waiting.items()
        if modes.of_scope(form, region) is Mode.LIVE
    )  # fmt: skip
    if as_json:
        found = {
            "installation": modes.default.value,
            "scopes": dict(sorted(modes.by_scope.items())),
            "starts_at": modes.starts_at.isoformat() if modes.starts_at else None,
            "effects_stopped": stopped,
            "observed_open": sum(waiting.values()),
            "in_flight": in_flight,
        }
        typer.echo(json.dumps(found, indent=2))
        return
    _show(modes, stopped=stopped, observed_open=sum(waiting.values()), in_flight=in_flight)


def _show(modes: Modes, *, stopped: bool, observed_open: int, in_flight: int) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("installation (BATON_MODE)", modes.default.value)
    for name, mode in sorted(modes.by_scope.items()):
        table.add_row(*plain(name.replace(":", " ", 1), mode))
    started = f"{modes.starts_at:%Y-%m-%d %H:%M} UTC" if modes.starts_at else "not set: all leads"
    table.add_row("ours are leads captured from", started)
    table.add_row("effects", "stopped: baton resume-effects" if stopped else going_out(modes))
    table.add_row("observed, still open", str(observed_open))
    if in_flight:
        table.add_row("of them live by now", f"{in_flight}: baton adopt --dry-run")
    out().print(table)


def going_out(modes: Modes) -> str:
    """Say what goes out under these modes, if nothing is stopped."""
    live = sorted(
        name.replace(":", " ", 1) for name, mode in modes.by_scope.items() if mode == Mode.LIVE
    )
    but = sorted(
        name.replace(":", " ", 1) for name, mode in modes.by_scope.items() if mode != Mode.LIVE
    )
    if modes.default_of_all is Mode.LIVE:
        named = [one for one in but if one != "all"]
        return f"go out, but for {', '.join(named)}" if named else "go out"
    if live:
        return f"go out for {', '.join(live)} alone; the rest is observed"
    why = "past time is replayed" if modes.default_of_all is Mode.HISTORY else "it is observed"
    return f"none go out: {why}"


@app.command("set")
def set_mode(
    mode: Annotated[Mode, typer.Argument(help="live or observe.")],
    form: Form = None,
    region: Region = None,
    everything: Everything = False,
    start: Annotated[
        str | None,
        typer.Option(
            help="Leads captured before it are not handed over by us "
            "(default: as set before, else now)."
        ),
    ] = None,
    by: By = None,
    reason: Reason = "by command",
    dry_run: DryRun = False,
) -> None:
    """Go live, or back to observing, for a form, a region or all; leads in flight are adopted.

    The form is more particular than the region, the region than all. Going live takes over what
    was observed and is still open: with the owner that Salesforce shows and without a clock; what
    nobody has is handed over if it was captured after the start, else left with marketing.

    Examples: `baton mode set live --form "Demo request" --dry-run`,
    `baton mode set live --region DACH --start 2026-12-01`, `baton mode set observe --all`
    """
    from baton.pipeline.active_policy import active_policy
    from baton.pipeline.going_live.mode_switch import chosen_scope, with_mode
    from baton.pipeline.modes import Modes

    with ledger() as conn:
        policy = active_policy(conn).policy
        scope = chosen_scope(conn, policy, form=form, region=region, everything=everything)
        modes = Modes.read(conn, settings().mode)
        begins = _start(start, modes, mode)
    wanted = with_mode(modes, scope, mode, begins)
    if dry_run:
        begun = f", ours from {wanted.starts_at:%Y-%m-%d %H:%M} UTC" if wanted.starts_at else ""
        out().print(f"would set {scope.words}: {mode.value}{begun}", markup=False)
        _preview(wanted)
        return
    with ledger() as conn:
        _put(conn, scope, mode, begins, by=by or whoever_calls(), reason=reason)
    if mode is Mode.LIVE:
        _adopt()


@app.command()
def clear(
    form: Form = None,
    region: Region = None,
    everything: Everything = False,
    by: By = None,
    reason: Reason = "by command",
    dry_run: DryRun = False,
) -> None:
    """Forget the mode of a form, a region or all: the one above it counts again.

    Example: `baton mode clear --form "Demo request" --dry-run`
    """
    from baton.pipeline.active_policy import active_policy
    from baton.pipeline.going_live.mode_switch import chosen_scope

    with ledger() as conn:
        policy = active_policy(conn).policy
        scope = chosen_scope(conn, policy, form=form, region=region, everything=everything)
        if dry_run:
            out().print(f"would forget the mode of {scope.words}", markup=False)
            return
        _put(conn, scope, None, None, by=by or whoever_calls(), reason=reason)


def _start(text: str | None, modes: Modes, mode: Mode) -> datetime | None:
    """Return the start to be set; None: leave it as it is."""
    from baton.cli.moments import instant
    from baton.clock import SystemClock

    if text is not None:
        return instant(text, "--start")
    if mode is Mode.LIVE and modes.starts_at is None and not modes.anything_live:
        return SystemClock().now()
    return None


def _put(
    conn: Connection,
    scope: Chosen,
    mode: Mode | None,
    start: datetime | None,
    *,
    by: str,
    reason: str,
) -> None:
    from baton.clock import SystemClock
    from baton.pipeline.going_live.mode_switch import ModeSet, put_mode, put_start

    at = SystemClock().now()
    if start is not None:
        out().print(put_start(conn, start, by=by, reason=reason, at=at), markup=False)
    wish = ModeSet(scope=scope, mode=mode, by=by, reason=reason, at=at)
    out().print(put_mode(conn, wish), markup=False)


def _preview(modes: Modes) -> None:
    from baton.pipeline.judging.cut_over import in_flight

    if not _anything_observed():
        _show_flight([])
        return
    with pipeline_context() as ctx:
        _show_flight([one for some in in_flight(ctx, modes) for one in some])


def _show_flight(found: Sequence[InFlight]) -> None:
    if not found:
        out().print("no lead is in flight: nothing to adopt")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("leads in flight", "become", "because in Salesforce"):
        table.add_column(column)
    counted = Counter((one.fate.value, one.why) for one in found)
    for (fate, why), many in counted.most_common():
        table.add_row(*plain(str(many), fate, why))
    out().print(table)


def adopt(dry_run: DryRun = False) -> None:
    """Take over observed leads whose form or region is live by now, with their owners, no clocks.

    `baton mode set live` does so itself; run it again after a failure: nothing is done twice.

    Examples: `baton adopt --dry-run`, `baton adopt`
    """
    from baton.pipeline.judging.cut_over import in_flight

    if dry_run:
        with pipeline_context() as ctx:
            _show_flight([one for some in in_flight(ctx) for one in some])
        return
    _adopt()


def _anything_observed() -> bool:
    """Tell whether anything is in flight at all; else no connection is needed."""
    from baton.ledger.handoffs import observed

    with ledger() as conn:
        return bool(observed.count_open(conn))


def _adopt() -> None:
    from baton.pipeline.judging.cut_over import adopt_in_flight

    if not _anything_observed():
        out().print("no lead was in flight")
        return
    with pipeline_context() as ctx:
        report = adopt_in_flight(ctx).counts()
    shown = ", ".join(f"{many} {name}" for name, many in sorted(report.items()))
    out().print(f"leads in flight: {shown}" if shown else "no lead was in flight")


def compare(
    since: Annotated[str, typer.Option(help="From when: 7d, 30d, or a date.")] = "30d",
    as_json: AsJson = False,
    everything: Annotated[
        bool, typer.Option("--list", help=f"List every difference, not the first {_SHOWN}.")
    ] = False,
) -> None:
    """Compare the owners that we would have chosen with those that stand in Salesforce.

    Reads what was observed and asks Salesforce who has each lead now; writes nothing.

    Examples: `baton compare`, `baton compare --since 14d --json`
    """
    from baton.cli.moments import beginning
    from baton.pipeline.going_live.observed_owners import compare as compared

    with pipeline_context() as ctx:
        found = compared(ctx, beginning(since, _now(ctx)), _now(ctx))
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2))
        return
    _show_comparison(found, everything=everything)


def _now(ctx: Context) -> datetime:
    return ctx.clock.now() + timedelta(seconds=1)


def _show_comparison(found: Comparison, *, everything: bool) -> None:
    out().print(found.words)
    _causes("of ours", found.causes)
    if found.only_theirs:
        many = len(found.only_theirs)
        leads = "1 lead" if many == 1 else f"{many} leads"
        out().print(f"they handed over {leads} that we would not have:")
        _causes("of theirs", found.their_causes)
    if len(found.by_scope) > 1:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for column in ("form or region", "same owner", "of"):
            table.add_column(column)
        for name, (same, all_of) in found.by_scope.items():
            table.add_row(*plain(name, str(same), str(all_of)))
        out().print(table)
    rows = (*found.differences, *found.only_theirs)
    shown = rows if everything else rows[:_SHOWN]
    if shown:
        _list([(one.cause.value, one.contact, one.ours, one.theirs) for one in shown])
    if len(rows) > len(shown):
        out().print(f"and {len(rows) - len(shown)} more: --list, or --json")


def _causes(head: str, causes: Iterable[tuple[str, int]]) -> None:
    rows = list(causes)
    if not rows:
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(head, justify="right")
    table.add_column("cause")
    for cause, many in rows:
        table.add_row(*plain(str(many), str(cause)))
    out().print(table)


def _list(rows: Sequence[tuple[str, str | None, str | None, str | None]]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("cause", "contact", "ours", "theirs"):
        table.add_column(column)
    for row in rows:
        table.add_row(*plain(*(one or "–" for one in row)))
    out().print(table)
