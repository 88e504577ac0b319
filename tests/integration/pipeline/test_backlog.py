"""Held leads come out best first when somebody has room; runs at once share a pool correctly."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from tests.integration.pipeline.relay import START, Relay, milliseconds
from tests.integration.pipeline.test_common_cases import change_policy, import_list

from baton.ledger.agreements import pools
from baton.ledger.agreements.pools import PoolJson
from baton.ledger.database.engine import transaction
from baton.pipeline.active_policy import active_policy
from baton.pipeline.intake.preparation import Preparation
from baton.pipeline.intake.pull import SnapshotReader
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.qualify import judge, qualify_and_route
from baton.pipeline.report import StepReport
from baton.policy.roster import Leave, Roster
from baton.routing.distribution import PoolState

JONAS, MIRA = "jonas.keller@relay.test", "mira.lindner@relay.test"
SDR_DACH = "to: {pool: SDR DACH}, if_nobody: {queue: Inbound DACH}"
PATIENT = ("routing.yaml", SDR_DACH, "to: {pool: SDR DACH}, if_nobody: wait")


def on_leave(roster: Roster, *keys: str, **length: float) -> Roster:
    leave = (Leave(start=START - timedelta(hours=1), end=START + timedelta(**length)),)
    people = tuple(
        rep.model_copy(update={"leave": leave}) if rep.key in keys else rep for rep in roster.people
    )
    return Roster(people=people, pools=roster.pools)


def capped(roster: Roster, **caps: int) -> Roster:
    people = tuple(
        rep.model_copy(update=caps) if rep.key in (JONAS, MIRA) else rep for rep in roster.people
    )
    return Roster(people=people, pools=roster.pools)


def asks(relay: Relay, number: int, *, content: int = 0) -> list[str]:
    """People who want to talk to sales, each at a company of their own."""
    contacts = []
    for _ in range(number):
        seen = {"content_downloads": str(content), "last_content_at": milliseconds(relay.now())}
        contacts.append(relay.contact(**(seen if content else {})))
        relay.submit(contacts[-1], "Contact sales")
    return contacts


def open_now(relay: Relay, contacts: list[str]) -> list[str]:
    return [one for one in contacts if relay.lead(one)["state"] == "in_handoff"]


def test_who_waits_comes_out_best_first_as_there_is_room(relay: Relay) -> None:
    change_policy(relay, PATIENT)
    relay.adopt_roster(capped(on_leave(relay.roster, JONAS, MIRA, hours=6), cap_hour=1))
    poor = asks(relay, 2)
    relay.wait(minutes=1)
    older = asks(relay, 2, content=2)
    relay.wait(minutes=1)
    younger = asks(relay, 2, content=2)
    best = asks(relay, 1, content=4)
    everybody = [*poor, *older, *younger, *best]

    assert relay.run()["hold"] == 7

    waits = relay.rows("SELECT held_for, waits_for, timer_action FROM lead WHERE state = 'held'")
    assert {(row["held_for"], row["waits_for"]) for row in waits} == {
        ("nobody_available", "pool SDR DACH")
    }
    assert {row["timer_action"] for row in waits} == {"route_to_fallback"}
    relay.wait(hours=1)
    report = relay.run()
    assert report["hold"] == report["handoff"] == 0  # nobody is there: nobody is tried
    relay.wait(hours=5)
    report = relay.run()
    assert (report["hold"], report["handoff"]) == (0, 2)  # as many as there is room for
    assert open_now(relay, everybody) == [older[0], best[0]]
    relay.wait(hours=1, seconds=1)
    relay.run()
    assert set(open_now(relay, everybody)) == {*best, *older, younger[0]}
    relay.wait(hours=1, seconds=1)
    relay.run()
    relay.wait(hours=1, seconds=1)
    relay.run()
    assert open_now(relay, everybody) == everybody
    relay.assert_conserved()


def test_trying_never_pushes_the_deadline_back_and_then_the_fallback_takes_it(
    relay: Relay,
) -> None:
    change_policy(relay, PATIENT)
    relay.adopt_roster(on_leave(relay.roster, JONAS, MIRA, days=9))
    (contact,) = asks(relay, 1)
    relay.run()
    due = relay.lead(contact)["timer_at"]
    assert due == START + timedelta(hours=24)
    relay.wait(hours=5)
    relay.change(contact, jobtitle="Director of Sales")

    relay.run()

    assert relay.lead(contact)["timer_at"] == due
    relay.wait(hours=19)
    relay.run()
    handoff = relay.handoff(contact)
    assert (handoff["owner_kind"], handoff["owner_key"]) == ("queue", "Inbound triage")


def test_one_who_cannot_be_taken_although_there_is_room_blocks_nobody(relay: Relay) -> None:
    """HubSpot has archived the best of the backlog: the next best gets the room."""
    change_policy(relay, PATIENT)
    relay.adopt_roster(capped(on_leave(relay.roster, JONAS, MIRA, hours=6), cap_hour=1))
    (gone,) = asks(relay, 1, content=4)
    others = asks(relay, 2)
    relay.run()
    relay.world.portal.archive("contacts", gone)
    relay.wait(hours=6)
    relay.run()
    relay.run()
    assert relay.lead(gone)["state"] == "suppressed"
    assert open_now(relay, others) == others


def test_who_waits_goes_before_who_comes(relay: Relay) -> None:
    change_policy(relay, PATIENT)
    relay.adopt_roster(capped(on_leave(relay.roster, JONAS, MIRA, hours=6), cap_hour=1))
    waiting = asks(relay, 2, content=2)
    relay.run()
    relay.wait(hours=6)
    fresh = asks(relay, 2)

    relay.run()

    assert open_now(relay, [*waiting, *fresh]) == waiting


def test_a_person_one_waits_for_is_asked_when_back(relay: Relay) -> None:
    change_policy(
        relay, ("routing.yaml", "to: account owner, reassign: never,",
                "to: account owner, if_nobody: wait,")
    )  # fmt: skip
    relay.account("Softworks", "softworks-w.test", owner="tom.adeyemi")
    read_references(relay.ctx)
    tom = "tom.adeyemi@relay.test"
    relay.adopt_roster(on_leave(relay.roster, tom, hours=6))
    contact = relay.contact(relay.company(name="Softworks", domain="softworks-w.test"))
    relay.submit(contact, "Contact sales")
    relay.run()
    assert relay.lead(contact)["waits_for"] == f"person {tom}"
    relay.wait(hours=6)
    relay.run()
    assert relay.handoff(contact)["owner_key"] == tom


def test_thirty_leads_in_thirty_runs_are_shared_fairly(relay: Relay) -> None:
    contacts = []
    for _ in range(30):
        contacts += asks(relay, 1)
        qualify_and_route(relay.ctx)
    given = [relay.handoff(one)["owner_key"] for one in contacts]
    assert Counter(given) == {JONAS: 15, MIRA: 15}
    # Never a whole lead away from the share, at any moment.
    lead = [2 * given[:n].count(JONAS) - n for n in range(31)]
    assert max(map(abs, lead)) <= 1


def test_two_runs_at_once_decide_into_one_pool_as_one_after_the_other(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two real transactions meet at the pool: the second sees what the first has given."""
    relay.adopt_roster(capped(relay.roster, cap_hour=6))
    first, second = asks(relay, 10), asks(relay, 10)
    met = threading.Barrier(2, timeout=30)
    original = pools.lock

    def lock(conn: Connection, names: Iterable[str]) -> dict[str, PoolJson]:
        met.wait()  # both have begun and read; now they race for the lock
        found = original(conn, names)
        time.sleep(0.2)
        return found

    monkeypatch.setattr(pools, "lock", lock)
    failures: list[BaseException] = []
    threads = [
        threading.Thread(target=_judge, args=(relay, contacts, failures))
        for contacts in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []

    owners = Counter(
        (row["owner_kind"], row["owner_key"])
        for row in relay.rows("SELECT owner_kind, owner_key FROM hop")
    )
    # Two caps of six: twelve go to the two, the others to the queue; nobody is given a seventh.
    assert owners == {
        ("user", JONAS): 6,
        ("user", MIRA): 6,
        ("queue", "Inbound DACH"): 8,
    }
    with relay.engine.connect() as conn:
        state = PoolState.from_json(pools.read(conn)["SDR DACH"])
    assert dict(state.given) == {JONAS: 6, MIRA: 6}


def _judge(relay: Relay, contacts: list[str], failures: list[BaseException]) -> None:
    try:
        ctx = relay.context()
        with transaction(ctx.engine) as conn:
            agreement = active_policy(conn)
        reader = SnapshotReader(ctx, agreement.policy)
        found = ctx.hubspot.read_contacts(contacts, reader.contact_properties)
        snapshots = reader.snapshots(found.found.values())
        judge(ctx, agreement, Preparation(ctx, agreement.policy), snapshots, StepReport())
    except BaseException as error:
        failures.append(error)


def test_who_waited_for_an_account_in_vain_waits_for_its_turn_alone(relay: Relay) -> None:
    """What fits two accounts is let go after a day; the day's share then holds it, nothing else."""
    change_policy(relay, ("routing.yaml", "a_day: 50", "a_day: 1"))
    for name in ("Listed A", "Listed B"):
        relay.account(name, "listed0.test", owner="helena.voss")
    read_references(relay.ctx)
    (unclear,) = import_list(relay, 1)
    relay.run()
    assert relay.lead(unclear)["held_for"] == "ambiguous_account"

    relay.wait(hours=23, minutes=30)
    (other,) = import_list(relay, 1, first=1)
    relay.run()
    assert relay.lead(other)["state"] == "in_handoff"
    relay.wait(hours=1)
    relay.run()
    assert relay.lead(unclear)["held_for"] == "drip"

    relay.wait(hours=24)
    relay.run()
    assert relay.lead(unclear)["state"] == "in_handoff"


def test_a_waiting_list_does_not_keep_buyers_from_the_room_there_is(relay: Relay) -> None:
    """Of what one run may let in buyers take their part first, whatever a list may hand over."""
    few = ("agreement.yaml", "handoffs_per_run: 200", "handoffs_per_run: 4")
    change_policy(relay, PATIENT, few, ("routing.yaml", "a_day: 50", "a_day: 1"))
    relay.adopt_roster(on_leave(relay.roster, JONAS, MIRA, hours=1))
    import_list(relay, 6)
    buyers = asks(relay, 2)
    relay.run()
    held = relay.rows("SELECT DISTINCT held_for FROM lead WHERE state = 'held' ORDER BY 1")
    assert [row["held_for"] for row in held] == ["drip", "nobody_available"]
    change_policy(relay, ("routing.yaml", "a_day: 1", "a_day: 50"))
    relay.adopt_roster(capped(relay.roster, cap_hour=1))
    relay.wait(minutes=61)

    relay.run()

    assert open_now(relay, buyers) == buyers
