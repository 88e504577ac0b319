"""The smallest change, where a person would know it too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from baton.decision.change_words import changes_in_words
from baton.decision.circumstances import CircumstanceKind
from baton.decision.counterfactual import Goal, SmallestChanges, smallest_changes, under
from baton.decision.decide import decide, reassign
from baton.decision.decision import Decision, DecisionOutcome
from baton.decision.inputs import DecisionInputs, gather
from baton.leads.enrichment import enrich
from baton.leads.history import LeadHistory, OpenHandoff
from baton.leads.model import LeadSnapshot
from baton.leads.relations import CrmRelations
from baton.leads.states import LeadState
from baton.policy.facts import FactValue
from baton.policy.models import Policy
from baton.policy.roster import Leave, Roster
from baton.routing.book import PoolBook

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
MIRA, JONAS = "mira.lindner@relay.test", "jonas.keller@relay.test"
WARM: dict[str, FactValue] = {
    "E-mail": "robin@softworks.test",
    "First name": "Robin",
    "Last name": "Tester",
    "Phone": "+4930901820",
    "Company name": "Softworks",
    "Company size": 40,
    "Job title": "VP Sales",
    "Country": "DE",
    "Industry": "COMPUTER_SOFTWARE",
    "Decision timeline": "This quarter",
    "Budget range": "50k to 200k",
    "Primary pain point": "leads go stale",
    "Content downloads": 1,
    "Last content at": NOW,
}
DEMO = {**WARM, "Demo requested at": NOW - timedelta(hours=1)}


def inputs_of(policy: Policy, facts: dict[str, FactValue], **given: object) -> DecisionInputs:
    snapshot = LeadSnapshot(
        hubspot_id="1", modified_at=NOW, seen_at=NOW, captured_at=NOW, properties={}
    )
    return gather(
        policy,
        lead_key="1",
        facts=enrich(facts, snapshot, policy).facts,
        captured_at=NOW,
        decided_at=NOW,
        **given,  # type: ignore[arg-type]  # each test gives its own part
    )


def searched(
    policy: Policy, roster: Roster, facts: dict[str, FactValue], **given: object
) -> tuple[DecisionInputs, Decision, SmallestChanges]:
    inputs = inputs_of(policy, facts, **given)
    decision = decide(inputs, policy, roster, PoolBook())
    return inputs, decision, smallest_changes(inputs, decision, policy, roster)


def away(roster: Roster, key: str) -> Roster:
    leave = (Leave(start=NOW - timedelta(days=1), end=NOW + timedelta(days=3)),)
    people = [
        rep.model_copy(update={"leave": leave}) if rep.key == key else rep for rep in roster.people
    ]
    return Roster(people=tuple(people), pools=roster.pools)


def test_one_size_larger_would_have_made_it_hot(policy: Policy, roster: Roster) -> None:
    _, _, found = searched(policy, roster, WARM)
    first = found.of(Goal.HIGHER_BAND)[0]
    (fact,) = first.facts
    assert (fact.label, fact.before, fact.after) == ("Company size", 40, 50)
    assert (first.claim.band, first.claim.total_milli) == ("hot", 76_000)
    # Larger means another segment, and so another pool: the derived fact followed.
    assert first.claim.pool == "AE Mid-market EMEA"
    words = list(changes_in_words(found, roster))
    assert words[0].startswith(
        "One thing would have made this lead hot: Company size 50 (between 50 and 1000) instead "
        "of 40 (+5 points → 76). It would have gone to somebody of pool AE Mid-market EMEA"
    )
    # What was told as a higher band is not told again as a way to sales.
    assert sum("Company size 50" in sentence for sentence in words) == 1


def test_another_country_is_another_territory(policy: Policy, roster: Roster) -> None:
    inputs, decision, found = searched(policy, roster, DEMO)
    (change,) = [
        one
        for one in found.of(Goal.OTHER_OWNER)
        if any(fact.label == "Country" for fact in one.facts)
    ]
    assert not any(fact.label == "Territory" for one in found.changes for fact in one.facts)
    route = under(change, inputs, decision, policy, roster).route
    assert route is not None
    assert route.pool == change.claim.pool != "SDR DACH"


def test_had_she_not_been_away_it_would_have_been_hers(policy: Policy, roster: Roster) -> None:
    gone = away(roster, JONAS)
    _, decision, found = searched(policy, gone, DEMO)
    assert decision.route is not None
    assert decision.route.owner is not None
    assert decision.route.owner.key == MIRA
    change = next(
        one
        for one in found.of(Goal.OTHER_OWNER)
        if one.circumstance and one.circumstance.kind is CircumstanceKind.PRESENT
    )
    assert change.claim.owner == JONAS
    assert (
        "If Jonas Keller had not been away, it would have gone to Jonas Keller "
        f"({JONAS})." in changes_in_words(found, gone)
    )


def test_the_turn_of_the_pool_is_told(policy: Policy, roster: Roster) -> None:
    _, _, found = searched(policy, roster, DEMO)
    turn = next(one for one in found.of(Goal.OTHER_OWNER) if one.circumstance)
    assert turn.circumstance is not None
    assert turn.circumstance.kind is CircumstanceKind.NEXT_TURN
    assert turn.claim.owner == MIRA


def test_what_is_missing_is_the_change(policy: Policy, roster: Roster) -> None:
    facts = {label: value for label, value in DEMO.items() if label not in ("Last name", "Phone")}
    _, decision, found = searched(policy, roster, facts)
    assert decision.outcome is DecisionOutcome.QUARANTINE
    first = found.of(Goal.HANDED_OVER)[0]
    assert [fact.label for fact in first.facts] == ["Last name"]
    assert first.claim.outcome is DecisionOutcome.HANDOFF
    assert any("Last name given, and usable" in one for one in changes_in_words(found, roster))


def test_two_things_where_one_is_not_enough(policy: Policy, roster: Roster) -> None:
    _, _, found = searched(policy, roster, {"E-mail": "x@gmail.com", "Country": "DE"})
    ways = found.of(Goal.HIGHER_BAND)
    assert {one.things for one in ways} == {2}
    asked = found.of(Goal.HANDED_OVER)[0]
    assert {"First name", "Last name", "Company name"} < {fact.label for fact in asked.facts}


def test_an_open_opportunity_that_had_not_been(policy: Policy, roster: Roster) -> None:
    relations = CrmRelations(
        account_id="001",
        account_type="Customer",
        account_owner="ines.moreau@relay.test",
        open_opportunity_id="006",
        open_opportunity_owner="tom.adeyemi@relay.test",
    )
    _, decision, found = searched(policy, roster, DEMO, relations=relations)
    assert decision.route is not None
    assert decision.route.owner is not None
    assert decision.route.owner.key == "tom.adeyemi@relay.test"
    change = next(
        one
        for one in found.of(Goal.OTHER_OWNER)
        if one.circumstance and one.circumstance.kind is CircumstanceKind.NO_OPPORTUNITY
    )
    assert change.claim.owner == "ines.moreau@relay.test"


def test_had_the_named_owner_been_away_it_would_have_gone_on(
    policy: Policy, roster: Roster
) -> None:
    relations = CrmRelations(account_id="001", account_owner="tom.adeyemi@relay.test")
    _, decision, found = searched(policy, roster, DEMO, relations=relations)
    assert decision.route is not None
    assert decision.route.rule_id == "account-owner"
    change = next(
        one
        for one in found.of(Goal.OTHER_OWNER)
        if one.circumstance and one.circumstance.kind is CircumstanceKind.AWAY
    )
    assert change.circumstance is not None
    assert change.circumstance.words == "Tom Adeyemi had been away"
    assert change.claim.pool == "SDR DACH"


def test_the_search_is_bounded_and_says_so(policy: Policy, roster: Roster) -> None:
    inputs = inputs_of(policy, {"E-mail": "x@gmail.com"})
    decision = decide(inputs, policy, roster, PoolBook())
    found = smallest_changes(inputs, decision, policy, roster, most_runs=5)
    assert found.runs == 5
    assert not found.exhausted
    assert Goal.HIGHER_BAND in found.unmet
    sentence = next(one for one in changes_in_words(found, roster) if one.startswith("Nothing"))
    assert sentence.endswith("5 ways were tried, alone and in pairs; the search ends there.")


@pytest.mark.parametrize(
    "history",
    [
        LeadHistory(state=LeadState.MERGED),
        LeadHistory(state=LeadState.IN_HANDOFF, open_handoff=OpenHandoff(1, JONAS, 1)),
    ],
)
def test_nobody_else_is_wished_for_where_nobody_else_can_be(
    policy: Policy, roster: Roster, history: LeadHistory
) -> None:
    _, _, found = searched(policy, roster, WARM, history=history)
    assert found.exhausted
    assert not {Goal.HANDED_OVER, Goal.OTHER_OWNER} & {
        *found.unmet,
        *(change.goal for change in found.changes),
    }


@pytest.mark.parametrize("left", [True, False])
def test_a_reassignment_is_searched_as_what_it_was(
    policy: Policy, roster: Roster, left: bool
) -> None:
    history = LeadHistory(
        state=LeadState.IN_HANDOFF, open_handoff=OpenHandoff(1, JONAS, 1), cycle=1
    )
    had_it = (JONAS,) if left else (JONAS, MIRA)
    inputs = inputs_of(policy, DEMO, history=history)
    inputs = type(inputs).from_json({**inputs.to_json(), "had_it": list(had_it)})
    decision = reassign(inputs, policy, roster, PoolBook(), had_it=frozenset(had_it))
    found = smallest_changes(inputs, decision, policy, roster)
    assert found.base.owner == (decision.route.owner.key if decision.route.owner else None)
    for change in found.changes:
        assert change.claim.owner not in had_it
