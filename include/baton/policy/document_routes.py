"""Who gets a lead, in words: the ladder, the pools, the places and groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pycountry

from baton.policy.document_frame import ROLE
from baton.policy.document_leads import spoken
from baton.policy.document_parts import Block, Bullets, Grid, Heading, Section, Text
from baton.policy.models import Distribution, Lapse, Policy, PoolRule, RouteRule, Segment
from baton.policy.roster import Roster
from baton.policy.targets import TargetKind
from baton.policy.wording import (
    condition_in_words,
    counted,
    date_in_words,
    joined,
    sentence,
    target_in_words,
)

_BY_NAME = {TargetKind.POOL, TargetKind.QUEUE, TargetKind.PERSON}
_MOST_ACCOUNTS = 40
_SHARES = {
    Distribution.ROUND_ROBIN: "in turn, by weight",
    Distribution.LOAD_BALANCE: "to who has the fewest open handoffs for their weight",
}


def ladder(policy: Policy) -> Section:
    """Return the routing rules as sentences, in order."""
    items: list[str] = []
    known = False
    for rule in policy.route:
        if not known and rule.to.kind in _BY_NAME:
            known = True
            items.append(_who_knows(policy))
        items.append(_rule(rule))
    blocks: list[Block] = [
        Text("The first step that holds and finds somebody decides. A step that finds nobody leaves "
             "the lead to the next, unless it says otherwise."),
        Bullets(tuple(items), numbered=True),
    ]  # fmt: skip
    if policy.customers is not None:
        blocks.append(
            Text(
                f"A lead counts as a customer's when {condition_in_words(policy.customers.when)}. "
                "Without a trigger it is left to the account team."
            )
        )
    return Section("Who gets it", tuple(blocks))


def _who_knows(policy: Policy) -> str:
    who = ["had this lead before", "owns it in Salesforce and is in a pool",
           "has what may be the same person"]  # fmt: skip
    if policy.keep_together is not None:
        who.append("was given somebody of the same company")
    return f"Somebody who {joined(who, 'or')} gets it, unless somebody fresh is wanted."


def _rule(rule: RouteRule) -> str:
    whom = target_in_words(rule.to)
    if rule.fallback:
        text = f"Otherwise the lead goes to {whom}"
    else:
        text = f"If {condition_in_words(rule.when)}, the lead goes to {whom}"
    parts = [text]
    if rule.if_nobody is not None:
        parts.append(if_nobody(rule))
    if not rule.change_owner:
        parts.append("the owner in Salesforce stays, only a task is made")
    elif rule.reassign is Lapse.NEVER:
        parts.append("it stays with them when the clock runs out")
    if rule.watched_by:
        parts.append(f"{rule.watched_by} watches it")
    if rule.alarm_after:
        parts.append(f"after {rule.alarm_after} without anybody, an alarm is raised")
    said = f" ({spoken(rule.say)})" if rule.say else ""
    return sentence("; ".join(parts) + said)


def if_nobody(rule: RouteRule) -> str:
    """Say what happens to a lead when a rule finds nobody."""
    target = rule.if_nobody
    if target is None or target.kind is TargetKind.GO_ON:
        return "if nobody is there, the next step is tried"
    if target.kind is TargetKind.WAIT:
        return "if nobody is there, the lead waits, and the best go out first when somebody is"
    return f"if nobody is there, to {target_in_words(target)}"


def pools(policy: Policy, roster: Roster | None) -> Section:
    """Return the pools, with their people where a roster is given."""
    rows = tuple(_pool(pool, roster) for pool in policy.pools.values())
    people = ("People",) if roster is not None else ()
    blocks: list[Block] = []
    if rows:
        blocks.append(
            Grid(
                "Who shares which leads, and how",
                ("Pool", "For", "Shares its leads", "When", "Limits", *people),
                rows,
            )
        )
    if policy.queues:
        blocks.append(Text(f"Queues: {joined(policy.queues)}."))
    return Section("Pools", tuple(blocks))


def _pool(pool: PoolRule, roster: Roster | None) -> tuple[str, ...]:
    when = "only while they work" if pool.only_in_hours else "at any hour; the clock waits for them"
    cells = (
        pool.name,
        ROLE.get(pool.recipient or "", pool.recipient or "anybody")
        + (f" ({spoken(pool.say)})" if pool.say else ""),
        shares(pool),
        when,
        _limits(pool),
    )
    return cells if roster is None else (*cells, _members(pool.name, roster))


def shares(pool: PoolRule) -> str:
    """Say how a pool shares its leads."""
    if pool.distribute is Distribution.BEST_FIT:
        return f"to who fits best by {joined(pool.fit_by)}; in turn where several fit alike"
    return _SHARES[pool.distribute]


def _limits(pool: PoolRule) -> str:
    if pool.caps is None:
        return "those of each person"
    caps = pool.caps
    spans = ((caps.open, "open at once"), (caps.hour, "an hour"), (caps.day, "a day"),
             (caps.week, "a week"))  # fmt: skip
    return joined(f"{most} {words}" for most, words in spans if most is not None) or "none"


def _members(name: str, roster: Roster) -> str:
    pool = roster.pool(name)
    found = []
    for member in pool.members if pool else ():
        rep = roster.rep(member.rep)
        weight = "" if member.weight == 1 else f" (weight {member.weight})"
        found.append(f"{rep.name if rep else member.rep}{weight}")
    return joined(found) or "nobody"


def places(policy: Policy) -> Section:
    """Return territories, segments and named accounts."""
    blocks: list[Block] = []
    if policy.territories:
        rows = _territories(policy)
        blocks += [
            Heading("Territories"),
            Grid("Which country belongs where", ("Territory", "Countries"), rows),
        ]
    for title, groups in (
        ("Segments", policy.segments),
        ("Product lines", policy.product_lines),
        ("Deal sizes", policy.deal_sizes),
    ):
        if groups:
            blocks += [Heading(title), _groups(title, groups)]
    if policy.named_accounts:
        blocks += [Heading("Named accounts"), *_named_accounts(policy)]
    return Section("Territories, segments and named accounts", tuple(blocks))


def _territories(policy: Policy) -> tuple[tuple[str, ...], ...]:
    found: dict[str, list[str]] = {}
    for row in policy.territories.rows:
        country = pycountry.countries.get(alpha_2=row.country)
        name = country.name.split(",")[0] if country else row.country
        if row.region:
            name += f" ({row.region})"
        if row.effective_from:
            name += f" from {date_in_words(row.effective_from)}"
        found.setdefault(row.territory, []).append(name)
    return tuple((territory, joined(names)) for territory, names in found.items())


def _groups(title: str, groups: Sequence[Segment]) -> Bullets:
    items = [f"{one.name}: {condition_in_words(one.when)}" for one in groups]
    return Bullets((*items, "The first that holds counts."))


def _named_accounts(policy: Policy) -> Iterable[Block]:
    accounts = policy.named_accounts
    rows = tuple((one.name or one.domain, one.domain, one.owner) for one in accounts)
    yield Grid(
        "Accounts with an owner by name", ("Account", "Domain", "Owner"), rows[:_MOST_ACCOUNTS]
    )
    if len(rows) > _MOST_ACCOUNTS:
        yield Text(f"And {counted(len(rows) - _MOST_ACCOUNTS, 'more account')} on the list.")
