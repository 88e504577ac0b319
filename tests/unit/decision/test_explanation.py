"""What a person is told of a decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.decision.test_counterfactual import DEMO, JONAS, MIRA, NOW, WARM, away, inputs_of

from baton.decision.decide import decide
from baton.decision.decision import Decision
from baton.decision.explanation import Explanation, explain
from baton.decision.explanation_people import explain_rep
from baton.decision.inputs import DecisionInputs
from baton.leads.history import LeadHistory, OpenHandoff
from baton.leads.states import LeadState
from baton.policy.facts import FactValue
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook


def decided(
    policy: Policy, roster: Roster, facts: dict[str, FactValue], **given: object
) -> tuple[DecisionInputs, Decision]:
    inputs = inputs_of(policy, facts, **given)
    return inputs, decide(inputs, policy, roster, PoolBook())


def sentences(told: Explanation, key: str) -> str:
    passage = told.passage(key)
    return "\n".join(passage.sentences) if passage else ""


@pytest.mark.requirement("000-08")
def test_each_reason_and_each_step_is_told(policy: Policy, roster: Roster) -> None:
    inputs, decision = decided(policy, roster, DEMO)
    told = explain(inputs, decision, policy, roster)

    assert decision.score is not None
    assert decision.route is not None
    assert told.headline.startswith(f"It was handed over to sales, to Jonas Keller ({JONAS})")
    for reason in decision.score.reasons:
        assert f"{reason.say} [{reason.rule}]" in sentences(told, "score")
    for step in decision.route.trace:
        said = step.text.replace("does not apply: ", "does not apply; it asks that ")
        assert f"{step.step}: {said}" in sentences(told, "owner")
    assert "are above 75: hot." in sentences(told, "band")
    assert "Trigger 'Demo request', 2026-11-24 09:00 UTC" in sentences(told, "band")
    assert "Mira Lindner (pool SDR DACH): could have been picked" in sentences(told, "others")
    assert "would have" in sentences(told, "changes")


def test_the_distance_to_the_next_band_is_told(policy: Policy, roster: Roster) -> None:
    told = explain(*decided(policy, roster, WARM), policy, roster)
    assert "71 points are at least 50: warm." in sentences(told, "band")
    assert "it lacks more than 4 points" in sentences(told, "band")
    assert told.headline.startswith("It stays with marketing: ")


def test_no_personal_value_stands_in_what_is_told(policy: Policy, roster: Roster) -> None:
    facts = {**DEMO, "Last name": "Vogelmarker", "E-mail": "vogelmarker@softworks.test"}
    told = explain(*decided(policy, roster, facts), policy, roster)
    text = " ".join(one for passage in told.passages for one in passage.sentences)
    assert "ogelmarker" not in told.headline + text


def test_without_policy_and_roster_the_record_alone_is_told(policy: Policy, roster: Roster) -> None:
    inputs, decision = decided(policy, roster, DEMO)
    told = explain(inputs, decision, None, None)
    assert JONAS in told.headline
    assert sentences(told, "score")
    assert sentences(told, "owner")
    assert told.changes is None
    assert told.passage("band") is None


def test_a_colleague_who_was_away_hears_so(policy: Policy, roster: Roster) -> None:
    gone = away(roster, MIRA)
    inputs, decision = decided(policy, gone, DEMO)
    found = explain_rep(inputs, decision, policy, gone, MIRA)
    assert found.title == "Why not Mira Lindner"
    assert any("is away until 2026-11-27" in one for one in found.sentences)
    # The pool's turn was not hers: being there would not have been enough.
    still = f"If Mira Lindner had not been away, it would have gone to Jonas Keller ({JONAS})"
    assert f"{still} all the same." in found.sentences
    other = away(roster, JONAS)
    inputs, decision = decided(policy, other, DEMO)
    found = explain_rep(inputs, decision, policy, other, JONAS)
    assert f"If Jonas Keller had not been away, it would have gone to Jonas Keller ({JONAS})." in (
        found.sentences
    )


def test_a_colleague_of_another_pool_hears_what_the_lead_lacked(
    policy: Policy, roster: Roster
) -> None:
    inputs, decision = decided(policy, roster, DEMO)
    found = explain_rep(inputs, decision, policy, roster, "sofia.ricci@relay.test")
    text = " ".join(found.sentences)
    assert "Segment is Mid-market, but it is Small" in text
    owner = explain_rep(inputs, decision, policy, roster, JONAS.upper())
    assert owner.title == "Why Jonas Keller"


def test_a_manager_in_no_pool_hears_that_no_rule_leads_there(
    policy: Policy, roster: Roster
) -> None:
    inputs, decision = decided(policy, roster, DEMO)
    found = explain_rep(inputs, decision, policy, roster, "nadia.petrov@relay.test")
    assert "Nadia Petrov is in no pool." in found.sentences
    assert any("No rule of the policy leads there" in one for one in found.sentences)


def test_news_of_an_open_handoff_stays_with_its_owner(policy: Policy, roster: Roster) -> None:
    history = LeadHistory(
        state=LeadState.IN_HANDOFF, open_handoff=OpenHandoff(1, MIRA, 1), band_before="nurture"
    )
    inputs, decision = decided(policy, roster, DEMO, history=history)
    told = explain(inputs, decision, policy, roster)
    assert told.headline.startswith(f"Its owner was told of news, to Mira Lindner ({MIRA})")


def test_a_band_kept_by_its_margin_is_told_so(policy: Policy, roster: Roster) -> None:
    hot = policy.bands["hot"].model_copy(update={"stays_above": 70})
    kept = policy.model_copy(update={"bands": {**policy.bands, "hot": hot}})
    kept = type(policy).model_construct(**{n: getattr(kept, n) for n in type(policy).model_fields})
    inputs, _ = decided(policy, roster, WARM, history=LeadHistory(band_before="hot"))
    inputs = replace(inputs, decided_at=NOW + timedelta(minutes=1))
    decision = decide(inputs, kept, roster, PoolBook())
    told = explain(inputs, decision, kept, roster, search=False)
    assert decision.band == "hot"
    assert "stays so while above 70" in sentences(told, "band")
    assert told.changes is None
