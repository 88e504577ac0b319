"""Search: filters, paging, ceiling and the lag of its index."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_sandbox.clock import SandboxClock
from crm_sandbox.hubspot.errors import PortalFault
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.hubspot.records import milliseconds
from crm_sandbox.hubspot.search import Found, read_query

START = datetime(2026, 8, 1, tzinfo=UTC)


def search(portal: Portal, *filters: dict[str, Any], **more: Any) -> Found:
    body = {"filterGroups": [{"filters": list(filters)}] if filters else [], **more}
    return portal.searcher("contacts").run(read_query(body))


def where(name: str, operator: str, value: Any = None, high: Any = None) -> dict[str, Any]:
    if operator in ("IN", "NOT_IN"):
        return {"propertyName": name, "operator": operator, "values": value}
    made = {"propertyName": name, "operator": operator, "value": value, "highValue": high}
    return {key: part for key, part in made.items() if part is not None}


def ms(at: datetime) -> str:
    return str(milliseconds(at))


@pytest.fixture
def portal() -> Portal:
    return Portal(SandboxClock(START))


@pytest.fixture
def people(portal: Portal) -> dict[str, int]:
    rows = [
        {
            "email": "a@x.test",
            "city": "Graz",
            "hs_lead_status": "NEW",
            "num_conversion_events": "2",
        },
        {"email": "b@x.test", "city": "graz", "num_conversion_events": "10"},
        {"email": "c@y.test", "city": "Linz", "hs_lead_status": "OPEN"},
        {"email": "d@y.test"},
    ]
    made = {}
    for place, row in enumerate(rows):
        record = portal.create("contacts", row, at=START + timedelta(hours=place))
        made[row["email"][0]] = record.number
    return made


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("city", "EQ", "GRAZ"), "ab"),
        (where("city", "NEQ", "graz"), "c"),
        (where("city", "IN", ["graz"]), "ab"),
        (where("city", "IN", ["Graz"]), ""),
        (where("city", "NOT_HAS_PROPERTY"), "d"),
        (where("hs_lead_status", "EQ", "NEW"), "a"),
        (where("hs_lead_status", "EQ", "new"), ""),
        (where("hs_lead_status", "HAS_PROPERTY"), "ac"),
        (where("num_conversion_events", "GT", "9"), "b"),
        (where("num_conversion_events", "LTE", "2"), "a"),
        (where("email", "CONTAINS_TOKEN", "*@y.test"), "cd"),
        (where("email", "CONTAINS_TOKEN", "y"), "cd"),
        (where("email", "EQ", "C@Y.test"), "c"),
        (where("createdate", "GTE", ms(START + timedelta(hours=2))), "cd"),
        (where("createdate", "LT", "2026-08-01T01:00:00Z"), "a"),
        (where("hs_lastmodifieddate", "GTE", "1000"), ""),
    ],
)
def test_conditions(
    portal: Portal, people: dict[str, int], condition: dict[str, Any], expected: str
) -> None:
    found = search(portal, condition)
    assert sorted(found.numbers) == sorted(people[letter] for letter in expected)
    assert found.total == len(expected)


def test_groups_are_alternatives_and_count_once(portal: Portal, people: dict[str, int]) -> None:
    groups = [
        {"filters": [where("city", "EQ", "graz")]},
        {"filters": [where("email", "EQ", "a@x.test")]},
    ]
    found = portal.searcher("contacts").run(read_query({"filterGroups": groups}))
    assert sorted(found.numbers) == sorted([people["a"], people["b"]])


def test_sorts_and_default_order(portal: Portal, people: dict[str, int]) -> None:
    oldest_first = [people[letter] for letter in "abcd"]
    assert search(portal).numbers == oldest_first
    assert search(portal, sorts=["-createdate"]).numbers == oldest_first[::-1]
    by_count = search(
        portal,
        where("num_conversion_events", "HAS_PROPERTY"),
        sorts=[{"propertyName": "num_conversion_events", "direction": "DESCENDING"}],
    )
    assert by_count.numbers == [people["b"], people["a"]]


def test_keyset_over_a_window_finds_each_once_while_records_change(portal: Portal) -> None:
    ids = [
        portal.create("contacts", {"email": f"k{n}@x.test"}, at=START + timedelta(seconds=n)).id
        for n in range(450)
    ]
    until = START + timedelta(seconds=500)
    seen: list[int] = []
    last = 0
    while True:
        found = search(
            portal,
            where("lastmodifieddate", "BETWEEN", ms(START), ms(until)),
            where("hs_object_id", "GT", str(last)),
            sorts=["hs_object_id"],
            limit=200,
        )
        if not found.numbers:
            break
        seen += found.numbers
        last = found.numbers[-1]
        # Records already seen and one still to come move out of the window during the scan.
        for record_id in (ids[3], ids[-1]):
            portal.update("contacts", record_id, {"city": "x"}, at=until + timedelta(seconds=9))
    assert len(seen) == len(set(seen))
    assert set(seen) == {int(i) for i in ids[:-1]}


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 200, "after": "9900"},
        {"filters": [where("nonsense", "EQ", "1")]},
        {"filters": [where("city", "LIKE", "1")]},
        {"filters": [where("createdate", "GT", "yesterday")]},
        {"filters": [{"propertyName": "city", "operator": "EQ"}]},
        {"filterGroups": [{"filters": []}] * 6},
        {"sorts": ["nonsense"]},
        {"limit": "many"},
    ],
)
def test_what_search_refuses(portal: Portal, body: dict[str, Any]) -> None:
    with pytest.raises(PortalFault) as caught:
        portal.searcher("contacts").run(read_query(body))
    assert caught.value.status == 400
    assert caught.value.body["category"] == "VALIDATION_ERROR"


def test_last_modified_from_the_beginning_of_time_breaks_search(portal: Portal) -> None:
    with pytest.raises(PortalFault) as caught:
        search(portal, where("lastmodifieddate", "GTE", "0"))
    assert caught.value.status == 500


def test_the_index_trails_and_may_return_a_newer_record() -> None:
    clock = SandboxClock(START)
    portal = Portal(clock, search_lag_seconds=20)
    record = portal.create("contacts", {"email": "late@x.test", "city": "Old"})
    assert search(portal).total == 0
    clock.set(START + timedelta(seconds=21))
    assert search(portal, where("city", "EQ", "Old")).numbers == [record.number]
    portal.update("contacts", record.id, {"city": "New"})
    assert search(portal, where("city", "EQ", "Old")).numbers == [record.number]
    assert search(portal, where("city", "EQ", "New")).numbers == []
    assert portal.require("contacts", record.id).properties["city"] == "New"
    clock.set(START + timedelta(seconds=50))
    assert search(portal, where("city", "EQ", "New")).numbers == [record.number]


def test_changes_may_appear_in_another_order_than_they_were_made() -> None:
    def order(seed: int) -> list[int]:
        clock = SandboxClock(START)
        portal = Portal(clock)
        portal.trail_search(2, jitter_seconds=30, seed=seed)
        made = []
        for n in range(9):
            clock.set(START + timedelta(seconds=n))
            made.append(portal.create("contacts", {"email": f"n{n}@x.test"}).number)
        seen: list[int] = []
        for second in range(60):
            clock.set(START + timedelta(seconds=9 + second))
            seen += [one for one in search(portal).numbers if one not in seen]
        assert sorted(seen) == made, "every change is seen in the end"
        return [made.index(one) for one in seen]

    assert order(1) == order(1) != order(2)
    assert order(1) != sorted(order(1))


def test_archived_and_merged_records_leave_search(portal: Portal, people: dict[str, int]) -> None:
    modified = portal.require("contacts", str(people["a"])).updated_at
    portal.archive("contacts", str(people["a"]), at=START + timedelta(days=1))
    portal.merge(str(people["b"]), str(people["c"]), at=START + timedelta(days=1))
    assert sorted(search(portal).numbers) == sorted([people["b"], people["d"]])
    archived = portal.get("contacts", str(people["a"]))
    assert archived is not None
    assert archived.updated_at == modified


def test_contacts_of_a_company(portal: Portal, people: dict[str, int]) -> None:
    company = portal.create("companies", {"name": "X"})
    portal.associate_company(str(people["a"]), company.id)
    found = search(portal, where("associations.company", "EQ", company.id))
    assert found.numbers == [people["a"]]


def test_a_window_of_a_large_portal_is_quick() -> None:
    portal = Portal(SandboxClock(START))
    for n in range(20_000):
        portal.create("contacts", {"email": f"n{n}@x.test"}, at=START + timedelta(seconds=n))
    late = START + timedelta(seconds=19_800)

    def timed(run: Any) -> float:
        started = time.process_time()
        run()
        return time.process_time() - started

    window = min(
        timed(
            lambda: search(
                portal,
                where("lastmodifieddate", "GTE", ms(late)),
                sorts=["hs_object_id"],
                limit=200,
            )
        )
        for _ in range(5)
    )
    everything = min(
        timed(lambda: search(portal, where("lastmodifieddate", "GTE", "1000"), limit=200))
        for _ in range(2)
    )
    # Looking at the window alone must cost a small part of looking at every record.
    assert window * 8 < everything
