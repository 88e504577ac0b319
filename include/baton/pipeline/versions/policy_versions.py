"""Versions of the policy in the ledger: what changed from one to the next, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.errors import ConfigurationError, PolicyErrors
from baton.ledger.agreements import policies
from baton.ledger.agreements.agreement_lock import hold_agreement
from baton.ledger.agreements.policies import Activation, ActivationKind
from baton.pipeline.versions.agreements import Adopted, refuse_misfits
from baton.policy.bundle import PolicyBundle
from baton.policy.difference_words import Change, changes
from baton.policy.loader import parse_policy
from baton.policy.models import Policy

__all__ = [
    "ACTIVE",
    "Rollback",
    "VersionLine",
    "changes_from_current",
    "history",
    "named_version",
    "plan_rollback",
    "roll_back",
]

ACTIVE = "active"
"""The word for the version that is current."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """A step back that is planned: from the current version to an earlier one, and what changes.

    `changes` is None when the current version cannot be read any more.
    """

    current: str
    target: str
    policy: Policy
    changes: tuple[Change, ...] | None


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One activation; `changes` to the version before it, None when one of them cannot be read."""

    activation: Activation
    name: str | None
    changes: tuple[Change, ...] | None

    @property
    def first(self) -> bool:
        """Tell whether nothing was active before."""
        return self.activation.parent_hash is None


def readable(bundle: PolicyBundle | None) -> Policy | None:
    """Return the policy in a bundle, or None when this version of Baton cannot read it."""
    if bundle is None:
        return None
    try:
        return parse_policy(bundle)
    except PolicyErrors:
        return None


def changes_from_current(conn: Connection, policy: Policy) -> tuple[Change, ...] | None:
    """Return what `policy` changes; None when nothing is current or it cannot be read any more."""
    current = readable(policies.current(conn))
    return None if current is None else changes(current, policy)


def named_version(conn: Connection, name: str) -> Policy:
    """Return a stored policy by "active" or by the beginning of its hash.

    Raises:
        ConfigurationError: there is none, there are several, or it cannot be read any more.
    """
    found = policies.current_hash(conn) if name == ACTIVE else policies.find(conn, name)
    if found is None:
        raise ConfigurationError("no policy is active: run 'baton policy activate include/policy'")
    return _read(found, policies.get(conn, found))


def plan_rollback(conn: Connection, to: str | None = None) -> Rollback:
    """Return the step back to the version before the current one, or to the one named by `to`.

    Raises:
        ConfigurationError: there is nothing to go back to, or it cannot be read any more; the
            current policy stays.
        PolicyErrors: the version does not fit the people who are there now.
    """
    current = policies.current_hash(conn)
    if current is None:
        raise ConfigurationError("no policy is active: there is nothing to go back from")
    target = policies.find(conn, to) if to else policies.before_current(conn)
    if target is None:
        raise ConfigurationError(
            f"policy {current[:12]} is the first: there is no version to go back to"
        )
    if target == current:
        raise ConfigurationError(f"policy {current[:12]} is current already: nothing to do")
    if to and not policies.was_active(conn, target):
        raise ConfigurationError(
            f"policy {target[:12]} was never active: 'baton policy activate' makes it so"
        )
    bundle = policies.get(conn, target)
    policy = _read(target, bundle)
    if bundle is not None:
        refuse_misfits(conn, bundle)
    before = readable(policies.get(conn, current))
    return Rollback(current, target, policy, None if before is None else changes(before, policy))


def roll_back(
    conn: Connection, plan: Rollback, *, by: str, at: datetime, note: str | None = None
) -> Adopted:
    """Go back as planned, on the record. Handoffs that are open keep the terms they have.

    Raises ConfigurationError when another policy has become current since the plan was made, and
    PolicyErrors when it does not fit the people who are there now.
    """
    hold_agreement(conn)
    bundle = policies.get(conn, plan.target)
    if bundle is not None:
        refuse_misfits(conn, bundle)
    policies.activate(
        conn,
        plan.target,
        parent=plan.current,
        by=by,
        at=at,
        kind=ActivationKind.ROLLBACK,
        note=note,
    )
    return Adopted(plan.target, plan.current)


def history(conn: Connection, *, limit: int = 20) -> list[VersionLine]:
    """Return the activations, newest first, each with what it changed."""
    found = policies.activations(conn, limit=limit)
    hashes = {one.hash for one in found} | {one.parent_hash for one in found if one.parent_hash}
    read = {name: readable(bundle) for name, bundle in policies.get_many(conn, hashes).items()}
    return [_line(one, read) for one in found]


def _line(one: Activation, read: dict[str, Policy | None]) -> VersionLine:
    after = read.get(one.hash)
    before = read.get(one.parent_hash) if one.parent_hash else None
    told = None if before is None or after is None else changes(before, after)
    return VersionLine(one, after.name if after else None, told)


def _read(policy_hash: str, bundle: PolicyBundle | None) -> Policy:
    if bundle is None:
        raise ConfigurationError(f"there is no policy {policy_hash[:12]} in the ledger")
    try:
        return parse_policy(bundle)
    except PolicyErrors as error:
        raise ConfigurationError(
            f"policy {policy_hash[:12]} cannot be used with this version of Baton; "
            f"the current policy stays as it is:\n{error}"
        ) from error
