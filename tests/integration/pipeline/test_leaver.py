"""Somebody leaves: open handoffs go to others by policy, in Salesforce too, once, whatever happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.pipeline.relay import PROFILE, Relay, texts

from baton.decision.decide import replay
from baton.leads.states import HandoffState
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs
from baton.pipeline.active_policy import active_policy
from baton.pipeline.judging import leaver, reassignment
from baton.pipeline.judging.leaver import (
    HandedOver,
    Wish,
    due_leavers,
    hand_over_due,
    look_at,
    wish_of,
)
from baton.pipeline.versions.agreements import current_roster
from baton.policy.roster_edits import Cap, joined, quit_pool, with_cap, with_rep
from crm_sandbox.salesforce.conversion import convert_lead

MIRA, JONAS = "mira.lindner@relay.test", "jonas.keller@relay.test"
PRIYA = "priya.raman@relay.test"


def leave(relay: Relay, email: str, **settings: Any) -> HandedOver:
    """Do what `baton roster leaver` does."""
    day, to = settings.get("day"), settings.get("to")
    with transaction(relay.engine) as conn:
        one = look_at(conn, email, day=day, now=relay.now())
        wish = wish_of(current_roster(conn), to, one.rep.key)
    leaver.mark_leaver(relay.ctx, one, by="tests")
    return leaver.hand_over(relay.ctx, one.rep.key, wish=wish)


def only_for_jonas_at_first(relay: Relay) -> None:
    """Everything of DACH goes to Jonas, so that one person has all the handoffs."""
    relay.adopt_roster(quit_pool(relay.roster, MIRA, "SDR DACH"))


def both_again(relay: Relay) -> None:
    relay.adopt_roster(relay.roster)


def asking(relay: Relay) -> str:
    """Somebody who asks for sales: a lead of the SDRs of DACH."""
    contact = relay.contact()
    relay.submit(contact, "Contact sales")
    return contact


def of_jonas(relay: Relay, number: int) -> list[str]:
    only_for_jonas_at_first(relay)
    contacts = [asking(relay) for _ in range(number)]
    relay.run()
    both_again(relay)
    assert {relay.handoff(one)["owner_key"] for one in contacts} == {JONAS}
    return contacts


def owner_in_salesforce(relay: Relay, contact: str) -> str:
    return relay.owner_name(relay.salesforce_lead(contact))


def test_open_handoffs_go_to_the_colleague_in_salesforce_too(relay: Relay) -> None:
    contacts = of_jonas(relay, 3)
    lead = relay.salesforce_lead(contacts[0])
    relay.touch(lead)
    relay.org.update("Lead", lead["Id"], {"Status": "Working - Contacted"}, by=lead["OwnerId"])
    relay.wait(minutes=2)
    relay.everything()
    assert relay.handoff(contacts[0])["state"] == "working"

    done = leave(relay, JONAS)
    assert done.by_owner == {MIRA: 3}
    assert (done.owner_stays, done.left_over) == ([], [])
    for contact in contacts:
        assert owner_in_salesforce(relay, contact) == JONAS, "nothing is written in the same breath"
    relay.run()
    for contact in contacts:
        handoff = relay.handoff(contact)
        assert handoff["owner_key"] == MIRA
        assert owner_in_salesforce(relay, contact) == MIRA
        keys = [task["Handoff_Key__c"] for task in relay.tasks()]
        assert f"{handoff['key']}.2.task" in keys
        assert any(m.key == f"{handoff['key']}.2.slack_message" for m in relay.messages())
    # Worked already: the state stays, and the new owner has a clock that the old touch has not met.
    worked = relay.handoff(contacts[0])
    assert worked["state"] == "working"
    assert worked["first_touch_due"] > relay.now()
    relay.world.clock.set(worked["first_touch_due"] + timedelta(minutes=1))
    relay.wait(minutes=0)
    relay.watch()
    breaches = relay.rows(
        "SELECT handoff_id FROM sla_event JOIN hop ON hop.id = hop_id"
        " WHERE kind = 'breach' AND number = 2"
    )
    assert worked["id"] in [row["handoff_id"] for row in breaches]


def test_the_reason_stands_in_the_recorded_decision(relay: Relay) -> None:
    (contact,) = of_jonas(relay, 1)
    leave(relay, JONAS)
    (row,) = relay.rows("SELECT * FROM decision ORDER BY id DESC LIMIT 1")
    assert row["owner_key"] == MIRA
    assert row["result"]["words"] == f"{JONAS} left the company; goes to user {MIRA}"
    assert row["result"]["route"]["trace"][0]["text"] == f"{JONAS} left the company"
    assert "left the company" in texts(row["result"]["route"]["trace"][1:]), "and on the ladder"
    with transaction(relay.engine) as conn:
        roster = current_roster(conn)
    again = replay(row["inputs"], row["result"], relay.policy, roster)
    assert again.hash == row["result_hash"], "and it can be replayed byte for byte"
    assert relay.handoff(contact)["key"].startswith("H")


def test_no_new_lead_comes_and_the_pool_goes_on(relay: Relay) -> None:
    of_jonas(relay, 2)
    leave(relay, JONAS)
    more = [asking(relay) for _ in range(3)]
    relay.run()
    assert {relay.handoff(one)["owner_key"] for one in more} == {MIRA}
    (state,) = relay.rows("SELECT state FROM pool_state WHERE pool = 'SDR DACH'")
    assert JONAS not in state["state"]["balances"]
    assert sum(state["state"]["balances"].values()) == 0


def test_again_changes_nothing(relay: Relay) -> None:
    contacts = of_jonas(relay, 2)
    leave(relay, JONAS)
    relay.run()
    before = relay.ledger_picture(), relay.outside_picture()
    done = leave(relay, JONAS)
    relay.run()
    assert done.moved == 0
    assert (relay.ledger_picture(), relay.outside_picture()) == before
    assert len({relay.handoff(one)["owner_key"] for one in contacts}) == 1


def test_killed_in_the_middle_it_is_run_again_and_nothing_doubles(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = of_jonas(relay, 5)
    monkeypatch.setattr(leaver, "CHUNK", 2)
    written = reassignment.outbox.add
    calls = []

    def killed(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return written(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(reassignment.outbox, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            leave(relay, JONAS)
    owners = [relay.handoff(one)["owner_key"] for one in contacts]
    assert sorted(owners) == sorted([MIRA] * 2 + [JONAS] * 3), "a chunk is whole or not at all"
    relay.run()
    done = leave(relay, JONAS)
    assert done.moved == 3
    relay.run()
    for contact in contacts:
        assert owner_in_salesforce(relay, contact) == MIRA
        assert (
            len(
                relay.rows(
                    "SELECT 1 FROM hop JOIN handoff ON handoff.id = handoff_id"
                    " JOIN lead ON lead.id = lead_id WHERE hubspot_id = :c",
                    c=contact,
                )
            )
            == 2
        )


def test_what_had_not_gone_out_yet_never_does(relay: Relay) -> None:
    """Killed before delivery: Salesforce hears of the new owner alone."""
    only_for_jonas_at_first(relay)
    contact = asking(relay)
    leaver_steps = relay.ctx
    from baton.pipeline.judging.qualify import qualify_and_route

    qualify_and_route(leaver_steps)
    both_again(relay)
    assert relay.handoff(contact)["owner_key"] == JONAS
    leave(relay, JONAS)
    relay.run()
    assert owner_in_salesforce(relay, contact) == MIRA
    assert [task["Handoff_Key__c"][-7:] for task in relay.tasks()] == [".2.task"]
    assert not [message for message in relay.messages() if JONAS in message.to]


def test_a_user_whom_salesforce_has_deactivated_already_can_be_followed(relay: Relay) -> None:
    (contact,) = of_jonas(relay, 1)
    relay.org.update("User", relay.user(JONAS), {"IsActive": False})
    relay.wait(minutes=1)
    relay.everything()
    leave(relay, JONAS)
    relay.run()
    assert owner_in_salesforce(relay, contact) == MIRA


def test_an_owner_that_a_person_has_changed_stays(relay: Relay) -> None:
    (contact,) = of_jonas(relay, 1)
    lead = relay.salesforce_lead(contact)
    relay.org.update("Lead", lead["Id"], {"OwnerId": relay.user(PRIYA)}, by=relay.user(PRIYA))
    leave(relay, JONAS)
    relay.run()
    assert owner_in_salesforce(relay, contact) == PRIYA


def test_caps_are_kept_and_the_rest_goes_to_the_queue_at_the_end(relay: Relay) -> None:
    contacts = of_jonas(relay, 4)
    relay.adopt_roster(with_cap(relay.roster, MIRA, {Cap.OPEN: 1}))
    done = leave(relay, JONAS)
    name = "Inbound DACH"
    assert done.by_owner == {MIRA: 1, name: 3}
    relay.run()
    assert sorted(owner_in_salesforce(relay, one) for one in contacts) == sorted(
        [MIRA] + [name] * 3
    )


def test_a_person_or_a_pool_may_be_asked_for(relay: Relay) -> None:
    contacts = of_jonas(relay, 2)
    done = leave(relay, JONAS, to="sdr uk and nordics")
    assert sum(done.by_owner.values()) == 2
    assert set(done.by_owner) <= {PRIYA, "oskar.nyberg@relay.test"}
    relay.run()
    assert {owner_in_salesforce(relay, one) for one in contacts} == set(done.by_owner)
    (newest,) = relay.rows("SELECT rule FROM decision ORDER BY id DESC LIMIT 1")
    assert newest["rule"] == "asked-by-name"
    with transaction(relay.engine) as conn:
        assert wish_of(current_roster(conn), PRIYA, JONAS) == Wish(person=PRIYA)


def test_an_account_teams_lead_gets_a_task_and_is_listed_for_the_manager(relay: Relay) -> None:
    account = relay.account("Acme", "acme.test", owner=JONAS)
    relay.opportunity(account, owner=JONAS)
    relay.wait(minutes=1)
    relay.everything()
    home = relay.company(name="Acme", domain="acme.test")
    contact = relay.contact(home, **PROFILE)
    relay.submit(contact, "Demo request")
    relay.run()
    first = relay.handoff(contact)
    assert (first["owner_key"], first["change_owner"]) == (JONAS, False)
    before = owner_in_salesforce(relay, contact)
    done = leave(relay, JONAS)
    assert done.owner_stays == [first["key"]]
    relay.run()
    assert owner_in_salesforce(relay, contact) == before
    now = relay.handoff(contact)
    assert now["owner_key"] != JONAS
    assert not now["change_owner"]
    assert f"{first['key']}.2.task" in [task["Handoff_Key__c"] for task in relay.tasks()]


def test_a_converted_lead_gets_a_task_for_the_next_one_and_is_listed(relay: Relay) -> None:
    (contact,) = of_jonas(relay, 1)
    lead = relay.salesforce_lead(contact)
    done = convert_lead(
        relay.org, lead["Id"], by=lead["OwnerId"], opportunity_name="First project", amount=10_000.0
    )
    relay.wait(minutes=2)
    relay.everything()
    handoff = relay.handoff(contact)
    assert handoff["state"] == "converted"
    given = leave(relay, JONAS)
    assert given.owner_stays == [handoff["key"]]
    relay.run()
    assert relay.handoff(contact)["state"] == "converted"
    assert relay.owner_name(relay.org.get("Opportunity", done.opportunity_id)) == JONAS
    assert f"{handoff['key']}.2.task" in [task["Handoff_Key__c"] for task in relay.tasks()]
    assert not [one for one in relay.effects() if one["state"] in {"rejected", "invalid", "dead"}]


def test_a_day_ahead_stops_new_leads_then_and_upkeep_hands_over(relay: Relay) -> None:
    contacts = of_jonas(relay, 2)
    day = (relay.now() + timedelta(days=2)).date()
    with transaction(relay.engine) as conn:
        one = look_at(conn, JONAS, day=day, now=relay.now())
    assert not one.due
    assert len(one.handoffs) == 2
    leaver.mark_leaver(relay.ctx, one, by="tests")
    assert hand_over_due(relay.ctx) == {}
    relay.wait(days=2)
    with transaction(relay.engine) as conn:
        assert [rep.key for rep in due_leavers(conn, relay.now())] == [JONAS]
    report = hand_over_due(relay.ctx)
    assert (report["leavers"], report["handed over"]) == (1, 2)
    assert hand_over_due(relay.ctx) == {}
    relay.run()
    assert {owner_in_salesforce(relay, contact) for contact in contacts} == {MIRA}


def test_a_preview_keeps_nothing(relay: Relay) -> None:
    of_jonas(relay, 2)
    before = relay.ledger_picture()
    with transaction(relay.engine) as conn:
        one = look_at(conn, JONAS, day=None, now=relay.now())
    assert leaver.preview(relay.ctx, one).by_owner == {MIRA: 2}
    assert relay.ledger_picture() == before


def test_nobody_is_taken_twice_where_a_leaver_had_it_before(relay: Relay) -> None:
    """Mira had it first, then Jonas; both are gone for this handoff: it goes to the queue."""
    (contact,) = of_jonas(relay, 1)
    leave(relay, JONAS)
    back = with_rep(relay.roster, relay.roster.rep(JONAS), active=True, left=None)
    relay.adopt_roster(joined(back, JONAS, "SDR DACH"))
    done = leave(relay, MIRA)
    assert JONAS not in done.by_owner
    assert done.moved == 1
    relay.run()
    assert owner_in_salesforce(relay, contact) not in {MIRA, JONAS}


COPIED = {
    "lead": "'id', 100000 + n, 'hubspot_id', 'copy' || n",
    "snapshot": "'lead_id', 100000 + n",
    "decision": "'id', 100000 + n, 'lead_id', 100000 + n",
    "handoff": "'id', 100000 + n, 'lead_id', 100000 + n, 'decision_id', 100000 + n, "
    "'key', 'H' || (100000 + n) || '-1'",
    "hop": "'id', 100000 + n, 'handoff_id', 100000 + n",
    "transition": "'id', 100000 * n + id, 'subject_id', 100000 + n",
}


def copy_handoff(relay: Relay, copies: int) -> None:
    """Copy the one lead there is with its handoff, all but its keys."""
    with transaction(relay.engine) as conn:
        for table, changes in COPIED.items():
            conn.execute(
                text(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record("
                    f"{table}, jsonb_build_object({changes}))).* FROM {table},"
                    " generate_series(1, :copies) AS n"
                ),
                {"copies": copies},
            )


def test_hundreds_of_open_handoffs_are_handed_over_in_chunks(relay: Relay) -> None:
    """One real lead, five hundred times: everything about it but its keys."""
    (contact,) = of_jonas(relay, 1)
    copies = 499
    copy_handoff(relay, copies)
    with transaction(relay.engine) as conn:
        assert len(look_at(conn, JONAS, day=None, now=relay.now()).handoffs) == copies + 1
    told: list[int] = []
    with transaction(relay.engine) as conn:
        one = look_at(conn, JONAS, day=None, now=relay.now())
    leaver.mark_leaver(relay.ctx, one, by="tests")

    done = leaver.hand_over(relay.ctx, JONAS, progress=told.append)

    assert done.by_owner == {MIRA: copies + 1}
    assert told == [leaver.CHUNK] * ((copies + 1) // leaver.CHUNK)
    (count,) = relay.rows(
        "SELECT count(*) AS n FROM hop WHERE number = 2 AND owner_key = :o", o=MIRA
    )
    assert count["n"] == copies + 1
    (waiting,) = relay.rows("SELECT count(*) AS n FROM effect WHERE hop = 2 AND state = 'pending'")
    assert waiting["n"] == 3 * (copies + 1)
    assert relay.handoff(contact)["owner_key"] == MIRA


def test_the_test_of_somebody_who_left_ends_in_the_queue_once(relay: Relay) -> None:
    """Not with the leaver again, whom nothing else would ever take it from."""
    contact = relay.contact(email="jonas.keller+test1@relay.test")
    relay.submit(contact, "Contact sales")
    relay.run()
    assert relay.handoff(contact)["owner_key"] == JONAS

    done = leave(relay, JONAS)
    hand_over_due(relay.ctx)
    hand_over_due(relay.ctx)

    assert done.by_owner == {"Inbound triage": 1}
    hops = relay.rows("SELECT owner_key FROM hop ORDER BY number")
    assert [row["owner_key"] for row in hops] == [JONAS, "Inbound triage"]
    with transaction(relay.engine) as conn:
        assert list(due_leavers(conn, relay.now())) == []


def test_a_clock_read_before_somebody_else_got_it_takes_it_from_nobody(relay: Relay) -> None:
    """Clocks are read without locks: meanwhile the handoff was handed over, or ended."""
    contacts = of_jonas(relay, 2)
    with transaction(relay.engine) as conn:
        lapsed = handoffs.open_with_terms(conn, relay.now())
    leave(relay, JONAS)
    with transaction(relay.engine) as conn:
        agreement = active_policy(conn)
        assert reassignment.reassign_all(conn, relay.ctx, agreement, lapsed) == 0
    assert {relay.handoff(one)["owner_key"] for one in contacts} == {MIRA}
    with relay.engine.connect() as conn:  # never committed
        current = handoffs.open_with_terms(conn, relay.now())
        ended = current[0].handoff.id
        handoffs.set_state(conn, ended, HandoffState.CANCELLED, at=relay.now(), cause="withdrawn")
        # One that has ended stops nobody else's.
        reassignment.reassign_all(conn, relay.ctx, agreement, current)
        assert len(handoffs.hops(conn, [ended])[ended]) == 2
