"""Who comes back, who is new, who is in two pools, and pools and rosters with nobody to draw."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.calendars.build import Calendars
from baton.leads.relations import CrmRelations
from baton.policy.facts import Facts
from baton.policy.models import Policy
from baton.policy.roster import Member, Pool, Roster
from baton.policy.roster_edits import Cap, gone, joined, with_cap, with_rep, with_weight
from baton.routing.book import PoolBook
from baton.routing.distribution import PoolState, pick, settled
from baton.routing.eligibility import Staffing
from baton.routing.ladder import Owner, OwnerKind, Route, RouteRequest, route

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)  # a Tuesday, office hours in Europe
JONAS, MIRA = "jonas.keller@relay.test", "mira.lindner@relay.test"
DACH: Facts = {"Recipient": "SDR", "Territory": "DACH", "Segment": "Mid-market"}
NORDICS: Facts = {"Recipient": "SDR", "Territory": "UK and Nordics", "Segment": "Mid-market"}
WEIGHTS = st.lists(st.integers(1, 9), min_size=2, max_size=8).map(
    lambda found: {f"rep{place}": weight for place, weight in enumerate(found)}
)


def walk(policy: Policy, roster: Roster, facts: Facts, book: PoolBook) -> Route:
    staffing = Staffing(roster, Calendars(policy, roster), book, NOW)
    found = route(RouteRequest(facts, CrmRelations(), NOW), policy, staffing)
    if found.owner is not None:
        book.count_handoff(found.owner.key)
    return found


def after(weights: dict[str, int], leads: int, absent: str | None, state: PoolState) -> PoolState:
    eligible = [key for key in weights if key != absent]
    for _ in range(leads):
        _, state = pick(weights, eligible, state)
    return state


@settings(deadline=None, max_examples=80)
@given(WEIGHTS, st.integers(0, 50), st.integers(1, 300))
def test_of_the_next_twenty_leads_whoever_returns_gets_the_usual_share(
    weights: dict[str, int], before: int, missed: int
) -> None:
    """However long the absence: at most one and a bit more than the share, never a flood."""
    state = after(weights, before, None, PoolState())
    state = after(weights, missed, "rep0", state)
    got = 0
    for _ in range(20):
        chosen, state = pick(weights, weights, state)
        got += chosen == "rep0"
    share = Fraction(20 * weights["rep0"], sum(weights.values()))
    assert abs(got - share) < 2


@settings(deadline=None, max_examples=80)
@given(WEIGHTS, st.integers(0, 200), st.integers(1, 9))
def test_a_newcomer_starts_even_however_long_the_pool_has_run(
    weights: dict[str, int], before: int, weight: int
) -> None:
    state = after(weights, before, None, PoolState())
    grown = {**weights, "new": weight}
    assert settled(grown, state).balance_of("new") == 0
    got = 0
    for _ in range(20):
        chosen, state = pick(grown, grown, state)
        got += chosen == "new"
    assert abs(got - Fraction(20 * weight, sum(grown.values()))) < 2


@settings(deadline=None, max_examples=60)
@given(WEIGHTS, st.integers(1, 200))
def test_a_leavers_balance_is_shared_out_and_nothing_is_lost(
    weights: dict[str, int], before: int
) -> None:
    state = after(weights, before, None, PoolState())
    left = {key: weight for key, weight in weights.items() if key != "rep0"}
    kept = settled(left, state)
    assert "rep0" not in kept.balances
    assert sum(kept.balances.values()) == 0
    assert all(abs(kept.balance_of(key) - state.balance_of(key)) < 1 for key in left)


def test_caps_of_somebody_in_two_pools_count_the_leads_of_both(
    policy: Policy, roster: Roster
) -> None:
    both = joined(roster, MIRA, "SDR UK and Nordics")
    both = with_cap(with_weight(both, JONAS, "SDR DACH", 0), MIRA, {Cap.DAY: 3})
    for name in ("priya.raman@relay.test", "oskar.nyberg@relay.test"):
        both = with_weight(both, name, "SDR UK and Nordics", 0)
    book = PoolBook()
    owners = [walk(policy, both, facts, book).owner for facts in (DACH, NORDICS, DACH, NORDICS)]
    assert [owner.key for owner in owners if owner][:3] == [MIRA] * 3
    assert owners[3] == Owner(OwnerKind.QUEUE, "Inbound triage")
    found = walk(policy, both, DACH, book)
    assert any("the cap is 3" in step.text for step in found.trace)


@pytest.mark.parametrize(
    "made",
    [
        lambda roster: Roster(),
        lambda roster: Roster(people=roster.people),
        lambda roster: Roster(
            people=roster.people, pools=tuple(Pool(name=pool.name) for pool in roster.pools)
        ),
        lambda roster: Roster(
            people=roster.people,
            pools=tuple(
                Pool(name=p.name, members=tuple(Member(rep=m.rep, weight=0) for m in p.members))
                for p in roster.pools
            ),
        ),
        lambda roster: gone(gone(roster, JONAS, date(2026, 11, 1)), MIRA, date(2026, 11, 1)),
    ],
    ids=["nobody at all", "no pools", "pools without members", "weights of zero", "all have left"],
)
def test_with_nobody_to_draw_the_rule_says_where_the_lead_goes(
    policy: Policy, roster: Roster, made: Any
) -> None:
    book = PoolBook()
    found = walk(policy, made(roster), DACH, book)
    assert found.owner == Owner(OwnerKind.QUEUE, "Inbound DACH")
    assert found.watched_by
    assert book.changed == {}, "a pool that gave nobody a lead is not written"


def test_who_has_left_or_not_joined_yet_is_passed_over_with_the_reason(
    policy: Policy, roster: Roster
) -> None:
    changed = with_rep(roster, roster.by_key[JONAS], left=date(2026, 11, 3))
    changed = with_rep(changed, changed.by_key[MIRA], joined=date(2026, 11, 4))
    found = walk(policy, changed, DACH, PoolBook())
    said = " ".join(step.text for step in found.trace)
    assert f"{JONAS} left the company on 2026-11-03" in said
    assert f"{MIRA} joins on 2026-11-04" in said
