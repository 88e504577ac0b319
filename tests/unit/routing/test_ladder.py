"""The ladder: every step, who was asked and why not, and what happens when everybody is away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.calendars.build import Calendars
from baton.leads.relations import CrmRelations
from baton.policy.facts import Facts
from baton.policy.models import Distribution, Policy
from baton.policy.roster import Leave, Roster
from baton.routing.book import PoolBook
from baton.routing.eligibility import Staffing
from baton.routing.ladder import (
    STICKINESS,
    Owner,
    OwnerKind,
    Route,
    RouteReason,
    RouteRequest,
    route,
)

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)  # a Tuesday, office hours in Europe
JONAS, MIRA = "jonas.keller@relay.test", "mira.lindner@relay.test"
DACH: Facts = {"Recipient": "SDR", "Territory": "DACH", "Segment": "Mid-market"}


def change(roster: Roster, key: str, **update: Any) -> Roster:
    people = tuple(
        rep.model_copy(update=update) if rep.key == key else rep for rep in roster.people
    )
    return Roster(people=people, pools=roster.pools)


def walk(
    policy: Policy,
    roster: Roster,
    facts: Facts = DACH,
    *,
    relations: CrmRelations | None = None,
    known_to: tuple[tuple[str, RouteReason, str], ...] = (),
    at: datetime = NOW,
    book: PoolBook | None = None,
    **staffing: frozenset[str],
) -> Route:
    staff = Staffing(roster, Calendars(policy, roster), book or PoolBook(), at, **staffing)
    request = RouteRequest(facts, relations or CrmRelations(), at, known_to=known_to)
    return route(request, policy, staff)


def told(found: Route, text: str) -> bool:
    return any(text in step.text for step in found.trace)


def away(roster: Roster, *keys: str) -> Roster:
    for key in keys:
        leave = (Leave(start=NOW - timedelta(days=1), end=NOW + timedelta(days=9)),)
        roster = change(roster, key, leave=leave)
    return roster


def test_a_pool_takes_turns(policy: Policy, roster: Roster) -> None:
    book = PoolBook()
    owners = [walk(policy, roster, book=book).owner for _ in range(4)]
    assert [owner.key for owner in owners if owner] == [JONAS, MIRA, JONAS, MIRA]
    assert set(book.changed) == {"SDR DACH"}


def test_an_open_opportunity_keeps_its_owner_and_gets_a_task_only(
    policy: Policy, roster: Roster
) -> None:
    relations = CrmRelations(
        open_opportunity_id="006", open_opportunity_owner="Helena.Voss@relay.test"
    )
    found = walk(policy, roster, {**DACH, "Open opportunity": True}, relations=relations)
    assert found.owner == Owner(OwnerKind.USER, "helena.voss@relay.test")
    assert found.reason_code is RouteReason.OWNER_KEPT
    assert not found.change_owner


def test_a_customer_goes_to_the_account_team_even_if_the_owner_is_unknown_here(
    policy: Policy, roster: Roster
) -> None:
    relations = CrmRelations(account_owner="somebody@relay.test")
    found = walk(policy, roster, {**DACH, "Existing customer": True}, relations=relations)
    assert found.owner == Owner(OwnerKind.USER, "somebody@relay.test")
    assert not found.change_owner
    assert told(found, "not in the roster")


def test_when_the_account_owner_is_away_somebody_named_steps_in_and_ownership_stays(
    policy: Policy, roster: Roster
) -> None:
    relations = CrmRelations(account_owner="tom.adeyemi@relay.test")
    found = walk(
        policy,
        away(roster, "tom.adeyemi@relay.test"),
        {**DACH, "Existing customer": True},
        relations=relations,
    )
    assert found.owner == Owner(OwnerKind.USER, "ines.moreau@relay.test")
    assert not found.change_owner
    assert told(found, "tom.adeyemi@relay.test is away until")


def test_falling_through_a_rule_that_keeps_the_owner_never_changes_it_later(
    policy: Policy, roster: Roster
) -> None:
    relations = CrmRelations(
        open_opportunity_id="006", open_opportunity_owner="tom.adeyemi@relay.test"
    )
    gone = change(roster, "tom.adeyemi@relay.test", active=False)
    found = walk(policy, gone, {**DACH, "Open opportunity": True}, relations=relations)
    assert found.owner is not None
    assert found.owner.key == JONAS
    assert not found.change_owner


def test_a_named_account_goes_to_its_owner(policy: Policy, roster: Roster) -> None:
    facts: Facts = {**DACH, "Named account": True, "Named account owner": "helena.voss@relay.test"}
    found = walk(policy, roster, facts)
    assert found.owner == Owner(OwnerKind.USER, "helena.voss@relay.test")
    assert found.reason_code is RouteReason.NAMED_ACCOUNT


def test_whoever_had_the_lead_before_gets_it_before_any_pool(
    policy: Policy, roster: Roster
) -> None:
    known = ((MIRA, RouteReason.EARLIER_OWNER, "had this lead before"),)
    found = walk(policy, roster, known_to=known)
    assert (found.rule_id, found.owner) == (STICKINESS, Owner(OwnerKind.USER, MIRA))
    elsewhere = walk(policy, away(roster, MIRA), known_to=known)
    assert elsewhere.owner == Owner(OwnerKind.USER, JONAS)
    assert told(elsewhere, "had this lead before, but is away until")


def test_earlier_owners_are_excluded_on_reassignment(policy: Policy, roster: Roster) -> None:
    found = walk(policy, roster, excluded=frozenset({JONAS}))
    assert found.owner == Owner(OwnerKind.USER, MIRA)
    assert told(found, f"{JONAS} had this lead before")
    none_left = walk(policy, roster, excluded=frozenset({JONAS, MIRA}))
    assert none_left.owner == Owner(OwnerKind.QUEUE, "Inbound DACH")


def test_somebody_fresh_is_preferred_but_not_at_the_price_of_nobody(
    policy: Policy, roster: Roster
) -> None:
    fresh = walk(policy, roster, avoided=frozenset({JONAS}))
    assert fresh.owner == Owner(OwnerKind.USER, MIRA)
    again = walk(policy, away(roster, MIRA), avoided=frozenset({JONAS}))
    assert again.owner == Owner(OwnerKind.USER, JONAS)


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"active": False}, "is not active any more"),
        ({"cap_open": 2}, "has 2 open handoffs, the cap is 2"),
        ({"cap_day": 3}, "got 3 handoffs in the last 24 hours, the cap is 3"),
        ({"cap_open": 0}, "the cap is 0"),
        ({"zone": "America/Los_Angeles"}, "is not in hours, works again from"),
    ],
)
def test_why_somebody_is_not_eligible_stands_in_the_trace(
    policy: Policy, roster: Roster, update: dict[str, Any], words: str
) -> None:
    pools = {
        **policy.pools,
        "SDR DACH": policy.pools["SDR DACH"].model_copy(update={"only_in_hours": True}),
    }
    strict = policy.model_copy(update={"pools": pools})
    book = PoolBook(open_loads={JONAS: 2}, day_loads={JONAS: 3})
    found = walk(strict, change(roster, JONAS, **update), book=book)
    assert found.owner == Owner(OwnerKind.USER, MIRA)
    assert told(found, words)


def test_hours_do_not_matter_where_the_pool_does_not_ask_for_them(
    policy: Policy, roster: Roster
) -> None:
    pools = {
        **policy.pools,
        "SDR DACH": policy.pools["SDR DACH"].model_copy(update={"only_in_hours": False}),
    }
    easy = policy.model_copy(update={"pools": pools})
    found = walk(easy, roster, at=datetime(2026, 11, 7, 22, tzinfo=UTC))
    assert found.owner == Owner(OwnerKind.USER, JONAS)


def test_when_the_whole_pool_is_away_the_queue_of_the_rule_gets_it(
    policy: Policy, roster: Roster
) -> None:
    found = walk(policy, away(roster, JONAS, MIRA))
    assert found.owner == Owner(OwnerKind.QUEUE, "Inbound DACH")
    assert found.reason_code is RouteReason.QUEUE
    assert found.watched_by == "nadia.petrov@relay.test"


def test_the_ladder_ends_in_a_watched_queue(policy: Policy, roster: Roster) -> None:
    found = walk(policy, roster, {"Recipient": "SDR"})
    assert found.owner == Owner(OwnerKind.QUEUE, "Inbound triage")
    assert found.watched_by


def test_an_empty_roster_still_ends_in_the_queue(policy: Policy) -> None:
    found = walk(policy, Roster())
    assert found.owner == Owner(OwnerKind.QUEUE, "Inbound DACH")
    assert told(found, "has no members in the roster")


def test_without_anybody_there_is_a_reason_code(policy: Policy, roster: Roster) -> None:
    pool_only = tuple(
        rule.model_copy(update={"if_nobody": None})
        for rule in policy.route
        if rule.id == "sdr-dach"
    )
    bare = policy.model_copy(update={"route": pool_only})
    nobody = walk(bare, away(roster, JONAS, MIRA))
    assert (nobody.owner, nobody.reason_code) == (None, RouteReason.NOBODY_AVAILABLE)
    no_rule = walk(bare, roster, {"Territory": "APAC"})
    assert (no_rule.owner, no_rule.reason_code) == (None, RouteReason.NO_RULE)


def test_weights_of_zero_leave_the_pool_without_anybody(policy: Policy, roster: Roster) -> None:
    idle = tuple(
        pool.model_copy(
            update={"members": tuple(m.model_copy(update={"weight": 0}) for m in pool.members)}
        )
        for pool in roster.pools
    )
    found = walk(policy, Roster(people=roster.people, pools=idle))
    assert found.owner == Owner(OwnerKind.QUEUE, "Inbound DACH")
    assert told(found, "has a weight of zero")


def test_load_balance_gives_to_whoever_has_least(policy: Policy, roster: Roster) -> None:
    balanced = policy.pools["SDR DACH"].model_copy(update={"distribute": Distribution.LOAD_BALANCE})
    changed = policy.model_copy(update={"pools": {**policy.pools, "SDR DACH": balanced}})
    book = PoolBook(open_loads={JONAS: 4, MIRA: 3})
    assert walk(changed, roster, book=book).owner == Owner(OwnerKind.USER, MIRA)


def test_a_book_gives_back_what_was_read_so_that_a_choice_can_be_repeated(
    policy: Policy, roster: Roster
) -> None:
    book = PoolBook()
    for _ in range(3):
        walk(policy, roster, book=book)
    book.begin()
    first = walk(policy, change(roster, MIRA, cap_open=9), book=book)
    again = walk(
        policy, change(roster, MIRA, cap_open=9), book=PoolBook.from_consulted(book.consulted())
    )
    assert replace(first) == again
