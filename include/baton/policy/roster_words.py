"""What changed between two rosters, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from baton.policy.abilities import abilities_in_text
from baton.policy.roster import Leave, Pool, Rep, Roster
from baton.policy.week_text import week_in_text

_FIELDS = {
    "name": "name",
    "role": "role",
    "manager": "manager",
    "zone": "zone",
    "hours": "hours",
    "cap_open": "most open handoffs",
    "cap_hour": "most new leads an hour",
    "cap_day": "most new leads a day",
    "cap_week": "most new leads a week",
    "good_at": "good at",
    "salesforce_user": "Salesforce user",
    "slack_email": "Slack e-mail",
    "joined": "joins on",
    "left": "leaves on",
    "active": "active",
}


@dataclass(frozen=True, slots=True)
class RosterChange:
    """One change: whom it is about (e-mails), the pool if it is one of a pool, and the sentence."""

    reps: tuple[str, ...]
    text: str
    pool: str | None = None


def differences(before: Roster | None, after: Roster) -> tuple[RosterChange, ...]:
    """Return what `after` changes, people first, in the order of the roster."""
    return (*_of_people(before or Roster(), after), *_of_pools(before or Roster(), after))


def _of_people(before: Roster, after: Roster) -> Iterator[RosterChange]:
    for key, rep in after.by_key.items():
        old = before.by_key.get(key)
        if old is None:
            role = f" ({rep.role})" if rep.role else ""
            yield RosterChange((key,), f"{key}: new on the roster, {rep.name}{role}")
        elif old != rep:
            yield from (RosterChange((key,), f"{key}: {text}") for text in _of_rep(old, rep))
    for key in before.by_key:
        if key not in after.by_key:
            yield RosterChange((key,), f"{key}: taken off the roster")


def _of_rep(old: Rep, new: Rep) -> Iterator[str]:
    for name, words in _FIELDS.items():
        was, now = _value(old, name), _value(new, name)
        if was != now:
            yield f"{words} {was} → {now}"
    for leave in new.leave:
        if leave not in old.leave:
            yield f"away {leave_in_words(leave, new.zone)}"
    for leave in old.leave:
        if leave not in new.leave:
            yield f"no longer away {leave_in_words(leave, new.zone)}"


def _value(rep: Rep, name: str) -> str:
    value = getattr(rep, name)
    if name == "hours" and not isinstance(value, str):
        return week_in_text(value)
    if name == "good_at":
        return abilities_in_text(value) or "nothing in particular"
    if name == "active":
        return "yes" if value else "no"
    if value is None and name.startswith("cap_"):
        return "no limit"
    return "not given" if value is None or value == "" else str(value)


def _of_pools(before: Roster, after: Roster) -> Iterator[RosterChange]:
    for name in {**before.pool_by_name, **after.pool_by_name}:
        yield from _of_pool(name, before.pool(name), after.pool(name))


def _of_pool(name: str, old: Pool | None, new: Pool | None) -> Iterator[RosterChange]:
    was = {one.rep: one.weight for one in old.members} if old else {}
    now = {one.rep: one.weight for one in new.members} if new else {}
    if old is None:
        yield RosterChange((), f"pool {name}: new", name)
    for rep, weight in now.items():
        if rep not in was:
            yield RosterChange((rep,), f"pool {name}: {rep} joins with weight {weight}", name)
        elif was[rep] != weight:
            text = f"pool {name}: weight of {rep} {was[rep]} → {weight}"
            yield RosterChange((rep,), text, name)
    for rep in was:
        if rep not in now:
            yield RosterChange((rep,), f"pool {name}: {rep} is out", name)
    if new is None:
        yield RosterChange(tuple(was), f"pool {name}: no longer there", name)


def leave_in_words(leave: Leave, zone: str) -> str:
    """Say when a leave is, in a zone: whole days as dates, else with times."""
    local = ZoneInfo(zone)
    start, end = leave.start.astimezone(local), leave.end.astimezone(local)
    return f"from {in_words(start)} until {in_words(end)} ({zone})"


def in_words(at: datetime) -> str:
    """Return an instant to the minute, as people read it."""
    return f"{at:%Y-%m-%d %H:%M}"
