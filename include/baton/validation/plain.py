"""The field rules of a policy judged lead by lead, without Great Expectations.

For whoever judges a lead outside a batch of the pipeline: an export on a desk, a lead of the past
under another policy. Great Expectations costs ten seconds of imports and judges whole tables; the
rules are the same (`baton.validation.rules`), and a test holds both to the same verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from baton.leads.facts import Problem
from baton.leads.verdict import GOOD, Failure, Verdict
from baton.policy.facts import Facts, FactValue, known
from baton.policy.models import Policy
from baton.validation.rules import ALWAYS, FieldRule, RuleKind, field_rules

__all__ = ["PlainValidator"]


@dataclass(frozen=True, slots=True)
class PlainValidator:
    """Judges leads one by one against the field rules of one policy."""

    rules: tuple[FieldRule, ...]

    @classmethod
    def of(cls, policy: Policy) -> PlainValidator:
        """Return the validator of a policy."""
        return cls(field_rules(policy))

    def verdict(
        self,
        facts: Facts,
        *,
        scopes: frozenset[str] | None = None,
        problems: Iterable[Problem] = (),
    ) -> Verdict:
        """Return the verdict on one lead; `scopes` None: every rule binds it."""
        words: dict[str, str] | None = None
        failures: list[Failure] = []
        bound = None if scopes is None else scopes | {ALWAYS}
        for rule in self.rules:
            if bound is not None and not rule.applies_to(bound):
                continue
            if not _breaks(rule, facts.get(rule.label)):
                continue
            words = {one.label: one.message for one in problems} if words is None else words
            message = rule.words(problem=words.get(rule.label))
            failures.append(Failure(rule.label, rule.kind.value, message))
        return Verdict(ok=False, failures=tuple(failures)) if failures else GOOD


def _breaks(rule: FieldRule, value: FactValue) -> bool:
    """Tell whether a value breaks a rule; what is missing breaks only "required"."""
    if rule.kind is RuleKind.REQUIRED:
        return not known(value)
    if not known(value):
        return False
    if rule.kind is RuleKind.MATCHES:
        return _pattern(str(rule.bound)).search(str(value)) is None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    bound = Decimal(str(rule.bound))
    return value < bound if rule.kind is RuleKind.AT_LEAST else value > bound


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
