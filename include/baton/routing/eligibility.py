"""Who may get a lead now, and for everybody else why not, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from baton.calendars.build import Calendars
from baton.errors import PolicyError
from baton.policy.models import Caps, PoolRule
from baton.policy.roster import Pool, Rep, Roster
from baton.routing.book import PoolBook, absent_until

_NO_CAPS = Caps()
_SPANS = {
    "open": "has {count} open handoffs, the cap is {cap}",
    "hour": "got {count} handoffs in the last hour, the cap is {cap}",
    "day": "got {count} handoffs in the last 24 hours, the cap is {cap}",
    "week": "got {count} handoffs in the last 7 days, the cap is {cap}",
}
"""The limits of `Caps`, in the order in which they are looked at, and what reaching one means."""


@dataclass(frozen=True, slots=True)
class Staffing:
    """All that says who is there: roster, calendars, loads, and the moment that is asked about.

    `excluded` may not get the lead at all (they had it on this handoff); `avoided` only if nobody
    else can (a recycled lead that is to go to somebody fresh). `sated` have been given as much of
    others' leads as one run may give.
    """

    roster: Roster
    calendars: Calendars
    book: PoolBook
    moment: datetime
    excluded: frozenset[str] = frozenset()
    avoided: frozenset[str] = frozenset()
    sated: frozenset[str] = frozenset()

    def why_not_there(self, rep_key: str) -> str | None:
        """Say why somebody cannot be given anything (not active, away, excluded), or None."""
        rep = self.roster.rep(rep_key)
        gone = rep.why_gone(self.moment) if rep else None
        if gone is not None:
            return gone
        if rep_key in self.excluded:
            return "had this lead before"
        if rep is None:
            return "is not in the roster"
        until = absent_until(self.roster, rep_key, self.moment)
        return f"is away until {until:%Y-%m-%d %H:%M} UTC" if until else None

    def why_full(self, rep_key: str, default: Caps | None = None) -> str | None:
        """Say which cap somebody has reached, or None.

        A limit of the person's own goes before that of `default` (the pool's), limit by limit.
        """
        if rep_key in self.sated:
            return "has been given as many of others' leads as one run may give"
        caps = self.caps_of(rep_key, default)
        if caps is _NO_CAPS or caps == _NO_CAPS:
            return None
        has = self.book.loads(rep_key)
        for name, words in _SPANS.items():
            cap, count = getattr(caps, name), getattr(has, name)
            if cap is not None and count >= cap:
                return words.format(count=count, cap=cap)
        return None

    def why_full_everywhere(self, rep_key: str, pools: Mapping[str, PoolRule]) -> str | None:
        """Say which cap somebody has reached who is asked for their own sake, not by a pool.

        The limits of every pool that gives them leads stand in for those of their own, as when it
        picks them; they are full when not one of these pools would give them one more.
        """
        reason = None
        for name in self.roster.pools_by_member.get(rep_key, ("",)):
            rule = pools.get(name)
            reason = self.why_full(rep_key, rule.caps if rule else None)
            if reason is None:
                return None
        return reason

    def caps_of(self, rep_key: str, default: Caps | None = None) -> Caps:
        """Return the limits that hold for somebody, those of a pool standing in for missing ones."""
        rep, pool = self.roster.rep(rep_key), default or _NO_CAPS
        if rep is None:
            return pool
        own = (rep.cap_open, rep.cap_hour, rep.cap_day, rep.cap_week)
        if own == (None, None, None, None):
            return pool
        spans = zip(_SPANS, own, strict=True)
        return Caps(**{name: getattr(pool, name) if cap is None else cap for name, cap in spans})

    def room_of(self, rep_key: str, default: Caps | None = None) -> int | None:
        """Return how many more handoffs somebody may be given now; None: no limit."""
        caps, has = self.caps_of(rep_key, default), self.book.loads(rep_key)
        left = [
            max(0, cap - getattr(has, name))
            for name in _SPANS
            if (cap := getattr(caps, name)) is not None
        ]
        return min(left, default=None)

    def why_closed(self, rep: Rep) -> str | None:
        """Say that somebody is not working at the moment and from when on, or None."""
        calendar = self.calendars.of(rep.key)
        if calendar.is_open(self.moment):
            return None
        try:
            opens = calendar.next_open(self.moment)
        except PolicyError:
            return "has no working time ahead"
        return f"is not in hours, works again from {opens:%Y-%m-%d %H:%M} UTC"

    def why_not_from_pool(self, rep_key: str, weight: int, rule: PoolRule | None) -> str | None:
        """Say why a member of a pool cannot be picked now, or None."""
        if weight == 0:
            return "has a weight of zero"
        caps = rule.caps if rule else None
        reason = self.why_not_there(rep_key) or self.why_full(rep_key, caps)
        rep = self.roster.rep(rep_key)
        if reason or rep is None or rule is None or not rule.only_in_hours:
            return reason
        return self.why_closed(rep)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Members of a pool: who may be picked, and why the others may not."""

    eligible: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def candidates(pool: Pool, rule: PoolRule | None, staffing: Staffing) -> Candidates:
    """Sort the members of a pool into those who may be picked and those who may not."""
    eligible: list[str] = []
    refused: list[tuple[str, str]] = []
    for member in pool.members:
        reason = staffing.why_not_from_pool(member.rep, member.weight, rule)
        if reason is None:
            eligible.append(member.rep)
        else:
            refused.append((member.rep, reason))
    fresh = [rep for rep in eligible if rep not in staffing.avoided]
    if fresh and len(fresh) < len(eligible):
        avoided = [rep for rep in eligible if rep in staffing.avoided]
        refused += [(rep, "had this lead before, somebody fresh is wanted") for rep in avoided]
        eligible = fresh
    return Candidates(tuple(eligible), tuple(refused))


def room(pool: Pool, rule: PoolRule | None, staffing: Staffing) -> int | None:
    """Return how many leads a pool can take now, its members' limits added up; None: no limit."""
    total = 0
    for rep in candidates(pool, rule, staffing).eligible:
        left = staffing.room_of(rep, rule.caps if rule else None)
        if left is None:
            return None
        total += left
    return total
