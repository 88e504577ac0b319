"""From the hours that policy and roster write to calendars that can count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from baton.calendars.working_time import Block, Week, WorkingCalendar
from baton.errors import PolicyError
from baton.policy.calendar_rules import CalendarRule, TimeBlock
from baton.policy.holiday_places import country_and_part
from baton.policy.models import Policy
from baton.policy.roster import Rep, Roster

HOLIDAY_YEARS = range(2018, 2041)
"""Years for which public holidays are known to a calendar."""


def calendar_for(rep: Rep | None, policy: Policy, roster: Roster) -> WorkingCalendar:
    """Return the working calendar of `rep`, with the leave that the roster knows.

    None is whoever watches a queue: the first calendar of the policy, in UTC where it leaves the
    zone open, without leave. Raises PolicyError for a calendar that the policy does not have.
    """
    if rep is None:
        return _from_rule(next(iter(policy.calendars.values())), "UTC", ())
    known = roster.rep(rep.key) or rep
    leave = tuple((part.start, part.end) for part in known.leave)
    if not isinstance(known.hours, str):
        return _calendar(known.zone, _week(known.hours), frozenset(), leave, False)
    rule = policy.calendars.get(known.hours)
    if rule is None:
        raise PolicyError(
            f"the calendar '{known.hours}' of {known.key} is not in the policy",
            hint="calendars there are: " + ", ".join(policy.calendars),
        )
    return _from_rule(rule, known.zone, leave)


@dataclass(slots=True)
class Calendars:
    """The calendars of one roster under one policy, each built when it is first asked for."""

    policy: Policy
    roster: Roster
    _by_rep: dict[str | None, WorkingCalendar] = field(default_factory=dict, repr=False)

    def of(self, rep_key: str | None) -> WorkingCalendar:
        """Return the calendar of a rep; of a queue for None and for whom the roster lacks."""
        calendar = self._by_rep.get(rep_key)
        if calendar is None:
            rep = self.roster.rep(rep_key)
            calendar = self._by_rep[rep_key] = calendar_for(rep, self.policy, self.roster)
        return calendar


@lru_cache(maxsize=256)
def public_holidays(place: str) -> frozenset[date]:
    """Return the public holidays of a country ("DE") or one of its parts ("DE-BY").

    Raises PolicyError for a place that the library does not know.
    """
    import holidays

    known = country_and_part(place)
    if known is None:
        raise PolicyError(
            f"public holidays of '{place}' are not known",
            hint="write an ISO country such as DE, or one of its parts such as DE-BY",
        )
    country, part = known
    return frozenset(holidays.country_holidays(country, subdiv=part, years=HOLIDAY_YEARS))


def _from_rule(
    rule: CalendarRule, zone: str, leave: tuple[tuple[datetime, datetime], ...]
) -> WorkingCalendar:
    closed = frozenset(rule.closed_on)
    if rule.holidays:
        closed |= public_holidays(rule.holidays)
    return _calendar(rule.zone or zone, _week(rule.week), closed, leave, rule.always)


def _week(blocks: Mapping[int, tuple[TimeBlock, ...]]) -> Week:
    return tuple(
        tuple(Block(part.start_minute * 60, part.end_minute * 60) for part in blocks.get(day, ()))
        for day in range(7)
    )


@lru_cache(maxsize=2048)
def _calendar(
    zone: str,
    week: Week,
    closed: frozenset[date],
    leave: tuple[tuple[datetime, datetime], ...],
    always: bool,
) -> WorkingCalendar:
    """Build a calendar once for all batches of a process: it remembers the days it worked out."""
    return WorkingCalendar(zone, week, closed, leave, always)
