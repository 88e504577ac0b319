"""Versions of the roster: edited, imported, rolled back, told. Every change is one new version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection

from baton.errors import ConfigurationError, PolicyErrors, SettingsError
from baton.ledger.agreements import policies, rosters
from baton.ledger.agreements.agreement_lock import hold_agreement
from baton.ledger.agreements.rosters import RosterVersion
from baton.policy.loader import parse_policy
from baton.policy.models import Policy
from baton.policy.roster import Roster, roster_from_json
from baton.policy.roster_checks import contradictions, emptied
from baton.policy.roster_edits import keeping_leave
from baton.policy.roster_words import RosterChange, differences

__all__ = [
    "HistoryEntry",
    "RosterEdited",
    "change_roster",
    "import_roster",
    "roll_back_roster",
    "roster_history",
]


@dataclass(frozen=True, slots=True)
class RosterEdited:
    """A roster before and after a change.

    `emptied`: pools of the active policy from which nobody draws leads any more.
    """

    before: Roster | None
    after: Roster
    emptied: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[RosterChange, ...]:
        """Return what the edit changed, in words; nothing if all was so already."""
        return differences(self.before, self.after)


def change_roster(
    conn: Connection,
    edit: Callable[[Roster], Roster],
    *,
    by: str,
    at: datetime,
    note: str,
    dry_run: bool = False,
) -> RosterEdited:
    """Apply a small edit to the current roster and make the result current.

    Of two people at the same minute one waits for the other: neither change is lost.

    Raises:
        SettingsError: the edit does not fit the roster (an unknown person, say).
        PolicyErrors: the active policy lacks a calendar or pool that the edit names.
        ConfigurationError: there is no roster yet.
    """
    if not dry_run:
        hold_agreement(conn)
    version = _current_version(conn)
    before = roster_from_json(version.content)
    after = edit(before)
    edited = RosterEdited(before, after, _emptied(conn, before, after))
    if edited.changes and not dry_run:
        rosters.store(conn, after, by=by, at=at, note=note, parent=version.hash)
    return edited


def _current_version(conn: Connection) -> RosterVersion:
    current = rosters.current(conn)
    if current is None:
        raise ConfigurationError(
            "there is no roster: run 'baton roster import include/policy/roster.yaml'"
        )
    return current


def import_roster(
    conn: Connection,
    roster: Roster,
    *,
    by: str,
    at: datetime,
    note: str,
    replace_leave: bool = False,
    parent: str | None = None,
    dry_run: bool = False,
) -> RosterEdited:
    """Replace the whole roster, checked against the active policy.

    Leave that the ledger records stays for everybody for whom `roster` states none, unless
    `replace_leave`. `parent` is the hash that whoever imports believes to be current.

    Raises:
        PolicyErrors: the active policy lacks calendars or pools that the roster names.
        StaleRosterError: another roster has become current meanwhile.
    """
    if not dry_run:
        hold_agreement(conn)
    current = rosters.current(conn)
    before = None if current is None else roster_from_json(current.content)
    after = roster if before is None or replace_leave else keeping_leave(roster, before)
    edited = RosterEdited(before, after, emptied=_emptied(conn, before, after))
    if edited.changes and not dry_run:
        read_from = parent or (current.hash if current else None)
        rosters.store(conn, after, by=by, at=at, note=note, parent=read_from)
    return edited


def roll_back_roster(
    conn: Connection, name: str, *, by: str, at: datetime, dry_run: bool = False
) -> tuple[RosterVersion, RosterEdited]:
    """Make an earlier version current again; `name` is its number or the beginning of its hash.

    Raises SettingsError when there is no such version, else as `import_roster`.
    """
    version = rosters.named(conn, name)
    if version is None:
        raise SettingsError(f"there is no roster version '{name}': see 'baton roster history'")
    edited = import_roster(
        conn,
        roster_from_json(version.content),
        by=by,
        at=at,
        note=f"back to version {version.id} of {version.at:%Y-%m-%d %H:%M} UTC",
        replace_leave=True,
        dry_run=dry_run,
    )
    return version, edited


def _emptied(conn: Connection, before: Roster | None, after: Roster) -> tuple[str, ...]:
    """Return the pools that a change empties, after refusing what contradicts the policy."""
    policy = _active(conn)
    if policy is None:
        return ()
    wrong = contradictions(policy, after)
    known = () if before is None else {str(error) for error in contradictions(policy, before)}
    new = [error for error in wrong if str(error) not in known]
    if new:
        raise PolicyErrors(new)
    return emptied(policy, before, after)


def _active(conn: Connection) -> Policy | None:
    bundle = policies.current(conn)
    return None if bundle is None else parse_policy(bundle)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One version of the roster with what it changed against the one before it."""

    version: RosterVersion
    changes: tuple[RosterChange, ...]


def roster_history(
    conn: Connection, *, limit: int = 20, rep: str | None = None
) -> Iterator[HistoryEntry]:
    """Yield the newest versions with their changes; with `rep`, those that concern one person."""
    shown, newer = 0, None
    for older in chain(_all_versions(conn), (None,)):
        if newer is not None:
            entry = _entry(newer, older, rep)
            if rep is None or entry.changes:
                yield entry
                shown += 1
        if shown >= limit:
            return
        newer = older


def _all_versions(conn: Connection) -> Iterator[RosterVersion]:
    before_id: int | None = None
    while page := rosters.versions(conn, before_id=before_id):
        yield from page
        before_id = page[-1].id


def _entry(newer: RosterVersion, older: RosterVersion | None, rep: str | None) -> HistoryEntry:
    before = None if older is None else roster_from_json(older.content)
    found = differences(before, roster_from_json(newer.content))
    wanted = None if rep is None else rep.lower()
    return HistoryEntry(newer, tuple(c for c in found if wanted is None or wanted in c.reps))
