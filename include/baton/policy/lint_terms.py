"""The response clocks: does each handoff have one, and do its steps run forward?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from holidays import country_holidays
from holidays.registry import COUNTRIES

from baton.policy.durations import Duration
from baton.policy.findings import Finding, Level
from baton.policy.models import Policy, SlaTerms


def clocks_run_forward(policy: Policy) -> Iterator[Finding]:
    """Yield terms whose steps are out of order, and terms in which a miss has no consequence."""
    for key, terms in policy.sla.items():
        for (earlier, first), (later, second) in pairwise(_steps(terms)):
            if first.kind is second.kind and first.seconds > second.seconds:
                message = f"'{later}' ({second}) comes before '{earlier}' ({first})"
                hint = f"'{earlier}' has to be the shorter of the two"
                yield Finding(Level.ERROR, "thresholds", message, ("sla", key, later), hint)
        if terms.tell_manager_at is None and terms.reassign_at is None:
            message = f"when '{key}' is missed, nothing happens"
            hint = "say tell_manager_at or reassign_at"
            yield Finding(Level.ERROR, "no-escalation", message, ("sla", key), hint)


def _steps(terms: SlaTerms) -> list[tuple[str, Duration]]:
    steps = (
        ("remind_at", terms.remind_at),
        ("first_touch", terms.first_touch),
        ("tell_manager_at", terms.tell_manager_at),
        ("reassign_at", terms.reassign_at),
    )
    return [(name, length) for name, length in steps if length is not None]


def holidays_are_known(policy: Policy) -> Iterator[Finding]:
    """Yield calendars whose public holidays nobody can tell."""
    for name, calendar in policy.calendars.items():
        if calendar.holidays is None:
            continue
        if not _holidays_known(calendar.holidays):
            message = f"public holidays of '{calendar.holidays}' are not known"
            hint = "write an ISO country such as DE, or one of its parts such as DE-BY"
            yield Finding(
                Level.ERROR, "unknown-name", message, ("calendars", name, "holidays"), hint
            )


@cache
def _holidays_known(place: str) -> bool:
    country, _, part = place.upper().partition("-")
    if not any(country in names for names in COUNTRIES.values()):
        return False
    # Naming a part loads that country's calendar, which costs; most policies name none.
    return not part or part in country_holidays(country).subdivisions


def every_handoff_has_terms(policy: Policy) -> Iterator[Finding]:
    """Yield bands and triggers that hand off without a clock."""
    for name, band in policy.bands.items():
        if band.hands_off and name not in policy.sla:
            message = f"'{name}' hands off, but has no response time"
            yield Finding(Level.ERROR, "no-terms", message, ("bands", name), f"add '{name}' to sla")
    for name, trigger in policy.triggers.items():
        # A trigger without its own clock takes that of the lead's band, so each band needs one.
        covered = any(key in policy.sla for key in (trigger.sla, name, trigger.band) if key)
        if trigger.hands_off and not covered and not set(policy.bands) <= set(policy.sla):
            message = f"'{name}' hands off leads of bands that have no response time"
            hint = f"add '{name}' to sla, or name one with sla: ..."
            yield Finding(Level.ERROR, "no-terms", message, ("triggers", name), hint)
