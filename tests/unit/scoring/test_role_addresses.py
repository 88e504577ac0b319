"""Of info@ and the like the company is scored, and nothing that a person would have done or said."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from baton.policy.facts import Facts
from baton.policy.models import MailLists, Policy, RoleAddresses, ScoreKind
from baton.scoring.points import rules_for, score
from baton.scoring.triggers import fired

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
FACTS: Facts = {
    "Role address": True,
    "Company size": 300,
    "Industry": "COMPUTER_SOFTWARE",
    "Territory": "DACH",
    "Tech stack": ("HubSpot",),
    "Job title": "Chief Marketing Officer",
    "Content downloads": 5,
    "Last content at": NOW,
    "Quiz score": Decimal(90),
    "Quiz taken at": NOW,
}


def test_only_rules_about_the_company_count(policy: Policy) -> None:
    found = score(FACTS, policy, NOW)
    assert {reason.rule for reason in found.reasons} == {
        "size-fit",
        "industry-fit",
        "territory-served",
        "tech-fit",
    }
    assert found.total_milli == found.fit_milli == 40_000
    assert found.total_milli == sum(reason.points_milli for reason in found.reasons)


def test_negative_points_of_the_company_count_as_well(policy: Policy) -> None:
    facts = {**FACTS, "Company size": 3}
    assert "size-tiny" in {reason.rule for reason in score(facts, policy, NOW).reasons}


def test_what_it_asks_for_is_heard_all_the_same(policy: Policy) -> None:
    """A trigger is no score: whoever answers the mailbox raised a hand."""
    assert [one.trigger.id for one in fired(FACTS, policy, NOW, captured_at=NOW)] == ["quiz"]


@pytest.mark.parametrize("value", [False, None, "yes"])
def test_a_persons_address_is_scored_in_full(policy: Policy, value: bool | str | None) -> None:
    facts = {**FACTS, "Role address": value}
    assert rules_for(facts, policy) == policy.score
    assert score(facts, policy, NOW).intent_milli > 0


def test_a_policy_may_score_them_as_anybody(policy: Policy) -> None:
    mail = MailLists(role_addresses=RoleAddresses.PERSON)
    changed = policy.model_copy(update={"mail": mail})
    assert score(FACTS, changed, NOW).intent_milli > 0


def test_the_rules_of_the_company_read_only_facts_of_the_company(policy: Policy) -> None:
    assert all(rule.kind is ScoreKind.FIT for rule in policy.company_rules)
    labels = {label for rule in policy.company_rules for label in rule.when.labels()}
    assert labels == {"Company size", "Industry", "Tech stack", "Territory"}
    about = {label for label, field in policy.fields.items() if field.about_company}
    assert {"Company domain", "Website", "Segment", "Account type"} <= about
    assert not about & {"E-mail", "Job title", "Country", "Form", "Source"}
