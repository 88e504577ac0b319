"""Limits that stop everything, or that another limit makes idle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from baton.policy.findings import Finding, Level
from baton.policy.models import Caps, Policy
from baton.policy.parts import Path
from baton.policy.roster import Roster

_SPANS = ("hour", "day", "week")
"""The limits on new handoffs, the shortest time first."""
_A = {"hour": "an hour", "day": "a day", "week": "a week"}


def caps_leave_room(policy: Policy) -> Iterator[Finding]:
    """Yield what is odd about the limits of pools."""
    for name, pool in policy.pools.items():
        if pool.caps is not None:
            said = f"the pool '{name}'"
            yield from _odd(pool.caps, said, "caps: {}", ("pools", name, "caps"))


def limits_of_people(roster: Roster) -> Iterator[Finding]:
    """Yield what is odd about the limits of people."""
    for rep in roster.people:
        caps = Caps(open=rep.cap_open, hour=rep.cap_hour, day=rep.cap_day, week=rep.cap_week)
        yield from _odd(caps, rep.key, "cap_{}", ("roster", "people", rep.key))


def _odd(caps: Caps, whose: str, name: str, path: Path) -> Iterator[Finding]:
    for span in ("open", *_SPANS):
        if getattr(caps, span) == 0:
            message = f"{name.format(span)} of {whose} is 0: nobody is ever given a lead"
            hint = "leave it out for no limit; a weight of 0 takes somebody out of a pool"
            yield Finding(Level.WARNING, "no-room", message, path, hint)
    for short, long in combinations(_SPANS, 2):
        less, more = getattr(caps, long), getattr(caps, short)
        if less is not None and more is not None and 0 < less < more:
            message = (
                f"{whose}: {more} in {_A[short]} never count, "
                f"{less} in {_A[long]} are reached first"
            )
            hint = f"let the {long} allow more than the {short}"
            yield Finding(Level.WARNING, "idle-limit", message, path, hint)
