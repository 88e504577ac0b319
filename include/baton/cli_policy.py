"""``baton policy``: check the agreement, make it the current one, show what is current."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from baton.cli_installation import ledger
from baton.cli_shell import FAILED, CarefulGroup, out, whoever_calls

if TYPE_CHECKING:
    from baton.policy.findings import Finding
    from baton.policy.models import Policy
    from baton.policy.score_models import Band
    from baton.policy.yaml_source import Place

app = typer.Typer(
    name="policy",
    cls=CarefulGroup,
    help="The agreement between marketing and sales: check it, activate it, show it.",
    no_args_is_help=True,
)

Directory = Annotated[Path, typer.Argument(help="The policy's directory, say include/policy.")]
Overlay = Annotated[
    Path | None,
    typer.Option("--overlay", help="A YAML file whose values replace those of the policy."),
]


@app.command()
def check(directory: Directory, overlay: Overlay = None) -> None:
    """Read a policy and list everything that is wrong with it, with file and line.

    Exits with 2 when the policy cannot be used; warnings alone exit with 0.

    Example: `baton policy check include/policy --overlay include/policy/overlays/demo.yaml`
    """
    from baton.policy.bundle import read_bundle
    from baton.policy.findings import Level
    from baton.policy.loader import check_policy, parse_policy

    bundle = read_bundle(directory, overlay)
    policy, findings = check_policy(bundle)
    _show_findings([one for one in findings if one[0].level is not Level.ERROR])
    parse_policy(bundle)  # refuses what the linter calls an error
    _show_policy(policy)


@app.command()
def activate(
    directory: Directory,
    overlay: Overlay = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and say what would change, change nothing.")
    ] = False,
    by: Annotated[
        str | None, typer.Option("--by", help="Who activates it (default: your login name).")
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(
            help="Hash of the policy this one was made from; refused if no longer current."
        ),
    ] = None,
) -> None:
    """Make a policy the current one. Handoffs that are open keep the terms they were born with.

    Example: `baton policy activate include/policy --by revops@example.com`
    """
    from baton.clock import SystemClock
    from baton.ledger import policies
    from baton.pipeline.agreements import activate_policy
    from baton.policy.bundle import read_bundle
    from baton.policy.loader import parse_policy

    bundle = read_bundle(directory, overlay)
    policy = parse_policy(bundle)
    with ledger() as conn:
        before = policies.current_hash(conn)
        if before == bundle.hash:
            out().print(f"policy {bundle.hash[:12]} is current already: nothing to do")
            return
        was = before[:12] if before else "none"
        if dry_run:
            out().print(f"would replace policy {was} by {bundle.hash[:12]} (dry run)")
            _show_policy(policy)
            return
        named = _full_hash(parent, before) if parent else before
        activate_policy(
            conn, bundle, by=by or whoever_calls(), at=SystemClock().now(), parent=named
        )
    out().print(f"policy {bundle.hash[:12]} is current now (before: {was})")


@app.command()
def show() -> None:
    """Show which policy is current, who activated it, and what it holds."""
    from baton.ledger import policies
    from baton.policy.loader import parse_policy

    with ledger() as conn:
        bundle = policies.current(conn)
        history = policies.activations(conn, limit=5)
    if bundle is None:
        out().print("no policy is active: run 'baton policy activate include/policy'")
        raise typer.Exit(FAILED)
    _show_policy(parse_policy(bundle))
    for one in history:
        out().print(f"  activated {one.at:%Y-%m-%d %H:%M} UTC by {one.by_whom}: {one.hash[:12]}")


def _full_hash(given: str, current: str | None) -> str:
    """Return the current hash when `given` is the beginning of it, else `given` as it is."""
    return current if current and len(given) >= 8 and current.startswith(given) else given


def _show_findings(findings: Sequence[tuple[Finding, Place | None]]) -> None:
    for finding, place in findings:
        where = f"{place.file}:{place.line}: " if place else ""
        out().print(f"{where}{finding.level.value}: {finding.message}", markup=False)
        if finding.hint:
            out().print(f"    {finding.hint}", markup=False)


def _show_policy(policy: Policy) -> None:
    out().print(f"{policy.name} · {policy.hash[:12]}", style="bold", markup=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    bands = ", ".join(_band(band) for band in policy.bands_high_to_low)
    table.add_row("bands", bands)
    table.add_row("triggers", ", ".join(one.label for one in policy.triggers_strongest_first))
    table.add_row("score", f"{len(policy.score)} rules")
    table.add_row("routes", f"{len(policy.route)} rules, {len(policy.pools)} pools")
    table.add_row("reason codes", f"{len(policy.dispositions)}")
    table.add_row("response clocks", ", ".join(policy.sla))
    out().print(table)


def _band(band: Band) -> str:
    if band.above is not None:
        return f"{band.name} above {band.above}"
    return f"{band.name} from {band.from_}" if band.from_ is not None else f"{band.name} below"
