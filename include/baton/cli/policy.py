"""``baton policy``: check the agreement, make it the current one, show what is current."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from baton.cli.installation import ledger
from baton.cli.policy_words import show_changes, show_results
from baton.cli.shell import FAILED, CarefulGroup, out, plain, whoever_calls

if TYPE_CHECKING:
    from sqlalchemy import Connection

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
def check(
    directory: Directory,
    overlay: Overlay = None,
    roster: Annotated[
        Path | None,
        typer.Option("--roster", help="Check it with this roster too (default: DIR/roster.yaml)."),
    ] = None,
) -> None:
    """Read a policy and list everything that is wrong with it, with file and line.

    Exits with 2 when the policy cannot be used; warnings and notes alone exit with 0.

    Example: `baton policy check include/policy --overlay include/policy/overlays/demo.yaml`
    """
    from baton.policy.bundle import ROSTER_FILE, read_bundle
    from baton.policy.findings import Level
    from baton.policy.loader import check_policy, read_roster, refuse_errors

    bundle = read_bundle(directory, overlay)
    beside = directory / ROSTER_FILE
    file = roster or (beside if beside.is_file() else None)
    people = read_roster(file) if file else None
    policy, findings = check_policy(bundle, people)
    _show_findings([one for one in findings if one[0].level is not Level.ERROR])
    refuse_errors(bundle, people)  # what the linter calls an error
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
    although_cases_fail: Annotated[
        bool, typer.Option("--although-cases-fail", help="Activate it even if its cases fail.")
    ] = False,
    why: Annotated[str | None, typer.Option("--why", help="Why, for the record.")] = None,
) -> None:
    """Make a policy the current one. Handoffs that are open keep the terms they were born with.

    Runs the policy's cases first and shows in words what changes; a case that fails refuses it.

    Example: `baton policy activate include/policy --by revops@example.com`
    """
    from baton.clock import SystemClock
    from baton.errors import ConfigurationError
    from baton.ledger.agreements import policies
    from baton.pipeline.versions.agreements import activate_policy, refuse_misfits
    from baton.pipeline.versions.policy_versions import changes_from_current
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
        named = _full_hash(parent, before) if parent else before
        if named != before:
            raise ConfigurationError(
                f"the current policy is {was}, not {parent}: somebody has activated another "
                "since; look at 'baton policy diff active DIR' and activate again"
            )
        _run_cases(conn, directory, overlay, policy, anyway=although_cases_fail)
        if before is not None:
            out().print(f"from {was} to {bundle.hash[:12]}, which changes:")
            show_changes(changes_from_current(conn, policy))
        if dry_run:
            refuse_misfits(conn, bundle)
            out().print(f"would replace policy {was} by {bundle.hash[:12]} (dry run)")
            _show_policy(policy)
            return
        activate_policy(
            conn,
            bundle,
            by=by or whoever_calls(),
            at=SystemClock().now(),
            parent=named,
            note=why,
        )
    out().print(f"policy {bundle.hash[:12]} is current now (before: {was})")


@app.command()
def show() -> None:
    """Show which policy is current, who activated it, and what it holds."""
    from baton.ledger.agreements import policies
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


def _run_cases(
    conn: Connection, directory: Path, overlay: Path | None, policy: Policy, *, anyway: bool
) -> None:
    """Run the policy's cases with the roster beside it, else with the current one."""
    from baton.errors import ConfigurationError
    from baton.pipeline.versions.agreements import current_roster
    from baton.pipeline.versions.case_run import run_cases
    from baton.pipeline.versions.policy_cases import case_files, read_cases
    from baton.policy.bundle import ROSTER_FILE
    from baton.policy.loader import read_roster

    files = case_files(directory, overlay)
    if not files:
        out().print("it has no cases of its own: nothing is tested")
        return
    beside = directory / ROSTER_FILE
    roster = read_roster(beside) if beside.is_file() else current_roster(conn)
    if not show_results(run_cases(read_cases(files, policy), policy, roster)) and not anyway:
        raise ConfigurationError(
            "the policy does not do what its cases ask, so the current one stays; "
            "mend the policy or the cases, or say --although-cases-fail"
        )


def _full_hash(given: str, current: str | None) -> str:
    """Return the current hash when `given` is the beginning of it, else `given` as it is."""
    return current if current and len(given) >= 4 and current.startswith(given) else given


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
    table.add_row(*plain("bands", bands))
    triggers = ", ".join(one.label for one in policy.triggers_strongest_first)
    table.add_row(*plain("triggers", triggers))
    table.add_row("score", f"{len(policy.score)} rules")
    table.add_row("routes", f"{len(policy.route)} rules, {len(policy.pools)} pools")
    table.add_row("reason codes", f"{len(policy.dispositions)}")
    table.add_row(*plain("response clocks", ", ".join(policy.sla)))
    out().print(table)


def _band(band: Band) -> str:
    if band.above is not None:
        return f"{band.name} above {band.above}"
    return f"{band.name} from {band.from_}" if band.from_ is not None else f"{band.name} below"
