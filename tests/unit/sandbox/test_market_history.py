"""A replay by the day: what is assigned at a day's end counts from the moment it is dated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest

from crm_sandbox.clock import SandboxClock
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.market import Market
from crm_sandbox.market.staff import BY_KEY, STAFF
from crm_sandbox.market.working_hours import WorkingHours
from crm_sandbox.salesforce.org import Org
from crm_sandbox.slack.workspace import Workspace

START = datetime(2026, 6, 1, tzinfo=UTC)
LATENCY = timedelta(seconds=5)
REPS = [person.key for person in STAFF if person.pools]


class Replay:
    """Days played one by one; after each, demo requests become Leads and Tasks."""

    def __init__(self, *, dated: bool = True) -> None:
        self.clock = SandboxClock(START)
        self.portal, self.org = Portal(self.clock), Org(self.clock)
        self.market = Market(self.clock, self.portal, self.org, Workspace(self.clock))
        self.market.set_up()
        self.dated = dated
        self.handed: dict[str, tuple[datetime, str]] = {}
        """By lead: when it was assigned, and to whom (a staff key or a queue)."""

    def play(self, days: int) -> None:
        for _ in range(days):
            began = self.clock.now()
            self.market.play(began + timedelta(days=1))
            self._hand_over(began)

    def _hand_over(self, began: datetime) -> None:
        for record in list(self.portal.records("contacts")):
            asked = record.properties.get("demo_requested_at")
            if not asked or datetime.fromisoformat(asked) <= began:
                continue
            email = record.properties.get("email")
            if self.org.find("Lead", HubSpot_Contact_Id__c=record.id) is None:
                self._assign(record.id, email, datetime.fromisoformat(asked) + LATENCY)

    def _assign(self, contact_id: str, email: str | None, at: datetime) -> None:
        users, key = self.market.ground.users, f"H{contact_id}-1.1"
        turn = len(self.handed)
        to = "Inbound triage" if turn % 7 == 6 else self._whoever_is_at_work(at, turn)
        owner = users[to] if to in users else self.market.ground.queues[to]
        date: dict[str, Any] = {"CreatedDate": at} if self.dated else {}
        lead, _ = self.org.upsert(
            "Lead",
            "HubSpot_Contact_Id__c",
            contact_id,
            {
                "LastName": "Muster",
                "Company": "-",
                "Email": email,
                "OwnerId": owner,
                "Handoff_Key__c": key,
                **date,
            },
        )
        self.handed[lead] = (at, to)
        if to in users:
            self.org.insert(
                "Task",
                {
                    "WhoId": lead,
                    "OwnerId": owner,
                    "Handoff_Key__c": f"{key}.task",
                    "Priority": "High",
                    "Subject": "New lead",
                    **date,
                },
            )

    def _whoever_is_at_work(self, at: datetime, turn: int) -> str:
        present = [key for key in REPS if WorkingHours(BY_KEY[key], START).open_at(at)]
        people = present or REPS
        return people[turn % len(people)]

    def first_touches(self) -> Iterator[tuple[datetime, str, datetime, datetime]]:
        """Assigned when and to whom; the first touch, and when the org stored it."""
        first: dict[str, dict[str, Any]] = {}
        for row in self.org.rows("Task", include_deleted=True):
            if row["TaskSubtype"] in ("Call", "Email") and row["Status"] == "Completed":
                lead = self._lead_of(row["WhoId"])
                if lead not in first or row["CreatedDate"] < first[lead]["CreatedDate"]:
                    first[lead] = row
        for lead, (at, to) in self.handed.items():
            if lead in first:
                yield at, to, first[lead]["CreatedDate"], first[lead]["SystemModstamp"]

    def _lead_of(self, who: str) -> str:
        """Conversion moves activities to the contact."""
        if who.startswith("00Q"):
            return who
        lead = self.org.find("Lead", ConvertedContactId=who)
        return str(lead["Id"]) if lead else who


def hours(found: list[tuple[datetime, datetime]]) -> float:
    return median((touch - at).total_seconds() / 3600 for at, touch in found)


@pytest.fixture(scope="module")
def replay() -> Replay:
    """Forty days, to be read only."""
    world = Replay()
    world.play(40)
    return world


def _in_working_hours(world: Replay) -> list[tuple[datetime, datetime]]:
    return [
        (at, touch)
        for at, to, touch, _ in world.first_touches()
        if to in BY_KEY and WorkingHours(BY_KEY[to], START).open_at(at)
    ]


def test_hot_leads_of_working_hours_are_answered_within_the_hour(replay: Replay) -> None:
    found = _in_working_hours(replay)
    assert len(found) > 40
    assert hours(found) < 1
    same_day = sum(at.date() == touch.date() for at, touch in found)
    assert same_day > 0.8 * len(found)


def test_without_dates_every_answer_comes_after_the_days_end() -> None:
    world = Replay(dated=False)
    world.play(7)
    found = _in_working_hours(world)
    assert found
    assert all(touch.date() > at.date() for at, touch in found)


def test_nobody_answers_before_the_assignment_and_readers_by_stamp_see_all(
    replay: Replay,
) -> None:
    for at, _, touch, stored in replay.first_touches():
        assert touch > at
        # Read at each midnight: what is stored after it is what the last reading did not show.
        assert stored >= touch
        assert stored >= (at + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    for name in ("Lead", "Task", "Event", "Opportunity"):
        for row in replay.org.rows(name):
            if row["CreatedDate"] >= START:
                assert row["SystemModstamp"] >= row["LastModifiedDate"]
                assert START <= row["CreatedDate"] <= replay.clock.now()


def test_history_carries_the_moment_of_the_act(replay: Replay) -> None:
    accepted = [
        row
        for row in replay.org.rows("LeadHistory")
        if row["Field"] == "Status" and row["NewValue"] == "Accepted"
    ]
    assert len(accepted) > 10
    waits = [
        (replay.handed[row["LeadId"]][0], row["CreatedDate"])
        for row in accepted
        if replay.handed[row["LeadId"]][1] in BY_KEY
    ]
    assert all(act > at for at, act in waits)
    assert hours(waits) < 4


def test_a_manager_hands_out_a_queue_as_of_the_assignment(replay: Replay) -> None:
    queue = replay.market.ground.queues["Inbound triage"]
    nadia = replay.market.ground.users["nadia.petrov"]
    waits = [
        (replay.handed[row["LeadId"]][0], row["CreatedDate"])
        for row in replay.org.rows("LeadHistory")
        if row["Field"] == "Owner" and row["OldValue"] == queue and row["CreatedById"] == nadia
    ]
    hours_of = WorkingHours(BY_KEY["nadia.petrov"], START)
    waits = [(at, moved) for at, moved in waits if hours_of.open_at(at)]
    assert len(waits) >= 3
    assert hours(waits) < 3


def test_what_buyers_do_lies_within_the_stretch_in_which_it_is_played() -> None:
    world = Replay()
    seen: dict[str, datetime] = {}
    for _ in range(6):
        began = world.clock.now()
        world.play(1)
        for record in world.portal.records("contacts"):
            if seen.get(record.id) != record.updated_at and record.updated_at >= START:
                assert began <= record.updated_at <= world.clock.now()
            seen[record.id] = record.updated_at


def test_a_replay_is_the_same_each_time() -> None:
    first, second = Replay(), Replay()
    first.play(8)
    second.play(8)
    assert first.handed == second.handed
    for name in ("Lead", "Task", "LeadHistory", "Opportunity", "Event"):
        assert list(first.org.rows(name)) == list(second.org.rows(name))


def test_live_carries_out_what_history_left_and_goes_on() -> None:
    world = Replay()
    world.play(11)
    played = world.clock.now()
    touched = {row["Id"] for row in world.org.rows("Task")}
    contacts = {record.id for record in world.portal.records("contacts")}
    now = played + timedelta(hours=14)
    world.clock.set(now)
    events = world.market.live_tick()
    left = [row for row in world.org.rows("Task") if row["Id"] not in touched]
    assert any(row["CreatedDate"] < now for row in left)
    assert {row["SystemModstamp"] for row in left} == {now}
    came = [record for record in world.portal.records("contacts") if record.id not in contacts]
    assert came
    assert all(record.updated_at >= now for record in came), "seen by whoever reads from now on"
    for second in range(1, 140):
        world.clock.set(now + timedelta(seconds=second / 2))
        events += world.market.live_tick()
    assert any(event.who.startswith("live-") for event in events)
    begun = [row for row in world.org.rows("Task") if row["CreatedDate"] > now]
    assert begun, "tasks of the last day are begun at the pace of the demonstration"
