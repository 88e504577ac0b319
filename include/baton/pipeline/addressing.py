"""Whom a message goes to: the Slack address of an owner, of a manager, of who watches a queue."""

from __future__ import annotations

from baton.policy.roster import Rep, Roster


def owner_address(roster: Roster, owner_key: str, owner_kind: str) -> str:
    """Return the address (an e-mail) of the owner, or of whoever answers for a queue."""
    if owner_kind == "queue":
        return manager_address(roster, owner_key, owner_kind)
    rep = roster.rep(owner_key)
    return _address(rep) if rep else owner_key


def manager_address(roster: Roster, owner_key: str, owner_kind: str) -> str:
    """Return the address of the owner's manager; of the owner where there is none.

    A queue has no manager of its own: the first person of the roster without a manager answers.
    """
    if owner_kind == "queue":
        heads = [rep for rep in roster.people if rep.manager is None and rep.active]
        return _address(heads[0]) if heads else owner_key
    rep = roster.rep(owner_key)
    manager = roster.rep(rep.manager) if rep and rep.manager else None
    return _address(manager) if manager else owner_address(roster, owner_key, owner_kind)


def _address(rep: Rep) -> str:
    return rep.slack_email or rep.email
