"""``baton reconcile``: where HubSpot, the ledger and Salesforce disagree, why, and the repair."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baton.cli.installation import pipeline_context
from baton.cli.shell import FAILED, MISCONFIGURED, err, out

if TYPE_CHECKING:
    from baton.ledger.proofs.reconciliation import Found
    from baton.pipeline.context import Context
    from baton.pipeline.reconciling.reconcile import Comparison

_SHOWN = 20
"""Of each kind, unless --all asks for more; the count goes on."""


def reconcile(
    lead: Annotated[
        list[str] | None,
        typer.Argument(
            help="Look at these leads alone: HubSpot id, Salesforce id, handoff key or e-mail.",
            show_default=False,
        ),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what is safe to mend; list the rest.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --repair: say what would be mended, do nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON, for a script.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help=f"List every difference, not {_SHOWN} of each kind.")
    ] = False,
) -> None:
    """Compare HubSpot, the ledger and Salesforce; say each difference, its cause and its repair.

    Every lead must be in exactly one state, and the three systems must agree about it. Only reads,
    unless --repair is given. Repairs go out through the outbox with the next delivery; what a
    person changed in a CRM is kept, never flipped back. The same comparison runs every night.

    Exits with 0 when all agree (or was mended), with 1 when something is left to a person, with 2
    when a connection or setting is wrong.

    Examples: `baton reconcile`, `baton reconcile --repair --dry-run`, `baton reconcile 88120554417`
    """
    if dry_run and not repair:
        said = "baton: --dry-run belongs to --repair; without --repair nothing is changed anyway"
        err().print(said, style="red")
        raise typer.Exit(MISCONFIGURED)
    with pipeline_context() as ctx:
        done = _compare(ctx, lead or (), mending=repair and not dry_run)
    if as_json:
        typer.echo(json.dumps(_as_json(done), indent=2))
    else:
        _print(done, planned=repair and dry_run, most=None if everything else _SHOWN)
    if done.left or (done.ledger is not None and not done.ledger.ok):
        raise typer.Exit(FAILED)


def _compare(ctx: Context, wanted: list[str] | tuple[str, ...], *, mending: bool) -> Comparison:
    from baton.ledger.database.engine import transaction
    from baton.pipeline.intake.lead_lookup import find_lead
    from baton.pipeline.reconciling.differences import READING, WRITING
    from baton.pipeline.reconciling.reconcile import reconcile as compare
    from baton.pipeline.reconciling.reconcile import reconcile_leads

    repairs = READING | WRITING if mending else frozenset()
    if wanted:
        with transaction(ctx.engine) as conn:
            ids = [find_lead(conn, one).lead_id for one in wanted]
        return reconcile_leads(ctx, ids, repairs=repairs)
    with err().status("comparing with HubSpot and Salesforce …") as status:
        return compare(ctx, repairs=repairs, progress=lambda said: status.update(f"{said} …"))


def _print(done: Comparison, *, planned: bool, most: int | None) -> None:
    from baton.ledger.proofs.reconciliation import KEPT
    from baton.pipeline.reconciling.differences import KINDS, Repair, in_words

    out().print(f"{done.contacts} contacts and {done.handoffs} open handoffs compared")
    by_code: dict[str, list[Found]] = {}
    for one in done.found:
        by_code.setdefault(one.code, []).append(one)
    for code, ones in by_code.items():
        kind = KINDS[code]
        kept = code in KEPT
        colour = "yellow" if kept else "red"
        number = done.counts[code]
        out().print(f"{number} × {kind.cause}", style=colour, markup=False)
        for each in ones[:most]:
            out().print(f"    {in_words(each)}", markup=False)
        shown = min(len(ones), most or len(ones))
        if number > shown:
            where = "--all" if shown < len(ones) else "in the ledger's table difference"
            out().print(f"    and {number - shown} more ({where})")
        safe = kind.repair is not Repair.NONE
        if kind.repair in done.repairs:
            said = f"done: {kind.mend}"
        elif planned and safe:
            said = f"--repair would: {kind.mend}"
        else:
            said = f"{kind.mend} (safe: --repair)" if safe and not kept else kind.mend
        out().print(f"  → {said}", markup=False)
    _print_ledger(done)
    if not done.found:
        out().print("HubSpot, ledger and Salesforce agree", style="green")
    elif not done.left:
        out().print("nothing is left to a person", style="green")
    else:
        out().print(f"{done.left} left to mend", style="red")


def _print_ledger(done: Comparison) -> None:
    if done.ledger is None:
        return
    for one in done.ledger.findings:
        said = f"ledger: {one.subject} {one.subject_id}: {one.cause}"
        out().print(said, style="red", markup=False)
        out().print(f"  → {one.repair}", markup=False)
    if done.ledger.ok:
        total = sum(done.ledger.leads.values())
        out().print(f"each of {total} leads is in exactly one state", style="green")


def _as_json(done: Comparison) -> dict[str, Any]:
    from baton.ledger.proofs.reconciliation import KEPT
    from baton.pipeline.reconciling.differences import KINDS

    ledger = done.ledger
    return {
        "compared": {"contacts": done.contacts, "handoffs": done.handoffs},
        "agree": not done.left and (ledger is None or ledger.ok),
        "leads": dict(ledger.leads) if ledger else None,
        "ledger": [
            {
                "code": one.code,
                "severity": one.severity.value,
                "subject": f"{one.subject} {one.subject_id}",
                "cause": one.cause,
                "repair": one.repair,
            }
            for one in (ledger.findings if ledger else ())
        ],
        "counts": dict(done.counts),
        "differences": [
            {
                "code": one.code,
                "lead": one.lead_id,
                "handoff": one.handoff_id,
                "hubspot": one.hubspot_id,
                "salesforce": one.salesforce_id,
                "field": one.field,
                "ours": one.ours,
                "theirs": one.theirs,
                "cause": KINDS[one.code].cause,
                "repair": KINDS[one.code].mend,
                "safe": KINDS[one.code].repair.name.lower(),
                "kept": one.code in KEPT,
                "left": done.is_left(one.code),
            }
            for one in done.found
        ],
        "mended": done.mended.counts(),
    }
