from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine
from tests.integration.ledger.conftest import START, minutes

from baton.errors import ConfigurationError
from baton.ledger.agreements import policies, pools, rosters
from baton.ledger.effects import switches
from baton.ledger.sources import watermarks
from baton.policy.bundle import PolicyBundle
from baton.policy.roster import Roster, roster_from_json
from baton.settings import Mode

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World


def test_a_policy_is_stored_once_and_comes_back_whole(world: World) -> None:
    bundle = PolicyBundle({"policy.yaml": "a: 1\n", "lists/x.csv": "NO\n"})
    first = policies.store(world.conn, bundle, at=START)
    assert policies.store(world.conn, bundle, at=minutes(1)) == first == bundle.hash
    assert policies.current(world.conn) is None
    policies.activate(world.conn, first, parent=None, by="ops@relay.test", at=START)
    current = policies.current(world.conn)
    assert current is not None
    assert (current.texts, current.hash) == (bundle.texts, first)


def test_an_activation_must_name_what_is_current(world: World) -> None:
    first, second = world.policy("one"), world.policy("two")
    policies.activate(world.conn, first, parent=None, by="a", at=START)
    with pytest.raises(ConfigurationError, match="activated another since"):
        policies.activate(world.conn, second, parent=None, by="b", at=START)
    policies.activate(world.conn, second, parent=first, by="b", at=START)
    policies.activate(world.conn, first, parent=second, by="b", at=START)
    assert [one.hash for one in policies.activations(world.conn)] == [first, second, first]


def test_an_unknown_policy_cannot_be_activated(world: World) -> None:
    with pytest.raises(ConfigurationError, match="no policy"):
        policies.activate(world.conn, "f" * 64, parent=None, by="a", at=START)


def test_of_several_activations_at_once_one_wins(
    commit: Callable[[Callable[[World], Any]], Any], ledger_engine: Engine
) -> None:
    hashes = commit(lambda world: [world.policy(str(number)) for number in range(6)])
    commit(lambda world: policies.activate(world.conn, hashes[0], parent=None, by="a", at=START))
    refused: list[ConfigurationError] = []

    def activate(policy_hash: str) -> None:
        try:
            with ledger_engine.begin() as conn:
                policies.activate(conn, policy_hash, parent=hashes[0], by="b", at=START)
        except ConfigurationError as error:
            refused.append(error)

    threads = [threading.Thread(target=activate, args=(one,)) for one in hashes[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 4
    assert commit(lambda world: len(policies.activations(world.conn))) == 2


def test_a_roster_comes_back_with_its_hash(world: World) -> None:
    roster = Roster(people=(), pools=())
    assert rosters.current(world.conn) is None
    stored = rosters.store(world.conn, roster, by="ops@relay.test", at=START, note="first")
    current = rosters.current(world.conn)
    assert current is not None
    assert roster_from_json(current.content).hash == stored == current.hash == roster.hash
    with pytest.raises(ConfigurationError, match="changed by somebody else"):
        rosters.store(world.conn, roster, by="x", at=START, parent="other")
    rosters.store(world.conn, roster, by="x", at=START)
    assert len(rosters.versions(world.conn)) == 1


def test_pools_are_locked_in_one_order_so_that_deciders_never_deadlock(
    ledger_engine: Engine,
) -> None:
    failures: list[Exception] = []

    def decide(names: list[str]) -> None:
        try:
            for _ in range(10):
                with ledger_engine.begin() as conn:
                    states = pools.lock(conn, names)
                    pools.save(conn, {name: {"n": states[name].get("n", 0) + 1} for name in states})
        except Exception as error:
            failures.append(error)

    orders = (["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"])
    threads = [threading.Thread(target=decide, args=(names,)) for names in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with ledger_engine.begin() as conn:
        assert pools.read(conn) == {name: {"n": 30} for name in "abc"}


def test_a_watermark_never_moves_back(world: World) -> None:
    watermarks.advance(world.conn, "hubspot", minutes(5), at=START)
    watermarks.advance(world.conn, "hubspot", minutes(3), at=START)
    assert watermarks.get_instant(world.conn, "hubspot") == minutes(5)
    watermarks.set(world.conn, "cursor", "abc", at=START)
    assert watermarks.get(world.conn, "cursor") == "abc"
    assert watermarks.get(world.conn, "none") is None


def test_the_most_particular_scope_decides_the_mode(world: World) -> None:
    assert switches.mode_for(world.conn, Mode.LIVE, ["form:Demo request"]) is Mode.LIVE
    switches.put(world.conn, "mode:all", "observe", by="a", at=START)
    assert switches.mode_for(world.conn, Mode.LIVE, ["form:Demo request"]) is Mode.OBSERVE
    switches.put(world.conn, "mode:form:Demo request", "live", by="a", at=START)
    assert switches.mode_for(world.conn, Mode.OBSERVE, ["form:Demo request"]) is Mode.LIVE
