"""Twice, at the same time, not at all, and after a death: the outcome is the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.pipeline.relay import Relay

from baton.demo.processes import wait_until
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.sources import watermarks
from baton.pipeline.context import Context
from baton.pipeline.delivery.deliver import ASSIGNING, LEASE_SECONDS, deliver_and_notify, drain
from baton.pipeline.intake import pull
from baton.pipeline.judging.qualify import qualify_and_route
from baton.settings import Mode


def a_bit_of_everything(relay: Relay) -> list[str]:
    """Leads of every kind: hot, quiz, nurture, quarantined, suppressed, unrouted."""
    hot, quiz, cold, bad, rival, far = (
        relay.hot_contact(),
        relay.contact(),
        relay.contact(),
        relay.hot_contact(phone=None),
        relay.hot_contact(relay.company(domain="leadrush.test")),
        relay.contact(relay.company(country="Kenya"), country="Kenya"),
    )
    relay.take_quiz(quiz, 80)
    relay.submit(far, "Contact sales")
    return [hot, quiz, cold, bad, rival, far]


def at_once(*calls: Callable[[], object]) -> None:
    """Run these in threads that start together; raise what any of them raised."""
    barrier, errors = threading.Barrier(len(calls)), []

    def run(call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            call()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_every_step_twice_changes_nothing(relay: Relay) -> None:
    contacts = a_bit_of_everything(relay)
    relay.everything()
    relay.wait(minutes=4)
    relay.give(relay.salesforce_lead(contacts[0]), "Recycle", "No budget yet")
    relay.touch(relay.salesforce_lead(contacts[1]))
    relay.everything()
    states = [relay.lead(contact)["state"] for contact in contacts]
    assert states == [
        "recycled", "in_handoff", "nurture", "quarantined", "suppressed", "in_handoff"
    ]  # fmt: skip
    relay.everything()  # it has seen its own write-backs now
    ledger, outside, writes = relay.ledger_picture(), relay.outside_picture(), relay.writes()

    relay.ctx = relay.context()
    relay.everything()
    relay.wait(seconds=30)
    relay.everything()

    assert relay.writes() == writes
    assert relay.outside_picture() == outside
    assert relay.ledger_picture() == ledger


def test_our_own_write_back_is_no_change_of_the_lead(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.wait(seconds=30)
    relay.run()
    decided = relay.rows("SELECT id FROM decision")
    relay.wait(minutes=2)

    report = relay.run()

    assert report["read"] >= 1  # HubSpot shows it as modified: by us
    assert relay.rows("SELECT id FROM decision") == decided
    assert relay.lead(contact)["state"] == "in_handoff"


def test_overlapping_runs_give_one_owner_one_task_one_message(relay: Relay) -> None:
    contacts = [relay.hot_contact() for _ in range(4)]
    contacts += [relay.contact() for _ in range(4)]
    for contact in contacts[4:]:
        relay.submit(contact, "Contact sales")
    contexts = [relay.context(), relay.context()]

    at_once(*(lambda ctx=ctx: relay.run(ctx) for ctx in contexts))

    one_of_each(relay, contacts)


def test_overlapping_deliveries_share_the_work(relay: Relay) -> None:
    contacts = [relay.hot_contact() for _ in range(6)]
    qualify_and_route(relay.ctx)
    contexts = [relay.context() for _ in range(3)]

    at_once(*(lambda ctx=ctx: deliver_and_notify(ctx) for ctx in contexts))

    one_of_each(relay, contacts)


def one_of_each(relay: Relay, contacts: list[str]) -> None:
    count = len(contacts)
    handoffs = [relay.handoff(contact) for contact in contacts]
    assert {one["state"] for one in handoffs} == {"notified"}
    for contact, handoff in zip(contacts, handoffs, strict=True):
        assert relay.owner_name(relay.salesforce_lead(contact)) == handoff["owner_key"]
    assert len(list(relay.org.rows("Lead"))) == count
    assert len(relay.tasks()) == count
    assert len(relay.messages()) == count


def test_overlapping_readers_of_outcomes_take_each_once(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.follow()
    relay.give(relay.salesforce_lead(contact), "Recycle", "No budget yet")
    contexts = [relay.context(), relay.context()]

    at_once(*(lambda ctx=ctx: relay.follow(ctx) for ctx in contexts))

    assert relay.lead(contact)["state"] == "recycled"
    assert len(relay.rows("SELECT * FROM disposition")) == 1


def test_overlapping_watches_remind_once(relay: Relay) -> None:
    contact = relay.contact()
    relay.submit(contact, "Demo request")
    relay.run()
    relay.wait(minutes=16)
    contexts = [relay.context(), relay.context()]

    at_once(*(lambda ctx=ctx: relay.watch(ctx) for ctx in contexts))

    assert len(relay.messages()) == 3  # the lead, the reminder, the manager


def test_observe_decides_and_records_and_writes_nothing(relay: Relay) -> None:
    contacts = a_bit_of_everything(relay)
    before, outside = relay.writes(), relay.outside_picture()
    relay.ctx = replace(relay.ctx, mode=Mode.OBSERVE)

    relay.everything()

    assert relay.writes() == before
    assert relay.outside_picture() == outside
    assert relay.handoff(contacts[0])["owner_key"] == "sofia.ricci@relay.test"
    assert {row["state"] for row in relay.effects()} == {"withheld"}
    kinds = {row["kind"] for row in relay.effects()}
    assert kinds == {"salesforce_record", "salesforce_task", "slack_message", "hubspot_state"}


def test_history_writes_but_tells_nobody(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.ctx = replace(relay.ctx, mode=Mode.HISTORY)

    relay.run()

    assert relay.messages() == []
    assert relay.owner_name(relay.salesforce_lead(contact)) == "sofia.ricci@relay.test"


@pytest.mark.parametrize("kind", ASSIGNING[:3])
def test_a_worker_that_dies_with_a_claim_is_replaced_when_its_lease_ends(
    relay: Relay, kind: str
) -> None:
    """Dead before the call: the effect goes out once, after the lease."""
    contact = relay.hot_contact()
    qualify_and_route(relay.ctx)
    drain(relay.ctx, ASSIGNING[: ASSIGNING.index(kind)])
    dead = relay.context()
    _claim(dead, kind)

    deliver_and_notify(relay.ctx)
    assert relay.handoff(contact)["state"] != "notified"
    relay.wait(seconds=LEASE_SECONDS + 1)
    relay.run()

    one_of_each(relay, [contact])


@pytest.mark.parametrize("kind", ASSIGNING[:3])
def test_a_worker_that_dies_after_the_call_leaves_no_second_one(relay: Relay, kind: str) -> None:
    """Dead between the call and its record: what is there is found, not made again."""
    contact = relay.hot_contact()
    qualify_and_route(relay.ctx)
    drain(relay.ctx, ASSIGNING[: ASSIGNING.index(kind)])
    _call_and_die(relay.context(), kind)
    relay.wait(seconds=LEASE_SECONDS + 1)

    relay.run()

    one_of_each(relay, [contact])
    (effect,) = relay.effects(kind=kind)
    assert effect["state"] == "done"
    assert effect["result"]["found"] == "true"


def test_a_worker_that_comes_back_late_is_refused(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease ran out while it waited: what another did stands, what it did is not recorded."""
    contact = relay.hot_contact()
    qualify_and_route(relay.ctx)
    from baton.pipeline.delivery import deliver

    write = deliver.CARRIERS["salesforce_record"]
    late = relay.context()

    def slow(ctx, effects):
        if ctx is late:
            relay.wait(seconds=LEASE_SECONDS + 1)
            drain(relay.ctx, ["salesforce_record"])
        return write(ctx, effects)

    monkeypatch.setitem(deliver.CARRIERS, "salesforce_record", slow)
    report = drain(late, ["salesforce_record"])

    assert report["salesforce_record taken over"] == 1
    relay.run()
    one_of_each(relay, [contact])


def test_a_worker_that_lives_keeps_its_lease_however_long_a_call_takes(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = relay.hot_contact()
    qualify_and_route(relay.ctx)
    from baton.pipeline.delivery import deliver, leases

    monkeypatch.setattr(leases, "RENEWED_EVERY_SECONDS", 0.02)
    write = deliver.CARRIERS["salesforce_record"]
    patient, seen = relay.context(), []

    def slow(ctx, effects):
        if ctx is patient:
            relay.wait(seconds=LEASE_SECONDS + 1)
            until = relay.now()
            assert wait_until(lambda: lease_end(relay) > until, timeout_s=10, every_s=0.01)
            seen.append(drain(relay.ctx, ["salesforce_record"]))
        return write(ctx, effects)

    monkeypatch.setitem(deliver.CARRIERS, "salesforce_record", slow)
    report = drain(patient, ["salesforce_record"])

    assert seen == [{}]
    assert report["salesforce_record done"] == 1
    relay.run()
    one_of_each(relay, [contact])


def lease_end(relay: Relay) -> Any:
    [effect] = relay.effects(kind="salesforce_record")
    return effect["lease_until"]


def _claim(ctx: Context, kind: str) -> list[outbox.ClaimedEffect]:
    with transaction(ctx.engine) as conn:
        claimed = outbox.claim(
            conn,
            worker=ctx.worker,
            kinds=[kind],
            limit=10,
            now=ctx.clock.now(),
            lease_seconds=LEASE_SECONDS,
        )
    assert claimed
    return claimed


def _call_and_die(ctx: Context, kind: str) -> None:
    from baton.pipeline.delivery.deliver import CARRIERS

    outcomes = CARRIERS[kind](ctx, _claim(ctx, kind))
    assert outcomes


def test_a_first_load_goes_on_where_its_time_was_up(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = [relay.contact() for _ in range(5)]
    monkeypatch.setattr(pull, "CHUNK", 1)
    monkeypatch.setattr(pull, "FIRST_LOAD_SECONDS", 0.0)
    monkeypatch.setattr(
        relay.ctx.hubspot,
        "list_contacts",
        one_a_page(relay.ctx.hubspot.list_contacts),
    )

    with transaction(relay.ctx.engine) as conn:
        assert watermarks.get(conn, pull.WATERMARK) is None
    first = qualify_and_route(relay.ctx)
    assert (first["read"], first[pull.GOES_ON]) == (1, 1)
    reports = [qualify_and_route(relay.ctx) for _ in range(30)]

    assert {relay.lead(contact)["state"] for contact in contacts} == {"nurture"}
    assert not reports[-1][pull.GOES_ON]
    with transaction(relay.ctx.engine) as conn:
        assert watermarks.get(conn, pull.WATERMARK) is not None


def one_a_page(listed: Callable[..., Iterator[list[Any]]]) -> Callable[..., Iterator[list[Any]]]:
    """Make pages of one contact out of HubSpot's pages of a hundred."""

    def pages(properties: Any, after: str | None = None) -> Iterator[list[Any]]:
        for page in listed(properties, after=after):
            yield from ([row] for row in page)

    return pages


def test_a_handoff_has_a_net_beneath_its_clocks(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    lead = relay.lead(contact)
    assert (lead["state"], lead["timer_action"]) == ("in_handoff", "alarm")
    assert (lead["timer_at"] - relay.now()).days >= 44
