"""``baton demo`` and ``baton down``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Stop everything at the end; exit with 1 if a lead is lost, doubled or late.",
        ),
    ] = False,
    leads: Annotated[
        Path | None, typer.Option("--leads", help="A CSV export to play instead of the market.")
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="How its columns become HubSpot properties (default: by its headers)."),
    ] = None,
    overlay: Annotated[
        Path | None, typer.Option(help="With --leads: an overlay of the policy for that export.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="Days of history to play.")] = 90,
    live_leads: Annotated[
        int, typer.Option(min=1, max=200, help="Live handoffs to show before the summary.")
    ] = 8,
    seed: Annotated[int, typer.Option(help="Seed of the simulated market.")] = 7,
) -> None:
    """Play the whole relay on this machine: Postgres, CRM sandbox, Airflow, history, live leads.

    Everything is left running: stop it with `baton down`.

    Examples: `baton demo`, `baton demo --once`, `baton demo --leads export.csv`
    """
    from baton.demo.conduct import conduct
    from baton.demo.options import DemoOptions

    raise typer.Exit(
        conduct(
            DemoOptions(
                once=once,
                leads=leads,
                mapping=mapping,
                overlay=overlay,
                days=days,
                live_leads=live_leads,
                seed=seed,
            )
        )
    )


def down() -> None:
    """Stop everything that `baton demo` left running, and say what that was."""
    from baton.demo.conduct import stop_demo

    raise typer.Exit(stop_demo())
