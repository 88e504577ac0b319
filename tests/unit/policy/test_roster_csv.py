"""People, pools and leave as tables: read, written, and every mistake told with its place."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from baton.errors import PolicyErrors
from baton.policy.loader import roster_from_yaml
from baton.policy.roster import Leave, Pool, Rep, Roster, roster_from_json
from baton.policy.roster_csv import leave_csv, people_csv, pools_csv, roster_from_csv
from baton.policy.roster_yaml import roster_yaml

PEOPLE = """email,name,role,zone,hours,manager,cap_open,cap_hour,cap_day,cap_week,good_at,active,salesforce_user,slack_email,joined,left
ana@x.test,Ana,SDR,Europe/Berlin,Mon-Fri 09:00-12:30 13:30-18:00; Sat 10:00-12:00,ben@x.test,40,5,20,0,Language=de;en|Industry=INSURANCE,yes,,ana.s@x.test,2026-01-05,2026-12-01
Ben@x.test,Ben,,,,,,,,,,no,,,,
"""
POOLS = "pool,email,weight\nSDR,ana@x.test,2\nSDR,ben@x.test,\nSpare,ana@x.test,0\n"
LEAVE = """email,from,until,note
ana@x.test,2026-11-02,2026-11-03,
ana@x.test,2026-11-05T13:00,2026-11-05T13:30,dentist
ben@x.test,2026-11-02T08:00Z,2026-11-02T09:00Z,
"""


def test_every_column_is_read() -> None:
    roster = roster_from_csv(PEOPLE, POOLS, LEAVE)
    ana, ben = roster.people
    assert (ana.cap_open, ana.cap_hour, ana.cap_day, ana.cap_week) == (40, 5, 20, 0)
    assert ana.good_at == {"Language": ("de", "en"), "Industry": ("INSURANCE",)}
    assert (ana.joined, ana.left) == (date(2026, 1, 5), date(2026, 12, 1))
    assert (ben.key, ben.active, ben.cap_open, ben.good_at) == ("ben@x.test", False, None, {})
    assert {m.rep: m.weight for m in roster.pools[0].members} == {"ana@x.test": 2, "ben@x.test": 1}
    assert [pool.name for pool in roster.pools] == ["SDR", "Spare"]


def test_whole_days_of_leave_are_the_persons_days_and_parts_of_a_day_are_parts() -> None:
    ana, ben = roster_from_csv(PEOPLE, POOLS, LEAVE).people
    assert ana.leave[0] == Leave(
        start=datetime(2026, 11, 1, 23, tzinfo=UTC), end=datetime(2026, 11, 3, 23, tzinfo=UTC)
    )
    assert ana.leave[1].start == datetime(2026, 11, 5, 12, tzinfo=UTC)
    assert ana.leave[1].end == datetime(2026, 11, 5, 12, 30, tzinfo=UTC)
    assert ana.leave[1].note == "dentist"
    assert ben.leave[0].end == datetime(2026, 11, 2, 9, tzinfo=UTC)


def test_what_is_written_is_read_back_as_the_same_roster() -> None:
    roster = roster_from_csv(PEOPLE, POOLS, LEAVE)
    again = roster_from_csv(people_csv(roster), pools_csv(roster), leave_csv(roster))
    assert again.hash == roster.hash
    assert roster_from_yaml(roster_yaml(roster)).hash == roster.hash
    assert roster_from_json(roster.canonical()) == roster


def test_a_roster_that_says_nothing_new_keeps_its_hash() -> None:
    """Versions stored before these fields were known must be found under their hash again."""
    rep = Rep(
        key="ana@x.test",
        name="Ana",
        leave=(Leave(start="2026-11-02T08:00Z", end="2026-11-03T08:00Z"),),
    )  # type: ignore[arg-type]  # read by the model
    content = Roster(people=(rep,), pools=(Pool(name="P"),)).canonical().decode()
    for name in ("cap_hour", "cap_week", "good_at", "joined", "left", "note"):
        assert name not in content
    assert (
        "cap_hour"
        in Roster(people=(Rep(key="a@x.test", name="A", cap_hour=0),)).canonical().decode()
    )


def head(more: str) -> str:
    return f"email,name,{more}\nben@x.test,Ben,\n"


@pytest.mark.parametrize(
    ("people", "pools", "leave", "said"),
    [
        ("", "pool,email\n", "", "people.csv:1: lacks the column email and name"),
        ("email,name,zome\n", "pool,email\n", "", "people.csv:1: the column 'zome' is not known\n  did you mean 'zone'?"),
        ("email,name,name\n", "pool,email\n", "", "people.csv:1: the column 'name' is there twice"),
        ("email,name\na@x.test\n", "pool,email\n", "", "people.csv:2: has 1 values for 2 columns"),
        ('email,name\na@x.test,"A\n', "pool,email\n", "", "people.csv:2:"),
        ("email,name\na@x.test,\n", "pool,email\n", "", "people.csv:2: 'name' is missing"),
        ("email,name\nx,A\n", "pool,email\n", "", "people.csv:2: email 'x' is not an e-mail address"),
        (head("zone") + "a@x.test,A,Europe/Berln\n", "pool,email\n", "", "people.csv:3: zone 'Europe/Berln' is not a time zone: write, for example, Europe/Berlin\n  did you mean 'Europe/Berlin'?"),
        (head("hours") + "a@x.test,A,Mon 22:00-06:00\n", "pool,email\n", "", "people.csv:3: hours '22:00-06:00' must begin before it ends, between 00:00 and 24:00; split hours over midnight into two days"),
        (head("hours") + "a@x.test,A,Mon 09:00-11:00 10:00-12:00\n", "pool,email\n", "", "people.csv:3: hours on Mon 09:00-11:00 and 10:00-12:00 overlap"),
        (head("hours") + "a@x.test,A,Moon 09:00-11:00\n", "pool,email\n", "", "people.csv:3: hours 'Moon' is not a day"),
        (head("cap_hour") + "a@x.test,A,-1\n", "pool,email\n", "", "people.csv:3: cap_hour '-1' does not fit\n  write a whole number of 0 or more, or nothing for no limit"),
        (head("cap_week") + "a@x.test,A,many\n", "pool,email\n", "", "people.csv:3: cap_week 'many' does not fit"),
        (head("good_at") + "a@x.test,A,German\n", "pool,email\n", "", "people.csv:3: good_at 'German' does not say what somebody is good at: write 'Language=de;en|Industry=INSURANCE'"),
        (head("good_at") + "a@x.test,A,Language=\n", "pool,email\n", "", "people.csv:3: good_at a label without values"),
        (head("active") + "a@x.test,A,perhaps\n", "pool,email\n", "", "people.csv:3: active 'perhaps' does not fit\n  write yes or no"),
        (head("left") + "a@x.test,A,soon\n", "pool,email\n", "", "people.csv:3: left 'soon' does not fit\n  write a date such as 2026-11-03"),
        ("email,name,joined,left\na@x.test,A,2026-02-01,2026-01-01\n", "pool,email\n", "", "people.csv:2: a@x.test leaves on 2026-01-01 and joins on 2026-02-01 only"),
        ("email,name\na@x.test,A\n\nA@x.test,B\n", "pool,email\n", "", "people.csv:4: email 'a@x.test' is listed twice, first on line 2"),
        (head("manager") + "a@x.test,A,bem@x.test\n", "pool,email\n", "", "people.csv:3: manager 'bem@x.test' is not in the roster\n  did you mean 'ben@x.test'?"),
        ("email,name\nanna@x.test,A\n", "pool,email\nP,ana@x.test\n", "", "pools.csv:2: email 'ana@x.test' is not in the roster\n  did you mean 'anna@x.test'?"),
        ("email,name\na@x.test,A\n", "pool,email\n,a@x.test\n", "", "pools.csv:2: pool is missing"),
        ("email,name\na@x.test,A\n", "pool,email,weight\nP,a@x.test,1.5\n", "", "pools.csv:2: weight '1.5' does not fit\n  write a whole number from 0 to 10000"),
        ("email,name\na@x.test,A\n", "pool,email\nP,a@x.test\nP,A@x.test\n", "", "pools.csv:3: email 'a@x.test' is in the pool 'P' twice"),
        ("email,name\na@x.test,A\n", "pool,email\n", "email,from\n", "leave.csv:1: lacks the column until"),
        ("email,name\na@x.test,A\n", "pool,email\n", "email,from,until\nb@x.test,2026-11-02,2026-11-03\n", "leave.csv:2: email 'b@x.test' is not in the roster"),
        ("email,name\na@x.test,A\n", "pool,email\n", "email,from,until\na@x.test,2026-11-02,soon\n", "leave.csv:2: until 'soon' is no date and no time: write 2026-12-04 or 2026-12-04T17:00"),
        ("email,name\na@x.test,A\n", "pool,email\n", "email,from,until\na@x.test,2026-11-04,2026-11-03\n", "leave.csv:2: leave must end after it begins"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_column_value_and_a_hint(
    people: str, pools: str, leave: str, said: str
) -> None:
    with pytest.raises(PolicyErrors) as raised:
        roster_from_csv(people, pools, leave)
    assert said in str(raised.value)


def test_one_mistake_is_not_told_again_where_the_person_is_named() -> None:
    with pytest.raises(PolicyErrors) as raised:
        roster_from_csv("email,name,zone\na@x.test,A,Mars\n", "pool,email\nP,a@x.test\n")
    assert len(raised.value.errors) == 1


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(PolicyErrors) as raised:
        roster_from_csv(
            "email,name,cap_day,zone\na@x.test,A,x,Mars\nb@x.test,B,,\n",
            "pool,email,weight\nP,b@x.test,x\nP,c@x.test,1\n",
            "email,from,until\nb@x.test,x,y\n",
        )
    assert [(one.file, one.line) for one in raised.value.errors] == [
        ("people.csv", 2), ("people.csv", 2), ("pools.csv", 2), ("pools.csv", 3), ("leave.csv", 2),
    ]  # fmt: skip


def test_a_person_without_any_working_time_is_refused() -> None:
    with pytest.raises(PolicyErrors, match="no working time at all"):
        roster_from_yaml("people: {a@x.test: {name: A, hours: {}}}")
    with pytest.raises(PolicyErrors, match="no working time at all"):
        roster_from_yaml("people: {a@x.test: {name: A, hours: {Mon: []}}}")
