"""The ``baton`` command. Each subject has a module of its own; heavy imports wait for their use."""

from __future__ import annotations

from typing import Annotated

import typer

from baton import cli_db, cli_demo, cli_doctor, cli_operations, cli_policy, cli_roster, cli_setup
from baton.cli_shell import CarefulGroup

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

app.command(rich_help_panel=_TRY)(cli_demo.demo)
app.command(rich_help_panel=_TRY)(cli_demo.down)
app.add_typer(cli_policy.app, name="policy", rich_help_panel=_AGREE)
app.add_typer(cli_roster.app, name="roster", rich_help_panel=_AGREE)
app.add_typer(cli_db.app, name="db", rich_help_panel=_SERVE)
app.add_typer(cli_setup.app, name="setup", rich_help_panel=_SERVE)
app.command(rich_help_panel=_SERVE)(cli_doctor.doctor)
app.command(rich_help_panel=_SERVE)(cli_operations.run)
app.command(rich_help_panel=_SERVE)(cli_operations.status)
app.command(rich_help_panel=_SERVE, name="stop-effects")(cli_operations.stop_effects)
app.command(rich_help_panel=_SERVE, name="resume-effects")(cli_operations.resume_effects)


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


if __name__ == "__main__":
    app()
