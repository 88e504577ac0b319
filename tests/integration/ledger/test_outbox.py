from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine
from tests.integration.ledger.conftest import KINDS, START, minutes

from baton.errors import IllegalTransitionError, InvariantError, StaleLeaseError
from baton.leads.states import EFFECT_MOVES, EffectState, HandoffState
from baton.ledger.effects import outbox, switches
from baton.ledger.effects.outbox import ClaimedEffect, NewEffect
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import NewHop
from baton.ledger.record import transitions

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World

Commit = Callable[[Callable[["World"], Any]], Any]


def claim(world: World, *, at: float = 0, limit: int = 10, worker: str = "w1", **more: Any) -> Any:
    return outbox.claim(
        world.conn,
        worker=worker,
        kinds=more.get("kinds", KINDS),
        limit=limit,
        now=minutes(at),
        lease_seconds=60,
    )


def test_an_effect_is_added_once_whatever_happens(world: World) -> None:
    handoff = world.handoff()
    keys = world.chain(handoff)
    assert outbox.add(world.conn, [_again(world, keys[0], handoff.lead_id)], at=START) == []
    assert len(outbox.of_handoff(world.conn, handoff.id)) == 3


def test_an_unknown_dependency_is_a_bug(world: World) -> None:
    lead = world.lead()
    new = NewEffect(key="a", kind="hubspot_state", lead_id=lead.id, depends_on_key="nowhere")
    with pytest.raises(InvariantError, match="nowhere"):
        outbox.add(world.conn, [new], at=START)


def test_a_chain_goes_out_in_its_order(world: World) -> None:
    handoff = world.handoff()
    world.chain(handoff)
    order = []
    for step in range(3):
        (effect,) = claim(world, at=step)
        order.append(effect.kind)
        assert claim(world, at=step) == []
        outbox.done(world.conn, effect.id, effect.fence, now=minutes(step), result={"id": "00Q1"})
    assert order == ["salesforce_record", "salesforce_task", "slack_message"]
    assert claim(world, at=9) == []


def test_the_hottest_goes_first(world: World) -> None:
    cold, hot = world.handoff(), world.handoff()
    world.chain(cold, priority=50)
    world.chain(hot, priority=0)
    assert [effect.handoff_id for effect in claim(world)] == [hot.id, cold.id]


def test_only_the_asked_kinds_are_claimed(world: World) -> None:
    world.chain(world.handoff())
    assert claim(world, kinds=["hubspot_state"]) == []


def test_a_retry_waits_for_its_time_and_counts_attempts(world: World) -> None:
    world.chain(world.handoff())
    (effect,) = claim(world)
    outbox.retry(
        world.conn, effect.id, effect.fence, now=START, at=minutes(5), code="429", message="slow"
    )
    assert claim(world, at=4) == []
    (again,) = claim(world, at=5)
    assert (again.attempts, again.fence, again.maybe_sent) == (2, 2, False)


def test_an_expired_lease_is_taken_over_and_the_late_worker_refused(world: World) -> None:
    world.chain(world.handoff())
    (first,) = claim(world, worker="slow")
    assert claim(world, at=0.9, worker="quick") == []
    (second,) = claim(world, at=1, worker="quick")
    assert (second.id, second.fence, second.maybe_sent) == (first.id, first.fence + 1, True)
    with pytest.raises(StaleLeaseError):
        outbox.done(world.conn, first.id, first.fence, now=minutes(1))
    outbox.done(world.conn, second.id, second.fence, now=minutes(1))
    row = outbox.get(world.conn, first.id)
    assert row is not None
    assert (row.state, row.maybe_sent) == (EffectState.DONE, False)


REPORTS: dict[str, Callable[..., None]] = {
    "done": lambda conn, id_, fence: outbox.done(conn, id_, fence, now=START),
    "waiting": lambda conn, id_, fence: outbox.retry(
        conn, id_, fence, now=START, at=START, code="c", message="m"
    ),
    "ambiguous": lambda conn, id_, fence: outbox.ambiguous(
        conn, id_, fence, now=START, code="c", message="m"
    ),
    "rejected": lambda conn, id_, fence: outbox.rejected(
        conn, id_, fence, now=START, code="c", message="m"
    ),
    "invalid": lambda conn, id_, fence: outbox.invalid(
        conn, id_, fence, now=START, code="c", message="m"
    ),
    "dead": lambda conn, id_, fence: outbox.dead(
        conn, id_, fence, now=START, code="c", message="m"
    ),
    "withheld": lambda conn, id_, fence: outbox.withhold(conn, id_, fence, now=START, cause="x"),
    "superseded": lambda conn, id_, fence: outbox.superseded(conn, id_, fence, now=START),
}


@pytest.mark.parametrize("after", REPORTS)
def test_every_report_needs_the_fence_and_is_recorded(world: World, after: str) -> None:
    world.chain(world.handoff())
    (effect,) = claim(world)
    with pytest.raises(StaleLeaseError):
        REPORTS[after](world.conn, effect.id, effect.fence - 1)
    REPORTS[after](world.conn, effect.id, effect.fence)
    row = outbox.get(world.conn, effect.id)
    assert row is not None
    assert (row.state, row.lease_owner, row.lease_until) == (after, None, None)
    changes = [
        (one.before, one.after, one.by_whom) for one in transitions.of(world.conn, "effect", row.id)
    ]
    assert changes == [
        (None, "pending", "baton"),
        ("pending", "leased", "w1"),
        ("leased", after, "w1"),
    ]
    with pytest.raises(StaleLeaseError):
        REPORTS[after](world.conn, effect.id, effect.fence)


def test_an_ambiguous_effect_comes_back_to_be_read_back_or_waits_for_a_person(
    world: World,
) -> None:
    world.chain(world.handoff())
    (effect,) = claim(world)
    report: dict[str, Any] = {"now": START, "code": "TIMEOUT", "message": "answer lost"}
    outbox.ambiguous(world.conn, effect.id, effect.fence, at=minutes(2), **report)
    assert claim(world, at=1) == []
    (again,) = claim(world, at=2)
    assert again.maybe_sent
    outbox.ambiguous(world.conn, again.id, again.fence, **report)
    assert claim(world, at=999) == []
    outbox.settle(
        world.conn, again.id, EffectState.DONE, at=minutes(3), by="ops@relay.test", cause="seen"
    )
    assert claim(world, at=4)[0].kind == "salesforce_task"


def test_a_newer_hop_supersedes_what_older_ones_have_not_sent(world: World) -> None:
    handoff = world.handoff()
    world.chain(handoff)
    (sent,) = claim(world)
    assert outbox.still_current(world.conn, [sent.id]) == {sent.id}
    handoffs.add_hop(world.conn, handoff.id, _hop("luis@relay.test"))
    assert outbox.still_current(world.conn, [sent.id]) == set()
    outbox.superseded(world.conn, sent.id, sent.fence, now=minutes(1))
    assert {one.state for one in outbox.of_handoff(world.conn, handoff.id)} == {"superseded"}
    world.chain(handoff, hop=2)
    (effect,) = claim(world, at=1)
    assert effect.hop == 2


def test_an_outdated_effect_that_slipped_through_is_caught_at_the_claim(world: World) -> None:
    handoff, other = world.handoff(), world.handoff()
    handoffs.add_hop(world.conn, handoff.id, _hop("luis@relay.test"))
    late = world.chain(handoff, hop=1)[0]
    world.chain(other)
    claimed = claim(world, limit=1)
    assert [effect.handoff_id for effect in claimed] == [other.id]
    assert outbox.by_keys(world.conn, [late])[late].state is EffectState.SUPERSEDED


def test_the_end_of_a_handoff_stops_its_messages_but_not_its_write_back(world: World) -> None:
    handoff = world.handoff(state=HandoffState.ASSIGNED)
    keys = world.chain(handoff)
    write_back = NewEffect(
        key="back", kind="hubspot_state", lead_id=handoff.lead_id, handoff_id=handoff.id, hop=1
    )
    outbox.add(world.conn, [write_back], at=START)
    handoffs.set_state(
        world.conn, handoff.id, HandoffState.DISQUALIFIED, at=START, cause="x", by="rep"
    )
    rows = outbox.by_keys(world.conn, [*keys, "back"])
    assert {rows[key].state for key in keys} == {"superseded"}
    assert [effect.key for effect in claim(world)] == ["back"]


def test_only_the_newest_write_back_of_a_lead_goes_out(world: World) -> None:
    lead = world.lead()
    for generation in (1, 2):
        new = NewEffect(
            key=f"L{lead.id}.{generation}.hubspot_state",
            kind="hubspot_state",
            lead_id=lead.id,
            generation=generation,
        )
        outbox.add(world.conn, [new], at=START)
    assert [effect.generation for effect in claim(world)] == [2]
    assert claim(world) == []


def test_withheld_and_failed_effects_go_out_once_released(world: World) -> None:
    lead = world.lead()
    new = NewEffect(key="k", kind="hubspot_state", lead_id=lead.id, state=EffectState.WITHHELD)
    outbox.add(world.conn, [new], at=START)
    assert claim(world) == []
    row = outbox.by_keys(world.conn, ["k"])["k"]
    assert outbox.release(world.conn, [row.id], at=START, by="admin@relay.test") == 1
    (effect,) = claim(world)
    outbox.dead(world.conn, effect.id, effect.fence, now=START, code="x", message="y")
    assert outbox.release(world.conn, [row.id], at=START, by="admin@relay.test") == 1
    assert claim(world)[0].attempts == 1


def test_a_person_cannot_settle_against_the_state_machine_or_a_worker(world: World) -> None:
    world.chain(world.handoff())
    (effect,) = claim(world)
    with pytest.raises(StaleLeaseError):
        outbox.settle(world.conn, effect.id, EffectState.DONE, at=START, by="x", cause="y")
    outbox.done(world.conn, effect.id, effect.fence, now=START)
    with pytest.raises(IllegalTransitionError):
        outbox.settle(world.conn, effect.id, EffectState.PENDING, at=START, by="x", cause="y")


def test_the_kill_switch_stops_claims_and_keeps_everything(world: World) -> None:
    world.chain(world.handoff())
    switches.stop_effects(world.conn, by="ops@relay.test", at=START)
    assert claim(world) == []
    switches.resume_effects(world.conn)
    assert len(claim(world)) == 1


def test_depth_counts_by_kind_and_state(world: World) -> None:
    world.chain(world.handoff())
    claim(world)
    depth = {(each.kind, each.state): each.count for each in outbox.depth(world.conn)}
    assert depth == {
        ("salesforce_record", "leased"): 1,
        ("salesforce_task", "pending"): 1,
        ("slack_message", "pending"): 1,
    }


def test_every_move_that_the_outbox_makes_is_listed() -> None:
    for after in REPORTS:
        assert EffectState(after) in EFFECT_MOVES[EffectState.LEASED]
    for before in ("pending", "waiting", "ambiguous"):
        assert EffectState.LEASED in EFFECT_MOVES[EffectState(before)]
        assert EffectState.SUPERSEDED in EFFECT_MOVES[EffectState(before)]


@pytest.mark.requirement("002-20")
def test_many_workers_never_claim_the_same_effect(commit: Commit, ledger_engine: Engine) -> None:
    handoff_ids = [commit(_planned) for _ in range(30)]
    claimed: Counter[int] = Counter()
    kinds: dict[int, list[str]] = {one: [] for one in handoff_ids}
    failures: list[Exception] = []
    guard = threading.Lock()

    def work(name: str) -> None:
        try:
            while batch := _claimed(ledger_engine, name):
                for effect in batch:
                    with ledger_engine.begin() as conn:
                        outbox.done(conn, effect.id, effect.fence, now=START)
                    with guard:
                        claimed[effect.id] += 1
                        assert effect.handoff_id is not None
                        kinds[effect.handoff_id].append(effect.kind)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    # Workers may leave while another still holds a chain's first part: finish what is left.
    work("last")
    assert len(claimed) == 90
    assert set(claimed.values()) == {1}
    assert {tuple(order) for order in kinds.values()} == {KINDS[:3]}


def test_overlapping_claims_skip_what_another_transaction_holds(
    commit: Commit, ledger_engine: Engine
) -> None:
    for _ in range(4):
        commit(_planned)
    with ledger_engine.begin() as first, ledger_engine.begin() as second:
        mine = _claim(first, "a", limit=3)
        others = _claim(second, "b", limit=3)
    assert (len(mine), len(others)) == (3, 1)


def test_killed_worker_loses_nothing(commit: Commit, ledger_engine: Engine) -> None:
    commit(_planned)
    with ledger_engine.connect() as conn:
        assert len(_claim(conn, "dies", limit=1)) == 1  # never committed: as if killed
    with ledger_engine.begin() as conn:
        (effect,) = _claim(conn, "next", limit=1)
    assert (effect.attempts, effect.maybe_sent) == (1, False)


def _planned(world: World) -> int:
    handoff = world.handoff()
    world.chain(handoff)
    return handoff.id


def _claimed(engine: Engine, worker: str) -> list[ClaimedEffect]:
    with engine.begin() as conn:
        return _claim(conn, worker, limit=3)


def _claim(conn: Any, worker: str, *, limit: int) -> list[ClaimedEffect]:
    return outbox.claim(conn, worker=worker, kinds=KINDS, limit=limit, now=START, lease_seconds=600)


def _hop(owner: str) -> NewHop:
    return NewHop(owner_kind="user", owner_key=owner, assigned_at=START + timedelta(minutes=1))


def _again(world: World, key: str, lead_id: int) -> NewEffect:
    return NewEffect(key=key, kind="salesforce_record", lead_id=lead_id)
