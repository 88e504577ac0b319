"""``baton release``: what the policy's limits hold back, let go or kept, by a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from baton.cli.installation import ledger_context
from baton.cli.shell import out, plain, whoever_calls

if TYPE_CHECKING:
    from baton.pipeline.going_live.release import Question


def release(
    batch: Annotated[
        int | None, typer.Option("--batch", help="The batch to answer; without it they are listed.")
    ] = None,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Do not release: leads stay with marketing, owners as they are."
        ),
    ] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who (default: your login name).")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "by command",
    as_json: Annotated[bool, typer.Option("--json", help="Print what waits as JSON.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the figures, change nothing.")
    ] = False,
) -> None:
    """List what goes beyond the limits of one run, and let it go or keep it back.

    Released leads are judged again and go out with the next runs; hot leads were never held.

    Examples: `baton release`, `baton release --batch 3 --dry-run`,
    `baton release --batch 3 --reason "the fair in Hanover"`, `baton release --batch 3 --keep`
    """
    from baton.errors import SettingsError
    from baton.ledger.database.engine import transaction
    from baton.pipeline.going_live import release as batches

    with ledger_context() as desk:
        if batch is None:
            with transaction(desk.engine) as conn:
                _list(batches.question(conn), as_json=as_json)
            return
        with transaction(desk.engine) as conn:
            found = batches.question_of(conn, batch)
        if found is None:
            raise SettingsError(f"there is no batch {batch}: see baton release")
        given = batches.KEEP if keep else batches.RELEASE
        _figures(found)
        if dry_run:
            out().print(f"would {given} it (dry run)")
            return
        answer = batches.Answer(
            batch_id=batch, given=given, by=by or whoever_calls(), reason=reason
        )
        with transaction(desk.engine) as conn:
            batches.answer(conn, answer, at=desk.clock.now())
        report = batches.carry_out(desk).counts()
    done = ", ".join(f"{name} {many}" for name, many in report.items()) or "nothing was left in it"
    out().print(f"batch {batch}: {done}")


def _list(waiting: Sequence[Question], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in waiting], indent=2))
        return
    if not waiting:
        out().print("nothing is held by the limits")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("batch", "held since", "what", "without an answer"):
        table.add_column(column)
    for one in waiting:
        ending = f"{one.batch.unanswered} at {one.batch.deadline:%Y-%m-%d %H:%M} UTC"
        since = f"{one.batch.opened_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(*plain(str(one.batch.id), since, "; ".join(one.lines), ending))
    out().print(table)
    out().print("Answer: baton release --batch N [--keep] --dry-run")


def _figures(one: Question) -> None:
    out().print(one.subject)
    for line in one.lines:
        out().print(f"  {line}", markup=False)


def _plain(one: Question) -> dict[str, object]:
    return {
        "batch": one.batch.id,
        "held_since": one.batch.opened_at.isoformat(),
        "deadline": one.batch.deadline.isoformat(),
        "unanswered": one.batch.unanswered,
        "asked_at": one.batch.asked_at.isoformat() if one.batch.asked_at else None,
        "by_kind": dict(one.figures.by_kind),
        "by_band": dict(one.figures.by_band),
        "by_owner": dict(one.figures.by_owner),
    }
