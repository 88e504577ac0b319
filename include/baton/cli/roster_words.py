"""What the commands of ``baton roster`` share: their options, and how they say what they did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.installation import ledger
from baton.cli.shell import out, whoever_calls

if TYPE_CHECKING:
    from baton.pipeline.versions.roster_versions import RosterEdited
    from baton.policy.roster import Roster

__all__ = ["By", "DryRun", "Email", "Note", "PoolName", "change", "tell"]

Email = Annotated[str, typer.Argument(help="The person's e-mail on the roster.")]
PoolName = Annotated[str, typer.Argument(help="The pool's name.")]
By = Annotated[str | None, typer.Option("--by", help="Who changes it (default: your login name).")]
Note = Annotated[str | None, typer.Option("--note", help="A remark for the history.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")]


def change(
    edit: Callable[[Roster], Roster], *, what: str, by: str | None, note: str | None, dry_run: bool
) -> RosterEdited:
    """Apply one edit to the roster in the ledger and say what it changed.

    `what` names the edit in the history, unless a person gives a `note`. Raises SettingsError,
    PolicyErrors, StaleRosterError.
    """
    from baton.clock import SystemClock
    from baton.pipeline.versions.roster_versions import change_roster

    with ledger() as conn:
        edited = change_roster(
            conn,
            edit,
            by=by or whoever_calls(),
            at=SystemClock().now(),
            note=f"{what}: {note}" if note else what,
            dry_run=dry_run,
        )
    tell(edited, dry_run=dry_run)
    return edited


def tell(edited: RosterEdited, *, dry_run: bool) -> None:
    """Print what an edit changed or would change, and what a person should know of it."""
    if not edited.changes:
        out().print("it is so already: nothing to change")
        return
    for one in edited.changes:
        out().print(f"  {one.text}", markup=False)
    for pool in edited.emptied:
        text = f"careful: nobody draws leads in the pool '{pool}' any more; they go the way of"
        out().print(f"{text} its rule's if_nobody", markup=False, style="yellow")
    now = "is the roster now; take it back with: baton roster rollback"
    ending = "would be the roster (dry run)" if dry_run else now
    out().print(f"{edited.after.hash[:12]} {ending}")
