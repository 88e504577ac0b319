"""The demo proper: history through the pipeline while Airflow starts, then live leads through it."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from baton.clock import HistoryClock, SystemClock
from baton.demo.airflow_client import AirflowClient
from baton.demo.airflow_database import fresh_airflow
from baton.demo.airflow_settings import AirflowPlan
from baton.demo.airflow_stack import COMPONENTS, AirflowStack, free_port
from baton.demo.attachment import DemoRecord, write_record
from baton.demo.contexts import demo_engine, open_demo
from baton.demo.environment import StateFolders, project_root
from baton.demo.history import Day, HistoryReport, days_between, play_history
from baton.demo.live import Landing, LiveWatch, settled
from baton.demo.market import MarketAdmin
from baton.demo.options import DemoOptions
from baton.demo.processes import ProcessTable, wait_until
from baton.demo.screen import Phase, Phases, Screen
from baton.demo.services import (
    SANDBOX,
    SandboxAddresses,
    fresh_ledger,
    start_postgres,
    start_sandbox,
)
from baton.demo.summary import (
    show_addresses,
    show_chain,
    show_checks,
    show_landing,
    show_live,
    show_sideways,
    show_times,
)
from baton.demo.verify import all_hold, verify
from baton.errors import BatonError
from baton.ledger.database.embedded import DatabaseAddress
from baton.ledger.database.engine import transaction
from baton.ledger.metrics import metrics
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot
from baton.pipeline.versions.agreements import activate_policy, adopt_roster, current_roster
from baton.policy.bundle import read_bundle
from baton.policy.loader import read_roster
from baton.settings import Mode
from baton.validation.verdicts import preload

__all__ = ["play_relay"]

BY = "demo"
_EVERY_SECONDS = 4.0
"""Seconds between two live leads."""
_HOT_LANE = ("lead_handoff", "disposition_sync", "sla_watch")
"""Woken first; the others, which nobody watches, when the live handoffs have landed."""
_SETTLE_WITHIN_S = 60
_GRACE = timedelta(seconds=120)
_FIRST_AIRFLOW_PORT = 8080
_AIRFLOW_NICENESS = 5
"""While history is played Airflow has time to start: it steps back where both want a core."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """What stands once the phases of the start are over."""

    engine: Engine
    sandbox: SandboxAddresses
    stack: AirflowStack
    record: DemoRecord
    start: datetime
    end: datetime
    policy_dir: Path

    def context(self, *, mode: Mode, clock: HistoryClock | None = None) -> Context:
        return open_demo(
            self.engine,
            self.record.variables,
            clock or SystemClock(),
            mode=mode,
            limited=mode is not Mode.HISTORY,
        )


def play_relay(
    options: DemoOptions, screen: Screen, folders: StateFolders, table: ProcessTable
) -> int:
    """Play history and live leads; return 0, or 1 when a promise does not hold.

    Raises:
        BatonError: something did not start, or a step of the pipeline failed.
    """
    began = time.monotonic()
    screen.title(f"Baton: {options.days} days of history, then live leads through Airflow")
    with screen.phases() as phases, ThreadPoolExecutor(2) as pool:
        validator = pool.submit(preload)
        stage = _set_up(options, phases, folders, table)
        airflow = pool.submit(_start_airflow, phases, folders, stage)
        try:
            _play_days(phases, stage, validator)
            airflow.result()
        except BaseException:
            # Else the pool would wait for a start that nobody needs any more.
            stage.stack.stop()
            raise
    # Written when all runs: what it names can be relied upon.
    write_record(folders, stage.record)
    with stage.stack.client() as client, MarketAdmin(stage.sandbox.url("admin")) as admin:
        live_since, landings = _go_live(screen, options, stage, client, admin)
        ctx = stage.context(mode=Mode.LIVE)
        if options.once:
            admin.live(on=False)
            _settle(ctx)
        grace = timedelta(0) if options.once else _GRACE
        checks = verify(ctx, admin, live_since=live_since, grace=grace)
    with transaction(stage.engine) as conn:
        counts = metrics.chain_counts(conn, stage.start, stage.end)
    show_chain(screen, counts, options.days)
    screen.title("Live")
    show_live(screen, landings)
    show_times(screen, phases.seconds, time.monotonic() - began)
    show_checks(screen, checks)
    if not options.once:
        show_addresses(screen, stage.record)
    stage.engine.dispose()
    return 0 if all_hold(checks) and landings else 1


def _set_up(
    options: DemoOptions, phases: Phases, folders: StateFolders, table: ProcessTable
) -> _Stage:
    root = project_root()
    policy_dir = root / "include" / "policy"
    end = SystemClock().now().replace(microsecond=0)
    start = (end - timedelta(days=options.days)).replace(hour=0, minute=0, second=0)
    with phases.phase("Postgres and ledger") as phase:
        address = start_postgres(folders)
        engine = demo_engine(fresh_ledger(address))
        phase.detail("embedded, migrated")
    with phases.phase("CRM sandbox") as phase:
        sandbox = start_sandbox(
            table, folders, seed=options.seed, at=start, metadata=root / "include" / "salesforce"
        )
        phase.detail(f"it is {start:%d %B %Y} there")
    port = free_port(_FIRST_AIRFLOW_PORT)
    variables = {
        **sandbox.connections(),
        "BATON_DATABASE_URL": address.ledger(),
        "BATON_MODE": Mode.LIVE.value,
        "BATON_POLICY_DIR": str(policy_dir),
    }
    plan = AirflowPlan(
        home=folders.airflow,
        dags_folder=root / "dags",
        plugins_folder=root / "plugins",
        config_source=root / "config",
        database_url=address.airflow(),
        api_port=port,
        variables=variables,
        niceness=_AIRFLOW_NICENESS,
    )
    stack = AirflowStack(plan, table)
    logins = dict(stack.prepare().passwords)
    record = DemoRecord(
        variables=variables,
        addresses=_addresses(plan, sandbox, address, folders),
        processes=(SANDBOX, *(f"airflow-{name}" for name in COMPONENTS)),
        logins=logins,
    )
    stage = _Stage(engine, sandbox, stack, record, start, end, policy_dir)
    with phases.phase("Policy and roster") as phase:
        phase.detail(_agree(stage))
    return stage


def _agree(stage: _Stage) -> str:
    """Activate the example policy, import the roster, create what HubSpot needs."""
    bundle = read_bundle(stage.policy_dir)
    with transaction(stage.engine) as conn:
        activate_policy(conn, bundle, by=BY, at=stage.start, parent=None)
        roster = read_roster(stage.policy_dir / "roster.yaml")
        adopt_roster(conn, roster, by=BY, at=stage.start)
        policy = active_policy(conn).policy
    ctx = stage.context(mode=Mode.HISTORY)
    report = setup_hubspot(ctx.hubspot, hubspot_plan(policy))
    if report.differing or report.missing:
        raise BatonError("HubSpot lacks: " + ", ".join((*report.differing, *report.missing)))
    return f"{bundle.hash[:8]}, {len(roster.people)} people"


def _addresses(
    plan: AirflowPlan, sandbox: SandboxAddresses, address: DatabaseAddress, folders: StateFolders
) -> dict[str, str]:
    return {
        "Airflow": plan.base_url,
        "HubSpot (sandbox)": sandbox.url("hubspot"),
        "Salesforce (sandbox)": sandbox.url("salesforce"),
        "Slack (sandbox)": sandbox.url("slack"),
        "sandbox admin": sandbox.url("admin"),
        "ledger": f"psql '{address.url('baton').replace('+psycopg', '')}'",
        "logs": str(folders.logs),
    }


def _start_airflow(phases: Phases, folders: StateFolders, stage: _Stage) -> None:
    """Migrate and start Airflow; runs beside the history."""
    address = DatabaseAddress(host=str(folders.postgres.resolve()))
    with phases.phase("Airflow") as phase:
        phase.detail("its database")
        fresh_airflow(address, stage.stack)
        phase.detail(f"starting {len(COMPONENTS)} processes")
        up: list[str] = []

        def tell(name: str, _seconds: float) -> None:
            up.append(name)
            phase.detail(f"{name} is up, {len(up)} of {len(COMPONENTS)}")

        stage.stack.start(tell)
        expected = {path.stem for path in stage.stack.plan.dags_folder.glob("*.py")}
        _await_dags(stage.stack, expected)
        phase.detail(f"{len(expected)} Dags, paused for now")


def _await_dags(stack: AirflowStack, expected: set[str]) -> None:
    """Wait until Airflow knows every Dag. Raises BatonError, which shows what cannot be imported."""
    with stack.client() as client:
        if wait_until(lambda: expected <= client.dag_ids(), timeout_s=90, every_s=0.5):
            return
        lacking = ", ".join(sorted(expected - client.dag_ids()))
        reasons = "\n".join(client.import_errors())
        raise BatonError(f"Airflow does not know these Dags: {lacking}\n{reasons}".rstrip())


def _play_days(phases: Phases, stage: _Stage, validator: Future[None]) -> None:
    total = len(days_between(stage.start, stage.end))
    with (
        phases.phase("History", total=total) as phase,
        MarketAdmin(stage.sandbox.url("admin")) as admin,
    ):
        phase.detail("loading Great Expectations")
        validator.result()
        report = play_history(
            lambda clock: stage.context(mode=Mode.HISTORY, clock=clock),
            admin,
            stage.start,
            stage.end,
            lambda day, report: _tell_day(phase, day, report),
        )
        phase.detail(_tally(report))


def _tell_day(phase: Phase, day: Day, report: HistoryReport) -> None:
    phase.reached(day.number, f"{day.until:%d %b}: {_tally(report)}")


def _tally(report: HistoryReport) -> str:
    counts = report.counts
    won = counts["outcomes: won"]
    return f"{report.new_contacts} leads, {counts['qualify: handoff']} handed off, {won} won"


def _go_live(
    screen: Screen,
    options: DemoOptions,
    stage: _Stage,
    client: AirflowClient,
    admin: MarketAdmin,
) -> tuple[datetime, list[Landing]]:
    """Let the market act in real time and the Dags run; show each handoff as it lands."""
    admin.release_clock()
    since = SystemClock().now()
    with transaction(stage.engine) as conn:
        roster = current_roster(conn)
        before = active_policy(conn).policy.hash
        overlay = read_bundle(stage.policy_dir, stage.policy_dir / "overlays" / "demo.yaml")
        activate_policy(conn, overlay, by=BY, at=since, parent=before)
    names = {rep.key: rep.name for rep in roster.people}
    screen.title("Live: clocks count in seconds now (policy overlay), a lead every few seconds")
    for dag_id in _HOT_LANE:
        client.pause(dag_id, paused=False)
    admin.live(on=True, every_seconds=_EVERY_SECONDS)
    watch = LiveWatch(stage.engine, since, name_of=lambda key: names.get(key, key))
    timeout_s = 60 + 10 * options.live_leads
    for sight in watch.until(options.live_leads, timeout_s=timeout_s):
        if isinstance(sight, Landing):
            show_landing(screen, sight)
        else:
            show_sideways(screen, sight)
    for dag_id in sorted(client.dag_ids() - set(_HOT_LANE)):
        client.pause(dag_id, paused=False)
    return since, watch.landings


def _settle(ctx: Context) -> None:
    """Wait until what is under way has gone out; what has not by then is counted as it stands."""

    def quiet() -> bool:
        with transaction(ctx.engine) as conn:
            sent = settled(conn)
        from baton.demo.verify import unknown_contacts

        return sent and not unknown_contacts(ctx, older_than=ctx.clock.now())

    wait_until(quiet, timeout_s=_SETTLE_WITHIN_S, every_s=1.0)
