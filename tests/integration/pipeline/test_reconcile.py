"""Three-way conservation: what differs is found with its cause, and mended where that is safe."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest
from click.testing import Result
from tests.integration.pipeline.relay import Relay
from typer.testing import CliRunner

from baton.cli import app
from baton.ledger import watermarks
from baton.ledger.engine import transaction
from baton.pipeline.intake.gone import Gone, take_off
from baton.pipeline.intake.pull import WATERMARK
from baton.pipeline.reconciling import reconcile as module
from baton.pipeline.reconciling.differences import KINDS, READING, WRITING, Repair
from baton.pipeline.reconciling.reconcile import (
    Comparison,
    reconcile,
    reconcile_by_night,
    reconcile_leads,
)

ALL = READING | WRITING


def look_away(relay: Relay) -> None:
    """Let an hour pass that the pull believes to have read."""
    relay.wait(hours=1)
    with transaction(relay.engine) as conn:
        watermarks.advance(conn, WATERMARK, relay.now(), at=relay.now())
        watermarks.advance(conn, "hubspot.sweep", relay.now(), at=relay.now())


def told(done: Comparison) -> dict[str, set[str]]:
    """The codes by HubSpot contact."""
    found: dict[str, set[str]] = {}
    for one in done.found:
        found.setdefault(str(one.hubspot_id), set()).add(one.code)
    return found


def compare(relay: Relay, repairs: Collection[Repair] = ()) -> Comparison:
    done = reconcile(relay.ctx, repairs=repairs)
    assert done.finished
    assert done.ledger is not None
    assert done.ledger.ok
    return done


def test_where_all_agree_nothing_is_found_and_few_calls_are_made(relay: Relay) -> None:
    relay.hot_contact()
    for _ in range(4):
        relay.contact()
    relay.run()
    relay.wait(hours=1)
    relay.run()
    before = len(relay.requests())

    done = compare(relay)

    assert (done.contacts, done.handoffs, done.found) == (5, 1, [])
    data = [one for one in relay.requests()[before:] if "token" not in one]
    assert len(data) <= 5, data


def test_what_hubspot_holds_otherwise_is_found_and_followed(relay: Relay) -> None:
    portal = relay.world.portal
    sold, kept = relay.hot_contact(), relay.hot_contact()
    gone, binned, edited, stale = (relay.contact() for _ in range(4))
    relay.run()
    relay.wait(minutes=5)
    new = relay.contact()
    relay.submit(stale, "Demo request")
    portal.merge(kept, gone)
    portal.archive("contacts", binned)
    portal.archive("contacts", sold)
    portal.update("contacts", edited, {"baton_band": "mine"}, source="CRM_UI")
    portal.update("contacts", stale, {"baton_state": "x"}, source="INTEGRATION")
    with relay.engine.begin() as conn:  # what a lost write-back would leave behind
        conn.exec_driver_sql("UPDATE lead SET band = 'cold' WHERE id = 2")
    assert relay.lead(kept)["id"] == 2
    look_away(relay)

    found = compare(relay)

    assert told(found) == {
        new: {"contact_unknown"},
        stale: {"contact_unread", "property_edited"},
        kept: {"contact_unread", "property_outdated"},
        edited: {"contact_unread", "property_edited"},
        gone: {"contact_merged"},
        binned: {"contact_archived"},
        sold: {"contact_gone_in_handoff"},
    }
    assert relay.lead(gone)["state"] == "nurture", "looking changes nothing"
    assert len(relay.rows("SELECT * FROM difference WHERE settled_at IS NULL")) == 10

    mended = compare(relay, ALL)
    assert {one.code for one in mended.remaining} == {"contact_gone_in_handoff"}
    relay.run()
    after = compare(relay)

    assert told(after) == {sold: {"contact_gone_in_handoff"}, edited: {"property_edited"}}
    assert relay.lead(new)["state"] == "nurture"
    assert relay.handoff(stale)["state"] == "notified"
    assert relay.lead(gone)["merged_into"] == relay.lead(kept)["id"]
    assert relay.lead(binned)["state"] == "suppressed"
    assert relay.in_hubspot(kept)["band"] == relay.lead(kept)["band"]
    assert relay.in_hubspot(edited)["band"] == "mine", "a person's edit stays"
    assert relay.lead(sold)["state"] == "in_handoff", "what sales has is left to sales"
    assert len(relay.rows("SELECT * FROM difference WHERE settled_at IS NULL")) == 2


def test_a_restored_contact_is_judged_again(relay: Relay) -> None:
    contact = relay.contact()
    relay.run()
    take_off(relay.ctx, relay.policy, Gone({}, archived=frozenset({contact})))
    assert relay.lead(contact)["state"] == "suppressed"

    assert told(compare(relay, READING)) == {contact: {"contact_restored"}}

    assert relay.lead(contact)["state"] == "nurture"
    assert compare(relay).found == []


def lead_of(relay: Relay, contact: str) -> dict[str, Any]:
    return relay.salesforce_lead(contact)


def test_what_salesforce_holds_otherwise_is_found_and_a_persons_edit_stays(relay: Relay) -> None:
    names = ("owner", "deleted", "plain", "doubled", "unstamped", "keyless", "closed", "untasked")
    contact = {name: relay.hot_contact() for name in names}
    relay.run()
    org, lead = relay.org, {name: lead_of(relay, one) for name, one in contact.items()}
    jonas = relay.user("jonas.keller")
    machine = lead["keyless"]["LastModifiedById"]
    org.update("Lead", lead["owner"]["Id"], {"OwnerId": jonas}, by=jonas)
    org.delete("Lead", lead["deleted"]["Id"])
    org.update("Lead", lead["unstamped"]["Id"], {"HubSpot_Contact_Id__c": None}, by=jonas)
    org.update("Lead", lead["keyless"]["Id"], {"Handoff_Key__c": None}, by=machine)
    org.update("Lead", lead["closed"]["Id"], {"Status": "Unqualified"}, by=jonas)
    twin = {"LastName": "Twin", "Company": "C", "Email": relay.email(contact["doubled"])}
    org.insert("Lead", {**twin, "OwnerId": jonas}, by=jonas)
    (task,) = [one for one in relay.tasks() if one["WhoId"] == lead["untasked"]["Id"]]
    org.delete("Task", task["Id"])

    found = compare(relay)

    expected = {
        contact["owner"]: {"owner_changed"},
        contact["deleted"]: {"record_deleted"},
        contact["doubled"]: {"second_lead"},
        contact["unstamped"]: {"record_unstamped"},
        contact["keyless"]: {"key_outdated"},
        contact["closed"]: {"closed_without_outcome"},
        contact["untasked"]: {"task_deleted"},
    }
    assert told(found) == expected
    before = relay.writes()

    mended = compare(relay, ALL)
    assert relay.writes() == before, "repairs go through the outbox"
    assert {one.code for one in mended.remaining} == {
        "record_deleted",
        "second_lead",
        "closed_without_outcome",
    }
    relay.run()
    after = compare(relay)

    assert told(after) == {
        contact[name]: expected[contact[name]]
        for name in ("deleted", "doubled", "closed", "untasked")
    }
    assert lead_of(relay, contact["keyless"])["Handoff_Key__c"]
    assert lead_of(relay, contact["unstamped"])["Id"] == lead["unstamped"]["Id"]
    assert lead_of(relay, contact["owner"])["OwnerId"] == jonas
    (override,) = relay.rows("SELECT * FROM human_override WHERE field = 'owner'")
    assert override["theirs"] == "jonas.keller@relay.test"
    assert len(relay.tasks()) == len(names) - 1, "a deleted task is not made again"


def test_an_outcome_and_a_conversion_that_were_not_followed_are_read_again(relay: Relay) -> None:
    taken, given, converted = (relay.hot_contact() for _ in range(3))
    relay.run()
    relay.wait(minutes=20)
    relay.give(lead_of(relay, taken), "Accepted")
    relay.follow()
    relay.wait(minutes=20)
    relay.give(lead_of(relay, given), "Accepted")
    sold = lead_of(relay, converted)
    relay.org.convert_lead(sold["Id"], by=sold["OwnerId"], opportunity_name="First project")
    relay.wait(minutes=40)
    with transaction(relay.engine) as conn:
        watermarks.set(conn, "salesforce.lead", relay.now().isoformat(), at=relay.now())
    relay.follow()
    relay.run()
    assert relay.handoff(given)["accepted_at"] is None

    done = compare(relay, READING)
    relay.follow()

    assert told(done) == {given: {"outcome_unread"}, converted: {"record_converted"}}
    assert relay.handoff(given)["state"] == "accepted"
    assert relay.handoff(converted)["state"] == "converted"
    assert compare(relay).found == []


def test_at_night_it_goes_on_where_it_stopped_and_once_is_enough(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 2)
    monkeypatch.setattr("baton.crm.hubspot.gateway._LIST_PAGE", 2)
    contacts = [relay.contact() for _ in range(5)]
    relay.run()
    relay.world.portal.merge(contacts[0], contacts[4])
    look_away(relay)

    reports = [reconcile_by_night(relay.ctx, seconds=0.0) for _ in range(4)]

    assert [one["contacts compared"] for one in reports] == [2, 2, 0, 0]
    assert relay.lead(contacts[4])["state"] == "merged"
    assert reconcile_by_night(relay.ctx) == {}, "tonight's is finished"
    (check,) = relay.rows("SELECT * FROM check_result WHERE name = 'reconciliation'")
    assert (check["ok"], check["findings"]) == (True, {})
    relay.wait(hours=24)
    assert reconcile_by_night(relay.ctx)["contacts compared"] == 4


def test_single_leads_are_compared_alone(relay: Relay) -> None:
    first, second = relay.contact(), relay.contact()
    relay.run()
    for contact in (first, second):
        relay.world.portal.archive("contacts", contact)

    done = reconcile_leads(relay.ctx, [relay.lead(first)["id"]])

    assert told(done) == {first: {"contact_archived"}}


def test_every_kind_says_its_cause_and_what_to_do() -> None:
    for code, kind in KINDS.items():
        assert kind.cause, code
        assert kind.repair is not Repair.NONE or kind.kept or len(kind.mend) > 20, code


def test_the_command_says_cause_and_repair_and_its_exit_code_whether_they_agree(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact, sold = relay.contact(), relay.hot_contact()
    relay.run()
    relay.wait(minutes=1)
    relay.world.portal.archive("contacts", contact)
    relay.world.portal.archive("contacts", sold)
    url = relay.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("BATON_DATABASE_URL", url)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    assert run("run", "conservation").exit_code == 0, "the ledger alone needs no connection"
    unset = run("reconcile")
    assert unset.exit_code == 2
    assert "AIRFLOW_CONN_HUBSPOT_DEFAULT" in unset.stderr
    for name, value in environment(relay).items():
        monkeypatch.setenv(name, value)
    assert run("reconcile", "--dry-run").exit_code == 2

    shown = run("reconcile")
    assert shown.exit_code == 1, shown.output
    assert "2 contacts" not in shown.stdout, "both are gone"
    assert f"HubSpot contact {contact}: the contact lies in HubSpot's bin" in shown.stdout
    assert "the lead is suppressed, and judged again" in shown.stdout
    assert "(safe: --repair)" in shown.stdout
    assert "restore the contact in HubSpot" in shown.stdout
    assert "each of 2 leads is in exactly one state" in shown.stdout
    planned = run("reconcile", "--repair", "--dry-run")
    assert "--repair would: the lead is suppressed" in planned.stdout
    assert relay.lead(contact)["state"] == "nurture"

    told_json = run("reconcile", "--repair", "--json")

    assert told_json.exit_code == 1
    told_all = json.loads(told_json.stdout)
    assert {one["code"]: one["left"] for one in told_all["differences"]} == {
        "contact_archived": False,
        "contact_gone_in_handoff": True,
    }
    assert relay.lead(contact)["state"] == "suppressed"
    alone = run("reconcile", contact)
    assert (alone.exit_code, "agree" in alone.stdout) == (0, True), alone.output


def environment(relay: Relay) -> dict[str, str]:
    """The connections as Airflow would have them in variables."""
    where = relay.sandbox.description
    salesforce = {
        "instance_url": where["salesforce"]["login_url"],
        "consumer_key": where["salesforce"]["consumer_key"],
        "consumer_secret": where["salesforce"]["consumer_secret"],
        "ca_file": where["salesforce"]["ca_file"],
    }
    found: dict[str, dict[str, object]] = {
        "HUBSPOT": {
            "conn_type": "hubspot",
            "password": where["hubspot"]["token"],
            "extra": {"base_url": where["hubspot"]["url"]},
        },
        "SALESFORCE": {"conn_type": "salesforce", "extra": salesforce},
        "SLACK": {
            "conn_type": "slack",
            "password": where["slack"]["token"],
            "extra": {"base_url": where["slack"]["url"]},
        },
    }
    return {f"AIRFLOW_CONN_{name}_DEFAULT": json.dumps(one) for name, one in found.items()}
