"""``baton roster leaver``: somebody leaves; one command, safe to run again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.installation import ledger_context
from baton.cli.roster_words import By, DryRun, Note, tell
from baton.cli.shell import err, out, plain, whoever_calls

if TYPE_CHECKING:
    from datetime import date

    from baton.ledger.handoffs.leavers import OwnedHandoff
    from baton.pipeline.judging.leaver import Desk, HandedOver, Leaving, Wish

_SHOWN = 50


def leaver(
    email: Annotated[str | None, typer.Argument(help="The leaver's e-mail on the roster.")] = None,
    day: Annotated[
        str | None,
        typer.Option("--on", help="The first day they are gone (default: today)."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(help="Try this pool (its name) or person (an e-mail) first, for all."),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Everybody whose day has come; no e-mail.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help=f"List every open handoff, not the first {_SHOWN}.")
    ] = False,
    by: By = None,
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Somebody leaves: no new leads, out of every pool, open handoffs to others by policy.

    Lists what is open, and who got it. With a day ahead new leads stop then; run it again, or with
    --due, once the day has come. Killed half way, run it again: nothing is done twice.

    Examples: `baton roster leaver mira.lindner@relay.test --dry-run`,
    `baton roster leaver mira.lindner@relay.test --on 2026-12-01`, `baton roster leaver --due`
    """
    from baton.errors import SettingsError

    if due == (email is not None):
        raise SettingsError("name the leaver's e-mail, or say --due for everybody whose day came")
    with ledger_context() as desk:
        chosen = list(_chosen(desk, email, _day(day), to))
        if not chosen:
            out().print("nobody's last day has come with anything left to do")
        for one, wish in chosen:
            _show(one, everything=everything, emptied=dry_run or not one.due)
            if dry_run:
                _say_dry(desk, one, wish)
            else:
                _carry_out(desk, one, wish, by=by or whoever_calls(), note=note)


def _day(text: str | None) -> date | None:
    from datetime import date

    from baton.errors import SettingsError

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"'{text}' is no date: write 2026-12-01") from None


def _chosen(
    desk: Desk, email: str | None, day: date | None, to: str | None
) -> Iterator[tuple[Leaving, Wish]]:
    from baton.ledger.database.engine import transaction
    from baton.pipeline.judging.leaver import due_leavers, look_at, wish_of
    from baton.pipeline.versions.agreements import current_roster

    now = desk.clock.now()
    with transaction(desk.engine) as conn:
        keys = [rep.key for rep in due_leavers(conn, now)] if email is None else [email]
        roster = current_roster(conn)
        for key in keys:
            one = look_at(conn, key, day=day, now=now)
            yield one, wish_of(roster, to, one.rep.key)


def _show(one: Leaving, *, everything: bool, emptied: bool) -> None:
    from rich.table import Table

    count = len(one.handoffs)
    out().print(f"{one.rep.name} ({one.rep.key}) has {count} open handoffs", markup=False)
    if one.handoffs:
        table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
        for title in ("handoff", "HubSpot", "company", "band", "state", "first touch due", "owner"):
            table.add_column(title)
        for each in one.handoffs if everything else one.handoffs[:_SHOWN]:
            table.add_row(*plain(*_row(each)))
        out().print(table)
    if count > _SHOWN and not everything:
        out().print(f"  and {count - _SHOWN} more (--all lists them)")
    for key in one.reports:
        said = f"careful: {key} reports to them; name another manager"
        out().print(said, style="yellow", markup=False)
    for pool in one.emptied if emptied else ():
        said = f"careful: without them nobody is left in the pool '{pool}'"
        out().print(said, style="yellow", markup=False)
    for text in one.in_policy:
        said = f"careful: in the policy {text}; that has to change"
        out().print(said, style="yellow", markup=False)


def _row(one: OwnedHandoff) -> tuple[str, ...]:
    from baton.pipeline.judging.leaver import settled_by_manager

    due = f"{one.due:%Y-%m-%d %H:%M} UTC" if one.due else ""
    owner = "for the manager" if settled_by_manager(one) else ""
    band = one.band or ""
    return one.key, one.hubspot_id, one.company or "", band, one.state, due, owner


def _say_dry(desk: Desk, one: Leaving, wish: Wish) -> None:
    from baton.pipeline.judging.leaver import preview

    if not one.due:
        out().print(f"would get no new leads from {one.day} on; open handoffs would stay till then")
        return
    found = preview(desk, one, wish=wish)
    count = found.moved + len(found.left_over)
    out().print("would leave every pool" + (f"; of {count} looked at:" if count else ""))
    _result(found)


def _carry_out(desk: Desk, one: Leaving, wish: Wish, *, by: str, note: str | None) -> None:
    from rich.progress import Progress

    from baton.pipeline.judging.leaver import hand_over, mark_leaver

    tell(mark_leaver(desk, one, by=by, note=note), dry_run=False)
    if not one.due:
        out().print(
            f"no new leads from {one.day} on; the open handoffs go to others when this runs again "
            "on that day, with --due, or by ledger_upkeep"
        )
        return
    with Progress(console=err(), transient=True) as shown:
        task = shown.add_task("handing over", total=len(one.handoffs))
        found = hand_over(desk, one.rep.key, wish=wish, progress=lambda n: shown.advance(task, n))
    _result(found)
    if found.moved:
        out().print("owners, tasks and messages go out with the next delivery (lead_handoff)")
    if found.left_over:
        raise typer.Exit(1)


def _result(found: HandedOver) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("goes to")
    table.add_column("handoffs", justify="right")
    for owner, count in found.by_owner.most_common():
        table.add_row(*plain(owner, str(count)))
    if found.by_owner:
        out().print(table)
    _list("task only; the owner in Salesforce is for the manager to change", found.owner_stays)
    _list("nobody can take these, and the policy ends in no queue", found.left_over)


def _list(title: str, keys: Sequence[str]) -> None:
    if keys:
        out().print(f"{len(keys)} × {title}: {', '.join(keys)}", markup=False, style="yellow")
