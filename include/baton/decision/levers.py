"""What could be tried on a lead: single things that would make some test of the policy turn.

They come from the policy's own conditions, so nothing is tried that no rule looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal

from baton.decision.boundary_values import MOST_CHOICES, boundary_values, sample_value
from baton.decision.decision import Decision
from baton.decision.facts_that_follow import FactChange, FactsThatFollow
from baton.decision.inputs import DecisionInputs, personal_labels
from baton.policy.conditions import Condition, Operator, Test
from baton.policy.facts import FactValue, known
from baton.policy.models import Policy, ScoreRule

_MAILBOX = ("Free mail", "Disposable address")


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing that could have been otherwise: its facts, how far it moves them, how to say it.

    `cost`: how far the fact moves for its own size; 1 for another choice, 0.5 for something that
    was not known. `order`: its place in the policy. `event`: the thing as something that happened
    ("they had asked for a demo"), where it is one.
    """

    facts: tuple[FactChange, ...]
    cost: float
    order: int
    event: str = ""

    @property
    def labels(self) -> frozenset[str]:
        """Return the labels that it changes."""
        return frozenset(change.label for change in self.facts)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A condition of the policy, and the words of what it stands for."""

    when: Condition
    say: str = ""


def levers(
    inputs: DecisionInputs, decision: Decision, policy: Policy, model: FactsThatFollow
) -> tuple[Lever, ...]:
    """Return every single thing worth trying, smallest move first, then in the policy's order."""
    found: dict[tuple[tuple[str, FactValue], ...], Lever] = {}
    forbidden = model.untouchable()
    for order, lever in enumerate(_all_levers(inputs, decision, policy)):
        key = tuple((change.label, change.after) for change in lever.facts)
        if lever.labels & forbidden or key in found:
            continue
        found[key] = Lever(lever.facts, lever.cost, order, lever.event)
    return tuple(sorted(found.values(), key=lambda lever: (lever.cost, lever.order)))


def _all_levers(inputs: DecisionInputs, decision: Decision, policy: Policy) -> Iterator[Lever]:
    missing = dict.fromkeys(failure.label for failure in decision.failures)
    rest = completed(missing, inputs, policy)
    if rest is not None:
        yield rest
    for asked in _asked(policy):
        for test in asked.when.tests():
            yield from _of_test(test, asked, inputs, policy)
    for rule in policy.score:
        yield from _of_counting(rule, inputs, policy)
    yield from _territories(inputs, policy)


def completed(missing: Iterable[str], inputs: DecisionInputs, policy: Policy) -> Lever | None:
    """Return the one thing that everything missing or unusable had been given, or None."""
    personal = personal_labels(policy)
    changes = []
    for label in missing:
        field = policy.fields.get(label)
        if field is None or field.derived:
            continue
        secret = label in personal
        value = None if secret else sample_value(field, inputs.decided_at)
        changes.append(FactChange(label, inputs.facts.get(label), value, only_known=True))
    return Lever(tuple(changes), 0.5 * len(changes), 0) if changes else None


def _asked(policy: Policy) -> Iterator[_Asked]:
    yield from (_Asked(rule.when, rule.say) for rule in policy.score)
    for trigger in policy.triggers_strongest_first:
        yield _Asked(trigger.when, f"a new event '{trigger.label}'")
    yield from (_Asked(rule.when) for rule in policy.route)
    yield from (_Asked(rule.when) for rule in policy.suppress)
    wanted = policy.permission
    for condition in (wanted.hand_off_unless, wanted.email_unless, wanted.call_unless):
        if condition is not None:
            yield _Asked(condition)
    if policy.customers is not None:
        yield _Asked(policy.customers.when)
    for groups in (policy.segments, policy.product_lines, policy.deal_sizes):
        yield from (_Asked(group.when) for group in groups)


def _of_test(test: Test, asked: _Asked, inputs: DecisionInputs, policy: Policy) -> Iterator[Lever]:
    field = policy.fields.get(test.label)
    if field is None or field.personal:
        return
    value, moment = inputs.facts.get(test.label), inputs.decided_at
    if field.derived:
        yield from _of_derived(test, inputs, policy)
        return
    for found, holds in boundary_values(test, field, value, moment):
        words = _condition_words(test)
        change = FactChange(
            test.label, value, found, words if holds or not words else f"not {words}"
        )
        event = asked.say if holds and isinstance(found, date) and "{" not in asked.say else ""
        yield Lever((change,), distance(value, found), 0, _happened(event))


def _happened(event: str) -> str:
    return f"they had {event}" if event else ""


def _of_derived(test: Test, inputs: DecisionInputs, policy: Policy) -> Iterator[Lever]:
    """Yield what would change a derived fact by way of its source."""
    facts, moment = inputs.facts, inputs.decided_at
    if test.label == "Form" and {"Last conversion", "Last conversion at"} <= policy.fields.keys():
        for name in _operands(test):
            if facts.get("Form") != name:
                yield Lever(
                    (
                        FactChange("Last conversion", facts.get("Last conversion"), name),
                        FactChange("Last conversion at", facts.get("Last conversion at"), moment),
                    ),
                    0.5,
                    0,
                    f"they had sent the form '{name}'",
                )
    if test.label in _MAILBOX and facts.get(test.label) is True:
        yield Lever(
            (
                FactChange(test.label, True, False),
                FactChange("E-mail domain", facts.get("E-mail domain"), None),
            ),
            1.0,
            0,
            "they had written from an address of the company",
        )
    if test.label == "Role address" and facts.get(test.label) is True:
        change = FactChange(test.label, True, False)
        yield Lever((change,), 1.0, 0, "they had given a mailbox of their own")


def _operands(test: Test) -> Iterable[str]:
    if test.operator not in (Operator.IS, Operator.IN):
        return ()
    parts = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    return tuple(part for part in parts if isinstance(part, str))[:MOST_CHOICES]


def _of_counting(rule: ScoreRule, inputs: DecisionInputs, policy: Policy) -> Iterator[Lever]:
    """Yield other counts of a rule that counts, and something new where points fade."""
    facts, moment = inputs.facts, inputs.decided_at
    counted = policy.fields.get(rule.counted_by or "")
    if counted is not None and not counted.derived and not counted.personal:
        held = facts.get(counted.label)
        for number in range((rule.cap or MOST_CHOICES) + 1):
            if held != number:
                change = FactChange(counted.label, held, number)
                yield Lever((change,), distance(held, number), 0)
    since = policy.fields.get(rule.since or "")
    if since is None or since.derived or since.personal:
        return
    held = facts.get(since.label)
    if held != moment and rule.when.evaluate(facts, moment):
        event = _happened(rule.say) if "{" not in rule.say else ""
        yield Lever((FactChange(since.label, held, moment),), 1.0, 0, event)


def _territories(inputs: DecisionInputs, policy: Policy) -> Iterator[Lever]:
    """Yield one country for each territory."""
    if "Country" not in policy.fields:
        return
    held = inputs.facts.get("Country")
    day = inputs.decided_at.astimezone(UTC).date()
    seen = {inputs.facts.get("Territory")}
    for row in policy.territories.rows:
        whole = policy.territories.of(row.country, None, day)
        if row.region is None and whole == row.territory and whole not in seen:
            seen.add(whole)
            words = f"territory {row.territory}"
            yield Lever((FactChange("Country", held, row.country, words),), 1.0, 0)


def _condition_words(test: Test) -> str:
    """Return what a test asks without its label: "between 50 and 1000"; a pattern says nothing."""
    if test.operator is Operator.MATCHES:
        return ""
    return test.describe().removeprefix(f"{test.label} ").removeprefix("is ")


def distance(before: FactValue, after: FactValue) -> float:
    """Return how far a fact moves, for its own size. Only for ordering: no score knows it."""
    if not known(before):
        return 0.5
    numbers = isinstance(before, int | Decimal) and isinstance(after, int | Decimal)
    if numbers and not isinstance(before, bool) and not isinstance(after, bool):
        old, new = float(before), float(after)  # type: ignore[arg-type]  # numbers, as just asked
        return abs(new - old) / max(abs(old), 1.0)
    return 1.0
