"""What a roster must not say beside the active policy, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Iterator

from baton.errors import PolicyError
from baton.policy.models import Policy
from baton.policy.reading import did_you_mean
from baton.policy.roster import Pool, Roster
from baton.policy.targets import TargetKind


def contradictions(policy: Policy, roster: Roster) -> tuple[PolicyError, ...]:
    """Return what makes a roster unusable with a policy: unknown calendars and pools."""
    return (*_unknown_calendars(policy, roster), *_unknown_pools(policy, roster))


def _unknown_calendars(policy: Policy, roster: Roster) -> Iterator[PolicyError]:
    for rep in roster.people:
        if isinstance(rep.hours, str) and rep.hours not in policy.calendars:
            hint = did_you_mean(rep.hours, policy.calendars)
            yield PolicyError(
                f"{rep.key} works by the calendar '{rep.hours}', which the active policy lacks",
                hint=hint or "calendars are: " + ", ".join(policy.calendars),
            )


def _unknown_pools(policy: Policy, roster: Roster) -> Iterator[PolicyError]:
    for pool in roster.pools:
        if pool.name not in policy.pools:
            hint = did_you_mean(pool.name, policy.pools)
            yield PolicyError(
                f"the active policy has no pool '{pool.name}'",
                hint=hint or "pools are: " + ", ".join(policy.pools),
            )


def drawn(pool: Pool | None, roster: Roster) -> tuple[str, ...]:
    """Return the members of a pool who draw leads: active, with a weight above zero."""
    members = pool.members if pool else ()
    return tuple(one.rep for one in members if one.weight > 0 and roster.by_key[one.rep].active)


def emptied(policy: Policy, before: Roster | None, after: Roster) -> tuple[str, ...]:
    """Return the policy's pools from which nobody draws leads any more, but somebody did."""
    old = before or Roster()
    return tuple(
        name
        for name in policy.pools
        if not drawn(after.pool(name), after) and (before is None or drawn(old.pool(name), old))
    )


def where_named(policy: Policy, email: str) -> tuple[str, ...]:
    """Return in words every place of a policy that names a person: it must change when they go."""
    key = email.lower()
    found = []
    for rule in policy.route:
        for target in (rule.to, rule.if_nobody):
            named = getattr(target, "kind", None) is TargetKind.PERSON
            if named and str(getattr(target, "name", "")).lower() == key:
                found.append(f"the route rule '{rule.id}' sends leads to them")
        if rule.watched_by and rule.watched_by.lower() == key:
            found.append(f"they watch the queue of the route rule '{rule.id}'")
    accounts = [one.domain for one in policy.named_accounts if one.owner.lower() == key]
    if accounts:
        found.append(f"they own {len(accounts)} named accounts ({', '.join(accounts[:3])} …)")
    return tuple(found)
