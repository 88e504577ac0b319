"""``baton policy history`` and ``rollback``: the versions there were, and the way back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.installation import ledger
from baton.cli.policy_words import show_changes
from baton.cli.shell import out, whoever_calls

if TYPE_CHECKING:
    from baton.pipeline.versions.policy_versions import VersionLine

_MOST_CHANGES = 5


def rollback(
    to: Annotated[
        str | None,
        typer.Option("--to", help="Beginning of the hash of the version to go back to."),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Who goes back (default: your login name).")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="Why, for the record.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, change nothing.")
    ] = False,
) -> None:
    """Go back to the version that was active before, in one step.

    Open handoffs keep the terms they were born with. A version that cannot be used any more is
    refused, and the current one stays.

    Example: `baton policy rollback --why "too many hot leads"`
    """
    from baton.clock import SystemClock
    from baton.pipeline.versions.policy_versions import plan_rollback, roll_back

    with ledger() as conn:
        plan = plan_rollback(conn, to)
        out().print(f"from {plan.current[:12]} back to {plan.target[:12]}, which changes:")
        show_changes(plan.changes)
        if dry_run:
            out().print("(dry run: nothing has changed)")
            return
        roll_back(conn, plan, by=by or whoever_calls(), at=SystemClock().now(), note=why)
    out().print(f"policy {plan.target[:12]} is current again (before: {plan.current[:12]})")


def history(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 10,
    full: Annotated[bool, typer.Option("--full", help="Every change, not the first few.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine to read.")] = False,
) -> None:
    """List the versions that were active: when, by whom, and what each changed, in words.

    Example: `baton policy history --limit 3 --full`
    """
    from baton.pipeline.versions.policy_versions import history as versions

    with ledger() as conn:
        found = versions(conn, limit=limit)
    if as_json:
        lines = [_as_json(line) for line in found]
        typer.echo(json.dumps(lines, indent=2, ensure_ascii=False))
        return
    if not found:
        out().print("no policy was ever active: run 'baton policy activate include/policy'")
    for number, line in enumerate(found):
        _show(line, current=number == 0, full=full)


def _show(line: VersionLine, *, current: bool, full: bool) -> None:
    one = line.activation
    did = "rolled back" if one.kind == "rollback" else "activated"
    mark = " (current)" if current else ""
    name = f" {line.name}" if line.name else ""
    text = f"{one.hash[:12]}{name}: {did} {one.at:%Y-%m-%d %H:%M} UTC by {one.by_whom}{mark}"
    out().print(text, style="bold" if current else None, markup=False)
    if one.note:
        out().print(f"  {one.note}", markup=False)
    if line.first:
        out().print("  the first version")
    else:
        show_changes(line.changes, most=None if full else _MOST_CHANGES)


def _as_json(line: VersionLine) -> dict[str, object]:
    one = line.activation
    return {
        "hash": one.hash,
        "parent": one.parent_hash,
        "name": line.name,
        "kind": str(one.kind),
        "by": one.by_whom,
        "at": one.at.isoformat(),
        "note": one.note,
        "changes": None if line.changes is None else [part.to_json() for part in line.changes],
    }
