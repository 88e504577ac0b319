from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from baton.errors import PolicyErrors
from baton.policy.lint import lint
from baton.policy.loader import read_roster, roster_from_yaml
from baton.policy.models import Policy
from baton.policy.roster import Roster, roster_from_json
from baton.policy.roster_csv import roster_from_csv

PEOPLE = "people: {a@x.test: {name: A, zone: Europe/Berlin}, b@x.test: {name: B}}\n"


def test_the_shipped_roster_survives_the_ledger(shipped: Path) -> None:
    roster = read_roster(shipped / "roster.yaml")
    again = roster_from_json(roster.canonical())
    assert again == roster
    assert again.hash == roster.hash
    assert len(roster.people) == 16
    rep = roster.rep("Jonas.Keller@relay.test")
    assert rep is not None
    assert (rep.role, rep.zone, rep.manager) == ("SDR", "Europe/Berlin", "nadia.petrov@relay.test")


def test_members_may_be_listed_or_weighed() -> None:
    listed = roster_from_yaml(PEOPLE + "pools: {P: {members: [a@x.test]}}")
    weighed = roster_from_yaml(PEOPLE + "pools: {P: {members: {a@x.test: 3, B@x.test: 0}}}")
    assert [(m.rep, m.weight) for m in listed.pools[0].members] == [("a@x.test", 1)]
    assert [(m.rep, m.weight) for m in weighed.pools[0].members] == [
        ("a@x.test", 3),
        ("b@x.test", 0),
    ]


def test_leave_is_half_open_and_has_a_zone() -> None:
    text = "people:\n  a@x.test:\n    name: A\n    leave: [{start: 2026-11-03T08:00:00+01:00, end: 2026-11-03T12:00:00+01:00}]\n"
    rep = roster_from_yaml(text).people[0]
    assert rep.on_leave(datetime(2026, 11, 3, 7, tzinfo=UTC))
    assert not rep.on_leave(datetime(2026, 11, 3, 11, tzinfo=UTC))


def test_the_same_from_csv() -> None:
    roster = roster_from_csv(
        "email,name,zone,cap_open,active\na@x.test,A,Europe/Berlin,3,no\nb@x.test,B,,,\n",
        "pool,email,weight\nP,a@x.test,2\nP,b@x.test,\n",
    )
    assert roster.people[0].cap_open == 3
    assert not roster.people[0].active
    assert roster.people[1].zone == "UTC"
    assert [member.weight for member in roster.pools[0].members] == [2, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PEOPLE + "pools: {P: {members: [c@x.test]}}", "names c@x.test, who is not in the roster"),
        (PEOPLE + "pools: {P: {members: [a@x.test, a@x.test]}}", "is in pool 'P' twice"),
        (PEOPLE + "pools: {P: {members: {a@x.test: -1}}}", "greater than or equal to 0"),
        (PEOPLE + "pools: {P: {members: {a@x.test: much}}}", "a whole number is expected here"),
        ("people: {a: {name: A}}", "is not an e-mail address"),
        ("people: {a@x.test: {name: A, zoen: UTC}}", "did you mean 'zone'?"),
        ("people: {a@x.test: {name: A, zone: Mars}}", "is not a time zone"),
        ("people: {a@x.test: {name: A, manager: z@x.test}}", "reports to z@x.test, who is not"),
        ("people: {a@x.test: {name: A, leave: [{start: 2026-11-03T08:00:00Z, end: 2026-11-02T08:00:00Z}]}}", "must end after it begins"),
        ("people: {a@x.test: {name: A, leave: [{start: 2026-11-03T08:00:00, end: 2026-11-03T09:00:00}]}}", "does not say its zone"),
        ("people: [{key: a@x.test, name: A}, {key: A@x.test, name: B}]", "a@x.test is listed twice"),
    ],
)  # fmt: skip
def test_a_broken_roster_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(PolicyErrors) as raised:
        roster_from_yaml(text)
    assert message in str(raised.value)
    assert "roster.yaml:" in str(raised.value)


@pytest.mark.parametrize(
    ("people", "pools", "message"),
    [
        ("email,name\nx,A\n", "pool,email\n", r"people.csv:2: email 'x' is not an e-mail"),
        ("name\nA\n", "pool,email\n", r"people.csv:1: lacks the column email"),
        (
            "email,name\na@x.test,A\n",
            "pool,email,weight\nP,a@x.test,x\n",
            r"pools.csv:2: weight 'x' does not fit\n  write a whole number",
        ),
    ],
)
def test_a_broken_csv_says_what_is_wrong(people: str, pools: str, message: str) -> None:
    with pytest.raises(PolicyErrors, match=message):
        roster_from_csv(people, pools)


def test_pools_without_anybody_are_found(policy: Policy, shipped: Path) -> None:
    roster = read_roster(shipped / "roster.yaml")
    idle = roster.model_copy(
        update={
            "people": tuple(
                rep.model_copy(update={"active": rep.key != "helena.voss@relay.test"})
                for rep in roster.people
            )
        }
    )
    said = [finding.message for finding in lint(policy, idle)]
    assert said[0] == (
        "nobody active draws leads in the pool 'AE Enterprise EMEA': none of its members is active"
    )
    assert {"'brennwerk.test' belongs to helena.voss@relay.test, who is not active"} <= set(said)


def test_an_empty_roster_is_found(policy: Policy) -> None:
    codes = {finding.code for finding in lint(policy, Roster())}
    assert codes == {"empty-roster"}
