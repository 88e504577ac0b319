"""What sales gives back: reason codes, returns, conversions, deals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.pipeline.relay import START, Relay

from crm_sandbox.salesforce.conversion import convert_lead

LATER, EDUCATION = "Nurture: later", "Nurture: education"
DATE = (START + timedelta(days=30)).date()

# reason code: state, list, days until it returns
OUT_OF_MARKETING = "Do not market"

ACTIONS: dict[str, tuple[str, str | None, int | None]] = {
    "bad_timing": ("recycled", LATER, 30),
    "no_budget": ("recycled", None, 90),
    "no_reply": ("recycled", None, 90 + 11),  # it may be given on the eleventh day
    "needs_nurturing": ("recycled", EDUCATION, None),
    "wrong_contact": ("recycled", EDUCATION, None),
    "too_small": ("recycled", LATER, None),
    "locked_in": ("recycled", None, 180),
    "unserved_industry": ("disqualified", OUT_OF_MARKETING, None),
    "competitor": ("disqualified", OUT_OF_MARKETING, None),
    "student": ("disqualified", OUT_OF_MARKETING, None),
    "duplicate": ("disqualified", None, None),
    "not_a_project": ("disqualified", None, None),
}
OUTCOMES = {"recycled": "Recycle", "disqualified": "Disqualified"}


def give(relay: Relay, contact: str, code: str, **fields: Any) -> None:
    """The owner gives the reason code on the lead."""
    state = ACTIONS[code][0]
    label = relay.policy.dispositions[code].rep_sees
    relay.give(relay.salesforce_lead(contact), OUTCOMES[state], label, **fields)


def sdr_lead(relay: Relay) -> str:
    """A lead with one of the two SDRs of DACH."""
    contact = relay.contact()
    relay.submit(contact, "Contact sales")
    relay.run()
    relay.follow()
    return contact


def work(relay: Relay, contact: str, touches: int = 6, *, days: int = 2) -> None:
    """Touch a lead several times, so many days apart; sales is read each time."""
    for number in range(touches):
        if number:
            relay.wait(days=days)
        relay.touch(relay.salesforce_lead(contact))
        relay.follow()


@pytest.mark.requirement("004-14")
def test_every_reason_code_leads_to_its_action_in_hubspot(relay: Relay) -> None:
    codes = [code for code in relay.policy.dispositions if code != "accepted"]
    assert codes == list(ACTIONS)  # a code without an action here is a code nobody has tried
    contacts = {code: relay.hot_contact() for code in codes}
    relay.run()
    relay.follow()
    for code in codes:
        if code != "no_reply":
            date = {"Return_Date__c": DATE} if code == "bad_timing" else {}
            give(relay, contacts[code], code, **date)
    relay.follow()
    work(relay, contacts["no_reply"])
    relay.wait(days=1)
    give(relay, contacts["no_reply"], "no_reply")
    relay.follow()

    seen = {}
    for code, contact in contacts.items():
        told, lists = relay.in_hubspot(contact), relay.lists_of(contact)
        returns = told.get("return_date")
        days = (datetime.fromisoformat(returns).date() - START.date()).days if returns else None
        seen[code] = (told["state"], next(iter(lists), None), days)
        assert told["disposition"] == code
        assert relay.lead(contact)["state"] == told["state"]
        assert relay.handoff(contact)["state"] == told["state"]
    assert seen == ACTIONS


@pytest.mark.requirement("003-12")
def test_no_reply_is_refused_before_enough_work(relay: Relay) -> None:
    contact = sdr_lead(relay)
    work(relay, contact, 2)
    give(relay, contact, "no_reply")

    report = relay.follow()

    assert report["refused"] == 1
    assert relay.handoff(contact)["state"] not in ("recycled", "disqualified")
    assert relay.lead(contact)["state"] == "in_handoff"
    assert relay.rows("SELECT * FROM disposition") == []


@pytest.mark.requirement("003-12")
def test_no_reply_never_ends_a_lead_for_good(relay: Relay) -> None:
    """Worked, recycled, back with somebody fresh; at the cap it is nurtured, never lost."""
    contact = sdr_lead(relay)
    owners = []
    for _ in range(2):
        owners.append(relay.handoffs(contact)[-1]["owner_key"])
        work(relay, contact)
        give(relay, contact, "no_reply")
        relay.follow()
        lead = relay.lead(contact)
        assert (lead["state"], lead["timer_action"]) == ("recycled", "return")
        assert lead["timer_at"] - relay.now() == timedelta(days=90)
        relay.wait(days=91)
        relay.run()
        assert relay.lead(contact)["state"] == "in_handoff"
    owners.append(relay.handoffs(contact)[-1]["owner_key"])
    assert owners[0] != owners[1]

    work(relay, contact)
    give(relay, contact, "no_reply")
    relay.follow()

    lead = relay.lead(contact)
    assert (lead["state"], lead["timer_action"]) == ("nurture", "mark_cold")
    assert lead["timer_at"] is not None
    assert relay.lists_of(contact) == {LATER}
    assert len(list(relay.org.rows("Lead"))) == 1


def test_bad_timing_without_a_date_is_refused(relay: Relay) -> None:
    contact = sdr_lead(relay)
    give(relay, contact, "bad_timing")

    assert relay.follow()["refused"] == 1
    assert relay.lead(contact)["state"] == "in_handoff"


def test_bad_timing_returns_on_its_date_to_the_same_rep(relay: Relay) -> None:
    contact = sdr_lead(relay)
    first = relay.handoff(contact)
    give(relay, contact, "bad_timing", Return_Date__c=DATE)
    relay.follow()
    assert relay.lead(contact)["timer_at"] == datetime(DATE.year, DATE.month, DATE.day, tzinfo=UTC)
    relay.wait(days=29)
    relay.run()
    assert relay.lead(contact)["state"] == "recycled"
    relay.wait(days=1)

    relay.run()

    again = relay.handoffs(contact)[-1]
    assert (again["cycle"], again["owner_key"]) == (2, first["owner_key"])
    lead = relay.salesforce_lead(contact)
    assert lead["Handoff_Key__c"] == f"{again['key']}.1"
    # Last cycle's outcome must not stand for this one's.
    assert (lead["Status"], lead["Disposition__c"]) == ("Open - Not Contacted", None)
    assert len(relay.tasks()) == 2
    assert relay.in_hubspot(contact)["state"] == "in_handoff"
    assert not relay.in_hubspot(contact).get("return_date")


def test_a_demo_request_brings_a_recycled_lead_out_at_once(relay: Relay) -> None:
    contact = sdr_lead(relay)
    give(relay, contact, "no_budget")
    relay.follow()
    assert relay.lead(contact)["state"] == "recycled"
    relay.wait(days=3)
    relay.submit(contact, "Demo request")

    relay.run()

    assert relay.lead(contact)["state"] == "in_handoff"
    assert [one["trigger"] for one in relay.handoffs(contact)] == ["contact_sales", "demo_request"]
    assert relay.handoffs(contact)[-1]["captured_at"] == relay.now()


def test_a_recycled_lead_is_left_alone_by_a_page_view(relay: Relay) -> None:
    contact = sdr_lead(relay)
    give(relay, contact, "no_budget")
    relay.follow()
    relay.wait(days=3)
    relay.change(contact, hs_analytics_num_page_views="12")

    relay.run()

    assert relay.lead(contact)["state"] == "recycled"
    assert len(relay.handoffs(contact)) == 1


def test_a_disqualified_lead_is_reopened_by_a_demo_request_only(relay: Relay) -> None:
    contact = sdr_lead(relay)
    give(relay, contact, "not_a_project")
    relay.follow()
    relay.wait(days=3)
    relay.change(contact, hs_analytics_num_page_views="12")
    relay.run()
    assert relay.lead(contact)["state"] == "disqualified"
    relay.wait(hours=1)
    relay.submit(contact, "Demo request")

    relay.run()

    assert relay.lead(contact)["state"] == "in_handoff"


def test_an_outcome_without_a_reason_is_not_taken(relay: Relay) -> None:
    contact = sdr_lead(relay)
    relay.give(relay.salesforce_lead(contact), "Recycle", None)

    assert relay.follow()["without_reason"] == 1
    assert relay.lead(contact)["state"] == "in_handoff"


def test_an_outcome_on_the_task_of_a_known_contact_counts(relay: Relay) -> None:
    account = relay.account("Client Works", "client.test", owner="ines.moreau")
    company = relay.company(domain="client.test", name="Client Works")
    contact = relay.contact(company)
    relay.org.insert(
        "Contact",
        {
            "LastName": "Tester",
            "Email": relay.email(contact),
            "AccountId": account,
            "OwnerId": relay.user("ines.moreau"),
        },
    )
    relay.submit(contact, "Contact sales")
    relay.run()
    relay.follow()
    (task,) = relay.tasks()
    given = {"Disposition__c": "Recycle", "Disposition_Reason__c": "No budget yet"}
    relay.org.update("Task", task["Id"], given, by=task["OwnerId"])

    relay.follow()

    assert relay.handoff(contact)["disposition_code"] == "no_budget"
    assert relay.in_hubspot(contact)["state"] == "recycled"


def test_accepted_then_worked_then_won_is_a_customer(relay: Relay) -> None:
    contact, deal = converted(relay)
    assert relay.handoff(contact)["state"] == "converted"

    relay.wait(days=20)
    relay.org.update(
        "Opportunity",
        deal,
        {"StageName": "Closed Won", "Amount": 12500.5, "CloseDate": relay.now().date()},
        by=relay.user("sofia.ricci"),
    )
    relay.follow()

    handoff = relay.handoff(contact)
    assert (handoff["state"], handoff["outcome"]) == ("won", "won")
    assert handoff["amount_cents"] == 1_250_050
    assert relay.lead(contact)["state"] == "customer"
    assert relay.in_hubspot(contact)["state"] == "customer"


def test_a_lost_deal_goes_back_to_marketing(relay: Relay) -> None:
    contact, deal = converted(relay)
    relay.wait(days=20)
    relay.org.update(
        "Opportunity",
        deal,
        {"StageName": "Closed Lost", "CloseDate": relay.now().date()},
        by=relay.user("sofia.ricci"),
    )

    relay.follow()

    assert relay.handoff(contact)["state"] == "lost"
    assert relay.lead(contact)["state"] == "nurture"
    assert relay.in_hubspot(contact)["state"] == "nurture"
    # Its score has not changed: it must not come back the next minute.
    relay.wait(minutes=5)
    relay.run()
    assert relay.lead(contact)["state"] == "nurture"
    assert len(relay.handoffs(contact)) == 1


def converted(relay: Relay) -> tuple[str, str]:
    """A hot lead that was accepted, worked and converted; with its opportunity's id."""
    contact = relay.hot_contact()
    relay.run()
    relay.follow()
    relay.give(relay.salesforce_lead(contact), "Accepted", Status="Accepted")
    relay.wait(minutes=2)
    relay.follow()
    assert relay.handoff(contact)["state"] == "accepted"
    lead = relay.salesforce_lead(contact)
    relay.touch(lead)
    relay.org.update("Lead", lead["Id"], {"Status": "Working - Contacted"}, by=lead["OwnerId"])
    relay.wait(hours=1)
    relay.follow()
    handoff = relay.handoff(contact)
    assert handoff["state"] == "working"
    done = convert_lead(
        relay.org, lead["Id"], by=lead["OwnerId"], opportunity_name="First project", amount=10_000.0
    )
    relay.follow()
    return contact, str(done.opportunity_id)


def test_touches_are_read_once(relay: Relay) -> None:
    contact = sdr_lead(relay)
    relay.wait(minutes=4)
    relay.touch(relay.salesforce_lead(contact))
    relay.follow()
    relay.follow()

    (touch,) = relay.rows("SELECT * FROM touch")
    assert (touch["kind"], touch["at"]) == ("call", relay.now())


def test_an_outcome_committed_late_under_an_older_stamp_is_read_all_the_same(
    relay: Relay,
) -> None:
    """A long transaction of the org: its rows appear behind what was read already."""
    contact = sdr_lead(relay)
    relay.wait(minutes=20)
    given_at = relay.now()
    relay.wait(minutes=10)
    relay.follow()
    read_to = relay.now()
    relay.world.clock.set(given_at)
    relay.give(relay.salesforce_lead(contact), "Accepted", Status="Accepted")
    relay.world.clock.set(read_to)
    assert relay.salesforce_lead(contact)["SystemModstamp"] == given_at
    relay.wait(minutes=2)

    relay.follow()

    assert relay.handoff(contact)["state"] == "accepted"


def test_an_owner_changed_by_hand_is_kept_and_noted(relay: Relay) -> None:
    contact = sdr_lead(relay)
    lead = relay.salesforce_lead(contact)
    taken = relay.user("amara.okafor")
    relay.wait(minutes=30)
    relay.org.update("Lead", lead["Id"], {"OwnerId": taken}, by=relay.user("nadia.petrov"))

    relay.everything()
    relay.wait(minutes=30)
    relay.everything()

    (noted,) = relay.rows("SELECT * FROM human_override")
    assert (noted["theirs"], noted["by_whom"]) == (
        "amara.okafor@relay.test",
        "nadia.petrov@relay.test",
    )
    assert relay.salesforce_lead(contact)["OwnerId"] == taken
