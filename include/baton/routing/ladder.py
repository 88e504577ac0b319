"""The ladder: the steps by which a lead finds its owner, each visible in the trace.

Existing business comes first (an open opportunity, a customer's account team, a named account),
the host of a meeting), then whoever knows the lead or its colleagues already, then territories and
pools, then the queue that ends every ladder. The policy's rules are walked in their order; the step
"who knows the lead" stands before the first rule that would hand it to a pool, a queue or a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import lcm

from baton.leads.relations import CrmRelations
from baton.policy.conditions import Condition
from baton.policy.facts import Facts
from baton.policy.models import Distribution, Policy, PoolRule, RouteRule
from baton.policy.targets import Target, TargetKind
from baton.routing.distribution import pick
from baton.routing.eligibility import Staffing, candidates
from baton.routing.fit import fit

Holds = Callable[[Condition, Facts, datetime], bool]
STICKINESS = "knows-the-lead"
"""The id of the built-in step; the others are ids of the policy's route rules."""

PERMISSION = "permission"
"""The id of the first step: whether the lead may be handed off at all was judged before."""

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
    SAME_PERSON = "same_person"
    LOST_OPPORTUNITY = "lost_opportunity"
    MEETING_HOST = "meeting_host"
    COLLEAGUE = "colleague"
    TESTER = "tester"
    POOL = "pool"
    PERSON = "person"
    QUEUE = "queue"
    NOBODY_AVAILABLE = "nobody_available"
    NO_RULE = "no_rule"


_REASONS = {
    TargetKind.PERSON: RouteReason.PERSON,
    TargetKind.OPPORTUNITY_OWNER: RouteReason.OWNER_KEPT,
    TargetKind.ACCOUNT_OWNER: RouteReason.ACCOUNT_OWNER,
    TargetKind.LEAD_OWNER: RouteReason.LEAD_OWNER,
    TargetKind.NAMED_ACCOUNT_OWNER: RouteReason.NAMED_ACCOUNT,
    TargetKind.LOST_OPPORTUNITY_OWNER: RouteReason.LOST_OPPORTUNITY,
    TargetKind.MEETING_HOST: RouteReason.MEETING_HOST,
}


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
    `watched_by` who watches the queue, `pool` the pool that picked the owner. `waits_for`: who must
    be there again before it is worth trying anew ("pool SDR DACH", "person ana@example.com").
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
    waits_for: str | None = None
    trace: tuple[TraceStep, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """What is asked of the ladder.

    `facts` include Score, Band, Trigger and Recipient. `known_to`: e-mails of those who know the
    lead already, in the order in which they are asked, each with the words for the trace.
    `permission`: the words of the first step. `may_wait`: rules that let a lead wait for somebody
    are obeyed; not so once it has waited long enough. `rather_waits`: it waits for a pool that is
    full even where a buyer would go to a queue. `host`: who hosts the meeting that it has booked.
    """

    facts: Facts
    relations: CrmRelations
    moment: datetime
    recipient: str | None = None
    channel: str | None = None
    known_to: tuple[tuple[str, RouteReason, str], ...] = ()
    permission: str = ""
    may_wait: bool = True
    rather_waits: bool = False
    host: str | None = None


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
    rules: Sequence[RouteRule] | None = None,
) -> Route:
    """Walk the ladder until a step finds somebody; a pick changes the pool in the book.

    A rule that matches and finds nobody uses its `if_nobody`: somebody else, the next rules (where
    nothing is said, too), or waiting, which ends the walk without an owner. Once a rule that keeps the
    owner has matched, no later step changes the owner. `rules`: those that are left to walk, where
    the others are known not to apply.
    """
    return _Ladder(request, policy, staffing, holds).climb(policy.route if rules is None else rules)


class _Ladder:
    """One walk; collects the trace."""

    def __init__(
        self, request: RouteRequest, policy: Policy, staffing: Staffing, holds: Holds
    ) -> None:
        self.request, self.policy, self.staffing, self.holds = request, policy, staffing, holds
        self.trace: list[TraceStep] = []
        self.keeps_owner = False

    def climb(self, rules: Sequence[RouteRule]) -> Route:
        asked = matched = False
        if self.request.permission:
            self._note(PERMISSION, self.request.permission)
        for rule in rules:
            if not asked and rule.to.kind in _ASKED_BY_NAME:
                asked = True
                sticky = self._somebody_who_knows()
                if sticky is not None:
                    return sticky
            if not self.holds(rule.when, self.request.facts, self.request.moment):
                self._note(rule.id, f"does not apply: {rule.when_in_words}")
                continue
            matched = True
            self.keeps_owner = self.keeps_owner or not rule.change_owner
            found = self._find(rule.id, rule.to)
            if found is None and self._waits(rule):
                return self._waiting(rule)
            found = found or self._find(rule.id, rule.if_nobody)
            if found is not None:
                return self._route(rule, found)
        reason = RouteReason.NOBODY_AVAILABLE if matched else RouteReason.NO_RULE
        self._note("end", "nobody was found on any step" if matched else "no rule applies")
        return self._finish(None, None, reason)

    def _somebody_who_knows(self) -> Route | None:
        for key, reason, words in self.request.known_to:
            why_not = self.staffing.why_not_there(key)
            why_not = why_not or self.staffing.why_full_everywhere(key, self.policy.pools)
            if why_not is None:
                self._note(STICKINESS, f"{key} {words}", chosen=True)
                return self._finish(STICKINESS, Owner(OwnerKind.USER, key), reason, say=words)
            self._note(STICKINESS, f"{key} {words}, but {why_not}")
        return None

    def _waits(self, rule: RouteRule) -> bool:
        """Tell whether a lead for which `rule` finds nobody is held until it does."""
        after = rule.if_nobody.kind if rule.if_nobody else None
        if not self.request.may_wait or rule.fallback:
            return False
        spills = after in (None, TargetKind.QUEUE) and rule.to.kind is TargetKind.POOL
        return after is TargetKind.WAIT or (spills and self.request.rather_waits)

    def _waiting(self, rule: RouteRule) -> Route:
        self._note(rule.id, f"nobody of {rule.to} can take it now: it waits", chosen=True)
        pool = rule.to.name if rule.to.kind is TargetKind.POOL else None
        key = None if pool else self._key_of(rule.to)
        waits_for = f"pool {pool}" if pool else f"person {key}" if key else None
        nobody = RouteReason.NOBODY_AVAILABLE
        return self._finish(rule.id, None, nobody, pool=pool, waits_for=waits_for)

    def _route(self, rule: RouteRule, found: _Found) -> Route:
        pool = self.policy.pools.get(found.pool) if found.pool else None
        kept = found.owner.kind is OwnerKind.USER and self.keeps_owner
        queued = found.owner.kind is OwnerKind.QUEUE
        return self._finish(
            rule.id,
            found.owner,
            RouteReason.OWNER_KEPT if kept and not found.pool else found.reason,
            recipient=pool.recipient if pool else None,
            watched_by=rule.watched_by or (self._watcher() if queued else None),
            pool=found.pool,
            say=rule.say or (pool.say if pool else ""),
        )

    def _finish(
        self,
        rule_id: str | None,
        owner: Owner | None,
        reason: RouteReason,
        *,
        recipient: str | None = None,
        watched_by: str | None = None,
        pool: str | None = None,
        say: str = "",
        waits_for: str | None = None,
    ) -> Route:
        return Route(
            rule_id,
            owner,
            reason,
            change_owner=not self.keeps_owner,
            recipient=self.request.recipient or recipient,
            channel=self.request.channel,
            watched_by=watched_by,
            pool=pool,
            say=say,
            waits_for=waits_for,
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
            case TargetKind.WAIT | TargetKind.GO_ON:
                return None
            case _:
                return self._one_person(step, target, self._key_of(target), _REASONS[target.kind])

    def _key_of(self, target: Target) -> str | None:
        """Return who is meant by a target that is one person, or None if there is nobody."""
        relations = self.request.relations
        match target.kind:
            case TargetKind.PERSON:
                return target.name
            case TargetKind.OPPORTUNITY_OWNER:
                return relations.open_opportunity_owner
            case TargetKind.ACCOUNT_OWNER:
                return relations.account_owner
            case TargetKind.LEAD_OWNER:
                return relations.salesforce_lead_owner
            case TargetKind.LOST_OPPORTUNITY_OWNER:
                return relations.lost_opportunity_owner
            case TargetKind.MEETING_HOST:
                return self.request.host
            case TargetKind.NAMED_ACCOUNT_OWNER:
                named = self.request.facts.get("Named account owner")
                return named if isinstance(named, str) else None
            case _:
                return None

    def _one_person(
        self, step: str, target: Target, key: str | None, reason: RouteReason
    ) -> _Found | None:
        """Return somebody who is asked for by relation or name, unless gone, away or excluded."""
        if not key:
            self._note(step, f"{target}: there is none")
            return None
        key = key.lower()
        whom = key if target.kind is TargetKind.PERSON else f"{target} {key}"
        why_not = self.staffing.why_not_there(key)
        outside = self.staffing.roster.rep(key) is None and target.kind is not TargetKind.PERSON
        if why_not is not None and not (outside and key not in self.staffing.excluded):
            self._note(step, f"{whom} {why_not}")
            return None
        note = ", not in the roster: hours unknown" if outside else ""
        self._note(step, f"{whom}{note}", chosen=True)
        return _Found(Owner(OwnerKind.USER, key), reason)

    def _from_pool(self, step: str, name: str) -> _Found | None:
        pool, rule = self.staffing.roster.pool(name), self.policy.pools.get(name)
        if pool is None or not pool.members:
            self._note(step, f"pool {name} has no members in the roster")
            return None
        found = candidates(pool, rule, self.staffing)
        for rep, reason in found.refused:
            self._note(step, f"pool {name}: {rep} {reason}")
        weights = {member.rep: member.weight for member in pool.members}
        finalists = self._finalists(step, rule, weights, found.eligible)
        chosen, state = pick(weights, finalists, self.staffing.book.state(name))
        if chosen is None:
            self._note(step, f"pool {name}: nobody can be picked")
            return None
        for rep in finalists:
            owed = state.balances.get(rep, 0) / state.denominator
            words = "is next" if rep == chosen else "could have been picked"
            text = f"pool {name}: {rep} {words}; balance {owed:+.2f} leads after this one"
            self._note(step, text, chosen=rep == chosen)
        self.staffing.book.put(name, state)
        return _Found(Owner(OwnerKind.USER, chosen), RouteReason.POOL, name)

    def _finalists(
        self,
        step: str,
        rule: PoolRule | None,
        weights: Mapping[str, int],
        eligible: tuple[str, ...],
    ) -> tuple[str, ...]:
        """Return those between whom the pool's turn decides, as the pool distributes."""
        if rule is None or not eligible:
            return eligible
        if rule.distribute is Distribution.LOAD_BALANCE:
            return self._least_loaded(step, rule, weights, eligible)
        if rule.distribute is Distribution.BEST_FIT:
            return self._best_fit(step, rule, eligible)
        return eligible

    def _least_loaded(
        self, step: str, rule: PoolRule, weights: Mapping[str, int], eligible: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return those with the fewest open handoffs for their weight."""
        has = {rep: self.staffing.book.loads(rep).open for rep in eligible}
        spread = lcm(*(weights[rep] for rep in eligible))
        load = {rep: has[rep] * (spread // weights[rep]) for rep in eligible}
        least = min(load.values())
        for rep in eligible:
            if load[rep] > least:
                words = f"has more open for the weight: {has[rep]}, weight {weights[rep]}"
                self._note(step, f"pool {rule.name}: {rep} {words}")
        return tuple(rep for rep in eligible if load[rep] == least)

    def _best_fit(self, step: str, rule: PoolRule, eligible: tuple[str, ...]) -> tuple[str, ...]:
        """Return those who are good at most of what the lead is, the first label counting most."""
        roster, facts = self.staffing.roster, self.request.facts
        fits = {rep: fit(roster.rep(rep), rule.fit_by, facts) for rep in eligible}
        best = max(fits.values())
        for rep in eligible:
            good = [label for label, ok in zip(rule.fit_by, fits[rep], strict=True) if ok]
            words = f"fits by {' and '.join(good) or 'nothing'}"
            lesser = "" if fits[rep] == best else ", somebody fits better"
            self._note(step, f"pool {rule.name}: {rep} {words}{lesser}")
        return tuple(rep for rep in eligible if fits[rep] == best)

    def _note(self, step: str, text: str, *, chosen: bool = False) -> None:
        self.trace.append(TraceStep(step, text, chosen))
