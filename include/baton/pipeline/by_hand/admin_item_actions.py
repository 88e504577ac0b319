"""Settling what a person only has to look at: two contacts that are not one, an edit of sales."""

from __future__ import annotations

from sqlalchemy import Connection

from baton.ledger.handoffs import overrides
from baton.ledger.leads import duplicates
from baton.pipeline.by_hand.admin_requests import Action, ByHand, RefusedError, Why


def dismiss_duplicate(conn: Connection, _hand: ByHand, action: Action) -> str:
    """Note that two contacts are two people. Raises RefusedError if nothing links them."""
    first, other = action.subject.id, action.subject.other
    linked = duplicates.of_leads(conn, [first]).get(first, ())
    if other is None or all(lead_id != other for lead_id, _ in linked):
        raise RefusedError(Why.UNKNOWN, "Nothing links these two contacts (any more).")
    return f"Leads {first} and {other} are two people: noted."


def dismiss_override(conn: Connection, _hand: ByHand, action: Action) -> str:
    """Note that somebody has seen an edit of sales. Raises RefusedError if there is none."""
    found = overrides.get(conn, action.subject.id)
    if found is None:
        raise RefusedError(Why.UNKNOWN, f"There is no {action.subject} in the ledger.")
    return f"Seen: {found.field} stays as {found.by_whom or 'sales'} wrote it."
