"""Contacts that may be one person: linked and listed, one owner, never merged by us."""

from __future__ import annotations

import json

import pytest
from tests.integration.pipeline.relay import Relay
from typer.testing import CliRunner

from baton.cli import app
from baton.ledger.database.engine import transaction
from baton.ledger.leads import duplicates
from baton.pipeline.intake.duplicates import link_duplicates

SECRET = "robin.zq-secret"


def links(relay: Relay) -> list[tuple[str, str, str, int]]:
    with transaction(relay.engine) as conn:
        rows = duplicates.listed(conn)
    return [(row.hubspot_id, row.other_hubspot_id, row.sign, row.confidence) for row in rows]


def asks(relay: Relay, email: str, **values: str) -> str:
    """A person of free mail at a small company of their own asks for a demo: the pool of SDRs."""
    contact = relay.contact(relay.company(numberofemployees="20"), email=email, **values)
    relay.submit(contact, "Demo request")
    return contact


def two_in_one_mailbox(relay: Relay) -> tuple[str, str]:
    """Two contacts at companies with nothing in common, one mailbox, both ask for a demo."""
    first = asks(relay, f"{SECRET}@freemail.test")
    second = asks(relay, f"{SECRET.upper()}+fair@freemail.test")
    return first, second


def test_both_are_linked_and_go_to_one_owner_even_in_one_batch(relay: Relay) -> None:
    first, second = two_in_one_mailbox(relay)
    others = [asks(relay, f"other{number}@freemail.test") for number in range(4)]

    relay.run()

    assert links(relay) == [(first, second, "mailbox", 95)]
    owner = relay.handoff(first)["owner_key"]
    assert relay.handoff(second)["owner_key"] == owner
    assert len({relay.handoff(one)["owner_key"] for one in others}) > 1, "the pool took turns"
    told = next(one for one in relay.messages() if f"HubSpot contact {first}" in one.says)
    assert told.to == owner


def test_a_second_contact_that_comes_later_goes_to_the_owner_of_the_open_handoff(
    relay: Relay,
) -> None:
    first = asks(relay, f"{SECRET}@freemail.test")
    relay.run()
    asks(relay, "other@freemail.test")
    relay.run()
    relay.wait(hours=2)
    second = asks(relay, f"{SECRET}+2@freemail.test", phone="+49 30 901821")

    relay.run()

    one, other = relay.handoff(first), relay.handoff(second)
    assert other["owner_key"] == one["owner_key"]
    package = json.dumps(other["package"])
    assert f"the same mailbox as HubSpot contact {first}, open as {one['key']}" in package
    (decision,) = relay.rows("SELECT * FROM decision WHERE id = :id", id=other["decision_id"])
    assert decision["result"]["route"]["reason_code"] in ("same_person", "colleagues")
    assert SECRET not in json.dumps([decision["inputs"], decision["result"], other["package"]])


def test_the_same_phone_and_last_name(relay: Relay) -> None:
    first = relay.hot_contact(phone="+49 30 5550001", lastname="Müller")
    second = relay.hot_contact(phone="0049305550001", lastname="MULLER")
    stranger = relay.hot_contact(phone="+49 30 5550001", lastname="Schulz")

    relay.run()

    assert links(relay) == [(first, second, "phone_and_name", 80)]
    assert stranger not in str(links(relay))


def test_a_sign_that_many_share_is_nobodys(relay: Relay) -> None:
    home = relay.company()
    for number in range(duplicates.LARGEST_GROUP + 1):
        relay.contact(home, phone="+49 30 5550001", lastname="Test", email=f"t{number}@gmail.com")

    relay.run()

    assert links(relay) == []


def test_merging_in_hubspot_settles_the_link(relay: Relay) -> None:
    first, second = two_in_one_mailbox(relay)
    relay.run()
    relay.wait(minutes=5)
    with transaction(relay.engine) as conn:
        ids = {row["hubspot_id"]: row["id"] for row in relay.rows("SELECT * FROM lead")}
        from baton.ledger.intake.merges import merge_into

        merge_into(conn, ids[first], [ids[second]], at=relay.now(), by="hubspot")

    assert links(relay) == []


def test_forgetting_a_person_deletes_the_signs(relay: Relay) -> None:
    first, _ = two_in_one_mailbox(relay)
    relay.run()
    lead = relay.lead(first)["id"]
    (person,) = relay.rows("SELECT * FROM person WHERE lead_id = :id", id=lead)
    assert SECRET in json.dumps(person["identity"])
    with relay.engine.begin() as conn:
        from baton.ledger.leads.persons import delete_people

        delete_people(conn, [lead])

    everything = [
        row
        for table in ("person", "duplicate_link", "lead_answer")
        for row in relay.rows(f"SELECT * FROM {table}")
        if lead in (row.get("lead_id"), row.get("other_id"))
    ]
    assert SECRET not in str(everything)


def test_linking_again_finds_what_two_runs_could_not_see_of_each_other(relay: Relay) -> None:
    first, second = two_in_one_mailbox(relay)
    relay.run()
    with relay.engine.begin() as conn:
        conn.exec_driver_sql("DELETE FROM duplicate_link")

    assert link_duplicates(relay.ctx)["linked"] == 1
    assert links(relay) == [(first, second, "mailbox", 95)]
    assert link_duplicates(relay.ctx)["linked"] == 0


def test_the_list_on_the_command_line(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, ledger_url: str
) -> None:
    first, second = two_in_one_mailbox(relay)
    relay.run()
    monkeypatch.setenv("BATON_DATABASE_URL", ledger_url)

    shown = CliRunner().invoke(app, ["duplicates"])
    as_json = CliRunner().invoke(app, ["duplicates", "--json"])

    assert shown.exit_code == 0, shown.output
    assert first in shown.output
    assert "the same mailbox" in shown.output
    assert SECRET not in (shown.output + as_json.output).lower()
    listed = json.loads(as_json.output)
    assert listed["pairs"] == 1
    assert listed["links"][0]["other_hubspot_id"] == second
