"""Activating and going back: on a real PostgreSQL, with the shipped policy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Engine
from tests.integration.ledger.conftest import START, minutes

from baton.errors import ConfigurationError, PolicyErrors
from baton.ledger.agreements import policies
from baton.ledger.agreements.policies import ActivationKind
from baton.pipeline.versions.agreements import activate_policy
from baton.pipeline.versions.policy_versions import (
    ACTIVE,
    changes_from_current,
    history,
    named_version,
    plan_rollback,
    roll_back,
)
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import parse_policy, read_bundle

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World

SHIPPED = read_bundle(Path(__file__).resolve().parents[3] / "include" / "policy")
OVERLAY = "overlays/change.yaml"


def version(text: str) -> PolicyBundle:
    """The shipped policy with something laid over it."""
    return PolicyBundle({**SHIPPED.texts, OVERLAY: text})


CALMER = version("guards: {handoffs_per_run: 100}\n")
CALMEST = version("guards: {handoffs_per_run: 50}\n")
BROKEN = version("bands: {hot: {above: 40}, warm: {from: 50}, nurture: rest}\n")


def activate(conn: Connection, bundle: PolicyBundle, *, at: int = 0, **more: Any) -> None:
    given: dict[str, Any] = {"by": "revops", "parent": policies.current_hash(conn), **more}
    activate_policy(conn, bundle, at=minutes(at), **given)


def back(conn: Connection, *, to: str | None = None, at: int = 9, **more: Any) -> str:
    return roll_back(conn, plan_rollback(conn, to), by="revops", at=minutes(at), **more).now


def test_one_step_back_is_on_the_record(world: World) -> None:
    activate(world.conn, SHIPPED)
    activate(world.conn, CALMER, at=1, note="too many on Monday")
    plan = plan_rollback(world.conn)
    assert [one.words for one in plan.changes or ()] == [
        "Guards: handoffs per run is now 200 instead of 100."
    ]
    assert policies.current_hash(world.conn) == CALMER.hash
    assert back(world.conn, note="a wrong step") == SHIPPED.hash
    newest, middle, first = history(world.conn)
    assert (newest.activation.kind, newest.activation.by_whom, newest.activation.note) == (
        ActivationKind.ROLLBACK,
        "revops",
        "a wrong step",
    )
    assert newest.activation.parent_hash == CALMER.hash
    assert (middle.activation.kind, middle.activation.note) == (
        ActivationKind.ACTIVATE,
        "too many on Monday",
    )
    assert [one.words for one in middle.changes or ()] == [
        "Guards: handoffs per run is now 100 instead of 200."
    ]
    assert first.first
    assert first.name == "Relay inbound"


def test_two_steps_back_lead_two_versions_back_and_not_to_and_fro(world: World) -> None:
    for at, bundle in enumerate((SHIPPED, CALMER, CALMEST)):
        activate(world.conn, bundle, at=at)
    assert back(world.conn, at=3) == CALMER.hash
    assert back(world.conn, at=4) == SHIPPED.hash
    with pytest.raises(ConfigurationError, match="is the first: there is no version to go back to"):
        plan_rollback(world.conn)
    activate(world.conn, CALMEST, at=5)
    assert back(world.conn, at=6) == SHIPPED.hash


def test_a_version_can_be_named(world: World) -> None:
    for at, bundle in enumerate((SHIPPED, CALMER, CALMEST)):
        activate(world.conn, bundle, at=at)
    assert back(world.conn, to=SHIPPED.hash[:10], at=3) == SHIPPED.hash
    assert named_version(world.conn, ACTIVE).hash == SHIPPED.hash
    assert named_version(world.conn, CALMER.hash[:9]).guards.handoffs_per_run == 100


def test_what_cannot_be_gone_back_to_says_why(world: World) -> None:
    conn = world.conn
    with pytest.raises(ConfigurationError, match="no policy is active"):
        plan_rollback(conn)
    activate(conn, SHIPPED)
    with pytest.raises(ConfigurationError, match="is the first"):
        plan_rollback(conn)
    with pytest.raises(ConfigurationError, match="there is no policy beef"):
        plan_rollback(conn, "beef")
    with pytest.raises(ConfigurationError, match="is current already"):
        plan_rollback(conn, SHIPPED.hash)
    policies.store(conn, CALMER, at=START)
    with pytest.raises(ConfigurationError, match="was never active"):
        plan_rollback(conn, CALMER.hash)
    with pytest.raises(ConfigurationError, match="there is no policy"):
        plan_rollback(conn, "%")
    assert policies.current_hash(conn) == SHIPPED.hash


def test_a_prefix_that_fits_several_versions_is_refused(world: World) -> None:
    # Seventeen hashes share at least one of sixteen beginnings.
    beginnings = [world.policy(str(number))[0] for number in range(17)]
    shared = next(one for one in beginnings if beginnings.count(one) > 1)
    with pytest.raises(ConfigurationError, match="several policies begin with"):
        policies.find(world.conn, shared)


def test_a_version_that_no_longer_loads_is_refused_and_the_current_one_stays(world: World) -> None:
    conn = world.conn
    policies.store(conn, BROKEN, at=START)
    policies.activate(conn, BROKEN.hash, parent=None, by="an older version", at=START)
    activate(conn, SHIPPED, at=1)
    with pytest.raises(ConfigurationError, match="cannot be used with this version") as caught:
        plan_rollback(conn)
    assert "the current policy stays as it is" in str(caught.value)
    assert policies.current_hash(conn) == SHIPPED.hash
    newest, oldest = history(conn)
    assert newest.changes is None
    assert oldest.name is None


def test_from_a_current_version_that_no_longer_loads_one_can_go_back(world: World) -> None:
    conn = world.conn
    activate(conn, SHIPPED)
    policies.store(conn, BROKEN, at=START)
    policies.activate(conn, BROKEN.hash, parent=SHIPPED.hash, by="somebody", at=minutes(1))
    assert changes_from_current(conn, parse_policy(SHIPPED)) is None
    assert plan_rollback(conn).changes is None
    assert back(conn) == SHIPPED.hash


def test_a_broken_policy_never_replaces_a_good_one(world: World) -> None:
    activate(world.conn, SHIPPED)
    with pytest.raises(PolicyErrors):
        activate(world.conn, BROKEN, at=1)
    assert policies.current_hash(world.conn) == SHIPPED.hash
    assert policies.get(world.conn, BROKEN.hash) is None


def at_once(engine: Engine, steps: Mapping[str, Callable[[Connection], Any]]) -> dict[str, str]:
    """Run steps in transactions of their own, all at once; return what each was refused with."""
    refused: dict[str, str] = {}
    ready = threading.Barrier(len(steps))

    def run(name: str, step: Callable[[Connection], Any]) -> None:
        try:
            with engine.begin() as conn:
                ready.wait(timeout=20)
                step(conn)
        except ConfigurationError as error:
            refused[name] = str(error)

    threads = [threading.Thread(target=run, args=item) for item in steps.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def test_of_two_activations_with_one_parent_one_is_refused(ledger_engine: Engine) -> None:
    with ledger_engine.begin() as conn:
        activate(conn, SHIPPED)
    parent = SHIPPED.hash
    refused = at_once(
        ledger_engine,
        {
            "one": lambda conn: activate(conn, CALMER, at=1, parent=parent),
            "other": lambda conn: activate(conn, CALMEST, at=1, parent=parent),
        },
    )
    assert len(refused) == 1
    assert "somebody has activated another since" in next(iter(refused.values()))
    with ledger_engine.begin() as conn:
        assert policies.current_hash(conn) in (CALMER.hash, CALMEST.hash)
        assert len(policies.activations(conn)) == 2


def test_of_a_rollback_and_an_activation_at_once_one_is_refused(ledger_engine: Engine) -> None:
    with ledger_engine.begin() as conn:
        activate(conn, SHIPPED)
        activate(conn, CALMER, at=1)
        plan = plan_rollback(conn)
    refused = at_once(
        ledger_engine,
        {
            "back": lambda conn: roll_back(conn, plan, by="one", at=minutes(2)),
            "on": lambda conn: activate(conn, CALMEST, at=2, parent=CALMER.hash),
        },
    )
    assert len(refused) == 1
    with ledger_engine.begin() as conn:
        assert len(policies.activations(conn)) == 3
