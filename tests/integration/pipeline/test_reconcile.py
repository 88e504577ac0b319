"""Three-way conservation: what differs is found with its cause, and mended where that is safe."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import text
from tests.integration.pipeline.relay import Relay
from tests.integration.pipeline.test_common_cases import change_policy
from typer.testing import CliRunner

from baton.cli import app
from baton.ledger.database.engine import transaction
from baton.ledger.proofs.reconciliation import KEPT
from baton.ledger.sources import watermarks
from baton.pipeline.delivery.deliver import deliver_and_notify
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
from baton.pipeline.report import StepReport
from baton.pipeline.response.sales_activity import read_outcomes
from crm_sandbox.salesforce.conversion import convert_lead

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
    keys = [one for one in data if one.startswith("salesforce GET") and one.endswith("/query")]
    assert len(keys) <= 4, "one for each object whose records bear keys"
    assert len(data) - len(keys) <= 5, data


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


SHARING = (
    ("agreement.yaml", "  lifecycle: true\n", "  lifecycle: true\n  lead_owner: true\n"),
    (
        "agreement.yaml",
        "  recycled_lifecycle: lead\n",
        "  recycled_lifecycle: lead\n  lead_status: {in_handoff: OPEN_DEAL, nurture: NEW}\n",
    ),
)
STAGE, STATUS, OWNER = "lifecyclestage", "hs_lead_status", "hubspot_owner_id"


def test_stage_status_and_owner_in_hubspot_are_compared_and_a_persons_change_stays(
    relay: Relay,
) -> None:
    change_policy(relay, *SHARING)
    portal = relay.world.portal
    names = ("as written", "edited", "lost", "further", "lost owner")
    contact = {name: relay.hot_contact() for name in names}
    relay.run()
    owner = relay.handoff(contact["lost owner"])["owner_key"]
    ids = {key: one for key, one in relay.ground.owners.items() if owner.startswith(key)}
    (owned,) = ids.values()
    other = next(one for one in relay.ground.owners.values() if one != owned)

    def now(name: str) -> dict[str, str | None]:
        record = portal.get("contacts", contact[name])
        assert record is not None
        return {one: record.properties.get(one) for one in (STAGE, STATUS, OWNER)}

    relay.wait(hours=1)
    agreed = now("as written")
    assert (agreed[STAGE], agreed[STATUS]) == ("marketingqualifiedlead", "OPEN_DEAL")
    assert agreed[OWNER] in relay.ground.owners.values()
    portal.update(
        "contacts", contact["edited"], {STATUS: "UNQUALIFIED", OWNER: other}, source="CRM_UI"
    )
    portal.update("contacts", contact["further"], {STAGE: "opportunity"}, source="AUTOMATION")
    # What lost write-backs would leave behind: ours was never written, and nobody changed it.
    for name, lost in (("lost", (STAGE, STATUS)), ("lost owner", (OWNER,))):
        was = {STAGE: "lead", STATUS: "NEW", OWNER: other}
        if STAGE in lost:
            portal.update("contacts", contact[name], {STAGE: ""})
        portal.update("contacts", contact[name], {one: was[one] for one in lost})
        with relay.engine.begin() as conn:
            conn.execute(
                text("DELETE FROM field_write WHERE lead_id = :lead AND field = ANY(:names)"),
                {"lead": relay.lead(contact[name])["id"], "names": list(lost)},
            )

    done = compare(relay)

    told = {(one.hubspot_id, one.field): one for one in done.found if one.field}
    assert {key: one.code for key, one in told.items()} == {
        (contact["edited"], STATUS): "shared_edited",
        (contact["edited"], OWNER): "shared_edited",
        (contact["lost"], STAGE): "shared_outdated",
        (contact["lost"], STATUS): "shared_outdated",
        (contact["lost owner"], OWNER): "shared_outdated",
    }, "what HubSpot itself took further is no difference"
    lost_owner = told[contact["lost owner"], OWNER]
    assert lost_owner.ours == owner, "people are named by their address"
    assert lost_owner.theirs is not None
    assert "@" in lost_owner.theirs
    assert {one.field for one in done.remaining} == {STAGE, STATUS, OWNER}

    mended = compare(relay, ALL)
    assert mended.remaining == []
    relay.run()

    after = compare(relay)
    assert {(one.hubspot_id, one.field) for one in after.found} == {
        (contact["edited"], STATUS),
        (contact["edited"], OWNER),
    }
    assert now("edited") == agreed | {STATUS: "UNQUALIFIED", OWNER: other}
    assert now("lost") == {STAGE: agreed[STAGE], STATUS: "OPEN_DEAL", OWNER: now("lost")[OWNER]}
    assert now("further")[STAGE] == "opportunity"
    assert now("lost owner")[OWNER] == owned


def test_a_stage_that_follows_an_acceptance_is_not_called_outdated_while_on_its_way(
    relay: Relay,
) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.wait(hours=1)
    relay.give(lead_of(relay, contact), "Accepted", Status="Accepted")
    read_outcomes(relay.ctx)
    assert relay.handoff(contact)["state"] == "accepted"

    assert compare(relay).found == []

    deliver_and_notify(relay.ctx)
    with relay.engine.begin() as conn:  # as if that write had been lost
        conn.exec_driver_sql("UPDATE effect SET state = 'done' WHERE kind = 'hubspot_state'")
    relay.wait(hours=1)
    assert told(compare(relay)) == {contact: {"shared_outdated", "property_outdated"}}
    compare(relay, ALL)
    relay.run()
    assert compare(relay).found == []


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
    convert_lead(relay.org, sold["Id"], by=sold["OwnerId"], opportunity_name="First project")
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


def test_a_large_portal_is_compared_in_little_memory_and_nothing_is_left_out(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_OF_A_KIND", 2)
    monkeypatch.setattr("baton.pipeline.reconciling.hubspot_agreement.GAP", 2)
    binned = [relay.contact() for _ in range(5)]
    relay.run()
    new = [relay.contact() for _ in range(4)]
    for one in binned:
        relay.world.portal.archive("contacts", one)
    look_away(relay)

    found = compare(relay)

    assert found.counts == {"contact_unknown": 4, "contact_archived": 5}
    assert len(found.found) == 4, "two of a kind are kept to be shown"
    assert found.left == 9
    stored = relay.rows("SELECT hubspot_id FROM difference WHERE settled_at IS NULL")
    assert {one["hubspot_id"] for one in stored} == {*binned, *new}

    mended = compare(relay, READING)

    assert mended.left == 0
    assert compare(relay).counts == {}


def test_neighbours_deleted_in_bulk_are_parts_of_their_own_that_keep_how_far_they_came(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baton.pipeline.reconciling.hubspot_agreement.GAP", 2)
    binned = [relay.contact() for _ in range(5)]
    kept = [relay.contact() for _ in range(2)]
    relay.run()
    for one in binned:
        relay.world.portal.archive("contacts", one)
    look_away(relay)

    stands = []
    compared = 0
    while report := reconcile_by_night(relay.ctx, seconds=0.0):
        compared += report["contacts compared"]
        (row,) = relay.rows("SELECT reached FROM reconcile_pass")
        known = relay.rows("SELECT id FROM difference")
        stands.append((row["reached"], len(known)))

    assert stands[:3] == [(binned[1], 2), (binned[3], 4), (kept[0], 5)]
    assert compared == 2, "each contact that is there is compared once"


def test_at_night_it_goes_on_where_it_stopped_and_once_is_enough(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 2)
    monkeypatch.setattr("baton.crm.hubspot.gateway._LIST_PAGE", 2)
    contacts = [relay.contact() for _ in range(5)]
    relay.run()
    relay.world.portal.merge(contacts[0], contacts[4])
    look_away(relay)

    reports = [reconcile_by_night(relay.ctx, seconds=0.0) for _ in range(3)]
    assert [one["contacts compared"] for one in reports] == [2, 2, 0]
    while reconcile_by_night(relay.ctx, seconds=0.0):
        reports.append(StepReport())
        assert len(reports) < 12, "the handoffs and the records with keys have an end"

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
    assert KINDS.keys() >= KEPT
    for code, kind in KINDS.items():
        assert kind.repair is not Repair.NONE or code in KEPT or len(kind.mend) > 20, code


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
