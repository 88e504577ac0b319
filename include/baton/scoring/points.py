"""Points with reasons: the score is exactly the sum of what it lists.

Points are whole thousandths of a point, decay is a table of whole millionths over whole days, so
no float is ever summed and a stored score can be reproduced on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from baton.policy.conditions import Condition
from baton.policy.facts import Facts
from baton.policy.models import Policy, RoleAddresses, ScoreGroup, ScoreKind, ScoreRule
from baton.policy.phrases import fill

ROLE_ADDRESS = "Role address"
"""The derived fact that the mailbox is a company's (info@), not a person's."""
DECAY_UNIT = 1_000_000
MOST_TIMES = 1000
"""How often points for each of a number count at most, where the policy does not say."""
_DECIMALS = Context(prec=40, rounding=ROUND_HALF_EVEN)
_DAY = timedelta(days=1)

Holds = Callable[[Condition, Facts, datetime], bool]
"""How a condition is judged; the decision passes one that knows outcomes on personal facts."""

Say = Callable[[str, Facts], str]
"""How a sentence gets its values; the decision passes one that leaves personal ones open."""


def evaluated(condition: Condition, facts: Facts, moment: datetime) -> bool:
    """Judge a condition on the facts alone."""
    return condition.evaluate(facts, moment)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why points were given: the rule, which half it counts for, thousandths of a point, words."""

    rule: str
    kind: ScoreKind
    points_milli: int
    say: str


@dataclass(frozen=True, slots=True)
class Score:
    """A score in thousandths of a point; total = fit + intent = sum of the reasons."""

    total_milli: int
    fit_milli: int
    intent_milli: int
    reasons: tuple[Reason, ...]

    def strongest(self, count: int) -> tuple[Reason, ...]:
        """Return the `count` reasons that gave most; as written in the policy where equal."""
        return tuple(sorted(self.reasons, key=lambda reason: -reason.points_milli)[:count])


def score(
    facts: Facts,
    policy: Policy,
    moment: datetime,
    *,
    holds: Holds = evaluated,
    say: Say = fill,
) -> Score:
    """Add up the points of every rule that holds for `facts` at `moment` (aware).

    Of a mailbox that is no person's (fact "Role address") only the company is scored, unless the
    policy says otherwise.
    """
    reasons: list[Reason] = []
    by_group: dict[str, list[int]] = {}
    for rule in rules_for(facts, policy):
        if not holds(rule.when, facts, moment):
            continue
        points = points_of(rule, facts, moment)
        if points == 0:
            continue
        if rule.group is not None:
            by_group.setdefault(rule.group, []).append(len(reasons))
        reasons.append(Reason(rule.id, rule.kind, points, say(rule.say, facts)))
    for name, places in by_group.items():
        _keep_below(policy.groups.get(name), places, reasons)
    return summed(reason for reason in reasons if reason.points_milli)


def rules_for(facts: Facts, policy: Policy) -> tuple[ScoreRule, ...]:
    """Return the rules that count for a lead: all, or for a role address those of the company."""
    only_company = policy.mail.role_addresses is RoleAddresses.COMPANY_ONLY
    if only_company and facts.get(ROLE_ADDRESS) is True:
        return policy.company_rules
    return policy.score


def points_of(rule: ScoreRule, facts: Facts, moment: datetime) -> int:
    """Return the thousandths of a point that a rule gives if its condition holds."""
    return _decayed(rule.points_milli * _times(rule, facts), rule, facts, moment)


@lru_cache(maxsize=512)
def decay_table(half_life_days: int) -> tuple[int, ...]:
    """Return what is left of a million after 0, 1, 2 … whole days; nothing after the last one."""
    half = Decimal(half_life_days)
    table: list[int] = []
    for day in range(21 * half_life_days):
        left = _DECIMALS.power(Decimal(2), _DECIMALS.divide(Decimal(-day), half))
        table.append(int(_DECIMALS.multiply(left, Decimal(DECAY_UNIT)).to_integral_value()))
    return tuple(table)


def whole_days(since: date | datetime, moment: datetime) -> int:
    """Return whole days from `since` to `moment`, at least zero; a date begins at midnight UTC."""
    if not isinstance(since, datetime):
        since = datetime(since.year, since.month, since.day, tzinfo=UTC)
    return max(0, (moment - since) // _DAY)


def _times(rule: ScoreRule, facts: Facts) -> int:
    """Return how often the points count: a number fact cut to the rule's limit, never below zero."""
    if rule.counted_by is None:
        return 1
    number = facts.get(rule.counted_by)
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        return 0
    if isinstance(number, Decimal) and not number.is_finite():
        return 0
    # Cut before it is made whole: 1E+999999 is a number too.
    return int(max(0, min(number, MOST_TIMES if rule.cap is None else rule.cap)))


def _decayed(points: int, rule: ScoreRule, facts: Facts, moment: datetime) -> int:
    half_life = rule.halves_every_days
    since = facts.get(rule.since) if rule.since else None
    if not half_life or not isinstance(since, date):
        return points
    if isinstance(since, datetime) and since.tzinfo is None:
        return points
    table = decay_table(half_life)
    days = whole_days(since, moment)
    left = table[days] if days < len(table) else 0
    rounded = (abs(points) * left + DECAY_UNIT // 2) // DECAY_UNIT
    return rounded if points > 0 else -rounded


def _keep_below(group: ScoreGroup | None, places: list[int], reasons: list[Reason]) -> None:
    """Take what is above a group's ceiling off its last reasons, and say so there."""
    if group is None:
        return
    excess = sum(reasons[place].points_milli for place in places) - group.at_most_milli
    for place in reversed(places):
        if excess <= 0:
            return
        reason = reasons[place]
        cut = min(excess, max(0, reason.points_milli))
        if cut:
            excess -= cut
            said = counted_up_to(group.name, reason.say)
            reasons[place] = replace(reason, points_milli=reason.points_milli - cut, say=said)


def counted_up_to(group: str, say: str) -> str:
    """Say that a group's ceiling took points off a reason."""
    return f"{say} (counted up to the ceiling of {group})"


def summed(reasons: Iterable[Reason]) -> Score:
    """Return the score that reasons add up to."""
    listed = tuple(reasons)
    halves: Mapping[ScoreKind, int] = {
        kind: sum(reason.points_milli for reason in listed if reason.kind is kind)
        for kind in ScoreKind
    }
    fit, intent = halves[ScoreKind.FIT], halves[ScoreKind.INTENT]
    return Score(fit + intent, fit, intent, listed)
