"""``baton duplicates``: contacts that may be one person, for somebody to merge in HubSpot."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from baton.cli.installation import ledger
from baton.cli.shell import out

if TYPE_CHECKING:
    from baton.ledger.leads.duplicates import DuplicateRow


def duplicates(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a pair.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many pairs.")] = 200,
) -> None:
    """List contacts that may be the same person, surest first. Baton never merges them itself.

    Merge the two in HubSpot if they are: Baton follows by itself. Names and addresses are not
    shown: open the contacts in HubSpot.

    Examples: `baton duplicates`, `baton duplicates --json --limit 1000`
    """
    from baton.ledger.leads import duplicates as links

    with ledger() as conn:
        rows, total = links.listed(conn, limit=limit), links.count(conn)
    if as_json:
        typer.echo(json.dumps({"pairs": total, "links": [_plain(row) for row in rows]}, indent=2))
        return
    if not rows:
        out().print("no contacts look like the same person")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("contact", "state", "contact", "state", "why", "sure", "found"):
        table.add_column(column)
    for row in rows:
        table.add_row(*_cells(row))
    out().print(table)
    if total > len(rows):
        out().print(f"{total} pairs in all; show more with --limit")
    out().print("Merge two that are one person in HubSpot: Baton follows.")


def _plain(row: DuplicateRow) -> dict[str, object]:
    return {**asdict(row), "found_at": row.found_at.isoformat()}


def _cells(row: DuplicateRow) -> tuple[str, ...]:
    from baton.leads.identity import Sign

    return (
        row.hubspot_id,
        row.state.replace("_", " "),
        row.other_hubspot_id,
        row.other_state.replace("_", " "),
        Sign(row.sign).words,
        f"{row.confidence} %",
        f"{row.found_at:%Y-%m-%d}",
    )
