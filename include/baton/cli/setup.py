"""``baton setup``: create in the CRM systems what Baton needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.installation import environment, ledger
from baton.cli.shell import FAILED, CarefulGroup, out

if TYPE_CHECKING:
    from baton.policy.models import Policy

app = typer.Typer(
    name="setup",
    cls=CarefulGroup,
    help="Create in HubSpot what is needed; check Salesforce. Idempotent.",
    no_args_is_help=True,
)

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be created, create nothing.")
]


@app.command()
def hubspot(dry_run: DryRun = False) -> None:
    """Create the property group, properties and lists that the policy needs in HubSpot.

    What exists is never changed. Exits with 1 when a property differs from what is needed, or
    when one that the policy reads does not exist.
    """
    from baton.connections import HubSpotConnection
    from baton.crm.hubspot import HubSpotGateway
    from baton.crm.limits import UnlimitedRate
    from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot

    plan = hubspot_plan(_policy())
    gateway = HubSpotGateway(HubSpotConnection.from_environment(environment()), UnlimitedRate())
    report = setup_hubspot(gateway, plan, dry_run=dry_run)
    verb = "would create" if dry_run else "created"
    for what in report.created:
        out().print(f"{verb} {what}", markup=False)
    out().print(f"{len(report.present)} were there already")
    for what in report.differing:
        out().print(f"differs: {what}", style="red", markup=False)
    for what in report.missing:
        out().print(f"the policy reads a {what} that does not exist", style="red", markup=False)
    if report.differing or report.missing:
        raise typer.Exit(FAILED)


@app.command()
def salesforce(dry_run: DryRun = False) -> None:
    """Check the custom fields in Salesforce. They come by deploying include/salesforce.

    Nothing is written, with or without --dry-run. Exits with 1 when a field does not serve.
    """
    from baton.connections import SalesforceConnection
    from baton.crm.limits import UnlimitedRate
    from baton.crm.salesforce import SalesforceGateway
    from baton.pipeline.delivery.setup import check_salesforce, required_fields

    required = required_fields(_policy())
    connection = SalesforceConnection.from_environment(environment())
    missing = check_salesforce(SalesforceGateway(connection, UnlimitedRate()), required)
    for one in missing:
        out().print(str(one), style="red", markup=False)
    if missing:
        raise typer.Exit(FAILED)
    out().print(f"all {len(required)} fields are there and serve")


def _policy() -> Policy:
    """Return the current policy; before there is one, the policy on disk."""
    from baton.cli.installation import settings
    from baton.ledger.agreements import policies
    from baton.policy.bundle import read_bundle
    from baton.policy.loader import parse_policy

    with ledger() as conn:
        bundle = policies.current(conn)
    if bundle is None:
        chosen = settings()
        bundle = read_bundle(chosen.policy_dir, chosen.policy_overlay)
    return parse_policy(bundle)
