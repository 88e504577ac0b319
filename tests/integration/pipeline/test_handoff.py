"""From HubSpot to an owner, a task and a message: the golden cases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.integration.pipeline.relay import PROFILE, SEVENTY, START, Relay, milliseconds

from baton.pipeline.intake.references import read_references
from baton.policy.roster import Roster

SOFIA = "sofia.ricci@relay.test"
"""The only account executive for companies of 300 people in Germany."""
DACH_SDRS = ("jonas.keller@relay.test", "mira.lindner@relay.test")
NADIA = "nadia.petrov@relay.test"
INES = "ines.moreau@relay.test"


@pytest.mark.requirement("000-10")
def test_above_75_becomes_a_task_and_a_message_to_the_owner(relay: Relay) -> None:
    contact = relay.hot_contact()

    relay.run()

    handoff = relay.handoff(contact)
    assert handoff["score_milli"] == 76_000
    assert (handoff["owner_key"], handoff["state"]) == (SOFIA, "notified")
    lead = relay.salesforce_lead(contact)
    assert relay.owner_name(lead) == SOFIA
    assert lead["Handoff_Score__c"] == 76
    (task,) = relay.tasks()
    assert (task["OwnerId"], task["WhoId"]) == (lead["OwnerId"], lead["Id"])
    (message,) = relay.messages()
    assert message.to == SOFIA
    assert "Robin Tester" in message.says
    assert handoff["notified_at"] - handoff["captured_at"] <= timedelta(seconds=120)
    told = relay.in_hubspot(contact)
    assert (told["state"], told["owner"], told["band"]) == ("in_handoff", SOFIA, "hot")


@pytest.mark.requirement("000-10")
def test_75_itself_is_not_above(relay: Relay) -> None:
    seen = milliseconds(START)
    contact = relay.contact(**SEVENTY, site_revisits="1", hs_analytics_last_visit_timestamp=seen)

    relay.run()

    lead = relay.lead(contact)
    assert (lead["score_milli"], lead["band"], lead["state"]) == (75_000, "warm", "nurture")
    assert relay.handoffs(contact) == []
    assert relay.tasks() == []
    assert relay.messages() == []
    assert list(relay.org.find_all("Lead", HubSpot_Contact_Id__c=contact)) == []
    assert relay.in_hubspot(contact)["score"] == "75"


@pytest.mark.requirement("001-07")
def test_quiz_score_80_goes_to_the_territory_sdr_with_an_alert_and_five_minutes(
    relay: Relay,
) -> None:
    contact = relay.contact()
    relay.take_quiz(contact, 80, answers="How many reps: 12\nWho routes leads: a spreadsheet")
    relay.wait(seconds=50)

    relay.run()

    handoff = relay.handoff(contact)
    owner = handoff["owner_key"]
    assert owner in DACH_SDRS
    assert handoff["trigger"] == "quiz"
    (message,) = relay.messages()
    assert message.to == "#sales-inbound"
    assert f"<@{relay.slack_id(owner)}>" in message.says
    assert handoff["captured_at"] == START
    assert handoff["assigned_at"] == START + timedelta(seconds=50)
    assert handoff["first_touch_due"] - handoff["assigned_at"] == timedelta(minutes=5)
    promised = datetime.fromisoformat(handoff["terms"]["buyer_due"])
    assert promised == START + timedelta(minutes=5)
    lead, (task,) = relay.salesforce_lead(contact), relay.tasks()
    assert relay.owner_name(lead) == relay.owner_name(task) == owner
    for place in (task["Description"], lead["Handoff_Package__c"]):
        assert "How many reps: 12" in place
        assert "Who routes leads: a spreadsheet" in place
        assert "Quiz score: 80" in place


def test_a_quiz_below_the_line_hands_nothing_off(relay: Relay) -> None:
    contact = relay.contact()
    relay.take_quiz(contact, 75)

    relay.run()

    assert relay.lead(contact)["state"] == "nurture"
    assert relay.messages() == []


@pytest.mark.requirement("002-08")
def test_engagement_of_somebody_off_profile_beats_a_perfect_profile_without_any(
    relay: Relay,
) -> None:
    seen = milliseconds(START)
    engaged = relay.contact(
        relay.company(numberofemployees="1500"),
        content_downloads="5",
        last_content_at=seen,
        site_revisits="3",
        hs_analytics_last_visit_timestamp=seen,
    )
    perfect = relay.contact()

    relay.run()

    assert relay.lead(perfect)["score_milli"] == 40_000
    assert relay.lead(engaged)["score_milli"] > relay.lead(perfect)["score_milli"]
    assert (relay.lead(engaged)["band"], relay.lead(perfect)["band"]) == ("hot", "nurture")
    assert [task["Subject"] for task in relay.tasks() if "Softworks 1" in task["Subject"]]
    assert relay.handoffs(perfect) == []


@pytest.mark.requirement("001-04")
def test_a_lead_that_no_rule_fits_lands_in_a_queue_and_its_watcher_is_told(relay: Relay) -> None:
    company = relay.company(country="Kenya")
    contact = relay.contact(company, country="Kenya")
    relay.submit(contact, "Contact sales")

    relay.run()

    handoff = relay.handoff(contact)
    assert (handoff["owner_kind"], handoff["owner_key"]) == ("queue", "Inbound triage")
    assert relay.owner_name(relay.salesforce_lead(contact)) == "Inbound triage"
    (task,) = relay.tasks()
    assert relay.owner_name(task) == NADIA
    (message,) = relay.messages()
    assert message.to == NADIA

    relay.wait(minutes=16)
    relay.watch()
    assert [one.to for one in relay.messages()] == [NADIA, NADIA]


def test_nobody_of_the_territory_there_goes_to_its_queue(relay: Relay) -> None:
    """Neither SDR of DACH is there any more."""
    away = [
        rep.model_copy(update={"active": False}) if rep.key in DACH_SDRS else rep
        for rep in relay.roster.people
    ]
    relay.adopt_roster(Roster(people=tuple(away), pools=relay.roster.pools))
    contact = relay.contact()
    relay.submit(contact, "Contact sales")

    relay.run()

    assert relay.handoff(contact)["owner_key"] == "Inbound DACH"
    assert relay.owner_name(relay.salesforce_lead(contact)) == "Inbound DACH"
    (message,) = relay.messages()
    assert message.to == NADIA


def test_an_existing_customer_keeps_owner_and_record_and_gets_only_a_task(relay: Relay) -> None:
    company = relay.company(domain="client.test", name="Client Works")
    account = relay.account("Client Works", "client.test", owner=INES, Type="Customer - Direct")
    contact = relay.contact(company)
    known = relay.org.insert(
        "Contact",
        {
            "LastName": "Tester",
            "Email": relay.email(contact),
            "AccountId": account,
            "OwnerId": relay.user("tom.adeyemi"),
        },
    )
    read_references(relay.ctx)
    relay.submit(contact, "Demo request")

    relay.run()

    assert relay.handoff(contact)["owner_key"] == INES
    assert list(relay.org.rows("Lead")) == []
    after = relay.org.get("Contact", known)
    assert after["OwnerId"] == relay.user("tom.adeyemi")
    assert after["HubSpot_Contact_Id__c"] == contact
    assert relay.org.get("Account", account)["OwnerId"] == relay.user(INES)
    (task,) = relay.tasks()
    assert (task["WhoId"], relay.owner_name(task)) == (known, INES)
    assert [one.to for one in relay.messages()] == [INES]


def test_an_open_opportunity_keeps_the_owner_of_the_record(relay: Relay) -> None:
    company = relay.company(domain="prospect.test", name="Prospect Works")
    account = relay.account("Prospect Works", "prospect.test", owner="helena.voss@relay.test")
    relay.opportunity(account, owner="marcus.bell@relay.test")
    contact = relay.contact(company)
    known = relay.org.insert(
        "Lead",
        {
            "LastName": "Tester",
            "Company": "Prospect Works",
            "Email": relay.email(contact),
            "OwnerId": relay.user("tom.adeyemi"),
        },
    )
    read_references(relay.ctx)
    relay.submit(contact, "Demo request")

    relay.run()

    assert relay.handoff(contact)["owner_key"] == "marcus.bell@relay.test"
    lead = relay.salesforce_lead(contact)
    assert lead["Id"] == known
    assert relay.owner_name(lead) == "tom.adeyemi@relay.test"
    (task,) = relay.tasks()
    assert relay.owner_name(task) == "marcus.bell@relay.test"
    assert [one.to for one in relay.messages()] == ["marcus.bell@relay.test"]


def test_a_second_form_while_open_renews_the_package_and_doubles_nothing(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    before = relay.salesforce_lead(contact)
    relay.wait(minutes=10)
    relay.submit(contact, "Demo request", primary_pain_point="two reps called the same buyer")

    relay.run()

    handoff = relay.handoff(contact)
    assert handoff["owner_key"] == SOFIA
    assert len(relay.tasks()) == 1
    after = relay.salesforce_lead(contact)
    assert (after["Id"], after["OwnerId"]) == (before["Id"], before["OwnerId"])
    assert "two reps called the same buyer" not in before["Handoff_Package__c"]
    assert "two reps called the same buyer" in after["Handoff_Package__c"]
    assert after["Handoff_Key__c"] == before["Handoff_Key__c"]
    assert after["Handoff_Score__c"] == handoff["score_milli"] / 1000 > before["Handoff_Score__c"]
    assert "asked for a demo" in after["Handoff_Reasons__c"]
    first, second = relay.messages()
    assert (first.to, second.to) == (SOFIA, SOFIA)
    assert "raised a hand again" in second.says


def test_a_page_view_while_open_is_no_news(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.wait(minutes=10)
    relay.change(contact, hs_analytics_num_page_views="9")

    relay.run()

    assert len(relay.messages()) == 1
    assert len(relay.tasks()) == 1


def test_a_known_lead_is_stamped_and_not_made_twice(relay: Relay) -> None:
    contact = relay.hot_contact()
    known = relay.org.insert(
        "Lead",
        {
            "FirstName": "R.",
            "LastName": "Tester-Known",
            "Company": "Typed by hand",
            "Email": relay.email(contact).upper(),
            "OwnerId": relay.user("tom.adeyemi"),
        },
    )

    relay.run()

    lead = relay.salesforce_lead(contact)
    assert lead["Id"] == known
    assert len(list(relay.org.rows("Lead"))) == 1
    # What sales has in its record stays; the owner of the lead keeps it.
    assert (lead["LastName"], lead["Company"]) == ("Tester-Known", "Typed by hand")
    assert relay.owner_name(lead) == "tom.adeyemi@relay.test"
    assert relay.handoff(contact)["owner_key"] == "tom.adeyemi@relay.test"


def test_the_assignment_rule_of_the_org_does_not_take_the_owner(relay: Relay) -> None:
    assert relay.org.assignment_rule_active
    contact = relay.hot_contact()

    relay.run()

    assert relay.owner_name(relay.salesforce_lead(contact)) == SOFIA


@pytest.mark.requirement("002-05")
def test_below_the_line_stays_in_nurture_with_a_timer(relay: Relay) -> None:
    contact = relay.contact(**SEVENTY)

    relay.run()

    lead = relay.lead(contact)
    assert (lead["state"], lead["timer_action"]) == ("nurture", "mark_cold")
    assert lead["timer_at"] == START + timedelta(days=180)


def test_who_reaches_the_line_later_is_handed_off_then(relay: Relay) -> None:
    contact = relay.contact(**SEVENTY)
    relay.run()
    assert relay.handoffs(contact) == []
    relay.wait(days=1)
    relay.change(contact, content_downloads="1", last_content_at=milliseconds(relay.now()))

    relay.run()

    assert relay.handoff(contact)["owner_key"] == SOFIA


def test_a_turn_each_in_a_pool(relay: Relay) -> None:
    contacts = [relay.contact(**PROFILE) for _ in range(6)]
    for contact in contacts:
        relay.submit(contact, "Contact sales")

    relay.run()

    owners = [relay.handoff(contact)["owner_key"] for contact in contacts]
    assert {owner: owners.count(owner) for owner in DACH_SDRS} == dict.fromkeys(DACH_SDRS, 3)
