"""Who is there now, and how much each has: what `baton roster show` and the pages tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from baton.calendars.build import calendar_for
from baton.errors import PolicyError
from baton.ledger.agreements import policies
from baton.ledger.handoffs import handoffs
from baton.pipeline.versions.agreements import current_roster
from baton.policy.loader import parse_policy
from baton.policy.models import Policy
from baton.policy.roster import Rep, Roster
from baton.policy.roster_edits import known_pool
from baton.policy.roster_words import in_words

_BACK = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Load:
    """Leads of one kind against their limit; None: no limit."""

    number: int
    most: int | None

    @property
    def shown(self) -> str:
        """Return "3/40", or "3" without a limit."""
        return str(self.number) if self.most is None else f"{self.number}/{self.most}"


@dataclass(frozen=True, slots=True)
class Presence:
    """One person as of now. `now` says it in words; `here`: could be given a lead by presence."""

    email: str
    name: str
    role: str
    pools: Mapping[str, int]
    here: bool
    now: str
    away_until: datetime | None
    loads: tuple[Load, ...]

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values; loads in the order open, hour, day, week."""
        names = ("open", "hour", "day", "week")
        return {
            "email": self.email,
            "name": self.name,
            "role": self.role,
            "pools": dict(self.pools),
            "here": self.here,
            "now": self.now,
            "away_until": self.away_until.isoformat() if self.away_until else None,
            "loads": {
                name: {"now": load.number, "most": load.most}
                for name, load in zip(names, self.loads, strict=True)
            },
        }


def presences(conn: Connection, now: datetime, *, pool: str | None = None) -> list[Presence]:
    """Return everybody on the roster, or in one pool, as of `now`.

    Raises ConfigurationError without a roster, SettingsError for an unknown pool.
    """
    roster = current_roster(conn)
    bundle = policies.current(conn)
    policy = None if bundle is None else parse_policy(bundle)
    members = None if pool is None else {one.rep for one in known_pool(roster, pool).members}
    counts = [handoffs.open_loads(conn)]
    counts += [handoffs.assigned_since(conn, now - back, now) for back in _BACK.values()]
    return [
        _presence(rep, roster, policy, counts, now)
        for rep in roster.people
        if members is None or rep.key in members
    ]


def _presence(
    rep: Rep,
    roster: Roster,
    policy: Policy | None,
    counts: list[dict[str, int]],
    now: datetime,
) -> Presence:
    away = max((one.end for one in rep.leave if one.covers(now)), default=None)
    words = rep.why_gone(now) or _absence(rep, away, now) or _hours(rep, roster, policy, now)
    caps = (rep.cap_open, rep.cap_hour, rep.cap_day, rep.cap_week)
    return Presence(
        email=rep.key,
        name=rep.name,
        role=rep.role,
        pools={
            pool.name: member.weight
            for pool in roster.pools
            for member in pool.members
            if member.rep == rep.key
        },
        here=words is None,
        now=(words or "here") + _ahead(rep, now),
        away_until=away,
        loads=tuple(
            Load(count.get(rep.key, 0), most) for count, most in zip(counts, caps, strict=True)
        ),
    )


def _absence(rep: Rep, until: datetime | None, now: datetime) -> str | None:
    return None if until is None else f"away until {_local(until, rep, now)}"


def _ahead(rep: Rep, now: datetime) -> str:
    """Name the next leave and the last day, where one lies ahead."""
    coming = min((one.start for one in rep.leave if one.start > now), default=None)
    said = f"; away from {_local(coming, rep, now)}" if coming else ""
    leaves = rep.left is not None and rep.why_gone(now) is None
    return said + (f"; leaves on {rep.left}" if leaves else "")


def _hours(rep: Rep, roster: Roster, policy: Policy | None, now: datetime) -> str | None:
    if policy is None:
        return None
    try:
        calendar = calendar_for(rep, policy, roster)
        if calendar.is_open(now):
            return None
        return f"not in hours until {_local(calendar.next_open(now), rep, now)}"
    except PolicyError as error:
        return error.message


def _local(at: datetime, rep: Rep, now: datetime) -> str:
    zone = ZoneInfo(rep.zone)
    there = at.astimezone(zone)
    today = there.date() == now.astimezone(zone).date()
    return f"{there:%H:%M}" if today else in_words(there)
