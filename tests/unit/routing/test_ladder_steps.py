"""The order of the ladder, and the steps that know people: all of it to be seen in the trace."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.routing.test_ladder import DACH, JONAS, MIRA, NOW, away, told

from baton.calendars.build import Calendars
from baton.leads.relations import CrmRelations
from baton.policy.facts import Facts
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.policy.targets import Target, TargetKind, read_if_nobody, read_target
from baton.routing.book import PoolBook
from baton.routing.eligibility import Staffing
from baton.routing.ladder import (
    PERMISSION,
    STICKINESS,
    Owner,
    OwnerKind,
    Route,
    RouteReason,
    RouteRequest,
    route,
)

HELENA, TOM, INES, SOFIA = (
    f"{name}@relay.test" for name in ("helena.voss", "tom.adeyemi", "ines.moreau", "sofia.ricci")
)
RELATIONS = CrmRelations(
    account_id="001",
    account_owner=TOM,
    open_opportunity_id="006",
    open_opportunity_owner=HELENA,
    lost_opportunity_owner=INES,
)
ALL: dict[str, Any] = {
    **DACH,
    "Open opportunity": True,
    "Existing customer": True,
    "Named account": True,
    "Named account owner": SOFIA,
    "Lost opportunity": True,
    "Account known": True,
    "Meeting booked": True,
}
KNOWN = ((MIRA, RouteReason.EARLIER_OWNER, "had this lead before"),)


def climb(
    policy: Policy,
    roster: Roster,
    facts: Facts,
    *,
    relations: CrmRelations = RELATIONS,
    **asked: Any,
) -> Route:
    staff = Staffing(roster, Calendars(policy, roster), PoolBook(), NOW)
    given = {"permission": "may be handed to sales", "host": TOM, "known_to": KNOWN, **asked}
    return route(RouteRequest(facts, relations, NOW, **given), policy, staff)


def waiting(policy: Policy, rule: str, kind: TargetKind | None) -> Policy:
    """Return the policy in which a rule says `if_nobody: wait` (or whatever `kind` is)."""
    rules = tuple(
        one.model_copy(update={"if_nobody": Target(kind=kind) if kind else None})
        if one.id == rule
        else one
        for one in policy.route
    )
    return policy.model_copy(update={"route": rules})


def test_the_ladder_is_climbed_in_its_order_and_the_trace_shows_it(
    policy: Policy, roster: Roster
) -> None:
    """Take away what decides, one after the other: the next step decides."""
    steps = [
        ("open-opportunity", HELENA, ["Open opportunity"]),
        ("customer", TOM, ["Existing customer"]),
        ("named-account", SOFIA, ["Named account", "Named account owner"]),
        ("lost-opportunity", INES, ["Lost opportunity"]),
        ("account-owner", TOM, ["Account known"]),
        ("meeting", TOM, ["Meeting booked"]),
        (STICKINESS, MIRA, []),
    ]
    facts = dict(ALL)
    passed = [PERMISSION]
    for rule, owner, labels in steps:
        found = climb(policy, roster, facts)
        assert (found.rule_id, found.owner) == (rule, Owner(OwnerKind.USER, owner))
        assert [step.step for step in found.trace] == [*passed, rule]
        passed.append(rule)
        for label in labels:
            del facts[label]
    nobody_knows = climb(policy, roster, facts, known_to=())
    assert nobody_knows.rule_id == "sdr-dach"
    assert nobody_knows.pool == "SDR DACH"
    elsewhere = climb(policy, roster, {"Recipient": "SDR"}, known_to=())
    assert (elsewhere.rule_id, elsewhere.reason_code) == ("fallback", RouteReason.QUEUE)
    assert elsewhere.watched_by


@pytest.mark.parametrize(
    ("rule", "reason"),
    [("lost-opportunity", RouteReason.LOST_OPPORTUNITY), ("meeting", RouteReason.MEETING_HOST)],
)
def test_why_it_went_to_somebody_who_knows_the_company(
    policy: Policy, roster: Roster, rule: str, reason: RouteReason
) -> None:
    label = {"lost-opportunity": "Lost opportunity", "meeting": "Meeting booked"}[rule]
    assert climb(policy, roster, {**DACH, label: True}).reason_code is reason


def test_a_meeting_without_a_host_and_an_owner_who_is_away_are_told_and_passed(
    policy: Policy, roster: Roster
) -> None:
    facts = {**DACH, "Meeting booked": True, "Lost opportunity": True}
    found = climb(policy, away(roster, INES), facts, host=None)
    assert found.rule_id == STICKINESS
    assert told(found, "meeting host: there is none")
    assert told(found, f"lost opportunity owner {INES} is away until")


def test_colleagues_are_kept_together_unless_their_owner_is_full(
    policy: Policy, roster: Roster
) -> None:
    together = ((JONAS, RouteReason.COLLEAGUE, "has somebody of the same company"),)
    found = climb(policy, roster, DACH, known_to=together)
    assert (found.owner, found.reason_code) == (
        Owner(OwnerKind.USER, JONAS),
        RouteReason.COLLEAGUE,
    )
    away_from_it = climb(policy, away(roster, JONAS), DACH, known_to=together)
    assert away_from_it.owner == Owner(OwnerKind.USER, MIRA)
    assert told(away_from_it, f"{JONAS} has somebody of the same company, but is away until")


def test_wait_holds_the_lead_and_says_for_whom(policy: Policy, roster: Roster) -> None:
    patient = waiting(policy, "sdr-dach", TargetKind.WAIT)
    empty = away(roster, JONAS, MIRA)
    found = climb(patient, empty, DACH, known_to=())
    assert (found.owner, found.reason_code) == (None, RouteReason.NOBODY_AVAILABLE)
    assert (found.rule_id, found.waits_for) == ("sdr-dach", "pool SDR DACH")
    assert found.trace[-1].text == "nobody of pool SDR DACH can take it now: it waits"
    # Once it has waited long enough it goes on to the fallback.
    over = climb(patient, empty, DACH, known_to=(), may_wait=False)
    assert (over.rule_id, over.owner) == ("fallback", Owner(OwnerKind.QUEUE, "Inbound triage"))
    # Somebody is there: nothing waits.
    assert climb(patient, away(roster, JONAS), DACH, known_to=()).owner == Owner(
        OwnerKind.USER, MIRA
    )


def test_one_may_wait_for_a_person_too(policy: Policy, roster: Roster) -> None:
    patient = waiting(policy, "account-owner", TargetKind.WAIT)
    found = climb(patient, away(roster, TOM), {**DACH, "Account known": True})
    assert (found.owner, found.waits_for) == (None, f"person {TOM}")


@pytest.mark.parametrize("kind", [TargetKind.GO_ON, None])
def test_go_on_and_saying_nothing_try_the_next_rule(
    policy: Policy, roster: Roster, kind: TargetKind | None
) -> None:
    found = climb(waiting(policy, "sdr-dach", kind), away(roster, JONAS, MIRA), DACH, known_to=())
    assert (found.rule_id, found.owner) == ("fallback", Owner(OwnerKind.QUEUE, "Inbound triage"))


def test_what_nobody_asked_for_waits_where_a_buyer_would_spill_into_a_queue(
    policy: Policy, roster: Roster
) -> None:
    empty = away(roster, JONAS, MIRA)
    buyer = climb(policy, empty, DACH, known_to=())
    assert buyer.owner == Owner(OwnerKind.QUEUE, "Inbound DACH")
    imported = climb(policy, empty, DACH, known_to=(), rather_waits=True)
    assert (imported.owner, imported.waits_for) == (None, "pool SDR DACH")
    nowhere = climb(policy, empty, {"Recipient": "SDR"}, known_to=(), rather_waits=True)
    assert nowhere.rule_id == "fallback"


def test_wait_and_go_on_are_words_of_if_nobody_alone() -> None:
    assert read_if_nobody("Wait") == {"kind": TargetKind.WAIT}
    assert read_if_nobody("go on") == {"kind": TargetKind.GO_ON}
    assert read_if_nobody("account owner") == {"kind": TargetKind.ACCOUNT_OWNER}
    with pytest.raises(ValueError, match="if_nobody"):
        read_target("wait")
