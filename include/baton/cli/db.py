"""``baton db``: the embedded PostgreSQL server, and the ledger's tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.shell import CarefulGroup

if TYPE_CHECKING:
    from baton.ledger.database.embedded import EmbeddedServer

NOT_RUNNING = 3

app = typer.Typer(
    name="db",
    cls=CarefulGroup,
    help="The embedded PostgreSQL server, and the ledger's tables.",
    no_args_is_help=True,
)

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where the embedded server keeps its data (default: $BATON_DATA_DIR, else "
        "$BATON_HOME/ledger, else the user's data directory; while a demo runs, the demo's).",
    ),
]


@app.command()
def start(data_dir: DataDir = None) -> None:
    """Start the embedded server, create the databases and bring the ledger's tables up to date.

    Example: `export BATON_DATABASE_URL="$(baton db url)"` afterwards.
    """
    from baton.ledger.database import embedded, migrate

    server = embedded.start(data_dir)
    revision = migrate.upgrade(server.address.ledger())
    _show(server)
    typer.echo(f"ledger's tables: revision {revision}")


@app.command()
def stop(data_dir: DataDir = None) -> None:
    """Stop the embedded server. Its data stay."""
    from baton.ledger.database import embedded

    stopped = embedded.stop(data_dir)
    typer.echo("stopped" if stopped else "no embedded server is running")


@app.command()
def status(data_dir: DataDir = None) -> None:
    """Say whether the embedded server is running, and where. Exits with 3 if it is not."""
    server = _find(data_dir)
    if server is None:
        typer.echo("no embedded server is running: start it with 'baton db start'")
        raise typer.Exit(NOT_RUNNING)
    _show(server)


@app.command(name="migrate")
def migrate_ledger(
    url: Annotated[
        str | None,
        typer.Option(
            envvar="BATON_DATABASE_URL",
            help="The ledger's database (default: the embedded server's).",
            show_envvar=True,
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Bring the ledger's tables to those of this version of Baton."""
    from baton.ledger.database import migrate

    revision = migrate.upgrade(url or _running(data_dir).address.ledger())
    typer.echo(f"ledger's tables: revision {revision}")


@app.command()
def url(
    airflow: Annotated[bool, typer.Option("--airflow", help="Airflow's database.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Print the URL of the embedded server's ledger, or of Airflow's database."""
    address = _running(data_dir).address
    typer.echo(address.airflow() if airflow else address.ledger())


def _find(data_dir: Path | None) -> EmbeddedServer | None:
    """Return the server of `data_dir`; without one, the default server, then the demo's."""
    from baton.ledger.database import embedded

    server = embedded.status(data_dir)
    if server is None and data_dir is None:
        from baton.demo.environment import state_home
        from baton.errors import SettingsError

        try:
            return embedded.status(state_home().postgres)
        except SettingsError:
            return None  # not installed from a clone: there is no demo
    return server


def _running(data_dir: Path | None) -> EmbeddedServer:
    from baton.errors import LedgerUnavailableError

    server = _find(data_dir)
    if server is None:
        raise LedgerUnavailableError(
            "no embedded server is running: start it with 'baton db start'"
        )
    return server


def _show(server: EmbeddedServer) -> None:
    typer.echo(f"PostgreSQL is running (process {server.pid}), data in {server.data_dir}")
    typer.echo(f"BATON_DATABASE_URL={server.address.ledger()}")
