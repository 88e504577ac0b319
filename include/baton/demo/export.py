"""``baton demo --leads``: an export through the whole chain in one go."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta

from rich.table import Table
from sqlalchemy import Engine

from baton.clock import SystemClock
from baton.demo.attachment import DemoRecord, write_record
from baton.demo.contexts import demo_engine, open_demo
from baton.demo.environment import StateFolders, project_root
from baton.demo.known_exports import ExportPlan, plan_export
from baton.demo.market import MarketAdmin
from baton.demo.options import DemoOptions
from baton.demo.processes import ProcessTable
from baton.demo.screen import Phases, Screen
from baton.demo.services import (
    SANDBOX,
    SandboxAddresses,
    fresh_ledger,
    start_postgres,
    start_sandbox,
)
from baton.demo.summary import show_addresses, show_checks, show_times
from baton.demo.verify import all_hold, verify
from baton.errors import BatonError, ConfigurationError
from baton.leads.states import EffectState, LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.leads import leads
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.report import StepReport
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.bundle import read_bundle
from baton.policy.loader import read_roster
from baton.settings import Mode

__all__ = ["play_export"]

BY = "demo"
_SHOWN = (
    (LeadState.IN_HANDOFF, "handed off"),
    (LeadState.QUARANTINED, "quarantined"),
    (LeadState.HELD, "held"),
    (LeadState.SUPPRESSED, "suppressed"),
    (LeadState.NURTURE, "kept in nurture"),
    (LeadState.CUSTOMER, "customers"),
    (LeadState.SEEN, "not judged"),
)
_LOADER_MISUSED = 2


@dataclass(frozen=True, slots=True)
class _Stage:
    engine: Engine
    sandbox: SandboxAddresses
    ctx: Context
    record: DemoRecord


def play_export(
    options: DemoOptions, screen: Screen, folders: StateFolders, table: ProcessTable
) -> int:
    """Load an export into the sandbox and run the chain over it; return 0, or 1 if any is lost.

    Nothing is announced (mode ``history``), and there is no simulated market.

    Raises:
        ConfigurationError: the export, its mapping or its overlay cannot be used.
        BatonError: something did not start, or a step of the pipeline failed.
    """
    if options.leads is None:
        raise ConfigurationError("name an export: --leads FILE.csv")
    began = time.monotonic()
    policy_dir = project_root() / "include" / "policy"
    plan = plan_export(options.leads, policy_dir, mapping=options.mapping, overlay=options.overlay)
    screen.title(f"Baton: {plan.rows} leads of {plan.file.name} through the chain")
    if plan.mapping is not None:
        judged = f", judged by the overlay {plan.overlay.name}" if plan.overlay else ""
        screen.say(f"  columns read by the mapping {plan.mapping.name}{judged}", style="dim")
    with screen.phases() as phases:
        stage = _set_up(options, plan, phases, folders, table)
        before = _states(stage)
        with MarketAdmin(stage.sandbox.url("admin")) as admin:
            loaded = _load(stage, plan, phases, admin)
            _run(stage, plan, phases)
            checks = verify(stage.ctx, admin, live_since=None, grace=timedelta(0))
    write_record(folders, stage.record)
    screen.title("What became of them")
    for line in loaded:
        screen.say(f"  {line}", style="dim")
    after = _states(stage)
    screen.console.print(_table({one: after[one] - before[one] for one, _ in _SHOWN}, plan.rows))
    show_times(screen, phases.seconds, time.monotonic() - began)
    show_checks(screen, checks)
    if not options.once:
        show_addresses(screen, stage.record)
    stage.engine.dispose()
    return 0 if all_hold(checks) else 1


def _set_up(
    options: DemoOptions,
    plan: ExportPlan,
    phases: Phases,
    folders: StateFolders,
    table: ProcessTable,
) -> _Stage:
    root = project_root()
    with phases.phase("Postgres and ledger"):
        address = start_postgres(folders)
        engine = demo_engine(fresh_ledger(address))
    with phases.phase("CRM sandbox"):
        sandbox = start_sandbox(
            table, folders, seed=options.seed, at=None, metadata=root / "include" / "salesforce"
        )
    variables = {
        **sandbox.connections(),
        "BATON_DATABASE_URL": address.ledger(),
        "BATON_MODE": Mode.HISTORY.value,
    }
    ctx = open_demo(engine, variables, SystemClock(), mode=Mode.HISTORY)
    record = DemoRecord(
        variables=variables,
        addresses={
            "HubSpot (sandbox)": sandbox.url("hubspot"),
            "Salesforce (sandbox)": sandbox.url("salesforce"),
            "sandbox admin": sandbox.url("admin"),
            "ledger": f"psql '{address.url('baton').replace('+psycopg', '')}'",
            "logs": str(folders.logs),
        },
        processes=(SANDBOX,),
    )
    stage = _Stage(engine, sandbox, ctx, record)
    with phases.phase("Policy and roster") as phase:
        policy_dir = root / "include" / "policy"
        bundle = read_bundle(policy_dir, plan.overlay)
        now = SystemClock().now()
        with transaction(engine) as conn:
            activate_policy(conn, bundle, by=BY, at=now, parent=None)
            adopt_roster(conn, read_roster(policy_dir / "roster.yaml"), by=BY, at=now)
        phase.detail(bundle.hash[:8])
    with phases.phase("Opening state") as phase:
        phase.detail("the contacts that the sandbox begins with")
        _prepare_hubspot(stage)
        read_references(ctx)
        qualify_and_route(ctx)
        deliver_and_notify(ctx)
        write_back(ctx)
    return stage


def _prepare_hubspot(stage: _Stage) -> None:
    with transaction(stage.engine) as conn:
        policy = active_policy(conn).policy
    setup_hubspot(stage.ctx.hubspot, hubspot_plan(policy))


def _load(stage: _Stage, plan: ExportPlan, phases: Phases, admin: MarketAdmin) -> list[str]:
    """Load the file by ``crm-sandbox load``; return what it says, line by line.

    Raises:
        ConfigurationError: it refuses the file or the mapping.
        BatonError: it fails otherwise.
    """
    command = [sys.executable, "-m", "crm_sandbox", "load", str(plan.file)]
    command += ["--url", stage.sandbox.url("hubspot"), "--token", stage.sandbox.hubspot_token]
    command += ["--mapping", str(plan.mapping)] if plan.mapping else []
    there = admin.state()["hubspot"]["contacts"]
    with phases.phase("Load into HubSpot", total=plan.rows) as phase:
        loader = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while True:
            try:
                said, complaint = loader.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                phase.reached(admin.state()["hubspot"]["contacts"] - there)
    if loader.returncode == _LOADER_MISUSED:
        raise ConfigurationError(complaint.strip() or said.strip())
    if loader.returncode:
        raise BatonError(f"loading {plan.file.name} failed: {(said + complaint).strip()[-1500:]}")
    # Remarks on columns that nothing reads are for whoever writes a mapping, not for a show.
    return [line for line in said.splitlines() if not line.startswith("note: ")]


def _run(stage: _Stage, plan: ExportPlan, phases: Phases) -> None:
    judged = _judged(stage)
    _step(
        stage,
        phases,
        "Score and route",
        qualify_and_route,
        lambda: (_judged(stage) - judged, plan.rows),
    )
    _step(stage, phases, "Owners and tasks", deliver_and_notify, _sent(stage, "salesforce_"))
    _step(stage, phases, "Write back", write_back, _sent(stage, "hubspot_"))


def _step(
    stage: _Stage,
    phases: Phases,
    name: str,
    step: Callable[[Context], StepReport],
    reached: Callable[[], tuple[int, int]],
) -> None:
    """Run one step and show how far the ledger says it is: `reached` tells done and total."""
    with phases.phase(name, total=reached()[1]) as phase, ThreadPoolExecutor(1) as pool:
        running = pool.submit(step, stage.ctx)
        while not wait([running], timeout=1).done:
            phase.reached(reached()[0])
        phase.detail(_words(running.result()))


def _judged(stage: _Stage) -> int:
    states = _states(stage)
    return sum(states.values()) - states[LeadState.SEEN]


def _sent(stage: _Stage, kinds: str) -> Callable[[], tuple[int, int]]:
    """Return a function that tells how many effects of these kinds are done, of how many."""

    def count() -> tuple[int, int]:
        with transaction(stage.engine) as conn:
            depth = [one for one in outbox.depth(conn) if one.kind.startswith(kinds)]
        done = sum(one.count for one in depth if one.state is EffectState.DONE)
        return done - before, sum(one.count for one in depth) - before

    before = 0
    before = count()[0]
    return count


def _words(report: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(report.items()))


def _states(stage: _Stage) -> dict[LeadState, int]:
    with transaction(stage.engine) as conn:
        return leads.count_by_state(conn)


def _table(counts: Mapping[LeadState, int], rows: int) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for state, name in _SHOWN:
        share = f"{100 * counts[state] / rows:.1f} %"
        if counts[state] or state in (LeadState.HELD, LeadState.QUARANTINED):
            table.add_row(name, f"[bold]{counts[state]}[/]", share)
    return table
