"""Making a policy or a roster the current one: what a person does, on the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.errors import ConfigurationError
from baton.ledger.agreements import policies, rosters
from baton.ledger.agreements.agreement_lock import hold_agreement
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import parse_policy, refuse_errors
from baton.policy.roster import Roster, roster_from_json

__all__ = ["Adopted", "activate_policy", "adopt_roster", "current_roster", "refuse_misfits"]


@dataclass(frozen=True, slots=True)
class Adopted:
    """What is current now and what was before (hashes); the same when nothing changed."""

    now: str
    before: str | None

    @property
    def changed(self) -> bool:
        """Tell whether anything became current that was not."""
        return self.now != self.before


def activate_policy(
    conn: Connection,
    bundle: PolicyBundle,
    *,
    by: str,
    at: datetime,
    parent: str | None,
    note: str | None = None,
) -> Adopted:
    """Check, store and activate a policy; again with the current one changes nothing.

    `parent` is the hash that the person who activates believes to be current.

    Raises:
        PolicyErrors: the policy cannot be used, or not with the current roster; all is said at once.
        ConfigurationError: another policy has become current meanwhile.
    """
    parse_policy(bundle)
    hold_agreement(conn)
    before = policies.current_hash(conn)
    if before == bundle.hash:
        return Adopted(bundle.hash, before)
    refuse_misfits(conn, bundle)
    policies.store(conn, bundle, at=at)
    policies.activate(conn, bundle.hash, parent=parent, by=by, at=at, note=note)
    return Adopted(bundle.hash, before)


def refuse_misfits(conn: Connection, bundle: PolicyBundle) -> None:
    """Raise PolicyErrors with what a policy asks of the current roster, if there is one, in vain."""
    current = rosters.current(conn)
    if current is not None:
        refuse_errors(bundle, roster_from_json(current.content))


def adopt_roster(
    conn: Connection,
    roster: Roster,
    *,
    by: str,
    at: datetime,
    note: str | None = None,
    parent: str | None = None,
) -> Adopted:
    """Make a roster the current one; again with the current one changes nothing.

    Raises StaleRosterError when `parent` is given and no longer current.
    """
    hold_agreement(conn)
    current = rosters.current(conn)
    before = None if current is None else current.hash
    now = rosters.store(conn, roster, by=by, at=at, note=note, parent=parent)
    return Adopted(now, before)


def current_roster(conn: Connection) -> Roster:
    """Return the current roster. Raises ConfigurationError when there is none yet."""
    current = rosters.current(conn)
    if current is None:
        raise ConfigurationError(
            "there is no roster: run 'baton roster import include/policy/roster.yaml'"
        )
    return roster_from_json(current.content)
