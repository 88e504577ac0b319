"""The market as a whole: deterministic, whole, and acting through portal and org alone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from crm_sandbox.clock import SandboxClock
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.market import Market
from crm_sandbox.market.forms import FORMS
from crm_sandbox.market.market import MarketNotSetUpError
from crm_sandbox.market.opening import LISTS, property_definitions
from crm_sandbox.market.staff import CHANNELS, STAFF
from crm_sandbox.salesforce.org import Org
from crm_sandbox.slack.workspace import Workspace

START = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class World:
    seed: int = 7
    clock: SandboxClock = field(default_factory=lambda: SandboxClock(START))
    handed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.portal = Portal(self.clock)
        self.org = Org(self.clock)
        self.workspace = Workspace(self.clock)
        self.market = Market(self.clock, self.portal, self.org, self.workspace, seed=self.seed)
        self.market.set_up()

    def play(self, days: int, pipeline: Callable[[World], None] | None = None) -> Counter[str]:
        counts: Counter[str] = Counter()
        for _ in range(days):
            counts.update(self.market.play(self.clock.now() + timedelta(days=1)).counts)
            if pipeline:
                pipeline(self)
        return counts

    def portal_hash(self) -> str:
        rows = [
            [kind, record.id, record.properties, record.created_at, record.updated_at]
            for kind in ("contacts", "companies")
            for record in self.portal.records(kind)
        ]
        return _hash(rows)

    def org_hash(self) -> str:
        names = (
            "User",
            "Group",
            "Account",
            "Contact",
            "Lead",
            "Opportunity",
            "Task",
            "Event",
            "LeadHistory",
        )
        return _hash([[name, row] for name in names for row in self.org.rows(name)])


def _hash(rows: Sequence[Sequence[object]]) -> str:
    text = json.dumps(rows, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def hand_over(world: World) -> None:
    """A trivial pipeline: each demo request becomes a task, on a Lead or a known Contact."""
    users = [world.market.ground.users[person.key] for person in STAFF if person.pools]
    for record in world.portal.records("contacts"):
        wanted = record.properties.get("demo_requested_at")
        if not wanted or record.id in world.handed:
            continue
        world.handed.add(record.id)
        owner, key = users[len(world.handed) % len(users)], f"H{record.id}-1.1"
        email = record.properties.get("email")
        known = world.org.find("Contact", Email=email) if email else None
        if known is not None:
            who = known["Id"]
        else:
            if len(world.handed) % 9 == 0:
                owner = world.market.ground.queues["Inbound triage"]
            fields = {
                "LastName": record.properties.get("lastname"),
                "Email": email,
                "OwnerId": owner,
                "Company": record.properties.get("company") or "-",
                "Handoff_Key__c": key,
            }
            who, _ = world.org.upsert("Lead", "HubSpot_Contact_Id__c", record.id, fields)
        if owner.startswith("005"):
            world.org.insert(
                "Task",
                {
                    "WhoId": who,
                    "OwnerId": owner,
                    "Handoff_Key__c": f"{key}.task",
                    "Priority": "High",
                    "Subject": "New lead",
                },
            )


@pytest.fixture(scope="module")
def played() -> World:
    """Forty days with the trivial pipeline, to be read only."""
    world = World()
    world.play(40, hand_over)
    return world


def test_same_seed_and_same_pipeline_leave_the_same_portal_and_org() -> None:
    first, second, other = World(), World(), World(seed=8)
    for world in (first, second, other):
        world.play(12, hand_over)
    assert first.handed
    assert first.portal_hash() == second.portal_hash()
    assert first.org_hash() == second.org_hash()
    assert first.portal_hash() != other.portal_hash()
    assert first.org_hash() != other.org_hash()


def test_slices_of_time_do_not_matter() -> None:
    whole, sliced = World(), World()
    whole.market.play(START + timedelta(days=5))
    while sliced.clock.now() < START + timedelta(days=5):
        sliced.market.play(sliced.clock.now() + timedelta(hours=3))
    assert whole.portal_hash() == sliced.portal_hash()


def test_set_up_makes_staff_definitions_forms_and_accounts_once() -> None:
    world = World()
    before = world.org_hash()
    world.market.set_up()
    assert world.org_hash() == before
    emails = {row["Email"] for row in world.org.rows("User")}
    assert {person.email for person in STAFF} <= emails
    ground = world.market.ground
    assert set(ground.forms) == set(FORMS)
    assert set(ground.lists) == set(LISTS)
    assert set(ground.channels) == set(CHANNELS)
    for definition in property_definitions():
        assert definition["name"] in world.portal.book("contacts")
    nadia = world.org.find("User", Email="nadia.petrov@relay.test")
    amara = world.org.find("User", Email="amara.okafor@relay.test")
    assert nadia
    assert amara
    assert amara["ManagerId"] == nadia["Id"]
    types = Counter(row["Type"] for row in world.org.rows("Account"))
    assert types["Customer - Direct"] == 40
    assert types["Prospect"] >= 30
    named = world.org.find("Account", Name="Brennwerk Energie")
    assert named
    assert named["OwnerId"] == ground.users["helena.voss"]
    doubles = Counter(_bare(row["Website"]) for row in world.org.rows("Account"))
    assert sum(count > 1 for count in doubles.values()) == 3
    assert any(not row["IsClosed"] for row in world.org.rows("Opportunity"))


def _bare(website: str) -> str:
    return website.removeprefix("https://").removeprefix("www.").rstrip("/")


def test_play_needs_set_up_and_goes_forward_only() -> None:
    clock = SandboxClock(START)
    market = Market(clock, Portal(clock), Org(clock), Workspace(clock))
    with pytest.raises(MarketNotSetUpError, match="set_up"):
        market.play(START + timedelta(days=1))
    market.set_up()
    with pytest.raises(ValueError, match="play back"):
        market.play(START - timedelta(seconds=1))


def test_play_leaves_the_clock_at_the_end_and_counts() -> None:
    world = World()
    day = world.market.play(START + timedelta(days=2))
    assert world.clock.now() == START + timedelta(days=2)
    assert (day.since, day.until) == (START, START + timedelta(days=2))
    assert day.counts["form"] > 5
    assert day.new_contacts > 5
    assert json.loads(json.dumps(day.as_json()))["counts"]["form"] == day.counts["form"]


def test_ninety_days_bring_about_nine_hundred_contacts_with_fictitious_addresses() -> None:
    world = World()
    before = world.portal.count("contacts")
    world.play(90)
    contacts = list(world.portal.records("contacts"))
    assert 800 <= len(contacts) - before <= 1000
    emails = [email for record in contacts if (email := record.properties.get("email"))]
    assert all(email.endswith(".test") for email in emails)
    assert len(emails) < len(contacts), "some come without an e-mail address"
    values = Counter(record.properties.get("country") for record in contacts)
    assert {"Narnia", "Deutschland", "UK"} & set(values)
    assert any(record.properties.get("company_size") == "lots" for record in contacts)
    future = [
        record for record in contacts if (record.properties.get("last_content_at") or "") > "2030"
    ]
    assert future, "some dates lie in the future"
    weekdays = Counter(record.created_at.weekday() for record in contacts)
    assert weekdays[1] > 2 * weekdays[6]


def test_reps_act_at_the_time_they_say_and_as_themselves(played: World) -> None:
    touches = [row for row in played.org.rows("Task") if row["TaskSubtype"] in ("Call", "Email")]
    assert len(touches) > 100
    for row in touches:
        assert row["CreatedById"] == row["OwnerId"] != played.org.integration_user_id
        assert START <= row["CreatedDate"] <= played.clock.now()
        assert row["Status"] == "Completed"
    days = {row["CreatedDate"].date() for row in touches}
    assert len(days) > 20


def test_outcomes_carry_reasons_that_the_picklist_knows(played: World) -> None:
    leads = [row for row in played.org.rows("Lead") if row["Disposition__c"]]
    by_status = {
        "Recycle": {"Recycled"},
        "Disqualified": {"Unqualified"},
        "Accepted": {"Accepted", "Working - Contacted", "Qualified"},
    }
    outcomes = Counter(row["Disposition__c"] for row in leads)
    assert set(outcomes) == set(by_status)
    for row in leads:
        assert row["Status"] in by_status[row["Disposition__c"]]
        assert (row["Disposition_Reason__c"] is None) == (row["Disposition__c"] == "Accepted")
    timed = [row for row in leads if row["Disposition_Reason__c"] == "Bad timing"]
    assert any(row["Return_Date__c"] for row in timed)
    assert any(row["Data_Correct__c"] == "No" for row in leads)


def test_a_known_contact_is_disposed_of_on_the_task(played: World) -> None:
    tasks = [
        row for row in played.org.rows("Task") if row["Handoff_Key__c"] and row["Disposition__c"]
    ]
    assert tasks
    assert all(row["WhoId"].startswith("003") for row in tasks)


def test_leads_convert_and_deals_are_won_and_lost(played: World) -> None:
    converted = [row for row in played.org.rows("Lead") if row["IsConverted"]]
    assert converted
    opportunities = {row["Id"]: row for row in played.org.rows("Opportunity")}
    stages = Counter(opportunities[row["ConvertedOpportunityId"]]["StageName"] for row in converted)
    assert stages["Closed Lost"] or stages["Closed Won"]
    assert all(opportunities[row["ConvertedOpportunityId"]]["Amount"] > 0 for row in converted)
    assert any(row["StartDateTime"] > row["CreatedDate"] for row in played.org.rows("Event"))


def test_a_manager_moves_leads_and_empties_the_queue(played: World) -> None:
    nadia = played.market.ground.users["nadia.petrov"]
    queue = played.market.ground.queues["Inbound triage"]
    moves = [
        row
        for row in played.org.rows("LeadHistory")
        if row["Field"] == "Owner" and row["CreatedById"] == nadia
    ]
    assert moves
    left = [row for row in played.org.rows("Lead") if row["OwnerId"] == queue]
    assert len(left) < len(played.handed) / 9


def test_who_is_away_does_nothing_that_week(played: World) -> None:
    mira = played.market.ground.users["mira.lindner"]
    gone, back = START + timedelta(days=36), START + timedelta(days=40)
    acted = [row["CreatedDate"] for row in played.org.rows("Task") if row["CreatedById"] == mira]
    assert any(at < gone for at in acted)
    assert not [at for at in acted if gone <= at < back]


def test_an_erased_contact_is_new_again_on_the_next_form() -> None:
    world = World()
    world.play(3)
    for record in list(world.portal.records("contacts")):
        world.portal.archive("contacts", record.id)
    world.play(4)
    assert world.portal.count("contacts") > 20
