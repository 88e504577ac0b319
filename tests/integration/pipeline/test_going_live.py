"""From observing to live: modes by form and region, comparison, adoption, new hand raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.integration.pipeline.relay import START, Relay

from baton.leads.states import LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import switches
from baton.pipeline.going_live.mode_switch import (
    ModeSet,
    chosen_scope,
    put_mode,
    put_start,
    with_mode,
)
from baton.pipeline.going_live.observed_owners import Cause, compare
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.cut_over import Fate, adopt_in_flight, in_flight
from baton.pipeline.modes import Modes
from baton.settings import Mode

JONAS, MIRA = "jonas.keller@relay.test", "mira.lindner@relay.test"
HELENA = "helena.voss@relay.test"


def set_mode(
    relay: Relay, mode: Mode, *, form: str | None = None, region: str | None = None
) -> None:
    with transaction(relay.engine) as conn:
        everything = form is None and region is None
        scope = chosen_scope(conn, relay.policy, form=form, region=region, everything=everything)
        put_mode(conn, ModeSet(scope=scope, mode=mode, by="admin", reason="test", at=relay.now()))


def wants_to_talk(relay: Relay, **values: str) -> str:
    contact = relay.contact(**values)
    relay.submit(contact, "Contact sales")
    return contact


def in_their_salesforce(relay: Relay, contact: str, owner: str, **fields: object) -> str:
    """The organisation's own process has put the person into Salesforce."""
    owner_id = relay.user(owner) if "@" in owner else relay.ground.queues[owner]
    given = {"LastName": "Tester", "Company": "Theirs", "Email": relay.email(contact)}
    return str(relay.org.insert("Lead", given | {"OwnerId": owner_id} | fields))


def test_the_form_is_more_particular_than_the_region_and_that_than_all() -> None:
    modes = Modes(
        Mode.LIVE,
        {"all": "observe", "region:DACH": "live", "form:Newsletter": "observe"},
        starts_at=START,
    )

    assert modes.of_scope(None, None) is Mode.OBSERVE
    assert modes.of_scope("Demo request", "DACH") is Mode.LIVE
    assert modes.of_scope("Newsletter", "DACH") is Mode.OBSERVE
    before, after = START - timedelta(seconds=1), START
    for state, captured, mode in (
        (LeadState.SEEN, after, Mode.LIVE),
        (LeadState.SEEN, before, Mode.OBSERVE),
        # We have judged it to be marketing's: what brings it to the line now is news for us.
        (LeadState.NURTURE, before, Mode.LIVE),
        (LeadState.QUARANTINED, before, Mode.OBSERVE),
    ):
        assert modes.of(None, "DACH", captured_at=captured, state=state) is mode, (state, captured)


def test_a_form_goes_live_alone_and_what_was_born_live_is_followed_to_its_end(
    relay: Relay,
) -> None:
    set_mode(relay, Mode.OBSERVE)
    set_mode(relay, Mode.LIVE, form="Contact sales")
    observed = relay.hot_contact()
    asked = wants_to_talk(relay)

    relay.run()

    assert (relay.handoff(observed)["mode"], relay.handoff(asked)["mode"]) == ("observe", "live")
    assert [row["HubSpot_Contact_Id__c"] for row in relay.org.rows("Lead")] == [asked]
    assert {one.key.split(".")[0] for one in relay.messages()} == {relay.handoff(asked)["key"]}
    assert relay.in_hubspot(asked)["state"] == "in_handoff"
    assert not relay.in_hubspot(observed).get("state")
    # What nobody was given costs nobody a turn, and runs no clock.
    pools = {row["pool"] for row in relay.rows("SELECT pool FROM pool_state WHERE version > 0")}
    assert pools == {"SDR DACH", "AE Mid-market EMEA (observed)"}
    relay.wait(hours=3)
    relay.watch()
    told = relay.rows(
        "SELECT DISTINCT handoff.key FROM sla_event JOIN hop ON hop.id = hop_id"
        " JOIN handoff ON handoff.id = handoff_id"
    )
    assert [row["key"] for row in told] == [relay.handoff(asked)["key"]]

    set_mode(relay, Mode.OBSERVE, form="Contact sales")
    relay.give(
        relay.salesforce_lead(asked),
        "Recycle",
        "Bad timing",
        Return_Date__c=relay.now().date() + timedelta(days=60),
    )
    relay.follow()

    assert relay.in_hubspot(asked)["state"] == "recycled"
    assert relay.lists_of(asked) == {"Nurture: later"}


def test_same_owner_so_many_of_so_many_and_the_differences_by_cause(relay: Relay) -> None:
    set_mode(relay, Mode.OBSERVE)
    contacts = [wants_to_talk(relay) for _ in range(7)]
    below = relay.contact()
    relay.run()
    owners = [relay.handoff(one)["owner_key"] for one in contacts]
    assert set(owners) == {JONAS, MIRA}
    other = {JONAS: MIRA, MIRA: JONAS}
    gone = relay.org.add_user("Gina Gone", "gone@relay.test")
    relay.ground.users["gone"] = gone
    for contact, owner in zip(
        contacts,
        (owners[0], owners[1], other[owners[2]], HELENA, "Inbound DACH", "gone@relay.test"),
        strict=False,
    ):
        in_their_salesforce(relay, contact, owner)
    in_their_salesforce(relay, below, JONAS)
    relay.org.update("User", gone, {"IsActive": False})
    read_references(relay.ctx)
    before = relay.writes()

    found = compare(relay.ctx, START - timedelta(hours=1), relay.now() + timedelta(hours=1))

    assert found.words == "same owner 2 of 7, the 5 differences by cause"
    assert {one.contact: one.cause for one in found.differences} == {
        contacts[2]: Cause.OTHER_PERSON,
        contacts[3]: Cause.OTHER_POOL,
        contacts[4]: Cause.LEFT_IN_QUEUE,
        contacts[5]: Cause.INACTIVE,
        contacts[6]: Cause.NOT_IN_SALESFORCE,
    }
    assert [(one.contact, one.cause) for one in found.only_theirs] == [(below, Cause.BELOW)]
    assert found.by_scope == {"form Contact sales": (2, 7), "region DACH": (2, 7)}
    assert relay.email(contacts[3]) not in str(found.to_json())
    assert relay.writes() == before


def test_leads_in_flight_are_adopted_without_clocks_and_a_new_hand_raise_is_handed_over(
    relay: Relay,
) -> None:
    set_mode(relay, Mode.OBSERVE)
    old = wants_to_talk(relay)
    worked = wants_to_talk(relay)
    relay.run()
    relay.wait(days=1)
    start = relay.now()
    young = wants_to_talk(relay)
    relay.run()
    theirs = in_their_salesforce(relay, worked, HELENA)
    in_their_salesforce(relay, old, "Inbound DACH")
    relay.wait(hours=1)
    with transaction(relay.engine) as conn:
        scope = chosen_scope(conn, relay.policy, form=None, region="dach", everything=False)
        wanted = with_mode(Modes.read(conn, Mode.LIVE), scope, Mode.LIVE, start)

    planned = {one.observed.hubspot_id: one.fate for some in in_flight(relay.ctx, wanted)
               for one in some}  # fmt: skip

    assert planned == {worked: Fate.ADOPT, old: Fate.END, young: Fate.HAND_OVER}
    assert adopt_in_flight(relay.ctx).counts() == {}  # nothing is live yet
    with transaction(relay.engine) as conn:
        put_start(conn, start, by="admin", reason="test", at=relay.now())
    set_mode(relay, Mode.LIVE, region="DACH")
    assert adopt_in_flight(relay.ctx).counts() == {
        "adopted": 1, "handed over": 1, "left with marketing": 1,
    }  # fmt: skip
    assert adopt_in_flight(relay.ctx).counts() == {}
    relay.run()

    adopted = relay.handoff(worked)
    assert (adopted["owner_key"], adopted["state"]) == (HELENA, "assigned")
    assert (adopted["first_touch_due"], adopted["terms"]) == (None, {})
    assert relay.org.get("Lead", theirs)["Handoff_Key__c"] is None
    assert relay.lead(old)["state"] == "nurture"
    assert relay.handoff(young)["state"] == "notified"
    assert relay.handoff(young)["assigned_at"] == relay.now()  # its clock begins with the cut-over
    (message,) = relay.messages()
    assert message.key.startswith(relay.handoff(young)["key"])
    relay.wait(days=2)
    relay.watch()
    assert not relay.rows(
        "SELECT 1 FROM sla_event JOIN hop ON hop.id = hop_id WHERE handoff_id = :id",
        id=adopted["id"],
    )

    relay.submit(worked, "Demo request")
    relay.submit(old, "Demo request")
    relay.run()

    for contact in (worked, old):
        ended, live = relay.handoffs(contact)
        assert (ended["state"], live["state"], live["mode"]) == ("cancelled", "notified", "live")
    assert relay.handoffs(worked)[1]["owner_key"] == HELENA  # who works it keeps it
    assert len(list(relay.org.rows("Lead"))) == 3


@pytest.mark.requirement("000-10")
def test_a_lead_captured_before_the_start_is_not_handed_over_by_us(relay: Relay) -> None:
    early = wants_to_talk(relay)
    relay.wait(minutes=5)
    with transaction(relay.engine) as conn:
        put_start(conn, relay.now(), by="admin", reason="test", at=relay.now())
    late = wants_to_talk(relay)

    relay.run()

    assert (relay.handoff(early)["mode"], relay.handoff(late)["mode"]) == ("observe", "live")
    assert [row["HubSpot_Contact_Id__c"] for row in relay.org.rows("Lead")] == [late]
    adopt_in_flight(relay.ctx)
    assert relay.handoff(early)["state"] == "cancelled"
    relay.wait(hours=1)
    relay.change(early, jobtitle="Director of Sales")
    relay.run()
    assert len(relay.handoffs(early)) == 1  # an old form sent before us is no news


def test_past_time_is_replayed_whatever_is_switched(relay: Relay) -> None:
    set_mode(relay, Mode.OBSERVE)
    with transaction(relay.engine) as conn:
        assert Modes.read(conn, Mode.HISTORY).of_scope("x", "DACH") is Mode.HISTORY
        switches.set_mode(conn, "form:x", Mode.LIVE, by="a", at=START)
        assert Modes.read(conn, Mode.OBSERVE).anything_live
    relay.ctx = replace(relay.ctx, mode=Mode.HISTORY)
    contact = wants_to_talk(relay)
    relay.run()
    assert relay.handoff(contact)["mode"] == "history"
