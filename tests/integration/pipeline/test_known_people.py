"""A person whom Salesforce knows already: as Lead, as Contact, as both, converted, not at all."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.pipeline.relay import Relay

from baton.pipeline.intake.references import read_references
from crm_sandbox.salesforce.conversion import convert_lead

pytestmark = pytest.mark.requirement("003-12")

OWNER = "jonas.keller"


def asks(relay: Relay) -> tuple[str, str]:
    contact = relay.contact(relay.company(numberofemployees="20"))
    relay.submit(contact, "Demo request")
    return contact, relay.email(contact)


def a_lead(relay: Relay, email: str) -> str:
    given = {"LastName": "Tester", "Company": "Softworks", "Email": email}
    return str(relay.org.insert("Lead", given | {"OwnerId": relay.user(OWNER)}))


def a_contact(relay: Relay, email: str, domain: str = "elsewhere.test") -> tuple[str, str]:
    account = relay.account("Elsewhere", domain, owner="helena.voss", Type="Customer - Direct")
    given = {"LastName": "Tester", "Email": email, "AccountId": account}
    return str(relay.org.insert("Contact", given | {"OwnerId": relay.user("helena.voss")})), account


def inputs(relay: Relay, contact: str) -> dict[str, Any]:
    (row,) = relay.rows(
        "SELECT inputs FROM decision JOIN lead ON lead.id = lead_id WHERE hubspot_id = :id",
        id=contact,
    )
    return dict(row["inputs"])


def counts(relay: Relay) -> tuple[int, int]:
    return len(list(relay.org.rows("Lead"))), len(list(relay.org.rows("Contact")))


def test_neither_makes_one_lead(relay: Relay) -> None:
    contact, _ = asks(relay)
    relay.run()
    assert counts(relay) == (1, 0)
    told = inputs(relay, contact)["facts"]
    assert (told["Lead known"], told["Contact known"]) == (False, False)


def test_a_lead_is_taken_over_and_goes_to_its_owner(relay: Relay) -> None:
    contact, email = asks(relay)
    there = a_lead(relay, email.upper())
    relay.run()
    assert counts(relay) == (1, 0)
    assert relay.salesforce_lead(contact)["Id"] == there
    assert relay.handoff(contact)["owner_key"] == f"{OWNER}@relay.test"


def test_a_contact_gets_a_task_and_its_account_decides(relay: Relay) -> None:
    contact, email = asks(relay)
    there, account = a_contact(relay, email)
    relay.everything()
    assert counts(relay) == (0, 1), "no lead beside the contact"
    related = inputs(relay, contact)["relations"]
    assert (related["account_id"], related["matched_by"]) == (account, "contact")
    assert relay.lead(contact)["salesforce_contact_id"] == there
    assert relay.handoff(contact)["change_owner"] is False


def test_of_both_neither_is_doubled(relay: Relay) -> None:
    contact, email = asks(relay)
    a_contact(relay, email)
    a_lead(relay, email)
    relay.everything()
    assert counts(relay) == (1, 1)
    told = inputs(relay, contact)["facts"]
    assert (told["Lead known"], told["Contact known"]) == (True, True)


def test_the_account_of_the_contact_settles_two_that_fit(relay: Relay) -> None:
    """The domain alone fits two accounts, which would hold the lead for a person."""
    contact, email = asks(relay)
    domain = email.partition("@")[2]
    relay.account("Twin one", domain, owner="sofia.ricci")
    relay.account("Twin two", domain, owner="sofia.ricci")
    _, account = a_contact(relay, email)
    relay.everything()
    assert inputs(relay, contact)["relations"]["account_id"] == account
    assert relay.handoff(contact)["state"] == "notified"


def test_two_accounts_that_fit_hold_the_lead_for_a_person(relay: Relay) -> None:
    contact, email = asks(relay)
    domain = email.partition("@")[2]
    relay.account("Twin one", domain, owner="sofia.ricci")
    relay.account("Twin two", domain, owner="helena.voss")
    relay.everything()
    assert relay.lead(contact)["state"] == "held"
    (reason,) = inputs(relay, contact)["relations"]["reasons"]
    assert "fits several accounts" in reason


def test_the_country_of_an_account_comes_with_it_and_settles_a_tie(relay: Relay) -> None:
    contact, email = asks(relay)
    domain = email.partition("@")[2]
    german = relay.account("Twin one", domain, owner="sofia.ricci", BillingCountry="Germany")
    relay.account("Twin two", domain, owner="helena.voss", BillingCountry="USA")
    relay.everything()
    related = inputs(relay, contact)["relations"]
    assert (related["account_id"], related["confidence"]) == (german, 90)
    assert "chosen by country" in related["reasons"][1]


def test_an_account_whose_owner_is_deactivated_hands_nothing_to_them(relay: Relay) -> None:
    """Salesforce would refuse the record and the task, and the lead would lie with nobody."""
    account = relay.account("Softworks", "softworks.test", owner="helena.voss")
    relay.opportunity(account, owner="helena.voss", StageName="Prospecting")
    relay.adopt_roster(
        relay.roster.model_copy(
            update={
                "people": tuple(
                    rep for rep in relay.roster.people if rep.key != "helena.voss@relay.test"
                ),
                "pools": (),
            }
        )
    )
    relay.org.update("User", relay.user("helena.voss"), {"IsActive": False}, by=relay.user(OWNER))
    read_references(relay.ctx)
    contact = relay.contact(relay.company(domain="softworks.test"))
    relay.submit(contact, "Demo request")
    relay.run()
    related = inputs(relay, contact)["relations"]
    assert related["open_opportunity_id"] is not None
    assert (related["account_owner"], related["open_opportunity_owner"]) == (None, None)
    assert relay.handoff(contact)["owner_kind"] == "queue"
    assert relay.effects(state="invalid") == []


def test_the_queue_that_owns_a_lead_is_nobody_who_knows_it(relay: Relay) -> None:
    contact, email = asks(relay)
    there = a_lead(relay, email)
    queue = next(one["Id"] for one in relay.org.rows("Group") if one["Name"] == "Inbound triage")
    relay.org.update("Lead", there, {"OwnerId": queue}, by=relay.user(OWNER))
    relay.run()
    told = inputs(relay, contact)
    assert told["facts"]["Lead known"] is True
    assert told["relations"]["salesforce_lead_owner"] is None


def test_one_who_comes_back_as_agreed_is_looked_up_though_the_score_has_dropped(
    relay: Relay,
) -> None:
    contact = relay.hot_contact()
    relay.run()
    label = relay.policy.dispositions["no_budget"].rep_sees
    relay.give(relay.salesforce_lead(contact), "Recycle", label)
    relay.follow()
    relay.change(contact, content_downloads="0", jobtitle="Assistant")
    relay.wait(days=200)
    relay.run()
    (row,) = relay.rows(
        "SELECT inputs, reason_code FROM decision WHERE outcome = 'handoff' AND reason_code = 'return'"
    )
    assert row["inputs"]["facts"]["Lead known"] is True


def test_news_after_conversion_go_to_the_contact_and_make_no_second_lead(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.follow()
    lead = relay.salesforce_lead(contact)
    relay.wait(minutes=10)
    done = convert_lead(relay.org, lead["Id"], by=lead["OwnerId"], opportunity_name="First project")
    relay.wait(minutes=5)
    relay.submit(contact, "Demo request")

    relay.run()
    relay.follow()
    relay.run()

    assert [row["Id"] for row in relay.org.rows("Lead")] == [lead["Id"]]
    assert [row["Id"] for row in relay.org.rows("Contact")] == [done.contact_id]
    assert relay.lead(contact)["salesforce_contact_id"] == done.contact_id
    assert {one["state"] for one in relay.effects(kind="salesforce_record")} <= {
        "done",
        "superseded",
    }
    assert relay.owner_name(relay.org.get("Contact", done.contact_id)) == relay.owner_name(lead)
