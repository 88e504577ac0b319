"""A sandbox in simulated time with its market, and a ledger that knows policy and roster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from baton.clock import Clock
from baton.demo.contexts import open_demo
from baton.demo.market import MarketAdmin
from baton.demo.services import SandboxAddresses
from baton.ledger.database.engine import transaction
from baton.pipeline.context import Context
from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.loader import parse_policy, read_bundle, read_roster
from baton.settings import Mode
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.world import ServeOptions, World

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""


@dataclass(frozen=True)
class Stand:
    """What the demo stands on: a sandbox, a ledger, and how to open the pipeline on both."""

    engine: Engine
    world: World
    admin: MarketAdmin
    variables: dict[str, str]

    def context(self, clock: Clock, mode: Mode = Mode.HISTORY) -> Context:
        return open_demo(self.engine, self.variables, clock, mode=mode, limited=False)


@pytest.fixture
def stand(ledger_engine: Engine, tmp_path: Path) -> Iterator[Stand]:
    """A fresh market at START; policy, roster and HubSpot's properties are set up."""
    from baton.clock import HistoryClock

    options = ServeOptions(state_dir=tmp_path, at=START, seed=7)
    with (
        SandboxThread(options) as sandbox,
        MarketAdmin(sandbox.description["admin"]["url"]) as admin,
    ):
        variables = SandboxAddresses(sandbox.description).connections()
        made = Stand(ledger_engine, sandbox.world, admin, variables)
        bundle = read_bundle(POLICY)
        with transaction(ledger_engine) as conn:
            activate_policy(conn, bundle, by="test", at=START, parent=None)
            adopt_roster(conn, read_roster(POLICY / "roster.yaml"), by="test", at=START)
        gateway = made.context(HistoryClock(START)).hubspot
        setup_hubspot(gateway, hubspot_plan(parse_policy(bundle)))
        yield made


@pytest.fixture
def contexts(stand: Stand) -> Callable[[Clock], Context]:
    """What `play_history` asks for."""
    return stand.context
