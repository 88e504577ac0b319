"""``baton backfill``: history and large imports, read apart from the hot lane."""

from __future__ import annotations

from typing import Annotated

import typer

from baton.cli.installation import pipeline_context
from baton.cli.shell import err, out

_A_PAGE = 100


def backfill(
    since: Annotated[
        str | None, typer.Option(help="Only contacts changed since this date, like 2026-01-31.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every contact there is.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how much would be read, change nothing.")
    ] = False,
) -> None:
    """Read and judge contacts by HubSpot's list endpoint, telling nobody of single leads.

    One that was begun and did not end goes on. What is judged goes out with the next delivery, and
    what goes beyond the limits of one run waits for a person: see `baton release`.

    Examples: `baton backfill --all --dry-run`, `baton backfill --since 2026-01-31`
    """
    from baton.errors import SettingsError
    from baton.ledger.database.engine import transaction
    from baton.pipeline.going_live import backfill as reading
    from baton.pipeline.report import StepReport

    if everything == (since is not None):
        raise SettingsError("say how much: --since DATE, or --all")
    with pipeline_context() as ctx:
        with transaction(ctx.engine) as conn:
            left = reading.parts_left(conn)
        if left:
            names = ", ".join(one.name for one in left)
            err().print(f"one was begun and goes on: {names}", style="yellow")
        if dry_run:
            found = reading.size(ctx)
            calls = -(-found.contacts // _A_PAGE)
            out().print(
                f"HubSpot has {found.contacts} contacts: {calls} calls to read them; those that "
                "the ledger knows as they are cost nothing more (dry run)"
            )
            return
        report = StepReport()
        for part in reading.plan_parts(ctx, since):
            done = reading.read_to_the_end(ctx, part)
            shown = ", ".join(f"{name} {many}" for name, many in done.counts().items())
            out().print(f"{part}: {shown or 'nothing new'}")
            report.update(done)
        report.update(reading.announce(ctx))
    total = ", ".join(f"{name} {many}" for name, many in report.counts().items())
    out().print(f"in all: {total or 'nothing new'}")
