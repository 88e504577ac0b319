"""The chain between a real PostgreSQL and a sandbox served over HTTP, one of each for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.integration.pipeline.relay import START, Relay, furnish

from baton.policy.bundle import PolicyBundle
from baton.policy.loader import read_bundle, read_roster
from baton.policy.roster import Roster
from baton.validation.verdicts import preload
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.world import ServeOptions

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"


@pytest.fixture(scope="session")
def bundle() -> PolicyBundle:
    """The shipped example policy."""
    return read_bundle(POLICY)


@pytest.fixture(scope="session")
def roster() -> Roster:
    """The shipped roster."""
    return read_roster(POLICY / "roster.yaml")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sandboxes of this run keep their certificate: making one costs a second."""
    return tmp_path_factory.mktemp("sandbox-state")


@pytest.fixture(scope="session")
def _validator() -> None:
    """Great Expectations, imported once: it costs ten seconds and no test should wear them."""
    preload()


@pytest.fixture
def bare_relay(
    certificates: Path, ledger_engine: Engine, bundle: PolicyBundle, roster: Roster
) -> Iterator[Relay]:
    """A sandbox with its staff and an empty ledger: nothing is adopted or read yet."""
    options = ServeOptions(state_dir=certificates, at=START, market=False)
    with SandboxThread(options) as sandbox:
        ground = furnish(sandbox.world)
        made = Relay(sandbox, ledger_engine, ground, bundle, roster)
        yield made
        made.close()


@pytest.fixture
def relay(bare_relay: Relay, _validator: None) -> Iterator[Relay]:
    """The chain ready to run; at the end nothing may be lost or doubled."""
    bare_relay.adopt()
    yield bare_relay
    bare_relay.assert_conserved()
