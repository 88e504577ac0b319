"""A meeting that the lead has booked already, and with whom."""

from __future__ import annotations

from datetime import datetime, timedelta

from baton.policy.facts import Facts, FactValue
from baton.policy.models import Meetings

JUST_OVER = timedelta(days=1)
"""A meeting that began this long ago still counts as booked: it is in somebody's hands."""


def meeting_host(meetings: Meetings | None, facts: Facts) -> str | None:
    """Return the e-mail of the host of the lead's meeting, in lower case, or None."""
    host = facts.get(meetings.host) if meetings else None
    return host.strip().lower() if isinstance(host, str) and "@" in host else None


def meeting_facts(meetings: Meetings | None, facts: Facts, at: datetime) -> dict[str, FactValue]:
    """Return the fact "Meeting booked": it lies ahead or began within a day, and its host is known."""
    if meetings is None:
        return {}
    booked = facts.get(meetings.booked_at)
    ahead = isinstance(booked, datetime) and booked >= at - JUST_OVER
    return {"Meeting booked": ahead and meeting_host(meetings, facts) is not None}
