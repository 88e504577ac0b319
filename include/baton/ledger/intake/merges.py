"""Two contacts become one in HubSpot: the ledger follows, and sales is not told twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select, update

from baton.errors import InvariantError
from baton.leads.states import FINAL_LEAD_STATES, HandoffState, LeadState
from baton.ledger.effects import outbox
from baton.ledger.handoffs import handoffs
from baton.ledger.leads import answers
from baton.ledger.leads.leads import LeadRow, StateChange, lock_leads, set_states
from baton.ledger.leads.persons import delete_people
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, among
from baton.ledger.tables.effects import effect
from baton.ledger.tables.handoffs import handoff
from baton.ledger.tables.leads import lead


def merge_into(
    conn: Connection, winner_id: int, loser_ids: Iterable[int], *, at: datetime, by: str
) -> None:
    """Merge leads into the one that HubSpot kept.

    The losers' handoffs become the winner's. If both have an open one, the winner's stays and the
    losers' are cancelled; if only a loser has one, the winner is in handoff from now on, with the
    same owner and the same clocks. The losers' personal data are deleted: the winner has them.

    Raises InvariantError if the winner is not there or itself gone.
    """
    losers = sorted(set(loser_ids) - {winner_id})
    if not losers:
        return
    rows = lock_leads(conn, [winner_id, *losers])
    winner = rows.get(winner_id)
    if winner is None or winner.state in FINAL_LEAD_STATES:
        raise InvariantError(f"lead {winner_id} cannot take others over")
    gone = [rows[one] for one in losers if one in rows and rows[one].state not in FINAL_LEAD_STATES]
    if not gone:
        return
    ids = [row.id for row in gone]
    is_open = _keep_one_open(conn, [winner_id, *ids], winner_id, at=at, by=by)
    outbox.supersede_lead_level(conn, ids, at=at, by=by)
    _hand_over(conn, ids, winner)
    _move(conn, winner, ids, is_open=is_open, at=at, by=by)
    conn.execute(
        update(lead)
        .where(lead.c.id == winner_id)
        .values(
            cycle=lead.c.cycle + sum(row.cycle for row in gone),
            salesforce_lead_id=_first(rows[winner_id], gone, "salesforce_lead_id"),
            salesforce_contact_id=_first(rows[winner_id], gone, "salesforce_contact_id"),
        )
    )
    conn.execute(update(lead).where(among(lead.c.id, ids)).values(merged_into=winner_id))
    answers.inherit(conn, winner_id, ids)
    delete_people(conn, ids)


def _first(winner: LeadRow, losers: Iterable[LeadRow], name: str) -> str | None:
    known: list[str] = [
        value for row in (winner, *losers) if (value := getattr(row, name)) is not None
    ]
    return known[0] if known else None


def _keep_one_open(
    conn: Connection, lead_ids: list[int], winner_id: int, *, at: datetime, by: str
) -> bool:
    """Keep one open handoff: the winner's, else the oldest. Tell whether there is one."""
    query = select(handoff.c.id, handoff.c.lead_id).where(
        among(handoff.c.lead_id, lead_ids), handoff.c.state.in_(OPEN_HANDOFF_STATES)
    )
    open_ones = sorted(conn.execute(query), key=lambda row: (row.lead_id != winner_id, row.id))
    for row in open_ones[1:]:
        handoffs.set_state(conn, row.id, HandoffState.CANCELLED, at=at, cause="merged", by=by)
    return bool(open_ones)


def _hand_over(conn: Connection, loser_ids: list[int], winner: LeadRow) -> None:
    ids = conn.execute(
        update(handoff)
        .where(among(handoff.c.lead_id, loser_ids))
        .values(lead_id=winner.id)
        .returning(handoff.c.id)
    ).scalars()
    conn.execute(update(effect).where(among(effect.c.handoff_id, ids)).values(lead_id=winner.id))


def _move(
    conn: Connection,
    winner: LeadRow,
    losers: Iterable[int],
    *,
    is_open: bool,
    at: datetime,
    by: str,
) -> None:
    changes = [
        StateChange(lead_id=lead_id, after=LeadState.MERGED, at=at, cause="merged", by=by)
        for lead_id in losers
    ]
    if is_open and winner.state is not LeadState.IN_HANDOFF:
        changes.append(
            StateChange(lead_id=winner.id, after=LeadState.IN_HANDOFF, at=at, cause="merged", by=by)
        )
    set_states(conn, changes)
