"""Routing: does every lead end with somebody, and is anybody there?"""

from __future__ import annotations

from collections.abc import Iterator

from baton.policy.conditions import AllOf
from baton.policy.findings import Finding, Level
from baton.policy.lint_references import targets
from baton.policy.models import Policy, RouteRule
from baton.policy.targets import TargetKind


def routes_end_somewhere(policy: Policy) -> Iterator[Finding]:
    """Yield a ladder without a fallback, rungs below the last one, and a queue nobody watches."""
    last = len(policy.route) - 1
    if last < 0 or not policy.route[last].fallback:
        message = "the ladder has no fallback: a lead that fits no rule would be lost"
        hint = "end with '- {otherwise: {queue: ...}, watched_by: ...}'"
        yield Finding(Level.ERROR, "no-fallback", message, ("route",), hint)
    names: set[str] = set()
    for at, route in enumerate(policy.route):
        always = route.fallback or (isinstance(route.when, AllOf) and not route.when.parts)
        if always and at < last:
            message = "nothing below this rule can ever be reached"
            yield Finding(Level.ERROR, "unreachable-rule", message, ("route", at))
        if route.id in names:
            message = f"two rules are called '{route.id}'"
            yield Finding(Level.ERROR, "twice", message, ("route", at, "id"))
        names.add(route.id)
    yield from _fallback_is_watched(policy)
    yield from _pools_are_used(policy)
    yield from _says_if_nobody(policy)


def _fallback_is_watched(policy: Policy) -> Iterator[Finding]:
    if not policy.route or not policy.route[-1].fallback:
        return
    at, route = len(policy.route) - 1, policy.route[-1]
    ends = route.if_nobody or route.to
    if ends.kind not in {TargetKind.QUEUE, TargetKind.PERSON}:
        message = "the fallback must end in a queue or a person, which are always there"
        hint = "write {queue: NAME}, or add if_nobody: {queue: NAME}"
        yield Finding(Level.ERROR, "no-fallback", message, ("route", at, "otherwise"), hint)
    if route.watched_by is None:
        message = "nobody watches the fallback"
        yield Finding(Level.WARNING, "unwatched", message, ("route", at), "say watched_by: E-MAIL")


def _says_if_nobody(policy: Policy) -> Iterator[Finding]:
    """A pool may be empty at night: whether the lead waits or goes on is a choice to be made."""
    for at, route in enumerate(policy.route):
        if route.to.kind is not TargetKind.POOL:
            continue
        if route.if_nobody is not None:
            yield from _asks_somebody_else(at, route)
            continue
        message = f"'{route.id}' does not say what happens when nobody of {route.to} can take it"
        hint = "add if_nobody: wait, if_nobody: go on, or if_nobody: {queue: NAME}"
        yield Finding(Level.WARNING, "if-nobody", message, ("route", at), hint)


def _asks_somebody_else(at: int, route: RouteRule) -> Iterator[Finding]:
    if route.if_nobody == route.to:
        message = f"'{route.id}' asks {route.to} again when nobody there can take it"
        hint = "write if_nobody: wait, if_nobody: go on, or if_nobody: {queue: NAME}"
        yield Finding(Level.WARNING, "if-nobody", message, ("route", at, "if_nobody"), hint)


def _pools_are_used(policy: Policy) -> Iterator[Finding]:
    used = {target.name for _, target in targets(policy) if target.kind is TargetKind.POOL}
    for name in policy.pools:
        if name not in used:
            message = f"no rule routes to the pool '{name}'"
            yield Finding(Level.WARNING, "unused-pool", message, ("pools", name))
