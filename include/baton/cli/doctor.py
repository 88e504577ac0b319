"""``baton doctor``: what is misconfigured, and the mend."""

from __future__ import annotations

import typer

from baton.cli.shell import FAILED, out


def doctor() -> None:
    """Check every connection, the ledger, the policy, the roster and the fields in the CRMs.

    One line each, red with the mend where something is wrong. Exits with 1 if anything is.
    """
    from baton.cli.diagnosis import diagnose
    from baton.cli.installation import environment

    wrong = 0
    for finding in diagnose(environment()):
        mark = "[green]✔[/]" if finding.ok else "[red]✘[/]"
        out().print(f"{mark} {finding.subject:<12}", end="")
        out().print(finding.words, markup=False, style=None if finding.ok else "red")
        if finding.mend:
            out().print(f"  → {finding.mend}", markup=False)
        wrong += not finding.ok
    if wrong:
        out().print(f"{wrong} to mend", style="red")
        raise typer.Exit(FAILED)
    out().print("all is well", style="green")
