"""What is allowed with a lead: hand it off, e-mail it, call it; and what forbids a handoff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from baton.policy.conditions import Condition
from baton.policy.facts import Facts
from baton.policy.models import Policy

NO_PERMISSION = "no_permission"


@dataclass(frozen=True, slots=True)
class Permissions:
    """The three permissions. `reason_code` and `words` say what forbids a handoff."""

    hand_off: bool
    email: bool
    call: bool
    reason_code: str | None = None
    words: str = ""


def permissions(facts: Facts, policy: Policy, moment: datetime) -> Permissions:
    """Tell what is allowed. An opt-out of e-mail or calls never stops a handoff."""
    wanted = policy.permission
    email = not _holds(wanted.email_unless, facts, moment)
    call = not _holds(wanted.call_unless, facts, moment)
    for condition, reason_code, words in refusals(policy):
        if condition.evaluate(facts, moment):
            return Permissions(False, email, call, reason_code, words)
    return Permissions(True, email, call)


def refusals(policy: Policy) -> list[tuple[Condition, str, str]]:
    """Return what forbids a handoff, with reason codes and words; the first that holds counts."""
    found = [(rule.when, rule.id, rule.say) for rule in policy.suppress]
    unless = policy.permission.hand_off_unless
    if unless is not None:
        found.insert(0, (unless, NO_PERMISSION, "did not allow to be handed to sales"))
    return found


def _holds(condition: Condition | None, facts: Facts, moment: datetime) -> bool:
    return condition is not None and condition.evaluate(facts, moment)
