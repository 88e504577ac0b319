"""What goes beyond the limits of one run is held, asked about once, and released or kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.integration.pipeline.relay import Relay
from tests.integration.pipeline.test_common_cases import change_policy

from baton.errors import SettingsError
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs
from baton.pipeline.going_live.release import (
    KEEP,
    RELEASE,
    Answer,
    answer,
    ask,
    carry_out,
    question,
)
from baton.policy.roster_edits import joined

FEW = ("agreement.yaml", "handoffs_per_run: 200", "handoffs_per_run: 2")


def warm(relay: Relay, number: int) -> list[str]:
    found = [relay.contact() for _ in range(number)]
    for contact in found:
        relay.submit(contact, "Contact sales")
    return found


def say(relay: Relay, given: str, batch: int | None = None) -> None:
    with transaction(relay.engine) as conn:
        waiting = [one.batch.id for one in question(conn)]
        wish = Answer(
            batch_id=batch or waiting[0], given=given, by="nadia", reason="the fair in Hanover"
        )
        answer(conn, wish, at=relay.now())


def states(relay: Relay, contacts: list[str]) -> list[str]:
    return [relay.lead(one)["state"] for one in contacts]


def test_the_excess_waits_hot_leads_pass_and_a_release_lets_it_go(relay: Relay) -> None:
    change_policy(relay, FEW)
    contacts = warm(relay, 5)
    hot = relay.hot_contact()

    report = relay.run()

    assert (report["handoff"], report["hold"], report["held back"]) == (3, 3, 3)
    assert relay.lead(hot)["state"] == "in_handoff"
    held = [one for one in contacts if relay.lead(one)["state"] == "held"]
    ctx = replace(relay.ctx, run="run-1")
    asked = ask(ctx).counts()
    assert (asked["handoffs"], asked["minutes left"]) == (3, 24 * 60)
    assert ask(ctx).counts() == asked  # the same run again asks about the same
    assert ask(replace(relay.ctx, run="run-2")).counts() == {}
    (note,) = [one for one in relay.messages() if one.key.startswith("held_batch")]
    assert "3 handoffs" in note.says
    assert "handoffs by band: warm 3" in note.says or "handoffs by band" in note.says
    # What is held after the question was put waits for a question of its own.
    later = warm(relay, 3)
    relay.run()
    with transaction(relay.engine) as conn:
        assert [one.figures.total for one in question(conn)] == [3, 1]

    say(relay, RELEASE)
    with pytest.raises(SettingsError, match="has its answer: release, by nadia"):
        say(relay, KEEP, asked["batch"])
    assert carry_out(relay.ctx).counts() == {"leads released": 3}
    assert carry_out(relay.ctx).counts() == {}
    relay.run()

    assert states(relay, held) == ["in_handoff"] * 3
    assert sorted(states(relay, later)) == ["held", "in_handoff", "in_handoff"]
    assert relay.rows("SELECT by_whom FROM admin_action WHERE action = 'release_batch'") == [
        {"by_whom": "nadia"}
    ]


@pytest.mark.parametrize(
    ("then", "state"), [("keep with marketing", "nurture"), ("release", "in_handoff")]
)
def test_nobody_answers(relay: Relay, then: str, state: str) -> None:
    default = ("agreement.yaml", "then: keep with marketing}", f"then: {then}}}")
    change_policy(relay, FEW, default)
    contacts = warm(relay, 3)
    relay.run()
    held = [one for one in contacts if relay.lead(one)["state"] == "held"]
    relay.wait(hours=23)
    relay.everything()
    assert states(relay, held) == ["held"]

    relay.wait(hours=1, minutes=1)
    # Without Airflow's question: the deadline stands in the ledger.
    relay.everything()

    assert states(relay, held) == [state]
    carry_out(relay.ctx)
    with transaction(relay.engine) as conn:
        assert question(conn) == []


def test_a_batch_kept_back_stays_with_marketing_and_a_hand_raise_lifts_a_lead_out(
    relay: Relay,
) -> None:
    change_policy(relay, FEW)
    contacts = warm(relay, 4)
    relay.run()
    one, other = (each for each in contacts if relay.lead(each)["state"] == "held")

    say(relay, KEEP)
    assert carry_out(relay.ctx).counts() == {"leads kept back": 2}
    relay.run()

    assert states(relay, [one, other]) == ["nurture", "nurture"]
    assert relay.in_hubspot(one)["state"] == "nurture"
    relay.wait(hours=1)
    relay.submit(one, "Demo request")
    relay.run()
    assert states(relay, [one, other]) == ["in_handoff", "nurture"]


def test_too_many_messages_and_band_changes_wait(relay: Relay) -> None:
    change_policy(
        relay,
        ("agreement.yaml", "messages_per_run: 400", "messages_per_run: 1"),
        ("agreement.yaml", "band_changes_per_run: 5000", "band_changes_per_run: 1"),
    )
    contacts = [relay.contact() for _ in range(3)]
    relay.run()
    before = {relay.lead(one)["band"] for one in contacts}
    relay.wait(minutes=5)
    for contact in contacts:
        relay.submit(contact, "Contact sales")
    relay.run()
    after = {relay.lead(one)["band"] for one in contacts}
    assert before.isdisjoint(after)

    assert len(relay.messages()) == 1
    assert len(list(relay.org.rows("Lead"))) == 3  # owners and tasks are written: nobody is lost
    assert len(relay.effects(kind="hubspot_state", state="withheld")) == 2
    with transaction(relay.engine) as conn:
        (asked,) = question(conn)
    assert asked.figures.by_kind == {"message": 2, "write_back": 2}
    say(relay, RELEASE)
    assert carry_out(relay.ctx).counts() == {"effects released": 4}
    relay.run()
    assert len(relay.messages()) == 3
    assert {relay.in_hubspot(one)["band"] for one in contacts} == after


def test_changes_of_owner_beyond_the_limit_wait_and_a_no_leaves_the_owners(
    relay: Relay,
) -> None:
    limit = ("agreement.yaml", "reassignments_per_run: 50", "reassignments_per_run: 2")
    change_policy(relay, limit)
    contacts = warm(relay, 5)
    relay.run()
    owners = {one: relay.handoff(one)["owner_key"] for one in contacts}
    relay.wait(hours=30)

    assert relay.watch()["reassigned"] == 2
    assert relay.watch()["reassigned"] == 0, "what is held is not tried again run by run"

    with transaction(relay.engine) as conn:
        (asked,) = question(conn)
    assert asked.figures.by_kind == {"reassignment": 3}
    moved = [one for one in contacts if relay.handoff(one)["owner_key"] != owners[one]]
    assert len(moved) == 2
    say(relay, KEEP)
    assert carry_out(relay.ctx).counts() == {"owners kept": 3}
    relay.run()
    after = {one: relay.handoff(one)["owner_key"] for one in contacts if one not in moved}
    assert after == {one: owners[one] for one in contacts if one not in moved}


def test_a_run_passes_only_a_share_of_what_somebody_has_on_to_them(relay: Relay) -> None:
    change_policy(
        relay,
        ("agreement.yaml", "share_of_a_book: 50 ", "share_of_a_book: 50\n  always_so_many: 1 "),
    )
    contacts = warm(relay, 12)
    relay.run()
    owners = {one: relay.handoff(one)["owner_key"] for one in contacts}
    giving, taking = sorted(set(owners.values()))
    for place, one in enumerate([one for one in contacts if owners[one] == taking]):
        # Of six, the taker keeps two, and works on them.
        if place < 4:
            relay.give(relay.salesforce_lead(one), "Disqualified", "Not a project")
        else:
            relay.touch(relay.salesforce_lead(one))
    relay.follow()
    with transaction(relay.engine) as conn:
        assert handoffs.open_loads(conn, observed=False) == {giving: 6, taking: 2}
    relay.wait(hours=30)

    report = relay.watch()

    assert report["reassigned"] == 1, "three might go, but the other one's book has room for one"
    with transaction(relay.engine) as conn:
        (asked,) = question(conn)
    assert asked.figures.by_kind == {"reassignment": 5}
    say(relay, RELEASE)
    carry_out(relay.ctx)
    lapsed = [one for one in contacts if owners[one] == giving]
    assert {relay.handoff(one)["owner_key"] for one in lapsed} == {taking}


def test_whoever_has_room_gets_what_the_next_in_turn_has_none_for(relay: Relay) -> None:
    change_policy(
        relay,
        ("agreement.yaml", "share_of_a_book: 50 ", "share_of_a_book: 50\n  always_so_many: 1 "),
    )
    relay.adopt_roster(joined(relay.roster, "priya.raman@relay.test", "SDR DACH"))
    contacts = warm(relay, 24)
    relay.run()
    owners = {one: str(relay.handoff(one)["owner_key"]) for one in contacts}
    giving, busy, small = sorted(set(owners.values()))
    assert Counter(owners.values()) == {giving: 8, busy: 8, small: 8}
    theirs = [one for one in contacts if owners[one] == small]
    for one in contacts:
        if one in theirs[:6]:
            relay.give(relay.salesforce_lead(one), "Disqualified", "Not a project")
        elif owners[one] != giving:
            relay.touch(relay.salesforce_lead(one))
    relay.follow()
    relay.wait(hours=30)

    report = relay.watch()

    moved = Counter(
        str(relay.handoff(one)["owner_key"]) for one in contacts if owners[one] == giving
    )
    assert moved == {giving: 4, busy: 3, small: 1}, "four may go: a half of two, the rest elsewhere"
    assert report["reassigned"] == 4


def test_a_run_takes_only_a_share_of_what_somebody_has(relay: Relay) -> None:
    change_policy(
        relay,
        ("agreement.yaml", "share_of_a_book: 50 ", "share_of_a_book: 50\n  always_so_many: 1 "),
    )
    contacts = warm(relay, 6)
    relay.run()
    owners = {one: relay.handoff(one)["owner_key"] for one in contacts}
    assert len(set(owners.values())) == 2
    # All clocks lapse before anybody looks again.
    relay.wait(hours=30)
    report = relay.watch()

    assert report["reassigned"] == 2  # one of three from each of the two
    with transaction(relay.engine) as conn:
        (asked,) = question(conn)
    assert asked.figures.by_kind == {"reassignment": 4}
    assert set(asked.figures.by_owner) == set(owners.values())
    kept = [one for one in contacts if relay.handoff(one)["owner_key"] == owners[one]]
    relay.touch(relay.salesforce_lead(kept[0]))
    relay.follow()
    say(relay, RELEASE)
    carry_out(relay.ctx)
    relay.run()
    assert relay.handoff(kept[0])["owner_key"] == owners[kept[0]]  # worked meanwhile
    assert all(relay.handoff(one)["owner_key"] != owners[one] for one in kept[1:])
