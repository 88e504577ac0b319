"""Reading HubSpot: nothing is missed, and nothing is read twice for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from tests.integration.pipeline.relay import Relay

from baton.crm.hubspot import ContactRow
from baton.errors import UnavailableError
from baton.ledger.database.engine import transaction
from baton.ledger.sources import watermarks
from baton.pipeline.intake import pull
from baton.pipeline.intake.pull import (
    FIRST_LOAD,
    SWEEP,
    WATERMARK,
    Window,
    changed_snapshots,
    window,
)
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging import qualify
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.reconciling.differences import READING
from baton.pipeline.reconciling.reconcile import reconcile
from baton.pipeline.report import StepReport

MANY = 10_050
"""More than a search of HubSpot gives."""


def believe_read(relay: Relay) -> None:
    """Move the watermark to now, as if the index had not shown yet what has changed."""
    with transaction(relay.engine) as conn:
        watermarks.advance(conn, WATERMARK, relay.now(), at=relay.now())


def mark(relay: Relay, source: str) -> datetime | None:
    with transaction(relay.engine) as conn:
        return watermarks.get_instant(conn, source)


def near(known: datetime | None, expected: datetime) -> bool:
    """The servers' time runs on between two of their answers."""
    return known is not None and abs(known - expected) < timedelta(seconds=20)


def test_what_the_index_showed_too_late_is_found_by_the_sweep(relay: Relay) -> None:
    relay.run()
    began = relay.now()
    relay.wait(minutes=1)
    late = relay.hot_contact()
    relay.wait(minutes=5)
    believe_read(relay)
    relay.wait(minutes=1)
    assert not relay.run()["found by the sweep"], "it is too early"

    relay.wait(minutes=13)
    report = relay.run()

    assert report["found by the sweep"] == 1
    assert relay.handoff(late)["state"] == "notified"
    assert near(mark(relay, SWEEP), began + timedelta(minutes=5))
    before = len(relay.requests())
    relay.wait(minutes=1)
    relay.run()
    assert sum("search" in one for one in relay.requests()[before:]) == 1, "no sweep for nothing"


def test_more_contacts_than_a_query_gives_may_share_one_timestamp(relay: Relay) -> None:
    relay.run()
    relay.wait(minutes=10)
    made = {
        str(relay.world.portal.create("contacts", {"email": f"robin{n}@many.test"}).id)
        for n in range(MANY)
    }
    reading = window(relay.ctx)
    before = len(relay.requests())

    found = [
        one.hubspot_id
        for chunk in changed_snapshots(relay.ctx, relay.policy, reading, StepReport())
        for one in chunk
    ]

    assert len(found) == len(set(found)) == MANY
    assert set(found) == made
    calls = relay.requests()[before:]
    assert sum("search" in one for one in calls) <= MANY / 200 + 8
    assert sum("batch/read" in one for one in calls) <= MANY / 100 + 1


def test_who_raised_a_hand_goes_before_a_mass_change(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "CHUNK", 3)
    for _ in range(7):
        relay.contact()
    buyer = relay.contact()
    relay.submit(buyer, "Demo request")
    reading = Window(relay.now() - timedelta(minutes=5), relay.now())

    chunks = list(changed_snapshots(relay.ctx, relay.policy, reading, StepReport()))

    assert [len(chunk) for chunk in chunks] == [3, 3, 2]
    assert buyer in {one.hubspot_id for one in chunks[0]}


def test_a_run_whose_time_is_up_leaves_the_watermark_and_the_next_goes_on(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.run()
    stood = mark(relay, WATERMARK)
    relay.wait(minutes=5)
    contacts = [relay.contact() for _ in range(5)]
    monkeypatch.setattr(pull, "CHUNK", 2)
    monkeypatch.setattr(pull, "FIRST_LOAD_SECONDS", -1.0)

    first = qualify_and_route(relay.ctx)
    assert (first["read"], first[pull.GOES_ON]) == (2, 1), "what is read is not left lying"
    assert mark(relay, WATERMARK) == stood

    monkeypatch.setattr(pull, "FIRST_LOAD_SECONDS", 240.0)
    assert qualify_and_route(relay.ctx)["read"] == len(contacts) - 2
    assert near(mark(relay, WATERMARK), relay.now())


def test_a_first_load_that_breaks_off_keeps_what_was_judged_and_goes_on_there(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = [relay.contact() for _ in range(5)]
    everybody = [row.id for page in relay.ctx.hubspot.list_contacts(["email"]) for row in page]
    monkeypatch.setattr(pull, "CHUNK", 2)
    listed = relay.ctx.hubspot.list_contacts

    def breaking(properties: Sequence[str], after: str | None = None) -> Iterator[list[ContactRow]]:
        for number, row in enumerate(row for page in listed(properties, after) for row in page):
            if number == 4:
                raise UnavailableError("hubspot_default", "away")
            yield [row]

    monkeypatch.setattr(relay.ctx.hubspot, "list_contacts", breaking)
    with pytest.raises(UnavailableError):
        qualify_and_route(relay.ctx)
    with transaction(relay.engine) as conn:
        reached = watermarks.get(conn, FIRST_LOAD)
    judged = {row["hubspot_id"] for row in relay.rows("SELECT hubspot_id FROM lead")}
    assert judged == set(everybody[:4]), "the two chunks before the failure"
    assert reached is not None
    assert int(everybody[3]) < int(reached.partition("|")[2]) <= int(everybody[4])

    monkeypatch.setattr(relay.ctx.hubspot, "list_contacts", listed)
    qualify_and_route(relay.ctx)

    assert {relay.lead(contact)["state"] for contact in contacts} == {"nurture"}
    decided = relay.rows("SELECT lead_id FROM decision")
    assert len(decided) == len(everybody), "nobody is judged twice"
    assert mark(relay, WATERMARK) is not None


def test_what_is_read_ahead_moves_no_watermark_before_it_is_judged(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        relay.contact()
    monkeypatch.setattr(pull, "CHUNK", 1)
    with transaction(relay.engine) as conn:
        begun = watermarks.get(conn, FIRST_LOAD)

    def failing(*_given: object, **_more: object) -> None:
        raise UnavailableError("salesforce_default", "away")

    monkeypatch.setattr(qualify, "judge", failing)
    with pytest.raises(UnavailableError):
        qualify_and_route(relay.ctx)

    with transaction(relay.engine) as conn:
        assert watermarks.get(conn, FIRST_LOAD) == begun
        assert watermarks.get(conn, WATERMARK) is None


def test_a_merge_is_followed_without_a_change_of_the_survivor_and_nobody_is_told_twice(
    relay: Relay,
) -> None:
    sold = relay.hot_contact()
    relay.run()
    relay.wait(minutes=5)
    survivor = relay.hot_contact()  # as warm, and unknown to the ledger
    relay.world.portal.merge(survivor, sold)
    relay.wait(hours=1)
    believe_read(relay)

    reconcile(relay.ctx, repairs=READING)
    relay.run()

    assert relay.lead(sold)["state"] == "merged"
    assert relay.lead(survivor)["state"] == "in_handoff"
    (handoff,) = relay.handoffs(survivor)
    assert handoff["key"] == f"H{relay.lead(sold)['id']}-1", "the same passing of the baton"
    assert len(list(relay.org.rows("Lead"))) == len(relay.messages()) == 1


def test_a_lead_that_is_due_and_was_merged_or_archived_blocks_nobody(relay: Relay) -> None:
    merged, other, binned = (relay.contact() for _ in range(3))
    relay.run()
    relay.world.portal.merge(other, merged)
    relay.world.portal.archive("contacts", binned)
    relay.wait(hours=1)
    believe_read(relay)
    with transaction(relay.engine) as conn:
        watermarks.advance(conn, SWEEP, relay.now(), at=relay.now())
        conn.exec_driver_sql(
            "UPDATE lead SET timer_action = 're_check', timer_at = '2026-01-01T00:00Z'"
        )

    report = relay.run()

    assert report["merges followed"] == 1
    assert relay.lead(merged)["merged_into"] == relay.lead(other)["id"]
    assert relay.lead(binned)["state"] == "suppressed"
    assert not relay.run()["read"], "none of them is due any more"


def test_a_deleted_opportunity_is_open_nowhere(relay: Relay) -> None:
    account = relay.account("Elsewhere", "elsewhere.test", owner="helena.voss")
    deal = relay.opportunity(account, owner="helena.voss")
    read_references(relay.ctx)
    assert len(relay.rows("SELECT * FROM crm_opportunity")) == 1
    relay.wait(minutes=30)
    relay.org.delete("Opportunity", deal)

    read_references(relay.ctx)

    assert relay.rows("SELECT * FROM crm_opportunity") == []


def test_a_property_that_goes_away_is_said_once_an_hour_and_leads_go_on(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    relay.world.portal.book("contacts").archive("budget_range")
    contact = relay.contact()
    relay.submit(contact, "Demo request")

    relay.run()
    relay.run()

    said = [one.getMessage() for one in caplog.records if "budget_range" in one.getMessage()]
    assert len(said) == 1
    assert "hubspot_default: contact property budget_range is archived" in said[0]
    assert "reads it as 'Budget range'; restore it" in said[0]
    assert relay.handoff(contact)["state"] == "notified"
    (check,) = relay.rows("SELECT * FROM check_result WHERE name = 'fields.hubspot'")
    assert (check["ok"], check["findings"]) == (
        False,
        {"archived contact property budget_range": 1},
    )
