"""What a roster must not say beside the active policy, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Iterator

from baton.errors import PolicyError
from baton.policy.lint_people import manager_rings
from baton.policy.models import Policy
from baton.policy.reading import did_you_mean
from baton.policy.roster import Pool, Roster
from baton.policy.targets import TargetKind


def contradictions(policy: Policy, roster: Roster) -> tuple[PolicyError, ...]:
    """Return what makes a roster unusable with a policy.

    Nobody in it, calendars, pools and fields that the policy lacks, and managers in a ring.
    """
    if not roster.people:
        hint = "every lead would end in a queue; a person is taken off with 'baton roster leaver'"
        return (PolicyError("the roster has nobody in it", hint=hint),)
    rings = (PolicyError(one.message, hint=one.hint) for one in manager_rings(roster))
    found = (_unknown_calendars, _unknown_pools, _unknown_abilities)
    return (*(error for check in found for error in check(policy, roster)), *rings)


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


def _unknown_abilities(policy: Policy, roster: Roster) -> Iterator[PolicyError]:
    for rep in roster.people:
        for label in rep.good_at:
            if label not in policy.fields:
                yield PolicyError(
                    f"{rep.key} is good at '{label}', which is no field of the active policy",
                    hint=did_you_mean(label, policy.fields),
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
    if any(one.to and one.to.lower() == key for one in policy.testers):
        found.append("the tests of 'testers' go to them")
    accounts = [one.domain for one in policy.named_accounts if one.owner.lower() == key]
    if accounts:
        more = ", …" if len(accounts) > 3 else ""
        many = "accounts" if len(accounts) > 1 else "account"
        shown = ", ".join(accounts[:3])
        found.append(f"they own {len(accounts)} named {many} ({shown}{more})")
    return tuple(found)
