"""Response times against working hours: can they be met at all?"""

from __future__ import annotations

from collections.abc import Iterator

from baton.policy.calendar_rules import CalendarRule
from baton.policy.durations import ClockKind, Duration
from baton.policy.findings import Finding, Level
from baton.policy.models import Policy, SlaTerms

_DAY, _WEEK = 86_400, 7 * 86_400
_STEPS = ("remind_at", "tell_manager_at", "reassign_at")


def clocks_can_be_met(policy: Policy) -> Iterator[Finding]:
    """Yield response times that nobody can keep, and hotter bands that answer later than colder."""
    closing = [calendar for calendar in policy.calendars.values() if not calendar.always]
    for key, terms in policy.sla.items():
        yield from _fits_into_the_timer(policy, key, terms, closing)
        if closing:
            yield from _someone_is_awake(policy, key, terms, max(map(longest_gap, closing)))
    yield from _hotter_is_faster(policy)


def working_seconds(calendar: CalendarRule) -> int:
    """Return the working seconds of a week without holidays."""
    return sum(block.minutes for blocks in calendar.week.values() for block in blocks) * 60


def longest_gap(calendar: CalendarRule) -> int:
    """Return the longest stretch without working time in a week without holidays, in seconds."""
    edges = sorted(
        (day * _DAY + block.start_minute * 60, day * _DAY + block.end_minute * 60)
        for day, blocks in calendar.week.items()
        for block in blocks
    )
    if not edges:
        return _WEEK
    following = [*edges[1:], (edges[0][0] + _WEEK, 0)]
    return max(later[0] - one[1] for one, later in zip(edges, following, strict=True))


def _fits_into_the_timer(
    policy: Policy, key: str, terms: SlaTerms, calendars: list[CalendarRule]
) -> Iterator[Finding]:
    """The net beneath a handoff must not ring before its own clock has run out."""
    timer = policy.timers.in_handoff.after
    for name in ("first_touch", *_STEPS):
        length: Duration | None = getattr(terms, name)
        if length is None:
            continue
        days = _days_needed(length, calendars)
        if days * _DAY > timer.seconds:
            lasts = f"{days:g} days" if days >= 2 else f"{days * 24:.0f} hours"
            message = (
                f"'{name}' ({length}) of '{key}' takes about {lasts} by the calendar, "
                f"but the timer of 'in_handoff' rings after {timer}"
            )
            hint = "shorten it, or give the timer more time"
            yield Finding(Level.ERROR, "sla-cannot-be-met", message, ("sla", key, name), hint)


def _days_needed(length: Duration, calendars: list[CalendarRule]) -> float:
    if length.kind is ClockKind.WALL or not calendars:
        return length.seconds / _DAY
    weekly = min(map(working_seconds, calendars))
    return round(length.seconds / weekly * 7, 1)


def _someone_is_awake(policy: Policy, key: str, terms: SlaTerms, gap: int) -> Iterator[Finding]:
    only_in_hours = policy.pools and all(pool.only_in_hours for pool in policy.pools.values())
    hours = f"{gap / 3600:g} hours"
    if terms.clock is ClockKind.WALL:
        if terms.first_touch.seconds < gap and not only_in_hours:
            message = (
                f"'{key}' asks for a first touch within {terms.first_touch} by the clock on the "
                f"wall, but nobody works for up to {hours}"
            )
            hint = "count it in working minutes, or let the pools draw only_in_hours"
            path = ("sla", key, "first_touch")
            yield Finding(Level.WARNING, "sla-cannot-be-met", message, path, hint)
        return
    for name in ("tell_manager_at", "reassign_at"):
        length: Duration | None = getattr(terms, name)
        if length is not None and length.kind is ClockKind.WALL and length.seconds < gap:
            message = (
                f"'{name}' ({length} by the clock on the wall) of '{key}' comes before a first "
                f"touch is due when nobody works for {hours}"
            )
            hint = "count it in working time, as first_touch"
            yield Finding(Level.WARNING, "sla-cannot-be-met", message, ("sla", key, name), hint)


def _hotter_is_faster(policy: Policy) -> Iterator[Finding]:
    bands = [band.name for band in policy.bands_high_to_low if band.name in policy.sla]
    for at, hotter in enumerate(bands):
        for colder in bands[at + 1 :]:
            first, second = policy.sla[hotter].first_touch, policy.sla[colder].first_touch
            if first.kind is second.kind and first.seconds > second.seconds:
                message = f"'{hotter}' ({first}) is answered later than '{colder}' ({second})"
                path = ("sla", hotter, "first_touch")
                hint = "the hotter the lead, the shorter the time"
                yield Finding(Level.WARNING, "thresholds", message, path, hint)
