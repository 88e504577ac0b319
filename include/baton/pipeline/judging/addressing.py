"""Whom a message goes to: the Slack address of an owner, of a manager, of who watches a queue."""

from __future__ import annotations

from baton.pipeline.active_policy import Agreement
from baton.policy.roster import Rep, Roster
from baton.policy.targets import TargetKind


def owner_address(agreement: Agreement, owner_key: str, owner_kind: str) -> str:
    """Return the address (an e-mail) of the owner, or of whoever watches the queue."""
    if owner_kind == "queue":
        return watcher_address(agreement, owner_key)
    rep = agreement.roster.rep(owner_key)
    return _address(rep) if rep else owner_key


def manager_address(agreement: Agreement, owner_key: str, owner_kind: str) -> str:
    """Return the address of the owner's manager; of the owner where there is none.

    A queue has no manager: whoever watches it is told, first and again.
    """
    if owner_kind == "queue":
        return watcher_address(agreement, owner_key)
    rep = agreement.roster.rep(owner_key)
    manager = agreement.roster.rep(rep.manager) if rep and rep.manager else None
    return _address(manager) if manager else owner_address(agreement, owner_key, owner_kind)


def watcher_address(agreement: Agreement, queue: str) -> str:
    """Return the address of who watches a queue: as its rule says, else as the last rule says.

    Where no rule names anybody, the first person of the roster without a manager answers.
    """
    rules = agreement.policy.route
    own = [
        rule.watched_by
        for rule in rules
        if any(
            to is not None and to.kind is TargetKind.QUEUE and to.name == queue
            for to in (rule.to, rule.if_nobody)
        )
    ]
    last = [rule.watched_by for rule in rules if rule.fallback]
    named = next((one for one in (*own, *last) if one), None)
    if named is None:
        return _head(agreement.roster) or queue
    rep = agreement.roster.rep(named)
    return _address(rep) if rep else named


def _head(roster: Roster) -> str | None:
    heads = [rep for rep in roster.people if rep.manager is None and rep.active]
    return _address(heads[0]) if heads else None


def _address(rep: Rep) -> str:
    return rep.slack_email or rep.email
