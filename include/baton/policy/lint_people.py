"""Policy and roster together: is there somebody for everything that was agreed?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from baton.policy.findings import Finding, Level
from baton.policy.lint_references import targets
from baton.policy.models import Policy
from baton.policy.parts import Path
from baton.policy.reading import did_you_mean
from baton.policy.roster import Rep, Roster
from baton.policy.targets import TargetKind


def people_are_there(policy: Policy, roster: Roster) -> Iterator[Finding]:
    """Yield what the policy asks of the roster and does not find, and the other way round."""
    if not roster.people:
        message = "the roster is empty: every lead would end in a queue"
        hint = "import one: baton roster import FILE"
        yield Finding(Level.ERROR, "empty-roster", message, ("roster",), hint)
        return
    yield from _pools_draw(policy, roster)
    yield from _owners_work_here(policy, roster)
    yield from _pools_are_agreed(policy, roster)
    yield from _hours_are_known(policy, roster)
    yield from _abilities_are_facts(policy, roster)
    yield from _somebody_fits(policy, roster)
    yield from manager_rings(roster)
    yield from _managers_are_there(roster)
    yield from _shared_people(roster)


def _pools_draw(policy: Policy, roster: Roster) -> Iterator[Finding]:
    for name in policy.pools:
        why = _why_nobody(name, roster)
        if why is not None:
            message = f"nobody active draws leads in the pool '{name}': {why}"
            hint = "see 'baton roster show'"
            yield Finding(Level.ERROR, "empty-pool", message, ("pools", name), hint)


def _why_nobody(name: str, roster: Roster) -> str | None:
    pool = roster.pool(name)
    if pool is None:
        return "the roster has no such pool"
    if not pool.members:
        return "it has no members"
    active = [member for member in pool.members if roster.by_key[member.rep].active]
    if not active:
        return "none of its members is active"
    if all(member.weight == 0 for member in active):
        return "every weight is zero"
    return None


def _owners_work_here(policy: Policy, roster: Roster) -> Iterator[Finding]:
    for path, target in targets(policy):
        if target.kind is TargetKind.PERSON and target.name:
            yield from _works_here(roster, target.name, f"'{target.name}'", (*path, "person"))
    for at, rule in enumerate(policy.route):
        if rule.watched_by is not None:
            said = f"'{rule.watched_by}', who watches '{rule.id}',"
            yield from _works_here(roster, rule.watched_by, said, ("route", at, "watched_by"))
    for account in policy.named_accounts:
        said = f"'{account.domain}' belongs to {account.owner}, who"
        yield from _works_here(roster, account.owner, said, ("named_accounts",))


def _works_here(roster: Roster, key: str, said: str, path: Path) -> Iterator[Finding]:
    rep = roster.rep(key)
    if rep is None:
        hint = did_you_mean(key, roster.by_key) or "add the person to the roster, or name another"
        yield Finding(Level.ERROR, "unknown-person", f"{said} is not in the roster", path, hint)
    elif not rep.active:
        hint = "name somebody else, or make the person active again"
        yield Finding(Level.ERROR, "inactive-owner", f"{said} is not active", path, hint)


def _pools_are_agreed(policy: Policy, roster: Roster) -> Iterator[Finding]:
    for pool in roster.pools:
        if pool.name not in policy.pools:
            message = f"the roster has a pool '{pool.name}' of which the policy knows nothing"
            hint = did_you_mean(pool.name, policy.pools) or "its members draw no leads there"
            path: Path = ("roster", "pools", pool.name)
            yield Finding(Level.WARNING, "unknown-pool", message, path, hint)


def _hours_are_known(policy: Policy, roster: Roster) -> Iterator[Finding]:
    for rep in roster.people:
        if isinstance(rep.hours, str) and rep.hours not in policy.calendars:
            message = f"{rep.key} works by the calendar '{rep.hours}', which is not there"
            hint = did_you_mean(rep.hours, policy.calendars)
            yield Finding(Level.ERROR, "unknown-name", message, _person(rep, "hours"), hint)
        elif not isinstance(rep.hours, str) and not any(rep.hours.values()):
            message = f"{rep.key} has no working time at all"
            hint = "give hours, or set active: false"
            yield Finding(Level.ERROR, "no-working-time", message, _person(rep, "hours"), hint)


def _abilities_are_facts(policy: Policy, roster: Roster) -> Iterator[Finding]:
    for rep in roster.people:
        for label in rep.good_at:
            if label not in policy.fields:
                message = f"{rep.key} is good at '{label}', which is no field of the policy"
                hint = did_you_mean(label, policy.fields)
                path = _person(rep, "good_at")
                yield Finding(Level.WARNING, "unknown-name", message, path, hint)


def _somebody_fits(policy: Policy, roster: Roster) -> Iterator[Finding]:
    """A pool that looks for the best fit among people of whom nothing is known only takes turns."""
    for name, rule in policy.pools.items():
        pool = roster.pool(name)
        if not rule.fit_by or pool is None:
            continue
        members = [roster.by_key[member.rep] for member in pool.members if member.weight]
        for at, label in enumerate(rule.fit_by):
            if members and not any(label in rep.good_at for rep in members):
                message = f"nobody of the pool '{name}' is good at any '{label}'"
                hint = f"'baton roster skills E-MAIL \"{label}=...\"', or take it out of fit_by"
                path: Path = ("pools", name, "fit_by", at)
                yield Finding(Level.WARNING, "no-skills", message, path, hint)


def manager_rings(roster: Roster) -> Iterator[Finding]:
    """Yield people who report to each other in a ring: nobody would be told of a miss."""
    told: set[str] = set()
    for rep in roster.people:
        line: list[str] = []
        above: Rep | None = rep
        while above is not None and above.key not in line:
            line.append(above.key)
            above = roster.rep(above.manager)
        if above is not None and above.key not in told:
            ring = line[line.index(above.key) :]
            told.update(ring)
            message = f"{' reports to '.join([*ring, above.key])}: nobody is at the top"
            hint = "take one manager out"
            yield Finding(Level.ERROR, "manager-cycle", message, _person(rep, "manager"), hint)


def _managers_are_there(roster: Roster) -> Iterator[Finding]:
    for rep in roster.people:
        manager = roster.rep(rep.manager)
        if rep.active and manager is not None and not manager.active:
            message = f"{rep.key} reports to {manager.key}, who is not active"
            path = _person(rep, "manager")
            yield Finding(
                Level.WARNING, "inactive-owner", message, path, "nobody is told of misses"
            )


def _shared_people(roster: Roster) -> Iterator[Finding]:
    pools: defaultdict[str, list[str]] = defaultdict(list)
    for pool in roster.pools:
        for member in pool.members:
            pools[member.rep].append(pool.name)
    for key, names in pools.items():
        if len(names) > 1:
            message = f"{key} draws in {len(names)} pools: {', '.join(names)}"
            hint = "each pool is fair by itself; caps count over all of them"
            yield Finding(Level.NOTE, "several-pools", message, ("roster", "people", key), hint)


def _person(rep: Rep, part: str) -> Path:
    return ("roster", "people", rep.key, part)
