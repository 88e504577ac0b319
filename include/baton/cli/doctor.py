"""``baton doctor``: what is misconfigured, and the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from baton.cli.shell import FAILED, out

if TYPE_CHECKING:
    from baton.cli.diagnosis import Finding


def doctor() -> None:
    """Check every connection, the ledger, the policy, the roster and the fields in the CRMs.

    One line each, red with the mend where something is wrong. Exits with 1 if anything is. Yellow is
    what came up in writing and may have been mended since: it leaves the exit code as it is.
    """
    from baton.cli.diagnosis import diagnose
    from baton.cli.installation import environment

    wrong = warnings = 0
    for finding in diagnose(environment()):
        mark, style = _look(finding)
        out().print(f"{mark} {finding.subject:<12}", end="")
        out().print(finding.words, markup=False, style=style)
        if finding.mend:
            out().print(f"  → {finding.mend}", markup=False)
        wrong += not finding.ok
        warnings += finding.warning
    if wrong:
        out().print(f"{wrong} to mend", style="red")
        raise typer.Exit(FAILED)
    if warnings:
        out().print(f"nothing is known to be wrong; {warnings} to look at", style="yellow")
    else:
        out().print("all is well", style="green")


def _look(finding: Finding) -> tuple[str, str | None]:
    if finding.warning:
        return "[yellow]![/]", "yellow"
    return ("[green]✔[/]", None) if finding.ok else ("[red]✘[/]", "red")
