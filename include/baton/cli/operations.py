"""``baton run``, ``status``, ``stop-effects``, ``resume-effects``: for ops, beside Airflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from baton.cli.installation import ledger, ledger_context, pipeline_context, settings
from baton.cli.shell import out, whoever_calls

if TYPE_CHECKING:
    from baton.ledger.leads.drift import WarningRow
    from baton.pipeline.context import Context, LedgerContext
    from baton.pipeline.modes import Modes
    from baton.pipeline.report import StepReport


class Step(StrEnum):
    """The steps that a Dag's tasks call; `chain` is lead_handoff and disposition_sync in a row."""

    REFERENCES = "references"
    QUALIFY = "qualify"
    DELIVER = "deliver"
    WRITE_BACK = "write-back"
    OUTCOMES = "outcomes"
    CLOCKS = "clocks"
    TIMERS = "timers"
    MEASURE = "measure"
    CONSERVATION = "conservation"
    DIGEST = "digest"
    DRIFT = "drift"
    DUPLICATES = "duplicates"
    CHAIN = "chain"


CHAIN = (
    Step.REFERENCES,
    Step.QUALIFY,
    Step.DELIVER,
    Step.OUTCOMES,
    Step.CLOCKS,
    Step.TIMERS,
    Step.WRITE_BACK,
)


def run(
    step: Annotated[Step, typer.Argument(help="Which step, or 'chain' for all in their order.")],
) -> None:
    """Run one step of the pipeline here and now, as its Dag's task does; again changes nothing.

    Examples: `baton run qualify`, `baton run chain`
    """
    if step in LEDGER_ALONE:
        with ledger_context() as ledger_alone:
            _print_report(step, LEDGER_ALONE[step](ledger_alone))
        return
    with pipeline_context() as ctx:
        for one in CHAIN if step is Step.CHAIN else (step,):
            _print_report(one, call(one, ctx))


def _conservation(ctx: LedgerContext) -> StepReport:
    from baton.pipeline.reconciling.upkeep import check_conservation

    return check_conservation(ctx)


def _measure(ctx: LedgerContext) -> StepReport:
    from baton.pipeline.audit import measure

    return measure(ctx)


LEDGER_ALONE: Mapping[Step, Callable[[LedgerContext], StepReport]] = {
    Step.CONSERVATION: _conservation,
    Step.MEASURE: _measure,
}
"""Steps that call nothing outside: they run without any connection to a CRM."""


def call(step: Step, ctx: Context) -> StepReport:
    """Call one step. Raises what it raises."""
    from baton.pipeline import audit, timers
    from baton.pipeline.delivery import deliver
    from baton.pipeline.intake import drift, duplicates, references
    from baton.pipeline.judging import qualify
    from baton.pipeline.reconciling import upkeep
    from baton.pipeline.response import sales_activity, sla_watch
    from baton.pipeline.today import digest

    steps: Mapping[Step, Callable[[Context], StepReport]] = {
        Step.REFERENCES: references.read_references,
        Step.QUALIFY: qualify.qualify_and_route,
        Step.DELIVER: deliver.deliver_and_notify,
        Step.WRITE_BACK: deliver.write_back,
        Step.OUTCOMES: sales_activity.read_outcomes,
        Step.CLOCKS: sla_watch.watch_clocks,
        Step.TIMERS: timers.run_timers,
        Step.MEASURE: audit.measure,
        Step.CONSERVATION: upkeep.check_conservation,
        Step.DIGEST: digest.send_digest,
        Step.DRIFT: drift.check_drift,
        Step.DUPLICATES: duplicates.link_duplicates,
    }
    return steps[step](ctx)


def _print_report(step: Step, report: StepReport) -> None:
    counts = ", ".join(f"{name} {count}" for name, count in report.counts().items())
    out().print(f"{step.value:<13}{counts or 'nothing to do'}", markup=False)


def status() -> None:
    """Show leads and handoffs by state, what waits to be sent, policy, mode and kill switch."""
    from baton.clock import SystemClock
    from baton.ledger.agreements import policies, rosters
    from baton.ledger.budget import rate_limits
    from baton.ledger.budget.daily_budget import BudgetTerms
    from baton.ledger.effects import outbox, switches
    from baton.ledger.leads import drift, duplicates
    from baton.ledger.proofs import conservation
    from baton.ledger.sources import watermarks
    from baton.pipeline import api_budget
    from baton.pipeline.intake.pull import WATERMARK
    from baton.pipeline.modes import Modes

    with ledger() as conn:
        now = SystemClock().now()
        health = conservation.check(conn, now=now)
        depth = outbox.depth(conn)
        policy, roster = policies.current_hash(conn), rosters.current(conn)
        stopped = switches.effects_stopped(conn)
        modes = Modes.read(conn, settings().mode)
        mark = watermarks.get(conn, WATERMARK)
        warnings = drift.warnings_since(conn, now - timedelta(days=1))
        pairs = duplicates.count(conn)
        days = api_budget.shown(
            rate_limits.daily_budgets(conn, now), BudgetTerms(reserve=settings().hot_reserve)
        )
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("mode", modes.default_of_all.value)
    table.add_row("policy", policy[:12] if policy else "[red]none is active[/]")
    table.add_row("roster", roster.hash[:12] if roster else "[red]none[/]")
    table.add_row("effects", _effects(modes, stopped=stopped))
    table.add_row("HubSpot read to", f"{mark} " if mark else "not read yet")
    table.add_row("leads", _counts(health.leads))
    table.add_row("handoffs", _counts(health.handoffs))
    for name, said in days:
        table.add_row(name, said)
    for one in depth:
        table.add_row(
            f"{one.kind}",
            f"{one.count} {one.state}, the oldest since {one.oldest_at:%Y-%m-%d %H:%M} UTC",
        )
    broken = f"[red]{len(health.findings)} findings: baton run conservation[/]"
    table.add_row("unusual", _unusual(warnings))
    table.add_row("duplicates", f"{pairs} pairs to look at: baton duplicates" if pairs else "none")
    table.add_row("conservation", broken if health.findings else "every lead accounted for")
    out().print(table)


def _effects(modes: Modes, *, stopped: bool) -> str:
    from baton.cli.mode import going_out

    return "[red]stopped: baton resume-effects[/]" if stopped else escape(going_out(modes))


By = Annotated[str | None, typer.Option("--by", help="Who (default: your login name).")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")]


def stop_effects(by: By = None, reason: Reason = "by command", dry_run: DryRun = False) -> None:
    """Pull the kill switch: deciding goes on, but nothing is written or sent until resumed.

    What is under way at that instant (one call to Salesforce or HubSpot, one message) is finished
    and recorded; everything else is kept as it is.

    Examples: `baton stop-effects --reason "wrong owners in DACH"`, `baton stop-effects --dry-run`
    """
    _switch(stop=True, by=by, reason=reason, dry_run=dry_run)


def resume_effects(by: By = None, reason: Reason = "by command", dry_run: DryRun = False) -> None:
    """Release the kill switch: what has waited goes out with the next delivery.

    Examples: `baton resume-effects --dry-run`, `baton resume-effects --reason "roster mended"`
    """
    _switch(stop=False, by=by, reason=reason, dry_run=dry_run)


def _switch(*, stop: bool, by: str | None, reason: str, dry_run: bool) -> None:
    import uuid

    from baton.clock import SystemClock
    from baton.errors import SettingsError
    from baton.ledger.effects import outbox
    from baton.pipeline.by_hand.admin_requests import Refused
    from baton.pipeline.by_hand.effects_switch import Asked, switch_effects, version

    with ledger() as conn:
        waiting = sum(one.count for one in outbox.depth(conn) if one.state in _STILL_TO_GO)
        if dry_run:
            ending = "would be kept back" if stop else "would go out with the next delivery"
            out().print(f"{waiting} effects {ending}")
            return
        asked = Asked(
            stop=stop,
            by=by or whoever_calls(),
            reason=reason,
            form=uuid.uuid4().hex,
            seen=version(conn),
        )
        done = switch_effects(conn, asked, at=SystemClock().now())
    if isinstance(done, Refused):
        raise SettingsError(done.words)
    ending = " Resume: baton resume-effects" if stop else ""
    out().print(f"{done.words} {waiting} effects wait.{ending}", markup=False)


_STILL_TO_GO = ("pending", "waiting", "leased", "ambiguous")


def _unusual(warnings: Sequence[WarningRow]) -> str:
    if not warnings:
        return "nothing in the last 24 hours"
    shown = [f"{one.hour:%H:%M} UTC: {one.words}" for one in warnings[:3]]
    more = [f"and {len(warnings) - 3} more in the log"] if len(warnings) > 3 else []
    # In angles of rich's markup a value from a form must not become a style.
    return "[yellow]" + escape("; ".join([*shown, *more])) + "[/]"


def _counts(by_state: Mapping[str, int]) -> str:
    shown = [f"{count} {state.replace('_', ' ')}" for state, count in by_state.items() if count]
    return ", ".join(shown) or "none"
