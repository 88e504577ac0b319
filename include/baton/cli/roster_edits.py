"""``baton roster`` away, weight, cap, hours, join, quit, add, skills: one change, done in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from baton.cli.roster_words import By, DryRun, Email, Note, PoolName, change
from baton.cli.shell import out

if TYPE_CHECKING:
    from datetime import datetime

    from baton.policy.roster import Roster


def away(
    email: Email,
    until: Annotated[
        str | None,
        typer.Option(
            help="The end: a date (that day is still leave), an ISO 8601 time, or 17:00 today."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="The beginning, likewise (default: now)."),
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Back at work: end the leave now.")] = False,
    by: By = None,
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Mark somebody away: no new leads until then. Times without a zone are the person's own.

    Examples: `baton roster away mira.lindner@relay.test --until 2026-12-04`,
    `baton roster away mira.lindner@relay.test --from 13:00 --until 17:00`,
    `baton roster away mira.lindner@relay.test --back`
    """
    from baton.clock import SystemClock
    from baton.errors import SettingsError
    from baton.policy.roster_edits import Absence, back_from_leave, known_rep, with_leave

    if back == (until is not None):
        raise SettingsError("say --until when, or --back to end the leave now; one of them")
    now = SystemClock().now().replace(second=0, microsecond=0)

    def edit(roster: Roster) -> Roster:
        if until is None:
            return back_from_leave(roster, email, now)
        absence = Absence(start, until)
        return with_leave(roster, email, absence.leave(known_rep(roster, email).zone, now))

    what = f"{email.lower()} is back" if back else f"{email.lower()} away until {until}"
    edited = change(edit, what=what, by=by, note=note, dry_run=dry_run)
    if edited.changes and not back:
        _tell_open(email, now)


def _tell_open(email: str, now: datetime) -> None:
    from baton.cli.installation import ledger
    from baton.ledger.handoffs import handoffs

    with ledger() as conn:
        left = handoffs.open_loads(conn).get(email.lower(), 0)
    if left:
        out().print(f"{left} open handoffs stay with {email}: their clocks keep the terms given")


def weight(
    email: Email,
    pool: PoolName,
    number: Annotated[int, typer.Argument(help="2 draws twice as many leads as 1; 0 draws none.")],
    by: By = None,
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Give somebody another share of a pool's leads.

    Example: `baton roster weight mira.lindner@relay.test "SDR DACH" 2`
    """
    from baton.policy.roster_edits import with_weight

    change(
        lambda roster: with_weight(roster, email, pool, number),
        what=f"weight of {email.lower()} in {pool}",
        by=by,
        note=note,
        dry_run=dry_run,
    )


_CapOption = Annotated[
    str | None, typer.Option(help="A whole number, or 'none' for no limit.", metavar="N|none")
]


def cap(
    email: Email,
    open_: Annotated[
        str | None,
        typer.Option("--open", help="Most open handoffs at once, or 'none'.", metavar="N|none"),
    ] = None,
    hour: _CapOption = None,
    day: _CapOption = None,
    week: _CapOption = None,
    by: By = None,
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Limit somebody's leads: open at once, new in a rolling hour, day, week; over all pools.

    Example: `baton roster cap mira.lindner@relay.test --open 40 --hour 5 --day none`
    """
    from baton.errors import SettingsError
    from baton.policy.roster_edits import Cap, with_cap

    given = {Cap.OPEN: open_, Cap.HOUR: hour, Cap.DAY: day, Cap.WEEK: week}
    caps = {cap: _limit(text) for cap, text in given.items() if text is not None}
    if not caps:
        raise SettingsError("say which limit: --open, --hour, --day or --week, each N or none")
    change(
        lambda roster: with_cap(roster, email, caps),
        what=f"limits of {email.lower()}",
        by=by,
        note=note,
        dry_run=dry_run,
    )


def _limit(text: str) -> int | None:
    from baton.errors import SettingsError

    if text.lower() in {"none", "no", "-"}:
        return None
    if not text.isdecimal():
        raise SettingsError(f"'{text}' is no limit: write a whole number, or none")
    return int(text)


def hours(
    email: Email,
    calendar: Annotated[
        str,
        typer.Argument(help="A calendar of the policy, or 'Mon-Fri 09:00-12:30 13:30-18:00'."),
    ],
    zone: Annotated[str | None, typer.Option(help="Another time zone as well.")] = None,
    by: By = None,
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Give somebody other working hours. Clocks that run keep the hours they were born with.

    Example: `baton roster hours mira.lindner@relay.test "Mon-Thu 08:00-12:00 13:00-16:30"`
    """
    from baton.policy.roster_edits import with_hours

    change(
        lambda roster: with_hours(roster, email, calendar, zone=zone),
        what=f"hours of {email.lower()}",
        by=by,
        note=note,
        dry_run=dry_run,
    )


def join(
    email: Email,
    pool: PoolName,
    weight: Annotated[int, typer.Option(help="The share: 2 draws twice as many as 1.")] = 1,
    by: By = None,
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Put somebody into a pool. A newcomer starts even: nothing owed, nothing to make up for.

    Example: `baton roster join mira.lindner@relay.test "SDR UK and Nordics" --weight 1`
    """
    from baton.policy.roster_edits import joined

    change(
        lambda roster: joined(roster, email, pool, weight=weight),
        what=f"{email.lower()} joins {pool}",
        by=by,
        note=note,
        dry_run=dry_run,
    )


def quit_pool(
    email: Email, pool: PoolName, by: By = None, note: Note = None, dry_run: DryRun = False
) -> None:
    """Take somebody out of a pool. Open handoffs stay with them.

    Example: `baton roster quit mira.lindner@relay.test "SDR DACH"`
    """
    from baton.policy.roster_edits import quit_pool as edit

    change(
        lambda roster: edit(roster, email, pool),
        what=f"{email.lower()} quits {pool}",
        by=by,
        note=note,
        dry_run=dry_run,
    )


def add(
    email: Annotated[str, typer.Argument(help="The new person's e-mail.")],
    name: Annotated[str, typer.Option(help="Their name.")],
    role: Annotated[str, typer.Option(help="SDR, AE …")] = "",
    zone: Annotated[str, typer.Option(help="Their time zone, such as Europe/Berlin.")] = "UTC",
    hours: Annotated[
        str, typer.Option(help="A calendar of the policy, or hours in one line.")
    ] = "Weekdays",
    manager: Annotated[str | None, typer.Option(help="The manager's e-mail.")] = None,
    joined: Annotated[
        str | None, typer.Option(help="Their first day (default: here already).")
    ] = None,
    pool: Annotated[
        list[str] | None, typer.Option("--pool", help="A pool to join; may be repeated.")
    ] = None,
    by: By = None,
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Put a new person on the roster, and into pools.

    Example: `baton roster add nora.lang@relay.test --name "Nora Lang" --role SDR
    --zone Europe/Berlin --hours "Office DE" --pool "SDR DACH" --joined 2026-12-01`
    """
    from baton.policy import roster_edits

    given: dict[str, Any] = {
        "key": email,
        "name": name,
        "role": role,
        "zone": zone,
        "hours": hours,
        "manager": manager,
        "joined": joined,
    }

    def edit(roster: Roster) -> Roster:
        changed = roster_edits.with_person(roster, given)
        for one in pool or ():
            changed = roster_edits.joined(changed, email, one)
        return changed

    change(edit, what=f"{email.lower()} is new", by=by, note=note, dry_run=dry_run)


def skills(
    email: Email,
    good_at: Annotated[
        list[str], typer.Argument(help="Label=value,value; 'Label=' forgets the label.")
    ],
    by: By = None,
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Say what somebody is good at, for pools that share leads by best fit.

    Example: `baton roster skills mira.lindner@relay.test Language=de,en Industry=INSURANCE`
    """
    from baton.policy.roster_edits import with_abilities

    abilities = dict(_ability(text) for text in good_at)
    change(
        lambda roster: with_abilities(roster, email, abilities),
        what=f"what {email.lower()} is good at",
        by=by,
        note=note,
        dry_run=dry_run,
    )


def _ability(text: str) -> tuple[str, list[str]]:
    from baton.errors import SettingsError

    label, equals, values = text.partition("=")
    if not equals or not label.strip():
        raise SettingsError(f"'{text}' does not read as Language=de,en")
    parts = values.replace(";", ",").split(",")
    return label.strip(), [part.strip() for part in parts if part.strip()]
