"""The policy and roster that are current in the ledger, parsed once for each version."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection

from baton.errors import ConfigurationError
from baton.ledger.agreements import policies, rosters
from baton.policy.loader import PolicyBundle, parse_policy
from baton.policy.models import Policy
from baton.policy.roster import Roster, roster_from_json


@dataclass(frozen=True, slots=True)
class Agreement:
    """The policy and roster that a batch is decided by."""

    policy: Policy
    roster: Roster


def active_policy(conn: Connection) -> Agreement:
    """Return what is current. Workers take it from the ledger, never from disk.

    Raises:
        ConfigurationError: nothing has been activated yet; the message says how to.
    """
    bundle = policies.current(conn)
    if bundle is None:
        msg = "no policy is active: run 'baton policy activate include/policy'"
        raise ConfigurationError(msg)
    roster = rosters.current(conn)
    if roster is None:
        msg = "there is no roster: run 'baton roster import include/policy/roster.yaml'"
        raise ConfigurationError(msg)
    return Agreement(_parsed(tuple(sorted(bundle.texts.items()))), _roster(roster.content))


def current_policy(conn: Connection) -> Policy | None:
    """Return the active policy, or None before there is one; a roster is not needed."""
    bundle = policies.current(conn)
    return None if bundle is None else _parsed(tuple(sorted(bundle.texts.items())))


@lru_cache(maxsize=4)
def _parsed(texts: tuple[tuple[str, str], ...]) -> Policy:
    return parse_policy(PolicyBundle(dict(texts)))


@lru_cache(maxsize=4)
def _roster(content: str) -> Roster:
    return roster_from_json(content)
