"""The plain judge and Great Expectations come to the same verdicts on the same leads."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from baton.leads.facts import Problem
from baton.policy.bundle import PolicyBundle
from baton.policy.facts import FactValue
from baton.policy.loader import parse_policy, read_bundle
from baton.policy.models import Policy
from baton.validation.plain import PlainValidator
from baton.validation.verdicts import LeadToJudge, LeadValidator

SHIPPED = Path(__file__).parents[3] / "include" / "policy"
STRICT = """
fields:
  Message: {hubspot: message, personal: true, matches: "^[A-Z]"}
required:
  always: [E-mail, Company size]
  quiz: [First name, Quiz score, Message]
  hot: [Company size, Visits, Tech stack]
"""
VALUES: dict[str, tuple[FactValue, ...]] = {
    "E-mail": ("a@b.test", None, "  "),
    "Company size": (None, 0, 1, 300, 5_000_000, 5_000_001),
    "First name": ("Robin", "", None),
    "Quiz score": (Decimal("-0.5"), Decimal(0), Decimal(100), Decimal("100.1"), None),
    "Message": ("Hello", "hello", "", None),
    "Visits": (0, -1, 100_001, None),
    "Tech stack": (("HubSpot",), (), None),
}
SCOPES = ((), ("quiz",), ("hot",), ("quiz", "hot"), ("unknown",))
PROBLEM = Problem("Company size", "not_a_number", "is not a whole number")


def policy() -> Policy:
    texts = dict(read_bundle(SHIPPED).texts)
    return parse_policy(PolicyBundle({**texts, "overlays/strict.yaml": STRICT}))


def test_both_judge_alike() -> None:
    chance = random.Random(7)
    leads = [
        LeadToJudge(
            str(number),
            {label: chance.choice(choices) for label, choices in VALUES.items()},
            frozenset(chance.choice(SCOPES)),
            (PROBLEM,) if number % 3 == 0 else (),
        )
        for number in range(400)
    ]
    agreed = policy()
    by_table = LeadValidator(agreed).verdicts(leads)
    plain = PlainValidator.of(agreed)
    assert any(not verdict.ok for verdict in by_table.values())
    assert any(verdict.ok for verdict in by_table.values())
    for lead in leads:
        found = plain.verdict(lead.facts, scopes=lead.scopes, problems=lead.problems)
        expected = by_table[lead.key]
        assert (found.ok, set(found.failures)) == (expected.ok, set(expected.failures)), lead
