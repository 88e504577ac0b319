"""Changes to a roster, one at a time. Pure: each takes a roster and returns the changed one.

Every edit raises SettingsError, with a suggestion, for a person or pool that is not there and for a
value that does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from baton.errors import SettingsError
from baton.policy import roster_csv
from baton.policy.messages import message_of
from baton.policy.reading import did_you_mean
from baton.policy.roster import Leave, Member, Pool, Rep, Roster


class Cap(StrEnum):
    """A limit on the leads of one person, over all pools together."""

    OPEN = "cap_open"
    HOUR = "cap_hour"
    DAY = "cap_day"
    WEEK = "cap_week"


def known_rep(roster: Roster, email: str) -> Rep:
    """Return the person with that e-mail. Raises SettingsError with a did-you-mean."""
    rep = roster.rep(email)
    if rep is None:
        hint = did_you_mean(email, roster.by_key) or "see 'baton roster show'"
        raise SettingsError(f"{email} is not on the roster: {hint}")
    return rep


def known_pool(roster: Roster, name: str) -> Pool:
    """Return the pool of that name, upper and lower case alike. Raises SettingsError."""
    pools = {pool.name.casefold(): pool for pool in roster.pools}
    pool = pools.get(name.casefold())
    if pool is None:
        names = [pool.name for pool in roster.pools]
        hint = did_you_mean(name, names) or f"pools are: {', '.join(names) or 'none yet'}"
        raise SettingsError(f"there is no pool '{name}': {hint}")
    return pool


def with_rep(roster: Roster, rep: Rep, **changes: Any) -> Roster:
    """Return the roster with these fields of a person changed, checked as when it was read."""
    try:
        # Leave is kept as it is; the rest is read as it stands in files.
        given = {name: getattr(rep, name) for name in Rep.model_fields}
        changed = Rep.model_validate({**given, **changes})
        people = tuple(changed if one.key == rep.key else one for one in roster.people)
        return Roster(people=people, pools=roster.pools)
    except ValidationError as error:
        raise SettingsError(_said(error)) from None


@dataclass(frozen=True, slots=True)
class Absence:
    """A stretch of leave as typed: whole days, times of a day, or from now on.

    `start` and `end` are dates, ISO times, or times of today such as ``13:00``; `start` None: now.
    """

    start: str | None
    end: str
    note: str = ""

    def leave(self, zone: str, now: datetime) -> Leave:
        """Return the leave in a person's zone. Raises SettingsError for what is no such stretch."""
        begins = now if self.start is None else typed_edge(self.start, zone, now, end=False)
        ends = typed_edge(self.end, zone, now, end=True)
        if ends <= begins:
            raise SettingsError(
                f"leave must end after it begins: {begins.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
                f" is not before {ends.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
            )
        return Leave(start=begins, end=ends, note=self.note)


def typed_edge(text: str, zone: str, now: datetime, *, end: bool) -> datetime:
    """Read an edge of leave as somebody types it. Raises SettingsError when it is none."""
    local = ZoneInfo(zone)
    try:
        if len(text) <= len("13:00"):
            today = now.astimezone(local).date()
            return _clock_time(text, today, local)
        return roster_csv.read_edge(text, zone, end=end)
    except ValueError:
        raise SettingsError(
            f"'{text}' is no date and no time: write 2026-12-04, 2026-12-04T17:00, "
            "or 17:00 for today"
        ) from None


def _clock_time(text: str, day: date, zone: ZoneInfo) -> datetime:
    if text == "24:00":
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return datetime.combine(day, time.fromisoformat(text.zfill(5)), tzinfo=zone)


def with_leave(roster: Roster, email: str, leave: Leave) -> Roster:
    """Return the roster with one more leave of a person; one that is recorded changes nothing.

    Neither does the rest of one: who says twice "away until Friday", with a minute between, has
    said one thing.
    """
    rep = known_rep(roster, email)
    if any(one.start <= leave.start and one.end == leave.end for one in rep.leave):
        return roster
    return with_rep(roster, rep, leave=_in_order((*rep.leave, leave)))


def back_from_leave(roster: Roster, email: str, now: datetime) -> Roster:
    """Return the roster with the leave that covers `now` ended now; later leave stays.

    Raises SettingsError if the person is not away.
    """
    rep = known_rep(roster, email)
    if not rep.on_leave(now):
        raise SettingsError(f"{rep.key} is not away now: there is no leave to end")
    kept = []
    for one in rep.leave:
        if not one.covers(now):
            kept.append(one)
        elif one.start < now:
            kept.append(one.model_copy(update={"end": now}))
    return with_rep(roster, rep, leave=tuple(kept))


def with_weight(roster: Roster, email: str, pool: str, weight: int) -> Roster:
    """Return the roster with another weight of a member. Raises SettingsError if not a member."""
    rep, found = known_rep(roster, email), known_pool(roster, pool)
    if all(member.rep != rep.key for member in found.members):
        raise SettingsError(
            f"{rep.key} is not in the pool '{found.name}': "
            f"'baton roster join {rep.key} \"{found.name}\"' puts them there"
        )
    return _with_members(
        roster,
        found,
        [
            Member(rep=one.rep, weight=_weight(weight)) if one.rep == rep.key else one
            for one in found.members
        ],
    )


def joined(roster: Roster, email: str, pool: str, *, weight: int = 1) -> Roster:
    """Return the roster with somebody in a pool; a member already gets this weight."""
    rep, found = known_rep(roster, email), known_pool(roster, pool)
    others = [one for one in found.members if one.rep != rep.key]
    if len(others) < len(found.members):
        return with_weight(roster, email, pool, weight)
    return _with_members(roster, found, [*others, Member(rep=rep.key, weight=_weight(weight))])


def quit_pool(roster: Roster, email: str, pool: str) -> Roster:
    """Return the roster with somebody out of a pool. Raises SettingsError if not a member."""
    rep, found = known_rep(roster, email), known_pool(roster, pool)
    others = [one for one in found.members if one.rep != rep.key]
    if len(others) == len(found.members):
        raise SettingsError(f"{rep.key} is not in the pool '{found.name}'")
    return _with_members(roster, found, others)


def with_cap(roster: Roster, email: str, caps: Mapping[Cap, int | None]) -> Roster:
    """Return the roster with these limits of a person changed; None takes a limit away."""
    return with_rep(
        roster, known_rep(roster, email), **{cap.value: most for cap, most in caps.items()}
    )


def with_hours(roster: Roster, email: str, hours: str, *, zone: str | None = None) -> Roster:
    """Return the roster with other hours of a person: a calendar's name, or hours in one line."""
    rep = known_rep(roster, email)
    return with_rep(roster, rep, hours=hours, zone=zone or rep.zone)


def with_abilities(roster: Roster, email: str, good_at: Mapping[str, Sequence[str]]) -> Roster:
    """Return the roster with what a person is good at changed by label; no values: forget it."""
    rep = known_rep(roster, email)
    merged = {**rep.good_at, **{label: tuple(values) for label, values in good_at.items()}}
    return with_rep(
        roster, rep, good_at={label: values for label, values in merged.items() if values}
    )


def with_person(roster: Roster, given: Mapping[str, Any]) -> Roster:
    """Return the roster with a new person; `given` holds the fields of Rep, the key among them."""
    try:
        rep = Rep.model_validate(dict(given))
    except ValidationError as error:
        raise SettingsError(_said(error)) from None
    if roster.rep(rep.key) is not None:
        raise SettingsError(f"{rep.key} is on the roster already")
    if rep.manager is not None:
        known_rep(roster, rep.manager)
    return Roster(people=(*roster.people, rep), pools=roster.pools)


def leaving(roster: Roster, email: str, day: date) -> Roster:
    """Return the roster with the first day on which a person is no longer there."""
    return with_rep(roster, known_rep(roster, email), left=day)


def gone(roster: Roster, email: str, day: date) -> Roster:
    """Return the roster with somebody inactive and out of every pool. Who left once left then."""
    rep = known_rep(roster, email)
    left = min(day, rep.left) if rep.left else day
    out = with_rep(roster, rep, left=left, active=False)
    pools = tuple(
        pool.model_copy(
            update={"members": tuple(one for one in pool.members if one.rep != rep.key)}
        )
        for pool in out.pools
    )
    return Roster(people=out.people, pools=pools)


def keeping_leave(new: Roster, old: Roster) -> Roster:
    """Return `new` with the leave that `old` records for whom `new` states none."""
    people = tuple(
        rep.model_copy(update={"leave": before.leave})
        if not rep.leave and (before := old.rep(rep.key)) is not None
        else rep
        for rep in new.people
    )
    return Roster(people=people, pools=new.pools)


def _in_order(leave: Sequence[Leave]) -> tuple[Leave, ...]:
    return tuple(sorted(leave, key=lambda one: (one.start, one.end)))


def _with_members(roster: Roster, pool: Pool, members: Sequence[Member]) -> Roster:
    changed = Pool(name=pool.name, members=tuple(members))
    pools = tuple(changed if one.name == pool.name else one for one in roster.pools)
    return Roster(people=roster.people, pools=pools)


def _weight(weight: int) -> int:
    if not 0 <= weight <= 10_000:
        raise SettingsError(f"a weight is a whole number from 0 to 10000, not {weight}")
    return weight


def _said(error: ValidationError) -> str:
    said = []
    for detail in error.errors():
        message, hint, path = message_of(Rep, detail)
        column = f"{path[0]}: " if path else ""
        said.append(f"{column}{message}" + (f" ({hint})" if hint else ""))
    return "; ".join(said)
