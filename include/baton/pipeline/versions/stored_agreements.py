"""Policies and rosters as stored with old decisions, each version read once.

An old policy is read as it stands: what today's linter has come to refuse does not keep a decision
from being repeated. What today's reader cannot read at all is said for that version, and others
go on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from baton.errors import BatonError
from baton.ledger.agreements import policies, rosters
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import check_policy
from baton.policy.models import Policy
from baton.policy.roster import Roster, roster_from_json

_SHOWN = 12
_KEPT_POLICIES = 16
_KEPT_ROSTERS = 256

Part = TypeVar("Part")


class UnreadableVersionError(BatonError):
    """A policy or roster version of the past is not there, or this release cannot read it."""


class StoredAgreements:
    """Gives policy and roster of a decision by their hashes; a bounded number is kept."""

    def __init__(self) -> None:
        self._policies: OrderedDict[str, Policy | UnreadableVersionError] = OrderedDict()
        self._rosters: OrderedDict[str, Roster | UnreadableVersionError] = OrderedDict()

    def know(self, conn: Connection, policy_hash: str, roster_hash: str) -> None:
        """Read both versions unless they are known; nothing is raised for what they hold."""
        _remember(self._policies, policy_hash, lambda: _policy(conn, policy_hash))
        _remember(self._rosters, roster_hash, lambda: _roster(conn, roster_hash))

    def make_room(self) -> None:
        """Forget the versions used longest ago, where many have been read: between two chunks."""
        _forget(self._policies, _KEPT_POLICIES)
        _forget(self._rosters, _KEPT_ROSTERS)

    def policy(self, policy_hash: str) -> Policy:
        """Return a policy that `know` was asked for. Raises UnreadableVersionError."""
        return _found(self._policies, policy_hash)

    def roster(self, roster_hash: str) -> Roster:
        """Return a roster that `know` was asked for. Raises UnreadableVersionError."""
        return _found(self._rosters, roster_hash)

    def of(self, policy_hash: str, roster_hash: str) -> tuple[Policy, Roster]:
        """Return both. Raises UnreadableVersionError with the version and what is wrong with it."""
        return self.policy(policy_hash), self.roster(roster_hash)


def _remember(
    kept: OrderedDict[str, Part | UnreadableVersionError],
    version: str,
    read: Callable[[], Part],
) -> None:
    if version in kept:
        kept.move_to_end(version)
        return
    try:
        kept[version] = read()
    except UnreadableVersionError as error:
        kept[version] = error


def _forget(kept: OrderedDict[str, Part | UnreadableVersionError], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)


def _found(kept: OrderedDict[str, Part | UnreadableVersionError], version: str) -> Part:
    found = kept.get(version)
    if found is None:
        raise UnreadableVersionError(f"version {version[:_SHOWN]} was not read")
    if isinstance(found, UnreadableVersionError):
        raise found
    return found


def _policy(conn: Connection, policy_hash: str) -> Policy:
    bundle = policies.get(conn, policy_hash)
    if bundle is None:
        raise UnreadableVersionError(f"policy {policy_hash[:_SHOWN]} is not in the ledger any more")
    return read_stored_policy(bundle)


def read_stored_policy(bundle: PolicyBundle) -> Policy:
    """Read a policy of the past; what the linter calls an error is let pass.

    Raises UnreadableVersionError with the version and the first thing that is wrong.
    """
    try:
        return check_policy(bundle)[0]
    except (BatonError, ValueError, TypeError, LookupError, AttributeError) as error:
        first = str(error).splitlines()[0] if isinstance(error, BatonError) else _kind(error)
        raise UnreadableVersionError(
            f"policy {bundle.hash[:_SHOWN]} can no longer be read by this release: {first}"
        ) from error


def _roster(conn: Connection, roster_hash: str) -> Roster:
    version = rosters.get(conn, roster_hash)
    if version is None:
        raise UnreadableVersionError(f"roster {roster_hash[:_SHOWN]} is not in the ledger any more")
    try:
        return roster_from_json(version.content)
    except (BatonError, ValueError) as error:
        raise UnreadableVersionError(
            f"roster {roster_hash[:_SHOWN]} can no longer be read by this release"
        ) from error


def _kind(error: Exception) -> str:
    return type(error).__name__
