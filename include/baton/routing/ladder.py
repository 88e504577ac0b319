"""The ladder: the steps by which a lead finds its owner, each visible in the trace.

Existing business comes first (an open opportunity, a customer's account team, a named account),
then whoever knows the lead already, then territories and pools, then the queue that ends every
ladder. The policy's rules are walked in their order; the step "who knows the lead" stands before
the first rule that would hand the lead to a pool, a queue or a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from baton.leads.relations import CrmRelations
from baton.policy.conditions import Condition
from baton.policy.facts import Facts
from baton.policy.models import Distribution, Policy, PoolRule, RouteRule
from baton.policy.roster import Pool
from baton.policy.targets import Target, TargetKind
from baton.routing.distribution import PoolState, pick
from baton.routing.eligibility import Staffing, candidates

Holds = Callable[[Condition, Facts, datetime], bool]
STICKINESS = "knows-the-lead"
"""The id of the built-in step; the others are ids of the policy's route rules."""

_ASKED_BY_NAME = frozenset({TargetKind.POOL, TargetKind.QUEUE, TargetKind.PERSON})


class OwnerKind(StrEnum):
    """What can own a lead."""

    USER = "user"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class Owner:
    """A user by e-mail, or a queue by name."""

    kind: OwnerKind
    key: str


class RouteReason(StrEnum):
    """Why a lead went where it went, or nowhere. Every lead that is not routed has one."""

    OWNER_KEPT = "owner_kept"
    NAMED_ACCOUNT = "named_account"
    ACCOUNT_OWNER = "account_owner"
    LEAD_OWNER = "lead_owner"
    EARLIER_OWNER = "earlier_owner"
    POOL = "pool"
    PERSON = "person"
    QUEUE = "queue"
    NOBODY_AVAILABLE = "nobody_available"
    NO_RULE = "no_rule"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of the ladder or one candidate on it, in words; `chosen` marks what decided."""

    step: str
    text: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Where a lead goes. Without `owner` nobody could be found and `reason_code` says why.

    `change_owner` False: an existing relation keeps its owner and only a task is made. `recipient`
    is the role that was asked for, `channel` the Slack channel to tell instead of the owner,
    `watched_by` who watches the queue, `pool` the pool that picked the owner.
    """

    rule_id: str | None
    owner: Owner | None
    reason_code: RouteReason
    change_owner: bool = True
    recipient: str | None = None
    channel: str | None = None
    watched_by: str | None = None
    pool: str | None = None
    say: str = ""
    trace: tuple[TraceStep, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """What is asked of the ladder.

    `facts` include Score, Band, Trigger and Recipient. `known_to`: e-mails of those who know the
    lead already, in the order in which they are asked, each with the words for the trace.
    """

    facts: Facts
    relations: CrmRelations
    moment: datetime
    recipient: str | None = None
    channel: str | None = None
    known_to: tuple[tuple[str, RouteReason, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    owner: Owner
    reason: RouteReason
    pool: str | None = None


def evaluated(condition: Condition, facts: Facts, moment: datetime) -> bool:
    """Judge a condition on the facts alone."""
    return condition.evaluate(facts, moment)


def route(
    request: RouteRequest,
    policy: Policy,
    staffing: Staffing,
    *,
    holds: Holds = evaluated,
) -> Route:
    """Walk the ladder until a step finds somebody; a pick changes the pool in the book.

    A rule that matches and finds nobody uses its `if_nobody`; without one the next rules are
    tried. Once a rule that keeps the owner has matched, no later step changes the owner.
    """
    return _Ladder(request, policy, staffing, holds).climb()


class _Ladder:
    """One walk; collects the trace."""

    def __init__(
        self, request: RouteRequest, policy: Policy, staffing: Staffing, holds: Holds
    ) -> None:
        self.request, self.policy, self.staffing, self.holds = request, policy, staffing, holds
        self.trace: list[TraceStep] = []
        self.keeps_owner = False

    def climb(self) -> Route:
        asked = matched = False
        for rule in self.policy.route:
            if not asked and rule.to.kind in _ASKED_BY_NAME:
                asked = True
                sticky = self._somebody_who_knows()
                if sticky is not None:
                    return sticky
            if not self.holds(rule.when, self.request.facts, self.request.moment):
                self._note(rule.id, f"does not apply: {rule.when.describe()}")
                continue
            matched = True
            self.keeps_owner = self.keeps_owner or not rule.change_owner
            found = self._find(rule.id, rule.to) or self._find(rule.id, rule.if_nobody)
            if found is not None:
                return self._route(rule, found)
        reason = RouteReason.NOBODY_AVAILABLE if matched else RouteReason.NO_RULE
        self._note("end", "nobody was found on any step" if matched else "no rule applies")
        return self._finish(Route(None, None, reason))

    def _somebody_who_knows(self) -> Route | None:
        for key, reason, words in self.request.known_to:
            why_not = self.staffing.why_not_there(key) or self.staffing.why_full(key)
            if why_not is None:
                self._note(STICKINESS, f"{key} {words}", chosen=True)
                return self._finish(
                    Route(STICKINESS, Owner(OwnerKind.USER, key), reason, say=words)
                )
            self._note(STICKINESS, f"{key} {words}, but {why_not}")
        return None

    def _route(self, rule: RouteRule, found: _Found) -> Route:
        pool = self.policy.pools.get(found.pool) if found.pool else None
        kept = found.owner.kind is OwnerKind.USER and self.keeps_owner
        queued = found.owner.kind is OwnerKind.QUEUE
        return self._finish(
            Route(
                rule.id,
                found.owner,
                RouteReason.OWNER_KEPT if kept and not found.pool else found.reason,
                recipient=pool.recipient if pool else None,
                watched_by=rule.watched_by or (self._watcher() if queued else None),
                pool=found.pool,
                say=rule.say or (pool.say if pool else ""),
            )
        )

    def _finish(self, outcome: Route) -> Route:
        return replace(
            outcome,
            change_owner=not self.keeps_owner,
            recipient=self.request.recipient or outcome.recipient,
            channel=self.request.channel,
            trace=tuple(self.trace),
        )

    def _watcher(self) -> str | None:
        """Return who watches the queue at the end of the ladder: no queue goes unwatched."""
        return next((rule.watched_by for rule in self.policy.route if rule.fallback), None)

    def _find(self, step: str, target: Target | None) -> _Found | None:
        if target is None:
            return None
        match target.kind:
            case TargetKind.QUEUE:
                self._note(step, f"queue {target.name}", chosen=True)
                return _Found(Owner(OwnerKind.QUEUE, target.name or ""), RouteReason.QUEUE)
            case TargetKind.POOL:
                return self._from_pool(step, target.name or "")
            case TargetKind.PERSON:
                return self._one_person(step, target, target.name, RouteReason.PERSON)
            case TargetKind.OPPORTUNITY_OWNER:
                owner = self.request.relations.open_opportunity_owner
                return self._one_person(step, target, owner, RouteReason.OWNER_KEPT)
            case TargetKind.ACCOUNT_OWNER:
                owner = self.request.relations.account_owner
                return self._one_person(step, target, owner, RouteReason.ACCOUNT_OWNER)
            case TargetKind.LEAD_OWNER:
                owner = self.request.relations.salesforce_lead_owner
                return self._one_person(step, target, owner, RouteReason.LEAD_OWNER)
            case TargetKind.NAMED_ACCOUNT_OWNER:
                named = self.request.facts.get("Named account owner")
                owner = named if isinstance(named, str) else None
                return self._one_person(step, target, owner, RouteReason.NAMED_ACCOUNT)

    def _one_person(
        self, step: str, target: Target, key: str | None, reason: RouteReason
    ) -> _Found | None:
        """Return somebody who is asked for by relation or name, unless gone, away or excluded."""
        if not key:
            self._note(step, f"{target}: there is none")
            return None
        key = key.lower()
        why_not = self.staffing.why_not_there(key)
        outside = self.staffing.roster.rep(key) is None and target.kind is not TargetKind.PERSON
        if why_not is not None and not (outside and key not in self.staffing.excluded):
            self._note(step, f"{target} {key} {why_not}")
            return None
        note = ", not in the roster: hours unknown" if outside else ""
        self._note(step, f"{target} {key}{note}", chosen=True)
        return _Found(Owner(OwnerKind.USER, key), reason)

    def _from_pool(self, step: str, name: str) -> _Found | None:
        pool, rule = self.staffing.roster.pool(name), self.policy.pools.get(name)
        if pool is None or not pool.members:
            self._note(step, f"pool {name} has no members in the roster")
            return None
        found = candidates(pool, rule, self.staffing)
        for rep, reason in found.refused:
            self._note(step, f"pool {name}: {rep} {reason}")
        chosen, state = self._pick(pool, rule, found.eligible)
        if chosen is None:
            self._note(step, f"pool {name}: nobody can be picked")
            return None
        for rep in found.eligible:
            owed = float(state.balance_of(rep))
            words = "is next" if rep == chosen else "could have been picked"
            text = f"pool {name}: {rep} {words}; balance {owed:+.2f} leads after this one"
            self._note(step, text, chosen=rep == chosen)
        self.staffing.book.put(name, state)
        return _Found(Owner(OwnerKind.USER, chosen), RouteReason.POOL, name)

    def _pick(
        self, pool: Pool, rule: PoolRule | None, eligible: tuple[str, ...]
    ) -> tuple[str | None, PoolState]:
        weights = {member.rep: member.weight for member in pool.members}
        state = self.staffing.book.state(pool.name)
        if rule is not None and rule.distribute is Distribution.LOAD_BALANCE and eligible:
            eligible = self._least_loaded(weights, eligible)
        return pick(weights, eligible, state)

    def _least_loaded(self, weights: dict[str, int], eligible: tuple[str, ...]) -> tuple[str, ...]:
        """Return those with the fewest open handoffs for their weight; the pool's turn decides ties."""
        spread = 1
        for rep in eligible:
            spread *= weights[rep]
        load = {rep: self.staffing.book.loads(rep)[0] * spread // weights[rep] for rep in eligible}
        least = min(load.values())
        return tuple(rep for rep in eligible if load[rep] == least)

    def _note(self, step: str, text: str, *, chosen: bool = False) -> None:
        self.trace.append(TraceStep(step, text, chosen))
