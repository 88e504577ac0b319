"""Two ways to decide compared, with figures worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from baton.decision.comparison import NOBODY, Comparison, Pair, Side, side_of
from baton.decision.decision import Decision, DecisionOutcome, Origin
from baton.routing.ladder import Owner, OwnerKind, Route, RouteReason, TraceStep

AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
NURTURE = Side(DecisionOutcome.NURTURE, "below_threshold", band="warm", score_milli=60_000)


def handed(owner: str, *, minutes: int = 5, **further: object) -> Side:
    given: dict[str, object] = {
        "band": "hot",
        "score_milli": 80_000,
        "pool": "SDR",
        "due": AT + timedelta(minutes=minutes),
        "assigned_open": True,
        "due_open": True,
    }
    return Side(DecisionOutcome.HANDOFF, "band", owner=owner, **{**given, **further})  # type: ignore[arg-type]


def pair(number: int, before: Side, after: Side, *, passing: bool = False) -> Pair:
    return Pair(number, f"lead {number}", AT, before, after, passing)


def compared(*pairs: Pair) -> Comparison:
    found = Comparison()
    for one in pairs:
        found.add(one)
    return found


@pytest.fixture
def five() -> Comparison:
    """Ana keeps one, loses one to Ben and one to nobody; Ben gains one; one stays at marketing."""
    return compared(
        pair(1, handed("ana"), handed("ana")),
        pair(2, handed("ana"), handed("ben", minutes=65, pool="AE", due_open=False)),
        pair(3, handed("ana", assigned_open=False), NURTURE),
        pair(4, NURTURE, handed("ben", fallback=True, capped=("ana",))),
        pair(5, NURTURE, NURTURE),
    )


def test_moves_gains_and_losses_are_told_apart(five: Comparison) -> None:
    found = five.to_json()
    assert found["handoffs"] == {
        "before": 3, "after": 3, "to_somebody_else": 1, "only_after": 1, "only_before": 1,
    }  # fmt: skip
    assert found["moves"] == [
        {"from": "ana", "to": "ben", "handoffs": 1},
        {"from": "ana", "to": NOBODY, "handoffs": 1},
        {"from": NOBODY, "to": "ben", "handoffs": 1},
    ]
    assert found["decided_otherwise"] == 3
    assert found["no_longer_handed_off"] == [
        {"outcome": "nurture", "reason": "below_threshold", "handoffs": 1}
    ]


def test_volumes_by_owner_and_pool_add_up(five: Comparison) -> None:
    found = five.to_json()
    volume = {one["owner"]: (one["before"], one["after"]) for one in found["owners"]}
    assert volume == {"ana": (3, 1), "ben": (0, 2)}
    pools = {one["pool"]: (one["before"], one["after"]) for one in found["pools"]}
    assert pools == {"SDR": (3, 2), "AE": (0, 1)}
    for way, place in (("before", 0), ("after", 1)):
        assert sum(row[place] for row in volume.values()) == found["handoffs"][way]


def test_shares_are_of_their_own_way(five: Comparison) -> None:
    found = five.to_json()
    assert found["fallback"]["before"] == {"handoffs": 0, "share": 0.0}
    assert found["fallback"]["after"] == {"handoffs": 1, "share": 0.3333}
    clocks = found["clocks"]
    assert clocks["assigned_out_of_hours"]["before"] == {"handoffs": 1, "share": 0.3333}
    assert clocks["due_out_of_hours"]["after"] == {"handoffs": 1, "share": 0.3333}


def test_cap_hits_count_once_a_lead_and_by_person(five: Comparison) -> None:
    found = five.to_json()
    assert found["cap_hits"] == {"before": 0, "after": 1}
    ana = next(one for one in found["owners"] if one["owner"] == "ana")
    assert ana["cap_hits"] == {"before": 0, "after": 1}


def test_bands_are_a_matrix_and_due_hours_stand_beside_working_hours(five: Comparison) -> None:
    found = five.to_json({"before": {10: 12.34}, "after": {10: 24.0}})
    bands = {(one["before"], one["after"]): one["decisions"] for one in found["bands"]}
    assert bands == {
        ("hot", "hot"): 2, ("hot", "warm"): 1, ("warm", "hot"): 1, ("warm", "warm"): 1,
    }  # fmt: skip
    hours = found["clocks"]["hours_utc"]
    assert hours[10] == {
        "hour": 10,
        "due": {"before": 3, "after": 2},
        "working_hours": {"before": 12.3, "after": 24.0},
    }
    assert hours[11]["due"] == {"before": 0, "after": 1}


def test_the_most_due_in_one_hour_is_per_hour_of_one_day() -> None:
    day = timedelta(days=1)
    same = [pair(n, handed("ana", minutes=n), NURTURE) for n in range(3)]
    later = pair(9, handed("ana", due=AT + day), NURTURE)
    owners = compared(*same, later).to_json()["owners"]
    assert owners[0]["most_due_in_an_hour"] == {"before": 3, "after": 0}


def test_an_open_handoff_that_is_passed_on_is_no_new_volume() -> None:
    found = compared(pair(1, handed("ana"), handed("ben"), passing=True)).to_json()
    assert found["handoffs"]["before"] == 0
    assert found["passed_on"] == {"handoffs": 1, "to_somebody_else": 1}


def test_a_colleagues_test_is_in_no_figure() -> None:
    test = handed("ana", test=True)
    assert compared(pair(1, test, test)).decisions == 0


def test_nothing_compared_has_no_shares() -> None:
    found = Comparison().to_json()
    assert found["fallback"]["before"] == {"handoffs": 0, "share": None}


def test_the_compact_form_tells_fallbacks_caps_and_tests() -> None:
    trace = (
        TraceStep("sdr", "pool SDR: ana@relay.test has 3 open handoffs, the cap is 3"),
        TraceStep("sdr", "pool SDR: nobody can be picked"),
        TraceStep("sdr", "queue Inbound", chosen=True),
    )
    route = Route(
        "sdr", Owner(OwnerKind.QUEUE, "Inbound"), RouteReason.QUEUE, trace=trace
    )  # fmt: skip
    decision = Decision(
        "1", DecisionOutcome.HANDOFF, "band", "", route=route, origin=Origin.TEST
    )  # fmt: skip
    side = side_of(decision)
    assert side.fallback
    assert side.capped == ("ana@relay.test",)
    assert side.test
    to_person = Route("last", Owner(OwnerKind.USER, "ben@relay.test"), RouteReason.PERSON)
    one = Decision("1", DecisionOutcome.HANDOFF, "band", "", route=to_person)
    assert not side_of(one).fallback
    assert side_of(one, ends_ladder=frozenset({"last"})).fallback
