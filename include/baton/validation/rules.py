"""The field rules of a policy, as a flat list that a validator can check column by column."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from baton.policy.fields import Field
from baton.policy.models import Policy

ALWAYS = "always"


class RuleKind(StrEnum):
    """What a rule asks of a value."""

    REQUIRED = "required"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    MATCHES = "matches"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One demand on one field.

    `scopes` says whom it binds: everybody (`always`), the leads of a trigger, or those of a band.
    A field that a lead does not need cannot quarantine that lead, whatever it holds.
    """

    label: str
    kind: RuleKind
    bound: Decimal | str | None = None
    scopes: frozenset[str] = frozenset()

    def applies_to(self, scopes: frozenset[str]) -> bool:
        """Tell whether a lead with these scopes is bound by the rule."""
        return bool(self.scopes & scopes)

    def words(self, *, problem: str | None = None) -> str:
        """Return what is wrong, in words an admin understands, without the value itself."""
        match self.kind:
            case RuleKind.REQUIRED:
                text = f"{self.label} is missing"
                return f"{self.label} is unusable: {problem}" if problem else text
            case RuleKind.AT_LEAST:
                return f"{self.label} is below {self.bound}"
            case RuleKind.AT_MOST:
                return f"{self.label} is above {self.bound}"
            case RuleKind.MATCHES:
                return f"{self.label} does not have the expected form"


def field_rules(policy: Policy) -> tuple[FieldRule, ...]:
    """Return the rules of a policy: for each field that anyone needs, presence and bounds."""
    scopes: dict[str, set[str]] = {}
    for scope, labels in policy.required.items():
        for label in labels:
            scopes.setdefault(label, set()).add(scope)
    return tuple(
        rule
        for label, names in scopes.items()
        for rule in _rules_of(label, policy.fields.get(label), frozenset(names))
    )


def _rules_of(label: str, spec: Field | None, scopes: frozenset[str]) -> list[FieldRule]:
    rules = [FieldRule(label, RuleKind.REQUIRED, scopes=scopes)]
    if spec is None:
        return rules
    bounds = (
        (RuleKind.AT_LEAST, spec.at_least),
        (RuleKind.AT_MOST, spec.at_most),
        (RuleKind.MATCHES, spec.matches),
    )
    rules += [FieldRule(label, kind, bound, scopes) for kind, bound in bounds if bound is not None]
    return rules
