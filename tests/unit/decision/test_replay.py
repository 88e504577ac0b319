"""Promise 6: a decision can be repeated byte for byte from what is stored, without the person."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from baton.decision.canonical import fact_from_json, fact_to_json
from baton.decision.decide import decide, replay
from baton.decision.decision import Decision, DecisionOutcome
from baton.decision.inputs import DecisionInputs, gather
from baton.errors import InvariantError
from baton.leads.facts import Problem
from baton.leads.history import LeadHistory, OpenHandoff
from baton.leads.relations import CrmRelations
from baton.leads.states import LeadState
from baton.policy.condition_reader import parse_condition
from baton.policy.facts import FactValue
from baton.policy.models import Policy
from baton.policy.phrases import fill
from baton.policy.roster import Roster
from baton.routing.book import PoolBook

NOW = datetime(2026, 11, 3, 10, 0, 5, 123456, tzinfo=UTC)
PERSONAL: dict[str, FactValue] = {
    "E-mail": "ada.marker@acme.test",
    "First name": "Adamarker",
    "Last name": "Vogelmarker",
    "Phone": "+4930555marker",
    "Quiz answers": "Budget: marker answer",
    "Message": "call me at {Phone} marker",
}
FACTS: dict[str, FactValue] = {
    **PERSONAL,
    "Company name": "Søn & {First name} GmbH",
    "Company size": 300,
    "Job title": "VP Sales",
    "Tech stack": ("HubSpot", "Salesforce"),
    "Territory": "DACH",
    "Quiz score": Decimal("80.0"),
    "Quiz taken at": NOW - timedelta(seconds=9),
    "Primary pain point": "slow\nresponses " + "x" * 400,
    "Free mail": False,
}


def inputs_at(policy: Policy, position: int) -> DecisionInputs:
    return gather(
        policy,
        lead_key=f"L{position}",
        facts=FACTS,
        captured_at=NOW - timedelta(seconds=9),
        decided_at=NOW,
        relations=CrmRelations(account_owner="helena.voss@relay.test"),
        history=LeadHistory(cycle=position, recycles={"no_reply": 1}),
        position=position,
        problems=(Problem("Company size", "not_a_number", "is not a whole number"),),
    )


def test_the_same_inputs_give_the_same_bytes(policy: Policy, roster: Roster) -> None:
    one = decide(inputs_at(policy, 0), policy, roster, PoolBook())
    two = decide(inputs_at(policy, 0), policy, roster, PoolBook())
    assert one.canonical() == two.canonical()
    assert one.hash == two.hash


def test_stored_decisions_are_repeated_byte_for_byte(policy: Policy, roster: Roster) -> None:
    book = PoolBook(open_loads={"jonas.keller@relay.test": 3})
    for position in range(7):
        inputs = inputs_at(policy, position)
        result = decide(inputs, policy, roster, book)
        assert result.outcome is DecisionOutcome.HANDOFF
        again = replay(inputs.canonical(), result.canonical(), policy, roster)
        assert again.canonical() == result.canonical()


def test_inputs_and_decisions_survive_storing(policy: Policy, roster: Roster) -> None:
    inputs = inputs_at(policy, 1)
    stored = json.loads(json.dumps(inputs.to_json()))
    assert DecisionInputs.from_json(stored) == inputs
    assert DecisionInputs.from_json(inputs.canonical()).hash == inputs.hash
    found = decide(inputs, policy, roster, PoolBook())
    assert Decision.from_json(found.canonical()) == found
    assert Decision.from_json(json.loads(found.canonical())).hash == found.hash


def test_an_open_handoff_survives_storing(policy: Policy) -> None:
    history = LeadHistory(
        state=LeadState.IN_HANDOFF, open_handoff=OpenHandoff(3, None, 2), return_at=NOW
    )
    inputs = gather(
        policy, lead_key="L1", facts={}, captured_at=NOW, decided_at=NOW, history=history
    )
    assert DecisionInputs.from_json(inputs.canonical()).history == history


@pytest.mark.parametrize(
    "value",
    ["text", "2026-11-03", 7, True, None, Decimal("80.10"), NOW, date(2026, 11, 3), ("a", "b"), ()],
)
def test_facts_are_read_back_as_what_they_were(value: FactValue) -> None:
    back = fact_from_json(json.loads(json.dumps(fact_to_json(value))))
    assert back == value
    assert type(back) is type(value)


def test_damaged_inputs_are_not_used() -> None:
    with pytest.raises(InvariantError):
        DecisionInputs.from_json({"facts": None})
    with pytest.raises(InvariantError):
        fact_from_json({"what": 1})


def test_nothing_personal_is_stored(policy: Policy, roster: Roster) -> None:
    inputs = inputs_at(policy, 0)
    found = decide(inputs, policy, roster, PoolBook())
    for stored in (inputs.canonical(), found.canonical()):
        assert b"marker" not in stored


def test_the_card_is_short_and_is_filled_where_it_is_delivered(
    policy: Policy, roster: Roster
) -> None:
    found = decide(inputs_at(policy, 0), policy, roster, PoolBook())
    assert found.package is not None
    assert 5 <= len(found.package.card) <= 10
    assert all("\n" not in line and len(line) <= 240 for line in found.package.card)
    assert fill(found.package.card[0], FACTS) == "Adamarker Vogelmarker, VP Sales"
    # Braces that a buyer typed are no slots.
    assert found.package.card[1].startswith("Søn & (First name) GmbH")


def test_a_rule_on_a_personal_fact_is_judged_once_and_only_its_outcome_is_kept(
    policy: Policy, roster: Roster
) -> None:
    condition = parse_condition(
        {"all": [{"E-mail": {"contains": "ada."}}, {"none": [{"First name": {"is": "Bob"}}]}]}
    )
    rule = policy.scoring.fit[0].model_copy(
        update={"id": "by-mail", "when": condition, "group": None, "say": "{First name} writes"}
    )
    fit = (rule, *policy.scoring.fit)
    scoring = policy.scoring.model_copy(update={"fit": fit})
    changed = policy.model_copy(update={"scoring": scoring})
    changed.__dict__.pop("score", None)
    inputs = inputs_at(changed, 0)
    assert inputs.observed == {"E-mail contains ada.": True, "First name is Bob": False}
    found = decide(inputs, changed, roster, PoolBook())
    assert found.score is not None
    assert found.score.reasons[0].say == "{First name} writes"
    again = replay(inputs.canonical(), found.canonical(), changed, roster)
    assert again.canonical() == found.canonical()
