"""The kill switch stops effects in the middle of a delivery, keeps them all, and they go out once."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
from tests.integration.pipeline.relay import Relay

from baton.ledger.database.engine import transaction
from baton.pipeline.by_hand.effects_switch import Asked, switch_effects, version
from baton.pipeline.delivery.deliver import deliver_and_notify
from baton.pipeline.judging.qualify import qualify_and_route


def switch(relay: Relay, *, stop: bool) -> None:
    with transaction(relay.engine) as conn:
        asked = Asked(stop=stop, by="ops", reason="test", form=uuid.uuid4().hex, seen=version(conn))
        switch_effects(conn, asked, at=relay.now())


@pytest.mark.requirement("000-10")
def test_it_stops_within_a_message_and_loses_nothing(relay: Relay) -> None:
    contacts = [relay.hot_contact() for _ in range(6)]
    qualify_and_route(relay.ctx)
    # Every message takes a while, as it does with the real Slack.
    relay.fail("slow", "slack", "/chat.postMessage", count=100, seconds=0.4)
    delivery = threading.Thread(target=deliver_and_notify, args=[relay.ctx])
    delivery.start()
    until = time.monotonic() + 30
    while not relay.messages() and time.monotonic() < until:
        time.sleep(0.02)

    switch(relay, stop=True)
    pulled = time.monotonic()
    told = len(relay.messages())
    delivery.join(timeout=30)

    assert time.monotonic() - pulled < 5  # not when all six are told
    assert not delivery.is_alive()
    assert told <= len(relay.messages()) <= told + 1 < len(contacts)
    rest = relay.effects(kind="slack_message", state="pending")
    assert len(rest) == len(contacts) - len(relay.messages())
    relay.run()  # deciding goes on, nothing goes out
    assert len(relay.messages()) <= told + 1

    switch(relay, stop=False)
    relay.run()

    assert len(relay.messages()) == len(contacts)
    assert {relay.handoff(one)["state"] for one in contacts} == {"notified"}
