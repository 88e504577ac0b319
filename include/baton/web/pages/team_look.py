"""What the page Team shows, read from the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from baton.ledger.agreements import pools, rosters
from baton.ledger.database.engine import expect_cheap_lookups
from baton.ledger.pages import page_team
from baton.ledger.pages.page_team import Answered, Given, StoredTurn
from baton.pipeline.active_policy import active_policy
from baton.pipeline.versions.roster_views import Load, Presence, presences
from baton.policy.models import Caps, Policy
from baton.policy.roster import Pool, Rep, Roster, roster_from_json
from baton.policy.week_text import week_in_text
from baton.routing.distribution import PoolState
from baton.routing.ladder import STICKINESS
from baton.routing.receipt import MemberReceipt, Missed, PoolTurn, notes_of, receipts
from baton.web.windows import Window

LOOKED_AT: Final = 200
"""Of each pool so many leads, the newest of the window, are in its receipt."""
_SMALL: Final = 0.05
"""Leads below which a line of a receipt says nothing."""

_MISSED: Final[Mapping[Missed, str]] = {
    Missed.AWAY: "away",
    Missed.HOURS: "not in hours",
    Missed.CAP: "at a limit",
    Missed.BEFORE: "had the lead before",
    Missed.FIT: "somebody fitted better",
    Missed.LOAD: "had more open than others",
    Missed.GONE: "not with the company",
    Missed.OTHER: "could not be picked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShown:
    """One person as of now. `loads`: open, in the last 24 hours, in the last 7 days."""

    key: str
    name: str
    role: str
    here: bool
    away: bool
    now: str
    local: str
    zone: str
    hours: str
    loads: tuple[Load, ...]
    full: bool
    pools: tuple[tuple[str, int], ...]
    answered: Answered | None
    ways: Mapping[str, int]
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberShown:
    """One member's line of a receipt. `parts`: why, in words, with leads; they add up."""

    key: str
    name: str
    weight: int | None
    got: int
    share: float | None
    by_weight: float
    fair: float
    parts: tuple[tuple[str, float], ...]
    balance: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShown:
    """The receipt of a pool over `looked_at` of the `leads` that it gave in the window."""

    name: str
    how: str
    leads: int
    looked_at: int
    members: tuple[MemberShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamShown:
    """The page. `seen` is the hash of the roster that it shows; empty if there is none."""

    seen: str
    changed_at: datetime | None = None
    changed_by: str = ""
    people: tuple[PersonShown, ...] = ()
    pools: tuple[PoolShown, ...] = ()
    ways: tuple[str, ...] = ()

    @property
    def here(self) -> int:
        """Return how many are here now."""
        return sum(one.here for one in self.people)

    @property
    def away(self) -> tuple[PersonShown, ...]:
        """Return who is away now."""
        return tuple(one for one in self.people if one.away)


WAYS: Final = ("a pool's turn", "owner kept", "knew the lead", "asked for by a rule", "passed on")


def look(conn: Connection, now: datetime, window: Window) -> TeamShown:
    """Read the page from the ledger."""
    expect_cheap_lookups(conn)
    version = rosters.current(conn)
    if version is None:
        return TeamShown(seen="")
    agreement = active_policy(conn)
    policy, roster = agreement.policy, roster_from_json(version.content)
    given, answered = page_team.given(conn, window.since, window.until)
    return TeamShown(
        seen=version.hash,
        changed_at=version.at,
        changed_by=version.by_whom,
        people=tuple(
            _person(one, roster, policy, now, given=given, answered=answered)
            for one in presences(conn, now)
            if one.email in roster.by_key
        ),
        pools=tuple(_pools(conn, roster, policy, window, given)),
        ways=WAYS,
    )


def _person(
    one: Presence,
    roster: Roster,
    policy: Policy,
    now: datetime,
    *,
    given: Sequence[Given],
    answered: Mapping[str, Answered],
) -> PersonShown:
    rep = roster.by_key[one.email]
    open_, _hour, day, week = one.loads
    loads = tuple(
        Load(
            load.number,
            load.most if load.most is not None else _pool_cap(name, rep, roster, policy),
        )
        for name, load in (("open", open_), ("day", day), ("week", week))
    )
    ways = Counter[str]()
    for way in given:
        if way.owner == one.email:
            ways[_way(way)] += way.leads
    return PersonShown(
        key=one.email,
        name=one.name,
        role=one.role,
        here=one.here,
        away=one.away_until is not None,
        now=one.now,
        local=f"{now.astimezone(ZoneInfo(rep.zone)):%a %H:%M}",
        zone=rep.zone,
        hours=_hours(rep, policy),
        loads=loads,
        full=any(load.most is not None and load.number >= load.most for load in loads),
        pools=tuple(one.pools.items()),
        answered=answered.get(one.email),
        ways=ways,
        leads=sum(ways.values()),
    )


def _pool_cap(name: str, rep: Rep, roster: Roster, policy: Policy) -> int | None:
    """Return the limit that a person's pools set; with several pools the widest is shown."""
    mine = [pool.name for pool in roster.pools if any(one.rep == rep.key for one in pool.members)]
    rules = [policy.pools[pool] for pool in mine if pool in policy.pools]
    limits = [getattr(rule.caps or Caps(), name) for rule in rules]
    return None if None in limits else max(limits, default=None)


def _hours(rep: Rep, policy: Policy) -> str:
    if not isinstance(rep.hours, str):
        return week_in_text(rep.hours)
    rule = policy.calendars.get(rep.hours)
    if rule is None:
        return rep.hours
    return "round the clock" if rule.always else week_in_text(rule.week)


def _way(one: Given) -> str:
    """Return in words how a lead came to somebody."""
    pool, kept, knew, named, moved = WAYS
    if one.moved:
        return moved
    if one.pool is not None:
        return pool
    if not one.change_owner:
        return kept
    return knew if one.rule == STICKINESS else named


def _pools(
    conn: Connection, roster: Roster, policy: Policy, window: Window, given: Sequence[Given]
) -> Iterator[PoolShown]:
    names = [pool.name for pool in roster.pools]
    totals = Counter[str]()
    for one in given:
        if one.pool is not None and not one.moved:
            totals[one.pool] += one.leads
    found = page_team.turns(conn, names, window.since, window.until, most=LOOKED_AT)
    weights = page_team.weights(conn, [one.roster_hash for one in found])
    by_pool = {
        name: [_turn(one, weights) for one in those]
        for name, those in groupby(sorted(found, key=lambda one: one.pool), lambda one: one.pool)
    }
    states = pools.read(conn)
    for pool in roster.pools:
        turns = by_pool.get(pool.name, [])
        state = PoolState.from_json(states.get(pool.name, {}))
        rule = policy.pools.get(pool.name)
        yield PoolShown(
            name=pool.name,
            how=rule.distribute.value.replace("_", " ") if rule else "",
            leads=max(totals[pool.name], len(turns)),
            looked_at=len(turns),
            members=tuple(_members(pool, roster, receipts(turns), state)),
        )


def _turn(one: StoredTurn, weights: Mapping[str, Mapping[str, Mapping[str, int]]]) -> PoolTurn:
    notes = notes_of(one.pool, (str(step.get("text", "")) for step in one.trace))
    return PoolTurn(one.chosen, weights.get(one.roster_hash, {}).get(one.pool, {}), notes)


def _members(
    pool: Pool, roster: Roster, found: Sequence[MemberReceipt], state: PoolState
) -> Iterator[MemberShown]:
    weights = {member.rep: member.weight for member in pool.members}
    by_member = {one.member: one for one in found}
    leads = sum(one.got for one in found)
    for key in [*weights, *(member for member in by_member if member not in weights)]:
        one, rep = by_member.get(key) or MemberReceipt(member=key), roster.rep(key)
        yield MemberShown(
            key=key,
            name=rep.name if rep else key,
            weight=weights.get(key),
            got=one.got,
            share=one.got / leads if leads else None,
            by_weight=one.by_weight,
            fair=one.fair,
            parts=tuple(_parts(one)),
            balance=state.balance_of(key),
        )


def _parts(one: MemberReceipt) -> Iterator[tuple[str, float]]:
    for reason, leads in sorted(one.missed.items(), key=lambda each: -each[1]):
        times = one.times[reason]
        yield f"{_MISSED[reason]} for {times} lead{'s' if times != 1 else ''}", -leads
    if one.others >= _SMALL:
        yield "took the place of others", one.others
    if abs(one.turn) >= _SMALL:
        yield "the turn", one.turn
