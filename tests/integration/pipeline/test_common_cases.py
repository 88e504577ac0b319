"""The commonest cases of a day, each through the whole chain."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.integration.pipeline.relay import PROFILE, SEVENTY, START, Relay, milliseconds

from baton.ledger.agreements import policies, pools
from baton.ledger.database.engine import transaction
from baton.ledger.metrics import metrics
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.versions.agreements import activate_policy
from baton.policy.bundle import PolicyBundle

HELENA, INES = "helena.voss@relay.test", "ines.moreau@relay.test"
JONAS, MIRA = "jonas.keller@relay.test", "mira.lindner@relay.test"
LIST = {"hs_analytics_source": "OFFLINE", "hs_analytics_source_data_1": "IMPORT"}


def change_policy(relay: Relay, *edits: tuple[str, str, str]) -> None:
    """Make another policy the active one: (file, old passage, new passage)."""
    texts = dict(relay.bundle.texts)
    for file, old, new in edits:
        assert old in texts[file], old
        texts[file] = texts[file].replace(old, new, 1)
    bundle = PolicyBundle(texts)
    with transaction(relay.engine) as conn:
        current = policies.current(conn)
        parent = current.hash if current else None
        activate_policy(conn, bundle, by="tests", at=relay.now(), parent=parent)
    relay.bundle = bundle


@pytest.mark.requirement("000-10")
def test_a_second_form_while_a_handoff_is_open_updates_owner_task_and_thread(
    relay: Relay,
) -> None:
    contact = relay.contact()
    relay.take_quiz(contact, 80)
    relay.run()
    owner = relay.handoff(contact)["owner_key"]
    (task,) = relay.tasks()
    noted = f"{task['Description']}\nCalled, no answer; trying at four."
    relay.org.update("Task", task["Id"], {"Description": noted}, by=task["OwnerId"])
    relay.wait(minutes=10)
    relay.submit(contact, "Demo request", primary_pain_point="two reps called the same buyer")

    relay.run()
    relay.run()

    assert relay.handoff(contact)["owner_key"] == owner
    (after,) = relay.tasks()
    assert after["Id"] == task["Id"]
    assert after["Description"].startswith("Update 2026-11-24 10:10 UTC: a handoff is open")
    assert after["Description"].endswith("Called, no answer; trying at four.")
    assert "asked for a demo" in after["Description"]
    first, second = relay.world.workspace.messages
    assert second.thread_ts == first.ts
    assert second.channel == first.channel
    # In a channel's thread nobody is told who is not mentioned.
    assert f"<@{relay.slack_id(owner)}>" in second.text
    assert "raised a hand again" in second.text


def test_a_closed_task_is_left_alone_by_a_second_form(relay: Relay) -> None:
    contact = relay.contact()
    relay.submit(contact, "Contact sales")
    relay.run()
    (task,) = relay.tasks()
    relay.org.update("Task", task["Id"], {"Status": "Completed"}, by=task["OwnerId"])
    relay.wait(minutes=10)
    relay.submit(contact, "Demo request")

    relay.run()

    (after,) = relay.tasks()
    assert (after["Status"], after["Description"]) == ("Completed", task["Description"])
    assert len(relay.messages()) == 2


def test_a_demo_request_brings_a_recycled_lead_out_at_once(relay: Relay) -> None:
    contact = relay.contact()
    relay.submit(contact, "Contact sales")
    relay.run()
    label = relay.policy.dispositions["no_budget"].rep_sees
    relay.give(relay.salesforce_lead(contact), "Recycle", label)
    relay.follow()
    assert relay.lead(contact)["state"] == "recycled"
    relay.wait(days=3)
    relay.submit(contact, "Demo request")

    relay.run()

    first, second = relay.handoffs(contact)
    assert second["trigger"] == "demo_request"
    assert second["owner_key"] == first["owner_key"]  # who knows the lead
    assert second["captured_at"] == relay.now()
    assert relay.lead(contact)["state"] == "in_handoff"


@pytest.mark.requirement("002-12")
def test_a_meeting_already_booked_goes_to_its_host_and_the_clock_is_met(relay: Relay) -> None:
    contact = relay.contact(
        engagements_last_meeting_booked=milliseconds(START + timedelta(days=2)),
        meeting_host="Helena.Voss@relay.test",
    )
    relay.submit(contact, "Demo request")

    relay.run()

    handoff = relay.handoff(contact)
    assert handoff["owner_key"] == HELENA
    assert handoff["first_touch_at"] == START
    assert relay.owner_name(relay.salesforce_lead(contact)) == HELENA
    relay.wait(hours=8)
    relay.watch()
    relay.wait(days=1)
    report = relay.watch()
    assert report["breach"] == report["remind"] == report["tell_manager"] == 0
    assert [one.to for one in relay.messages()] == [HELENA]
    assert relay.handoff(contact)["owner_key"] == HELENA
    assert figure(relay, "sla_breach_rate") == 0
    assert figure(relay, "speed_to_lead_median_seconds") == 0


def test_five_people_of_one_account_in_a_minute_have_one_owner(relay: Relay) -> None:
    home = relay.company()
    contacts = []
    for _ in range(5):
        contacts.append(relay.contact(home))
        relay.submit(contacts[-1], "Contact sales")
        relay.wait(seconds=10)
        if len(contacts) in (2, 3):  # some in one run, some in runs of their own
            relay.run()
    elsewhere = relay.contact()
    relay.submit(elsewhere, "Contact sales")

    relay.run()

    owners = {relay.handoff(contact)["owner_key"] for contact in contacts}
    assert len(owners) == 1
    assert owners <= {JONAS, MIRA}
    assert relay.handoff(elsewhere)["owner_key"] not in owners  # whose turn it is


def test_a_colleague_after_the_time_to_keep_together_takes_its_turn(relay: Relay) -> None:
    home = relay.company()
    first = relay.contact(home)
    relay.submit(first, "Contact sales")
    relay.run()
    relay.give(
        relay.salesforce_lead(first),
        "Disqualified",
        relay.policy.dispositions["not_a_project"].rep_sees,
    )
    relay.follow()
    relay.wait(days=31)
    second = relay.contact(home)
    relay.submit(second, "Contact sales")

    relay.run()

    assert relay.handoff(second)["owner_key"] != relay.handoff(first)["owner_key"]


def test_a_lead_of_an_account_we_lost_goes_to_who_had_the_opportunity(relay: Relay) -> None:
    account = relay.account("Softworks", "softworks-lost.test", owner="tom.adeyemi")
    lost = {"StageName": "Closed Lost", "CloseDate": date(2026, 9, 1)}
    relay.opportunity(account, owner="marcus.bell", **lost)
    newer = {**lost, "CloseDate": date(2026, 10, 1)}
    relay.opportunity(account, owner="helena.voss", **newer)
    newest = {**newer, "CloseDate": date(2026, 11, 1)}
    relay.opportunity(account, owner="luis.ferreira", **newest)
    relay.org.update("User", relay.user("luis.ferreira"), {"IsActive": False})
    read_references(relay.ctx)
    home = relay.company(name="Softworks", domain="softworks-lost.test")
    contact = relay.contact(home)
    relay.submit(contact, "Contact sales")

    relay.run()

    # The latest one's owner has left: the one before is asked.
    assert relay.handoff(contact)["owner_key"] == HELENA
    (decision,) = relay.rows("SELECT result FROM decision WHERE outcome = 'handoff'")
    assert decision["result"]["route"]["reason_code"] == "lost_opportunity"


def test_a_customers_new_form_goes_to_the_account_team(relay: Relay) -> None:
    relay.account("Softworks", "softworks-c.test", owner="ines.moreau", Type="Customer - Direct")
    read_references(relay.ctx)
    home = relay.company(name="Softworks", domain="softworks-c.test")
    contact = relay.contact(home)
    relay.submit(contact, "Contact sales")

    relay.run()

    handoff = relay.handoff(contact)
    assert (handoff["owner_key"], handoff["change_owner"]) == (INES, False)
    (task,) = relay.tasks()
    assert relay.owner_name(task) == INES
    assert [one.to for one in relay.messages()] == [INES]


def test_a_colleagues_test_address_takes_the_whole_chain_to_the_tester(relay: Relay) -> None:
    tested = relay.contact(email="jonas.keller+test1@relay.test")
    relay.take_quiz(tested, 80)

    relay.run()

    handoff = relay.handoff(tested)
    assert (handoff["owner_key"], handoff["origin"]) == (JONAS, "test")
    assert relay.owner_name(relay.salesforce_lead(tested)) == JONAS
    (task,) = relay.tasks()
    assert relay.owner_name(task) == JONAS
    (message,) = relay.messages()
    assert message.to == JONAS  # and not the channel in which quizzes are announced
    relay.wait(hours=2)
    report = relay.watch()
    assert report["tell_manager"] == 1
    assert {one.to for one in relay.messages()} == {JONAS}
    assert relay.handoff(tested)["owner_key"] == JONAS  # never taken away
    with relay.engine.connect() as conn:
        assert not any(state for state in pools.read(conn).values())
    assert figure(relay, "handoffs") == 0
    with relay.engine.connect() as conn:
        counts = metrics.chain_counts(conn, START - timedelta(days=1))
    assert (counts.captured, counts.handed_off, counts.never_touched) == (0, 0, 0)

    buyers = [relay.contact() for _ in range(2)]
    for buyer in buyers:
        relay.submit(buyer, "Contact sales")
    relay.run()
    assert {relay.handoff(one)["owner_key"] for one in buyers} == {JONAS, MIRA}
    assert figure(relay, "handoffs") == 2


def figure(relay: Relay, name: str) -> object:
    """A figure of today, of all handoffs."""
    day = relay.now().date() if name == "handoffs" else START.date()
    with transaction(relay.engine) as conn:
        found = metrics.daily_metrics(conn, day, now=relay.now(), zone=ZoneInfo("UTC"))
    return next((one.value for one in found if (one.name, one.dimension) == (name, "all")), None)


# -- an imported list -----------------------------------------------------------------------------


def import_list(relay: Relay, people: int, *, first: int = 0) -> list[str]:
    """Somebody imports a list of hot leads; every tenth has been busier than the others."""
    home = relay.company()
    found = relay.world.portal.get("companies", home)
    assert found is not None
    contacts = []
    for number in range(first, first + people):
        company = relay.company(name=f"Listed {number}", domain=f"listed{number}.test")
        values = {
            **PROFILE,
            **SEVENTY,
            **LIST,
            "email": f"robin@listed{number}.test",
            "firstname": "Robin",
            "lastname": f"Tester{number}",
            "content_downloads": "3" if number % 10 == 9 else "1",
            "last_content_at": milliseconds(START),
            "associatedcompanyid": company,
        }
        contacts.append(str(relay.world.portal.create("contacts", values).id))
    return contacts


def test_an_imported_list_is_dripped_best_first_without_a_buyers_clock(relay: Relay) -> None:
    change_policy(relay, ("routing.yaml", "a_day: 50", "a_day: 5"))
    contacts = import_list(relay, 40)
    busy = set(contacts[9::10])
    buyer = relay.contact()
    relay.submit(buyer, "Demo request")

    report = relay.run()

    assert (report["handoff"], report["hold"]) == (5 + 1, 35)
    assert relay.handoff(buyer)["origin"] == "buyer"
    first = given(relay)
    assert len(first) == 5
    held = relay.rows("SELECT held_for, timer_action, timer_at FROM lead WHERE state = 'held'")
    assert {(row["held_for"], row["timer_action"]) for row in held} == {("drip", "nurture")}
    assert {row["timer_at"] for row in held} == {START + timedelta(days=90)}
    terms = relay.rows("SELECT terms FROM hop JOIN handoff h ON h.id = handoff_id"
                       " WHERE h.origin = 'import'")  # fmt: skip
    assert {row["terms"]["buyer_due"] for row in terms} == {None}

    relay.wait(minutes=30)
    assert relay.run()["hold"] == 0  # nobody has room: nobody is read or judged
    relay.wait(hours=24)
    relay.run()
    second = given(relay) - first
    assert len(second) == 5
    assert busy - first <= second  # the best of those who waited
    deadlines = relay.rows("SELECT DISTINCT timer_at FROM lead WHERE state = 'held'")
    assert [row["timer_at"] for row in deadlines] == [START + timedelta(days=90)]
    assert figure(relay, "touched_within_5_minutes") == 0
    asked = [
        one.denominator
        for one in daily(relay)
        if (one.name, one.dimension) == ("touched_within_5_minutes", "all")
    ]
    assert asked == [1]  # the buyer alone

    raised = next(one for one in contacts if relay.lead(one)["state"] == "held")
    relay.submit(raised, "Demo request")
    relay.run()
    lifted = relay.handoff(raised)
    assert (lifted["origin"], lifted["trigger"]) == ("buyer", "demo_request")
    assert lifted["terms"]["buyer_due"] is not None

    relay.wait(days=91)
    relay.everything()
    states = Counter(relay.lead(one)["state"] for one in contacts)
    assert states["held"] == 0
    assert states["in_handoff"] + states["nurture"] == 40


def daily(relay: Relay) -> list[metrics.Metric]:
    with transaction(relay.engine) as conn:
        return metrics.daily_metrics(conn, START.date(), now=relay.now(), zone=ZoneInfo("UTC"))


def given(relay: Relay) -> set[str]:
    rows = relay.rows(
        "SELECT hubspot_id FROM handoff JOIN lead ON lead.id = lead_id WHERE origin = 'import'"
    )
    return {row["hubspot_id"] for row in rows}


def test_a_list_of_two_thousand_is_taken_in_and_only_as_much_goes_out_as_a_day_allows(
    relay: Relay,
) -> None:
    contacts = import_list(relay, 2_000)

    report = qualify_and_route(relay.ctx)

    a_day = relay.policy.imports
    assert a_day is not None
    assert report["handoff"] == a_day.a_day
    assert report["hold"] == 2_000 - a_day.a_day
    shared = Counter(
        row["owner_key"]
        for row in relay.rows(
            "SELECT owner_key FROM hop JOIN handoff ON handoff.id = handoff_id"
            " WHERE origin = 'import'"
        )
    )
    assert sum(shared.values()) == a_day.a_day
    assert len(contacts) == 2_000
    relay.wait(hours=2)
    qualify_and_route(relay.ctx)
    relay.wait(minutes=1)
    before = len(relay.requests())
    qualify_and_route(relay.ctx)
    # Nearly two thousand wait, and a run costs no more than one without them.
    assert len(relay.requests()) - before <= 2
