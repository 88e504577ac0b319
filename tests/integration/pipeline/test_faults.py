"""What can go wrong between us and the CRMs: nothing is lost, nothing is done twice."""

from __future__ import annotations

from contextlib import suppress

import pytest
from tests.integration.pipeline.relay import ONCE, Relay

from baton.errors import AuthenticationError, RateLimitedError, RetriableGatewayError
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.judging.qualify import qualify_and_route

SOFIA = "sofia.ricci@relay.test"
LEADS = r"/composite/sobjects/Lead"
TASKS = r"/composite/sobjects/Task"
POST = r"/chat\.postMessage"
UPDATE = r"/contacts/batch/update"
HOUR = {"hours": 1}
EVERY_CALL = (
    ("hubspot", r"/objects/contacts"),
    ("hubspot", r"/companies/batch/read"),
    ("salesforce", r"/composite$"),
    ("salesforce", LEADS),
    ("salesforce", TASKS),
    ("slack", r"/users\.lookupByEmail"),
    ("slack", POST),
    ("hubspot", UPDATE),
)


def settled(relay: Relay, *contacts: str) -> None:
    """One owner, one task, one message each, known to HubSpot."""
    for contact in contacts:
        assert relay.handoff(contact)["state"] == "notified"
        assert relay.owner_name(relay.salesforce_lead(contact)) == SOFIA
        assert relay.in_hubspot(contact)["state"] == "in_handoff"
    assert len(list(relay.org.rows("Lead"))) == len(contacts)
    assert len(relay.tasks()) == len(contacts)
    assert [message.to for message in relay.messages()] == [SOFIA] * len(contacts)
    assert {row["state"] for row in relay.effects()} == {"done"}


@pytest.mark.parametrize("kind", ["reset", "timeout", "truncated", "500", "502_html"])
def test_an_answer_lost_after_salesforce_has_committed(relay: Relay, kind: str) -> None:
    contact = relay.hot_contact()
    relay.ctx = relay.context(seconds=0.5)
    relay.fail(kind, "salesforce", LEADS, when="after")
    relay.fail(kind, "salesforce", TASKS, when="after")

    relay.run()  # the lead is looked for and found at once; a task waits for its next try,
    relay.wait(minutes=1)  # for a blind repeat could write over what its owner did meanwhile
    relay.run()

    assert [rule["struck"] for rule in relay.world.faults.listing()] == [1, 1]
    settled(relay, contact)


def test_an_answer_lost_for_good_is_read_back_by_the_next_run(relay: Relay) -> None:
    """The gateway does not insist: the worker's next run finds the record and the task."""
    contact = relay.hot_contact()
    relay.fail("reset", "salesforce", LEADS, when="after")
    relay.fail("reset", "salesforce", TASKS, when="after")
    relay.ctx = relay.context(terms=ONCE)
    relay.run()
    assert relay.handoff(contact)["state"] == "planned"
    relay.wait(**HOUR)
    relay.ctx = relay.context(terms=ONCE)
    relay.run()
    relay.wait(**HOUR)

    relay.run()

    settled(relay, contact)


@pytest.mark.parametrize("kind", ["reset", "timeout", "500"])
def test_a_message_whose_answer_is_lost_is_found_and_not_sent_again(
    relay: Relay, kind: str
) -> None:
    contact = relay.hot_contact()
    relay.ctx = relay.context(seconds=1)
    relay.fail(kind, "slack", POST, when="after")
    report = relay.run()
    assert report["slack_message ambiguous"] == 1
    assert len(relay.messages()) == 1
    relay.wait(minutes=2)

    relay.run()

    settled(relay, contact)
    (effect,) = relay.effects(kind="slack_message")
    assert effect["result"]["found"] == "true"


def test_a_doubled_message_that_slack_does_not_give_back_is_no_reason_to_send_a_third(
    relay: Relay,
) -> None:
    contact = relay.hot_contact()
    relay.ctx = relay.context(seconds=1)
    relay.fail("reset", "slack", POST, when="after")
    relay.run()
    (effect,) = relay.effects(kind="slack_message")
    owner = relay.ctx.slack.direct_channel(relay.ctx.slack.user_id(SOFIA))
    doubled = relay.ctx.slack.post(owner, "a late worker's", [], key=effect["key"])
    relay.fail("500", "slack", r"/chat\.delete", count=50)
    relay.wait(minutes=2)

    relay.run()

    assert relay.handoff(contact)["state"] == "notified"
    assert len(relay.messages()) == 2
    (effect,) = relay.effects(kind="slack_message")
    assert (effect["state"], effect["result"]["stands_twice"]) == ("done", doubled.ts)
    relay.world.faults.clear()
    relay.ctx.slack.take_back(doubled)


@pytest.mark.parametrize("kind", ["reset", "timeout"])
def test_a_message_that_never_arrived_is_sent_after_looking(relay: Relay, kind: str) -> None:
    contact = relay.hot_contact()
    relay.ctx = relay.context(seconds=1)
    relay.fail(kind, "slack", POST, when="before")
    relay.run()
    assert relay.messages() == []
    relay.wait(minutes=2)

    relay.run()

    settled(relay, contact)


@pytest.mark.parametrize("kind", ["429", "503"])
def test_a_passing_refusal_of_every_call_is_tried_again(relay: Relay, kind: str) -> None:
    """Each call of the chain is refused once: by the gateway or by the next run it is repeated."""
    contact = relay.hot_contact()
    for api, path in EVERY_CALL:
        relay.fail(kind, api, path, retry_after=60 if kind == "429" else None)

    for _ in EVERY_CALL:
        with suppress(RateLimitedError):  # asked to wait for longer than a task should
            relay.run()
        relay.wait(minutes=2)
        relay.change(contact, hs_analytics_num_page_views=str(relay.now().minute))
    relay.run()

    assert [rule["struck"] for rule in relay.world.faults.listing()] == [1] * len(EVERY_CALL)
    settled(relay, contact)


@pytest.mark.parametrize("path", [LEADS, TASKS])
def test_an_outage_of_salesforce_delays_and_loses_nothing(relay: Relay, path: str) -> None:
    contact = relay.hot_contact()
    relay.fail("503", "salesforce", path, count=50)
    relay.run()
    assert relay.messages() == []
    assert {"waiting"} <= {row["state"] for row in relay.effects()}
    relay.world.faults.clear()
    relay.wait(**HOUR)

    relay.run()

    settled(relay, contact)


def test_an_outage_of_slack_delays_only_the_message(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.fail("503", "slack", ".*", count=50)
    relay.run()
    assert relay.owner_name(relay.salesforce_lead(contact)) == SOFIA
    assert relay.in_hubspot(contact)["state"] == "in_handoff"
    relay.world.faults.clear()
    relay.wait(**HOUR)

    relay.run()

    settled(relay, contact)


def test_hubspot_away_while_reading_loses_nothing(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.fail("503", "hubspot", ".*", count=50)
    with pytest.raises(RetriableGatewayError, match="hubspot_default"):
        qualify_and_route(relay.ctx)
    assert relay.rows("SELECT * FROM lead") == []
    relay.world.faults.clear()

    relay.run()

    settled(relay, contact)


def test_salesforce_away_while_judging_loses_nothing(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.fail("503", "salesforce", ".*", count=50)
    with pytest.raises(RetriableGatewayError, match="salesforce_default"):
        qualify_and_route(relay.ctx)
    relay.world.faults.clear()

    relay.run()

    settled(relay, contact)


def test_hubspot_refusing_the_write_back_keeps_it_for_later(relay: Relay) -> None:
    contact = relay.hot_contact()
    qualify_and_route(relay.ctx)
    deliver_and_notify(relay.ctx)
    relay.fail("503", "hubspot", UPDATE, count=50)
    write_back(relay.ctx)
    assert "state" not in relay.in_hubspot(contact)
    relay.world.faults.clear()
    relay.wait(**HOUR)

    relay.run()

    settled(relay, contact)


def test_a_session_that_ends_between_record_and_task_is_renewed(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.fail("401", "salesforce", TASKS)

    relay.run()

    settled(relay, contact)


def test_a_session_refused_for_good_stops_and_loses_nothing(relay: Relay) -> None:
    contact = relay.hot_contact()
    qualify_and_route(relay.ctx)
    relay.fail("401", "salesforce", "/services/data/", count=50)
    with pytest.raises(AuthenticationError, match="salesforce_default"):
        deliver_and_notify(relay.ctx)
    assert {row["state"] for row in relay.effects(kind="salesforce_record")} == {"waiting"}
    relay.world.faults.clear()
    relay.wait(**HOUR)

    relay.run()

    settled(relay, contact)


def test_a_batch_of_which_a_part_fails_carries_out_the_rest(relay: Relay) -> None:
    contacts = [relay.hot_contact() for _ in range(3)]
    relay.fail("partial", "salesforce", LEADS, count=50)
    relay.run()
    relay.world.faults.clear()
    states = sorted(relay.handoff(contact)["state"] for contact in contacts)
    assert states == ["notified", "notified", "planned"]
    relay.wait(**HOUR)

    relay.run()

    settled(relay, *contacts)


def test_a_partial_write_back_is_finished_later(relay: Relay) -> None:
    contacts = [relay.hot_contact() for _ in range(3)]
    relay.fail("partial", "hubspot", UPDATE)
    relay.run()
    told = [relay.in_hubspot(contact).get("state") for contact in contacts]
    assert sorted(told, key=str) == [None, "in_handoff", "in_handoff"]
    relay.wait(**HOUR)

    relay.run()

    settled(relay, *contacts)


def test_an_owner_unknown_to_slack_is_told_in_the_fallback_channel(relay: Relay) -> None:
    contact = relay.hot_contact()
    users = relay.world.workspace.users
    del users[relay.slack_id(SOFIA)]

    relay.run()

    (message,) = relay.messages()
    assert message.to == "#sales-inbound"
    assert "could not reach" in message.says
    assert relay.handoff(contact)["state"] == "notified"
