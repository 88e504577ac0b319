"""Nonsense, missing things and wrong settings: a clear word each, and the rest goes on."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from tests.integration.pipeline.relay import Relay
from tests.integration.pipeline.test_reconcile import environment
from typer.testing import CliRunner

from baton.cli import app
from baton.connections import HubSpotConnection, SalesforceConnection, SlackConnection
from baton.errors import (
    AuthenticationError,
    ConfigurationError,
    LedgerUnavailableError,
    MigrationNeededError,
)
from baton.pipeline.context import Connections, open_context
from baton.pipeline.judging.qualify import qualify_and_route
from baton.policy.roster import Roster
from baton.settings import Settings

SOFIA = "sofia.ricci@relay.test"

NONSENSE = {
    "email": "nobody at nowhere",
    "firstname": "\u200b",
    "lastname": "Ω≈ç√∫˜µ" * 40,
    "jobtitle": "{E-mail} {{7*7}} %s",
    "phone": "call me maybe",
    "country": "Atlantis",
    "company_size": "about a dozen",
    "quiz_answers": "<script>alert(1)</script>\x0b{First name}",
    "hs_analytics_source_data_1": "'; DROP TABLE lead; --",
    "message": "\u202e evil",
}


def good_neighbour(relay: Relay) -> str:
    """A contact that must come through whatever happens to the others."""
    return relay.hot_contact()


def came_through(relay: Relay, contact: str) -> None:
    assert relay.handoff(contact)["state"] == "notified"
    assert relay.owner_name(relay.salesforce_lead(contact)) == SOFIA


def test_a_contact_without_an_e_mail_is_quarantined_with_the_reason(relay: Relay) -> None:
    neighbour = good_neighbour(relay)
    contact = relay.hot_contact(email=None)

    relay.run()

    lead = relay.lead(contact)
    assert (lead["state"], lead["timer_action"]) == ("quarantined", "nurture")
    (decision,) = relay.rows("SELECT * FROM decision WHERE lead_id = :id", id=lead["id"])
    assert "E-mail is missing" in decision["result"]["words"]
    assert relay.in_hubspot(contact)["state"] == "quarantined"
    came_through(relay, neighbour)


def test_a_quarantined_lead_that_is_mended_goes_on(relay: Relay) -> None:
    contact = relay.hot_contact(email=None)
    relay.run()
    relay.wait(hours=1)
    relay.change(contact, email="robin.mended@softworks1.test")

    relay.run()

    came_through(relay, contact)


def test_nonsense_in_every_field_stops_nobody_else(relay: Relay) -> None:
    neighbour = good_neighbour(relay)
    home = relay.company(industry="", numberofemployees="", country="")
    contact = relay.contact(home, **NONSENSE)

    relay.run()

    lead = relay.lead(contact)
    assert lead["state"] == "quarantined"
    (decision,) = relay.rows("SELECT * FROM decision WHERE lead_id = :id", id=lead["id"])
    assert "E-mail is unusable" in decision["result"]["words"]
    came_through(relay, neighbour)


def test_nonsense_beside_a_good_address_and_a_hand_raise_is_still_handed_off(
    relay: Relay,
) -> None:
    home = relay.company(industry="", numberofemployees="", country="")
    nonsense = {name: value for name, value in NONSENSE.items() if name not in ("email",)}
    contact = relay.contact(home, **nonsense | {"firstname": "{Last name}"})
    relay.submit(contact, "Demo request")

    relay.run()

    assert relay.handoff(contact)["state"] == "notified"
    lead = relay.salesforce_lead(contact)
    assert len(lead["LastName"]) <= 80
    (message,) = relay.messages()
    assert "{Last name}" in message.says  # a value is no template
    assert relay.email(contact) not in lead["Handoff_Reasons__c"]


def test_a_company_that_does_not_exist_leaves_the_lead_judged(relay: Relay) -> None:
    neighbour = good_neighbour(relay)
    contact = relay.contact()
    relay.world.portal.erase(
        "companies",
        str(relay.world.portal.get("contacts", contact).properties["associatedcompanyid"]),
    )

    relay.run()

    assert relay.lead(contact)["state"] == "nurture"
    came_through(relay, neighbour)


def test_an_owner_unknown_to_salesforce_is_said_and_the_rest_goes_on(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    """The roster names somebody whom Salesforce does not know."""
    stranger = relay.roster.rep(SOFIA).model_copy(
        update={"email": "nobody.here@relay.test", "key": "nobody.here@relay.test"}
    )
    relay.adopt_roster(_with(relay.roster, stranger, pool="AE Mid-market EMEA"))
    contact = relay.hot_contact()
    other = relay.contact()
    relay.take_quiz(other, 80)

    relay.run()

    (first, second) = relay.effects(kind="salesforce_record", lead_id=relay.lead(contact)["id"])
    assert first["last_error_code"] == "OWNER_INACTIVE"
    assert second["state"] == "done"
    assert "nobody.here@relay.test is not active in Salesforce" in caplog.text
    assert "mend the roster" in caplog.text
    handoff = relay.handoff(contact)
    assert handoff["state"] == "notified"
    assert relay.owner_name(relay.salesforce_lead(contact)) == handoff["owner_key"]
    assert relay.handoff(other)["state"] == "notified"


def _with(roster: Roster, rep, *, pool: str) -> Roster:
    """The roster in which `rep` is the only member of `pool`."""
    pools = [
        one.model_copy(update={"members": (one.members[0].model_copy(update={"rep": rep.key}),)})
        if one.name == pool
        else one
        for one in roster.pools
    ]
    return Roster(people=(*roster.people, rep), pools=tuple(pools))


def test_an_inactive_user_is_no_owner(relay: Relay) -> None:
    from baton.pipeline.intake.references import read_references

    relay.org.update("User", relay.user("sofia.ricci"), {"IsActive": False})
    read_references(relay.ctx)
    contact = relay.hot_contact()

    relay.run()

    handoff = relay.handoff(contact)
    assert (handoff["state"], handoff["owner_kind"]) == ("notified", "user")
    assert handoff["owner_key"] != SOFIA
    assert relay.owner_name(relay.salesforce_lead(contact)) == handoff["owner_key"]


def test_a_wrong_hubspot_token_names_the_connection(relay: Relay) -> None:
    with pytest.raises(AuthenticationError, match="hubspot_default") as caught:
        qualify_and_route(relay.context(hubspot_token="pat-na1-wrong"))
    assert "pat-na1-wrong" not in str(caught.value)


def test_no_active_policy_says_which_command_to_run(bare_relay: Relay) -> None:
    with pytest.raises(ConfigurationError, match="baton policy activate"):
        qualify_and_route(bare_relay.ctx)


def test_no_roster_says_which_command_to_run(bare_relay: Relay) -> None:
    from baton.ledger.database.engine import transaction
    from baton.pipeline.versions.agreements import activate_policy

    with transaction(bare_relay.engine) as conn:
        activate_policy(conn, bare_relay.bundle, by="tests", at=bare_relay.now(), parent=None)
    with pytest.raises(ConfigurationError, match="baton roster import"):
        qualify_and_route(bare_relay.ctx)


CONNECTIONS = Connections(
    HubSpotConnection(conn_id="hubspot_default", token="t"),
    SalesforceConnection(
        conn_id="salesforce_default",
        login_url="https://login.example.test",
        consumer_key="k",
        consumer_secret="s",
        username=None,
        private_key=None,
    ),
    SlackConnection(conn_id="slack_default", token="t"),
)


def test_a_database_that_is_not_there_says_where_it_looked_and_the_mend() -> None:
    url = "postgresql+psycopg://baton:topsecret@127.0.0.1:1/baton"
    with pytest.raises(LedgerUnavailableError, match=r"127\.0\.0\.1") as caught:
        open_context(Settings(database_url=url), CONNECTIONS)
    assert "baton db start" in str(caught.value)
    assert "topsecret" not in str(caught.value)


def test_a_database_without_tables_says_the_command(empty_url: str) -> None:
    with pytest.raises(MigrationNeededError, match="baton db"):
        open_context(Settings(database_url=empty_url), CONNECTIONS)


def test_a_ledger_that_goes_away_between_the_steps_says_so(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    from baton.ledger.database.engine import ledger_engine

    contact = relay.hot_contact()
    gone = replace(relay.ctx, engine=ledger_engine("postgresql+psycopg://u:pw1@127.0.0.1:1/x"))
    with pytest.raises(LedgerUnavailableError):
        qualify_and_route(gone)
    assert "pw1" not in caplog.text

    relay.run()

    came_through(relay, contact)


def test_an_outcome_with_a_reason_nobody_knows_is_left_with_the_owner(relay: Relay) -> None:
    contact = relay.hot_contact()
    relay.run()
    relay.follow()
    lead = relay.salesforce_lead(contact)
    relay.give(lead, "Recycle", "Bad timing", Return_Date__c=None)

    report = relay.follow()

    assert report["refused"] == 1
    assert relay.lead(contact)["state"] == "in_handoff"


def test_a_contact_deleted_before_the_write_back_is_rejected_and_said(relay: Relay) -> None:
    from baton.pipeline.delivery.deliver import deliver_and_notify, write_back

    neighbour = good_neighbour(relay)
    contact = relay.hot_contact()
    qualify_and_route(relay.ctx)
    deliver_and_notify(relay.ctx)
    relay.world.portal.erase("contacts", contact)

    write_back(relay.ctx)

    lead = relay.lead(contact)
    (effect,) = relay.effects(kind="hubspot_state", lead_id=lead["id"])
    assert effect["state"] == "rejected"
    assert relay.in_hubspot(neighbour)["state"] == "in_handoff"


def test_doctor_names_connection_field_and_mend_of_every_field_that_does_not_serve(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the definitions tell, and what came up only when a lead was written."""
    short = replace(relay.org.schema.get("Lead").field("FirstName"), length=5)
    relay.org.store.schema = relay.org.schema = relay.org.schema.extended({"Lead": [short]}, {})
    contact = relay.hot_contact(firstname="Maximiliane")
    relay.run()
    came_through(relay, contact)
    relay.world.portal.book("contacts").archive("budget_range")
    with relay.engine.begin() as conn:  # doctor goes by the clock on the wall
        conn.exec_driver_sql("UPDATE field_finding SET last_at = now()")
    url = relay.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("BATON_DATABASE_URL", url)
    for name, value in environment(relay).items():
        monkeypatch.setenv(name, value)

    done = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "400"})

    assert done.exit_code == 1
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    lines = done.stdout.splitlines()
    assert "budget_range is archived" in done.stdout, done.output
    (archived,) = [at for at, line in enumerate(lines) if "budget_range is archived" in line]
    assert "hubspot_default: contact property" in lines[archived]
    assert "restore it" in lines[archived + 1]
    (cut,) = [at for at, line in enumerate(lines) if "Lead.FirstName is too short" in line]
    assert "salesforce_default: " in lines[cut]
    assert "make it longer in Salesforce" in lines[cut + 1]
    assert "Maximiliane" not in done.output
