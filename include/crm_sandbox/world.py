"""What the sandbox's servers speak for: the stores of each system, its clock and its faults."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from crm_sandbox.clock import SandboxClock
from crm_sandbox.faults import Faults
from crm_sandbox.hubspot.limits import LimitPlan, Limits
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.slack.workspace import Workspace
from crm_sandbox.traffic import Traffic

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What to serve and where. Port 0 means any free one.

    `host` is the IPv4 address to listen on. `names` are further host names under which clients
    reach the servers: the Salesforce certificate holds them, and they stand among the addresses
    that are announced. `busy`: so many times the usual number of buyers. `at` starts in simulated
    time; `metadata` is the folder of Salesforce metadata to deploy; `parent_pid` stops the
    servers when that process, which started them, is gone.
    """

    hubspot_port: int = 0
    salesforce_port: int = 0
    slack_port: int = 0
    admin_port: int = 0
    state_dir: Path | None = None
    seed: int = 7
    market: bool = True
    busy: float = 1.0
    search_lag_seconds: float = 0.0
    at: datetime | None = None
    metadata: Path | None = None
    parent_pid: int | None = None
    host: str = LOOPBACK
    names: tuple[str, ...] = ()
    limits: LimitPlan = field(default_factory=LimitPlan)


@dataclass(slots=True)
class World:
    """Everything the servers speak for. `org` and `market` are None where not installed."""

    clock: SandboxClock
    portal: Portal
    limits: Limits
    workspace: Workspace
    faults: Faults
    traffic: Traffic
    org: Any = None
    market: Any = None
    live: bool = False
    events: list[Any] = field(default_factory=list)


def build_world(options: ServeOptions) -> World:
    """Make the stores, and let the simulated market furnish them."""
    clock = SandboxClock(options.at)
    portal = Portal(clock, seed=options.seed, search_lag_seconds=options.search_lag_seconds)
    world = World(
        clock=clock,
        portal=portal,
        limits=Limits(clock, portal.time_zone, options.limits),
        workspace=Workspace(clock),
        faults=Faults(),
        traffic=Traffic(),
    )
    if installed("crm_sandbox.salesforce.org"):
        module = importlib.import_module("crm_sandbox.salesforce.org")
        metadata = options.metadata or default_metadata()
        world.org = module.Org(clock, metadata_dir=metadata, seed=options.seed)
    if options.market and world.org is not None and installed("crm_sandbox.market.market"):
        module = importlib.import_module("crm_sandbox.market.market")
        world.market = module.Market(
            clock, portal, world.org, world.workspace, seed=options.seed, busy=options.busy
        )
        world.market.set_up()
    return world


def installed(name: str) -> bool:
    """True when the module is there; Salesforce and the market are optional parts."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def default_metadata() -> Path | None:
    """The Salesforce metadata that lies beside the package, if it does."""
    beside = Path(__file__).resolve().parent.parent / "salesforce"
    return beside if beside.is_dir() else None
