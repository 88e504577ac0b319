"""Who may get a lead now, and for everybody else why not, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from baton.calendars.build import Calendars
from baton.errors import PolicyError
from baton.policy.models import PoolRule
from baton.policy.roster import Pool, Rep, Roster
from baton.routing.book import PoolBook, absent_until


@dataclass(frozen=True, slots=True)
class Staffing:
    """All that says who is there: roster, calendars, loads, and the moment that is asked about.

    `excluded` may not get the lead at all (they had it on this handoff); `avoided` only if nobody
    else can (a recycled lead that is to go to somebody fresh).
    """

    roster: Roster
    calendars: Calendars
    book: PoolBook
    moment: datetime
    excluded: frozenset[str] = frozenset()
    avoided: frozenset[str] = frozenset()

    def why_not_there(self, rep_key: str) -> str | None:
        """Say why somebody cannot be given anything (not active, away, excluded), or None."""
        if rep_key in self.excluded:
            return "had this lead before"
        rep = self.roster.rep(rep_key)
        if rep is None:
            return "is not in the roster"
        if not rep.active:
            return "is not active any more"
        until = absent_until(self.roster, rep_key, self.moment)
        return f"is away until {until:%Y-%m-%d %H:%M} UTC" if until else None

    def why_full(self, rep_key: str) -> str | None:
        """Say which cap somebody has reached, or None."""
        rep = self.roster.rep(rep_key)
        if rep is None or (rep.cap_open is None and rep.cap_day is None):
            return None
        open_now, of_day = self.book.loads(rep.key)
        if rep.cap_open is not None and open_now >= rep.cap_open:
            return f"has {open_now} open handoffs, the cap is {rep.cap_open}"
        if rep.cap_day is not None and of_day >= rep.cap_day:
            return f"got {of_day} handoffs in the last 24 hours, the cap is {rep.cap_day}"
        return None

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
        reason = self.why_not_there(rep_key) or self.why_full(rep_key)
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
