"""Two who want the same: policy and roster take turns, and a ring of waiters is broken unseen."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError
from tests.integration.ledger.conftest import World, minutes

from baton.errors import PolicyErrors
from baton.ledger.agreements import policies, pools
from baton.ledger.database.engine import transaction
from baton.ledger.database.retries import in_transaction
from baton.ledger.handoffs import handoffs
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.pipeline.versions.policy_versions import plan_rollback, roll_back
from baton.pipeline.versions.roster_versions import change_roster
from baton.policy.bundle import PolicyBundle, read_bundle
from baton.policy.loader import read_roster
from baton.policy.roster_edits import gone

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
SHIPPED = read_bundle(POLICY)
HELENA, INES = "helena.voss@relay.test", "ines.moreau@relay.test"
DAY = minutes(0).date()


def agreed(conn: Connection) -> None:
    activate_policy(conn, SHIPPED, by="tests", at=minutes(0), parent=None)
    adopt_roster(conn, read_roster(POLICY / "roster.yaml"), by="tests", at=minutes(0))


def changed(text: str) -> PolicyBundle:
    return PolicyBundle({**SHIPPED.texts, "overlays/change.yaml": text})


def test_a_policy_waits_for_a_roster_that_is_being_changed_and_is_then_refused(
    ledger_engine: Engine,
) -> None:
    """Without waiting it would become active with a pool in which nobody is any more."""
    with transaction(ledger_engine) as conn:
        agreed(conn)
    refused: list[str] = []

    def activate() -> None:
        try:
            with transaction(ledger_engine) as conn:
                parent = policies.current_hash(conn)
                bundle = changed("guards: {handoffs_per_run: 100}\n")
                activate_policy(conn, bundle, by="tests", at=minutes(2), parent=parent)
        except PolicyErrors as error:
            refused.append(str(error))

    with transaction(ledger_engine) as conn:
        edited = change_roster(
            conn,
            lambda roster: gone(roster, HELENA, DAY),
            by="tests",
            at=minutes(1),
            note="left",
        )
        assert edited.emptied == ("AE Enterprise EMEA",)
        other = threading.Thread(target=activate)
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive()  # it waits
    other.join(timeout=20)
    assert len(refused) == 1
    assert "nobody active draws leads in the pool 'AE Enterprise EMEA'" in refused[0]
    with transaction(ledger_engine) as conn:
        assert policies.current_hash(conn) == SHIPPED.hash


def test_no_step_back_to_a_policy_that_does_not_fit_who_is_there_now(
    ledger_conn: Connection,
) -> None:
    conn = ledger_conn
    agreed(conn)
    without = {
        name: text.replace(", if_nobody: {person: ines.moreau@relay.test}", "")
        for name, text in SHIPPED.texts.items()
    }
    newer = PolicyBundle(without)
    activate_policy(conn, newer, by="tests", at=minutes(1), parent=SHIPPED.hash)
    plan = plan_rollback(conn)
    change_roster(conn, lambda one: gone(one, INES, DAY), by="tests", at=minutes(2), note="left")

    said = "'ines.moreau@relay.test' is not active"
    with pytest.raises(PolicyErrors, match=said):
        plan_rollback(conn)
    with pytest.raises(PolicyErrors, match=said):
        roll_back(conn, plan, by="tests", at=minutes(3))
    assert policies.current_hash(conn) == newer.hash


def test_of_two_who_hold_what_the_other_wants_both_come_through(ledger_engine: Engine) -> None:
    names = ("Pool A", "Pool B")
    with transaction(ledger_engine) as conn:
        pools.lock(conn, names)
    both = threading.Barrier(2)
    tries: list[str] = []

    def work(conn: Connection, first: str, then: str) -> str:
        tries.append(first)
        pools.lock(conn, [first])
        if len(tries) <= len(names):
            both.wait(timeout=20)
        pools.lock(conn, [then])
        states = {name: {"by": first} for name in (first, then)}
        pools.save(conn, states)
        return first

    done: list[str] = []

    def run(first: str, then: str) -> None:
        done.append(in_transaction(ledger_engine, lambda conn: work(conn, first, then)))

    threads = [threading.Thread(target=run, args=pair) for pair in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(done) == list(names)
    # One of them was made again; again, if it took its lock before the other had woken up.
    assert len(tries) > len(names)
    with transaction(ledger_engine) as conn:
        assert len({state["by"] for state in pools.read(conn).values()}) == 1


def test_a_stamp_takes_handoffs_in_the_order_of_their_ids(ledger_engine: Engine) -> None:
    """Who waits for the first holds none of the others: no ring of waiters can form."""
    with transaction(ledger_engine) as conn:
        world = World(conn)
        ids = [world.handoff().id for _ in range(5)]
    with transaction(ledger_engine) as conn:  # the first one's row lies last in the table now
        handoffs.stamp(conn, ids[0], notified_at=minutes(1))

    def stamp() -> None:
        with transaction(ledger_engine) as conn:
            # Read from its beginning to its end, as PostgreSQL reads a table for many rows.
            for way in ("nestloop", "mergejoin", "indexscan", "bitmapscan"):
                conn.execute(text(f"SET LOCAL enable_{way} = off"))
            reached = {one: (minutes(3), "told") for one in ids}
            handoffs.reach_all(conn, "task_written_at", reached)

    other = threading.Thread(target=stamp)
    with transaction(ledger_engine) as conn:
        handoffs.stamp(conn, ids[0], task_written_at=minutes(2))
        other.start()
        _until_one_waits(conn)
        free = "SELECT id FROM handoff WHERE id <> :first ORDER BY id FOR UPDATE SKIP LOCKED"
        assert list(conn.scalars(text(free), {"first": ids[0]})) == ids[1:]
    other.join(timeout=20)
    with transaction(ledger_engine) as conn:
        stamps = [row.task_written_at for one in ids if (row := handoffs.get(conn, one))]
    assert stamps == [minutes(2), *[minutes(3)] * 4]


def _until_one_waits(conn: Connection) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    give_up = time.monotonic() + 20
    while not conn.execute(waiting).scalar_one():
        assert time.monotonic() < give_up, "nobody waits"
        time.sleep(0.01)


def test_other_troubles_are_not_tried_again(ledger_engine: Engine) -> None:
    tries = []

    def work(conn: Connection) -> None:
        tries.append(1)
        conn.execute(text("INSERT INTO pool_state (pool) VALUES (NULL)"))

    with pytest.raises(IntegrityError):
        in_transaction(ledger_engine, work)
    assert len(tries) == 1
