"""The ``baton`` command. Each subject has a module of its own; heavy imports wait for their use."""

from __future__ import annotations

from typing import Annotated

import typer

from baton.cli import (
    agreement,
    backfill,
    db,
    decide,
    demo,
    doctor,
    explain,
    leads,
    mode,
    operations,
    policy,
    policy_schema,
    policy_versions,
    reconcile,
    release,
    roster,
    setup,
    whatif,
)
from baton.cli.shell import CarefulGroup

__all__ = ["app"]

app = typer.Typer(
    name="baton",
    cls=CarefulGroup,
    no_args_is_help=True,
    add_completion=False,
    # Local variables may hold personal data and secrets: they never belong on a screen.
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Carries a lead from marketing to sales and brings the outcome back.\n\n"
    "The ledger is named by BATON_DATABASE_URL; without it, commands join the running demo.",
    epilog="Try `baton demo`, or `baton doctor` on an installation of your own.",
)

_SERVE = "Run"
_AGREE = "Agree"
_TRY = "Try"
_DECIDE = "Decide"

app.command(rich_help_panel=_TRY)(demo.demo)
app.command(rich_help_panel=_TRY)(demo.down)
policy.app.command("test")(agreement.run_cases)
policy.app.command()(agreement.document)
policy.app.command()(agreement.diff)
policy.app.command()(policy_schema.schema)
policy.app.command()(policy_versions.history)
policy.app.command()(policy_versions.rollback)
app.add_typer(policy.app, name="policy", rich_help_panel=_AGREE)
app.add_typer(roster.app, name="roster", rich_help_panel=_AGREE)
app.add_typer(db.app, name="db", rich_help_panel=_SERVE)
app.add_typer(mode.app, name="mode", rich_help_panel=_SERVE)
app.add_typer(setup.app, name="setup", rich_help_panel=_SERVE)
app.command(rich_help_panel=_SERVE)(doctor.doctor)
app.command(rich_help_panel=_SERVE)(reconcile.reconcile)
app.command(rich_help_panel=_SERVE)(leads.duplicates)
app.command(rich_help_panel=_DECIDE)(decide.decide)
app.command(rich_help_panel=_DECIDE)(whatif.whatif)
app.command(rich_help_panel=_AGREE)(explain.explain)
app.command(rich_help_panel=_AGREE)(explain.replay)
app.command(rich_help_panel=_SERVE)(mode.adopt)
app.command(rich_help_panel=_SERVE)(mode.compare)
app.command(rich_help_panel=_SERVE)(release.release)
app.command(rich_help_panel=_SERVE)(backfill.backfill)
app.command(rich_help_panel=_SERVE)(operations.run)
app.command(rich_help_panel=_SERVE)(operations.status)
app.command(rich_help_panel=_SERVE, name="stop-effects")(operations.stop_effects)
app.command(rich_help_panel=_SERVE, name="resume-effects")(operations.resume_effects)


def _version(wanted: bool) -> None:
    if wanted:
        from baton import __version__

        typer.echo(f"baton {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass
