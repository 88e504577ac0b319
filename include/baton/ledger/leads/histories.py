"""What happened to leads before, as the decision needs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Row, cast, func, select

from baton.leads.history import LeadHistory, OpenHandoff
from baton.leads.states import HandoffState, LeadState
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, among
from baton.ledger.tables.handoffs import disposition, handoff, hop
from baton.ledger.tables.leads import lead
from baton.ledger.tables.record import decision


def histories(conn: Connection, lead_ids: Iterable[int]) -> dict[int, LeadHistory]:
    """Return the history of each of these leads, by lead id."""
    ids = list(lead_ids)
    handoffs: dict[int, list[Row[Any]]] = {}
    for row in conn.execute(
        select(handoff).where(among(handoff.c.lead_id, ids)).order_by(handoff.c.id)
    ):
        handoffs.setdefault(row.lead_id, []).append(row)
    hops = _hops(conn, ids)
    last = _last_dispositions(conn, ids)
    acted_on = _last_triggers(conn, ids)
    return {
        row.id: _history(
            row, handoffs.get(row.id, []), hops, last.get(row.id), acted_on.get(row.id)
        )
        for row in conn.execute(select(lead).where(among(lead.c.id, ids)))
    }


def _hops(conn: Connection, lead_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    query = (
        select(hop)
        .join(handoff, handoff.c.id == hop.c.handoff_id)
        .where(among(handoff.c.lead_id, lead_ids))
        .order_by(hop.c.handoff_id, hop.c.number)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in conn.execute(query):
        found.setdefault(row.handoff_id, []).append(row)
    return found


def _last_dispositions(conn: Connection, lead_ids: Sequence[int]) -> dict[int, Row[Any, Any, Any]]:
    query = (
        select(handoff.c.lead_id, disposition.c.code, disposition.c.return_at)
        .join(handoff, handoff.c.id == disposition.c.handoff_id)
        .where(among(handoff.c.lead_id, lead_ids))
        .order_by(disposition.c.at, disposition.c.id)
    )
    return {row.lead_id: row for row in conn.execute(query)}


def _last_triggers(conn: Connection, lead_ids: Sequence[int]) -> dict[int, datetime]:
    """Return the newest trigger of each lead that sales has been told of.

    After a merge the loser's decisions stay under its own id, but its handoffs are the winner's:
    so both are asked.
    """
    at = func.max(cast(decision.c.result["trigger_at"].astext, DateTime(timezone=True))).label("at")
    own = (
        select(decision.c.lead_id, at)
        .where(among(decision.c.lead_id, lead_ids), decision.c.outcome.in_(("handoff", "update")))
        .group_by(decision.c.lead_id)
    )
    inherited = (
        select(handoff.c.lead_id, at)
        .join(decision, decision.c.id == handoff.c.decision_id)
        .where(among(handoff.c.lead_id, lead_ids))
        .group_by(handoff.c.lead_id)
    )
    found: dict[int, datetime] = {}
    for lead_id, told_at in conn.execute(own.union_all(inherited)):
        if told_at is not None:
            found[lead_id] = max(told_at, found.get(lead_id, told_at))
    return found


def _history(
    row: Row[Any],
    handoffs: Sequence[Row[Any]],
    hops: dict[int, list[Row[Any]]],
    last: Row[Any, Any, Any] | None,
    last_trigger_at: datetime | None,
) -> LeadHistory:
    open_ones = [one for one in handoffs if one.state in OPEN_HANDOFF_STATES]
    owners = [each.owner_key for one in handoffs for each in hops.get(one.id, []) if _is_user(each)]
    return LeadHistory(
        state=LeadState(row.state),
        band_before=row.band,
        open_handoff=_open(open_ones[-1], hops) if open_ones else None,
        earlier_owners=tuple(dict.fromkeys(owners)),
        cycle=row.cycle,
        last_disposition=last.code if last else None,
        return_at=last.return_at if last else None,
        recycles=_recycles(handoffs),
        last_trigger_at=last_trigger_at,
    )


def _is_user(row: Row[Any]) -> bool:
    return bool(row.owner_kind == "user")


def _open(row: Row[Any], hops: dict[int, list[Row[Any]]]) -> OpenHandoff:
    present = hops.get(row.id, [])
    if not present:
        return OpenHandoff(id=row.id, owner=None, hop=0)
    owner = present[-1].owner_key if _is_user(present[-1]) else None
    return OpenHandoff(id=row.id, owner=owner, hop=present[-1].number)


def _recycles(handoffs: Sequence[Row[Any]]) -> dict[str, int]:
    """Count reason codes over the latest handoffs that ended in a recycle, one after another."""
    counted: Counter[str] = Counter()
    for row in reversed(handoffs):
        if row.state in OPEN_HANDOFF_STATES or row.state == HandoffState.CANCELLED:
            continue
        if row.state != HandoffState.RECYCLED or row.disposition_code is None:
            break
        counted[row.disposition_code] += 1
    return dict(counted)
