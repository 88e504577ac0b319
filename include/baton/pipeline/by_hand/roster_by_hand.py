"""Marking somebody away, or back, on a page: made from the roster that the page showed, safe twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from baton.ledger.agreements import rosters
from baton.ledger.agreements.rosters import RosterVersion, StaleRosterError
from baton.pipeline.by_hand.admin_requests import checked_reason
from baton.pipeline.versions.roster_versions import RosterEdited, change_roster
from baton.policy.roster import Roster, roster_from_json
from baton.policy.roster_edits import Absence, back_from_leave, known_rep, with_leave
from baton.policy.roster_words import differences, in_words

_MOST_DIFFERENCES = 5


class Until(StrEnum):
    """How long somebody is away, as a page offers it."""

    TODAY = "today"
    TOMORROW = "tomorrow"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceAsked:
    """What somebody (`by`) asks for. `until` None: the person is back, the leave ends now.

    `until` is "today", "tomorrow" or "date" (the whole of `day`, as 2026-12-04, is still leave), in
    the person's own zone. `seen` is the hash of the roster that the page showed.
    """

    person: str
    until: Until | None
    day: str = ""
    reason: str
    by: str
    seen: str


def change_presence(conn: Connection, asked: PresenceAsked, now: datetime) -> RosterEdited:
    """Mark somebody away or back. What is so already is not done again.

    Raises:
        RefusedError: there is no reason, or one that is too long.
        SettingsError: no such person, a day that is none or is over, or there is no leave to end.
        StaleRosterError: somebody else changed the roster since; the message says who and what.
    """
    reason = checked_reason(asked.reason)
    moment = now.replace(second=0, microsecond=0)
    version = rosters.current(conn)
    if version is not None:
        current = roster_from_json(version.content)
        if _is_so(current, asked, now):
            return RosterEdited(current, current)

    def edit(roster: Roster) -> Roster:
        if roster.hash != asked.seen:
            raise StaleRosterError(_what_changed(conn, asked.seen))
        if asked.until is None:
            return back_from_leave(roster, asked.person, moment)
        zone = known_rep(roster, asked.person).zone
        absence = Absence(None, _last_day(asked, zone, now))
        return with_leave(roster, asked.person, absence.leave(zone, moment))

    ends = "is back" if asked.until is None else f"away until {asked.day or asked.until}"
    return change_roster(
        conn, edit, by=asked.by, at=now, note=f"{asked.person.lower()} {ends}: {reason}"
    )


def _last_day(asked: PresenceAsked, zone: str, now: datetime) -> str:
    today = now.astimezone(ZoneInfo(zone)).date()
    match asked.until:
        case Until.TODAY:
            return today.isoformat()
        case Until.TOMORROW:
            return (today + timedelta(days=1)).isoformat()
        case _:
            return asked.day or "no day"


def _is_so(roster: Roster, asked: PresenceAsked, now: datetime) -> bool:
    """Tell whether the same form has done it before: a second press, a reloaded page."""
    if asked.seen == roster.hash:
        return False
    rep = known_rep(roster, asked.person)
    if asked.until is None:
        return not rep.on_leave(now)
    wanted = Absence(None, _last_day(asked, rep.zone, now)).leave(rep.zone, now)
    return any(one.covers(now) and one.end == wanted.end for one in rep.leave)


def _what_changed(conn: Connection, seen: str) -> str:
    old, new = rosters.get(conn, seen), rosters.current(conn)
    said = "the roster was changed since this page was shown, so nothing was done"
    if new is None:
        return said
    changes = [one.text for one in differences(_roster(old), _roster(new) or Roster())]
    shown = "; ".join(changes[:_MOST_DIFFERENCES]) if old else "it cannot be told what"
    more = (
        f"; and {len(changes) - _MOST_DIFFERENCES} more"
        if len(changes) > _MOST_DIFFERENCES and old
        else ""
    )
    return f"{said}. By {new.by_whom} at {in_words(new.at)} UTC: {shown}{more}"


def _roster(version: RosterVersion | None) -> Roster | None:
    return None if version is None else roster_from_json(version.content)
