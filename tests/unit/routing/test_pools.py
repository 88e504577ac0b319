"""How pools share: caps that stack, load by weight, best fit, and how much room there is."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.routing.test_ladder import DACH, JONAS, MIRA, NOW, away, change, told, walk

from baton.calendars.build import Calendars
from baton.policy.facts import Facts
from baton.policy.models import Caps, Distribution, Policy, PoolRule
from baton.policy.roster import Member, Pool, Roster
from baton.routing.book import Loads, PoolBook
from baton.routing.distribution import PoolState
from baton.routing.eligibility import Staffing, room
from baton.routing.ladder import Owner, OwnerKind, RouteReason


def with_pool(policy: Policy, **update: Any) -> Policy:
    rule = policy.pools["SDR DACH"].model_copy(update=update)
    return policy.model_copy(update={"pools": {**policy.pools, "SDR DACH": rule}})


def weighted(roster: Roster, **weights: int) -> Roster:
    keys = {"jonas": JONAS, "mira": MIRA}
    members = tuple(Member(rep=keys[name], weight=weight) for name, weight in weights.items())
    pools = tuple(
        Pool(name=pool.name, members=members) if pool.name == "SDR DACH" else pool
        for pool in roster.pools
    )
    return Roster(people=roster.people, pools=pools)


@pytest.mark.parametrize(
    ("caps", "loads", "words"),
    [
        ({"cap_hour": 2}, {"hour_loads": {JONAS: 2}}, "got 2 handoffs in the last hour"),
        ({"cap_day": 5}, {"day_loads": {JONAS: 5}}, "got 5 handoffs in the last 24 hours"),
        ({"cap_week": 9}, {"week_loads": {JONAS: 9}}, "got 9 handoffs in the last 7 days"),
        ({"cap_open": 3}, {"open_loads": {JONAS: 3}}, "has 3 open handoffs"),
        (
            {"cap_open": 9, "cap_hour": 9, "cap_day": 9, "cap_week": 4},
            {"open_loads": {JONAS: 1}, "week_loads": {JONAS: 4}},
            "in the last 7 days, the cap is 4",
        ),
    ],
)
def test_any_cap_that_is_reached_is_enough(
    policy: Policy, roster: Roster, caps: dict[str, int], loads: dict[str, Any], words: str
) -> None:
    found = walk(policy, change(roster, JONAS, **caps), book=PoolBook(**loads))
    assert found.owner == Owner(OwnerKind.USER, MIRA)
    assert told(found, words)


def test_one_below_the_cap_still_gets_one(policy: Policy, roster: Roster) -> None:
    book = PoolBook(hour_loads={JONAS: 1})
    capped = change(roster, JONAS, cap_hour=2)
    assert walk(policy, capped, book=book).owner == Owner(OwnerKind.USER, JONAS)


def test_the_pools_caps_stand_in_where_a_person_has_none(policy: Policy, roster: Roster) -> None:
    strict = with_pool(policy, caps=Caps(hour=1, open=50))
    book = PoolBook(hour_loads={JONAS: 3, MIRA: 3})
    generous = change(roster, MIRA, cap_hour=10)
    found = walk(strict, generous, book=book)
    assert found.owner == Owner(OwnerKind.USER, MIRA)
    assert told(found, f"{JONAS} got 3 handoffs in the last hour, the cap is 1")
    # Her own limit of the hour does not lift the pool's limit on open handoffs.
    full = PoolBook(hour_loads={JONAS: 3}, open_loads={MIRA: 50})
    assert told(walk(strict, generous, book=full), f"{MIRA} has 50 open handoffs, the cap is 50")


def test_each_handoff_counts_in_every_window_at_once(policy: Policy, roster: Roster) -> None:
    book = PoolBook(week_loads={JONAS: 4})
    book.count_handoff(JONAS)
    assert book.loads(JONAS) == Loads(open=1, hour=1, day=1, week=5)


def test_load_balance_is_by_weight_and_shares_equal_loads_in_turn(
    policy: Policy, roster: Roster
) -> None:
    balanced = with_pool(policy, distribute=Distribution.LOAD_BALANCE)
    staff = weighted(roster, jonas=2, mira=1)
    book = PoolBook()
    given: Counter[str] = Counter()
    for _ in range(30):
        owner = walk(balanced, staff, book=book).owner
        assert owner is not None
        book.count_handoff(owner.key)
        given[owner.key] += 1
    assert given == {JONAS: 20, MIRA: 10}
    behind = PoolBook(open_loads={JONAS: 4, MIRA: 1})
    found = walk(balanced, staff, book=behind)
    assert found.owner == Owner(OwnerKind.USER, MIRA)
    assert told(found, f"{JONAS} has more open for the weight: 4, weight 2")


FIT = ("Language", "Industry")


@pytest.mark.parametrize(
    ("facts", "owner"),
    [
        ({"Language": "DE", "Industry": "BANKING"}, JONAS),
        ({"Language": "it", "Industry": "BANKING"}, MIRA),
        # Both match one label; the first label of the list counts more.
        ({"Language": "de", "Industry": "INSURANCE"}, JONAS),
        ({"Industry": "INSURANCE"}, MIRA),
        ({"Language": ("fr", "it")}, MIRA),
    ],
)
def test_best_fit_goes_by_the_labels_in_their_order(
    policy: Policy, roster: Roster, facts: Facts, owner: str
) -> None:
    fitting = with_pool(policy, distribute=Distribution.BEST_FIT, fit_by=FIT)
    staff = change(roster, JONAS, good_at={"Language": ("de",)})
    staff = change(staff, MIRA, good_at={"Language": ("it",), "Industry": ("INSURANCE",)})
    # The turn would be the other's: fit goes before turn.
    other = MIRA if owner == JONAS else JONAS
    book = PoolBook({"SDR DACH": PoolState(1, {owner: -1, other: 1})})
    found = walk(fitting, staff, {**DACH, **facts}, book=book)
    assert found.owner == Owner(OwnerKind.USER, owner)
    assert told(found, "somebody fits better")


def test_who_fits_alike_takes_turns(policy: Policy, roster: Roster) -> None:
    fitting = with_pool(policy, distribute=Distribution.BEST_FIT, fit_by=FIT)
    book = PoolBook()
    owners = [walk(fitting, roster, {**DACH, "Language": "de"}, book=book).owner for _ in range(4)]
    assert [owner.key for owner in owners if owner] == [JONAS, MIRA, JONAS, MIRA]


def test_who_fits_best_but_is_away_leaves_it_to_the_next(policy: Policy, roster: Roster) -> None:
    fitting = with_pool(policy, distribute=Distribution.BEST_FIT, fit_by=FIT)
    staff = away(change(roster, JONAS, good_at={"Language": ("de",)}), JONAS)
    found = walk(fitting, staff, {**DACH, "Language": "de"})
    assert found.owner == Owner(OwnerKind.USER, MIRA)


@pytest.mark.parametrize(
    ("caps", "loads", "free"),
    [
        (None, {}, None),
        (Caps(hour=3), {}, 6),
        (Caps(hour=3, open=2), {"hour_loads": {JONAS: 1}, "open_loads": {MIRA: 1}}, 3),
        (Caps(day=2), {"day_loads": {JONAS: 2, MIRA: 5}}, 0),
    ],
)
def test_the_room_of_a_pool_is_what_its_members_may_still_take(
    policy: Policy, roster: Roster, caps: Caps | None, loads: dict[str, Any], free: int | None
) -> None:
    capped = with_pool(policy, caps=caps)
    staff = Staffing(roster, Calendars(capped, roster), PoolBook(**loads), NOW)
    pool = roster.pool("SDR DACH")
    assert pool is not None
    assert room(pool, capped.pools["SDR DACH"], staff) == free


def test_nobody_there_is_no_room(policy: Policy, roster: Roster) -> None:
    gone = away(roster, JONAS, MIRA)
    pool = gone.pool("SDR DACH")
    assert pool is not None
    staff = Staffing(gone, Calendars(policy, gone), PoolBook(), NOW)
    assert room(pool, policy.pools["SDR DACH"], staff) == 0


@pytest.mark.parametrize(
    "settings", [{"distribute": "best fit"}, {"fit_by": ["Language"]}], ids=["no labels", "no word"]
)
def test_best_fit_says_by_what(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="belong together"):
        PoolRule(name="X", **settings)


def test_a_public_holiday_is_no_working_time(policy: Policy, roster: Roster) -> None:
    """The 26th of December is a holiday in Germany and in Austria."""
    strict = with_pool(policy, only_in_hours=True)
    holiday = datetime(2025, 12, 26, 10, tzinfo=UTC)  # a Friday
    found = walk(strict, roster, at=holiday)
    assert found.owner == Owner(OwnerKind.QUEUE, "Inbound DACH")
    assert told(found, f"{JONAS} is not in hours, works again from 2025-12-29")
    assert walk(strict, roster, at=holiday + timedelta(days=3)).pool == "SDR DACH"


def test_the_pools_caps_bind_those_who_know_the_lead_too(policy: Policy, roster: Roster) -> None:
    strict = with_pool(policy, caps=Caps(day=3))
    book = PoolBook(day_loads={JONAS: 3})
    known = ((JONAS, RouteReason.EARLIER_OWNER, "had this lead before"),)
    found = walk(strict, roster, book=book, known_to=known)
    assert found.owner == Owner(OwnerKind.USER, MIRA)
    assert told(found, f"{JONAS} had this lead before, but got 3 handoffs in the last 24 hours")
    own = walk(strict, change(roster, JONAS, cap_day=4), book=book, known_to=known)
    assert own.owner == Owner(OwnerKind.USER, JONAS)
    # Another pool of theirs has no such limit: they could be given one more.
    both = Roster(
        people=roster.people,
        pools=(*roster.pools, Pool(name="Second", members=(Member(rep=JONAS),))),
    )
    assert walk(strict, both, book=book, known_to=known).owner == Owner(OwnerKind.USER, JONAS)
