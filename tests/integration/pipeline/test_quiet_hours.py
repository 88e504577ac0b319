"""At night the lead has its owner and its task at once; only the message waits for the morning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.pipeline.relay import Relay

from baton.errors import PolicyErrors
from baton.ledger.agreements import policies
from baton.ledger.database.engine import transaction
from baton.pipeline.versions.agreements import activate_policy
from baton.policy.bundle import PolicyBundle

NIGHT = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)  # 23:00 in Berlin and Vienna
MORNING = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)  # 07:00 there


def at_night(relay: Relay, form: str) -> str:
    relay.world.clock.set(NIGHT)
    relay.wait(seconds=0)
    contact = relay.contact()
    relay.submit(contact, form)
    relay.run()
    return contact


def test_a_message_at_night_is_sent_in_the_morning(relay: Relay) -> None:
    contact = at_night(relay, "Contact sales")
    assert relay.messages() == []
    assert relay.handoff(contact)["state"] == "assigned", "owner and task are there"

    relay.world.clock.set(MORNING - timedelta(seconds=1))
    relay.wait(seconds=0)
    relay.run()
    assert relay.messages() == []

    relay.wait(seconds=1)
    relay.run()
    assert len(relay.messages()) == 1
    assert relay.handoff(contact)["state"] == "notified"


def test_who_asks_for_a_demo_is_announced_at_any_hour(relay: Relay) -> None:
    contact = at_night(relay, "Demo request")
    assert len(relay.messages()) == 1
    assert relay.handoff(contact)["state"] == "notified"


def test_a_policy_that_does_not_fit_the_roster_never_replaces_one_that_does(relay: Relay) -> None:
    texts = dict(relay.bundle.texts)
    texts["routing.yaml"] = texts["routing.yaml"].replace("SDR APAC", "SDR Pacific")
    with transaction(relay.engine) as conn:
        before = policies.current_hash(conn)
    with pytest.raises(PolicyErrors) as raised, transaction(relay.engine) as conn:
        activate_policy(conn, PolicyBundle(texts), by="tests", at=relay.now(), parent=before)
    (error,) = raised.value.errors
    assert "nobody active draws leads in the pool 'SDR Pacific'" in error.message
    assert error.file == "routing.yaml"
    assert str(error.snippet).strip().startswith("SDR Pacific: {recipient")
    with transaction(relay.engine) as conn:
        assert policies.current_hash(conn) == before
