"""Handoffs and their hops: opened, moved, stamped, counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, text, update

from baton.errors import InvariantError
from baton.leads.states import HANDOFF_MOVES, HandoffState, LeadState, handoff_steps, move
from baton.ledger.effects import outcomes
from baton.ledger.handoffs.handoff_reads import (
    assigned_since,
    by_keys,
    by_opportunity_ids,
    by_salesforce_ids,
    get,
    hops,
    lock_present,
    of_leads,
    open_loads,
    open_of_leads,
    open_with_terms,
    page,
)
from baton.ledger.handoffs.handoff_rows import (
    HandoffRow,
    HopRow,
    NewHandoff,
    NewHop,
    OpenTerms,
    as_handoff,
    as_hop,
)
from baton.ledger.leads import leads
from baton.ledger.leads.leads import StateChange
from baton.ledger.record import transitions
from baton.ledger.record.transitions import Transition
from baton.ledger.tables.columns import among
from baton.ledger.tables.handoffs import handoff, hop
from baton.ledger.tables.leads import lead

__all__ = [
    "HandoffRow",
    "HopRow",
    "NewHandoff",
    "NewHop",
    "OpenTerms",
    "add_hop",
    "advance",
    "assigned_since",
    "by_keys",
    "by_opportunity_ids",
    "by_salesforce_ids",
    "decided",
    "get",
    "hops",
    "lock_present",
    "of_leads",
    "open_handoff",
    "open_handoffs",
    "open_loads",
    "open_of_leads",
    "open_with_terms",
    "page",
    "reach_all",
    "set_state",
    "stamp",
    "update_package",
]

EARLIEST_WINS = frozenset(
    {
        "owner_written_at",
        "task_written_at",
        "notified_at",
        "accepted_at",
        "first_touch_at",
        "meeting_at",
        "opportunity_at",
    }
)
"""Instants of which the earliest known counts: hearing of it again later changes nothing."""
LATEST_WINS = frozenset(
    {
        "first_touch_grade",
        "disposed_at",
        "disposition_code",
        "closed_at",
        "outcome",
        "amount_cents",
        "salesforce_opportunity_id",
    }
)


def open_handoff(conn: Connection, new: NewHandoff, *, by: str = "baton") -> HandoffRow:
    """Open one handoff; see `open_handoffs`."""
    return open_handoffs(conn, [new], by=by)[0]


def open_handoffs(
    conn: Connection, news: Sequence[NewHandoff], *, by: str = "baton"
) -> list[HandoffRow]:
    """Open handoffs, state `planned`, each with hop 1; the leads move to `in_handoff`.

    The key is ``H<lead id>-<cycle>``, the cycle being one more than the lead's handoffs so far.
    Raises IntegrityError if a lead has an open handoff already, IllegalTransitionError if its state
    does not allow one. The rows come back in the order of `news`.
    """
    if not news:
        return []
    locked = leads.lock_leads(conn, [new.lead_id for new in news])
    for new in news:
        if new.lead_id not in locked:
            raise InvariantError(f"there is no lead {new.lead_id}")
    made = {
        row.lead_id: row
        for row in conn.execute(
            insert(handoff).returning(handoff),
            [_values(new, locked[new.lead_id].cycle + 1) for new in news],
        )
    }
    conn.execute(insert(hop), [_hop_values(made[new.lead_id].id, 1, new.hop) for new in news])
    conn.execute(update(lead).where(among(lead.c.id, locked)).values(cycle=lead.c.cycle + 1))
    leads.set_states(
        conn,
        [
            StateChange(
                lead_id=new.lead_id,
                after=LeadState.IN_HANDOFF,
                at=new.decided_at,
                cause="handed_off",
                by=by,
            )
            for new in news
        ],
    )
    transitions.record(
        conn,
        (
            Transition("handoff", row.id, None, HandoffState.PLANNED, row.decided_at, "decided", by)
            for row in made.values()
        ),
    )
    return [as_handoff(made[new.lead_id]) for new in news]


def add_hop(conn: Connection, handoff_id: int, new: NewHop, *, by: str = "baton") -> HopRow:
    """Assign an open handoff anew. What older hops have not sent yet is superseded.

    Raises InvariantError if the handoff has ended.
    """
    row = _locked(conn, handoff_id)
    if not row.is_open:
        raise InvariantError(f"handoff {row.key} has ended ('{row.state}'): it takes no new hop")
    highest = conn.execute(
        select(func.max(hop.c.number)).where(hop.c.handoff_id == handoff_id)
    ).scalar_one()
    number = (highest or 0) + 1
    made = conn.execute(insert(hop).returning(hop), _hop_values(handoff_id, number, new)).one()
    outcomes.supersede_hops_before(conn, handoff_id, number, at=new.assigned_at, by=by)
    return as_hop(made)


def set_state(
    conn: Connection,
    handoff_id: int,
    after: HandoffState,
    *,
    at: datetime,
    cause: str,
    by: str = "baton",
) -> None:
    """Move a handoff. The lead's own state is the caller's to move, in the same transaction.

    Raises IllegalTransitionError if the move is not listed; the same state again does nothing.
    """
    row = _locked(conn, handoff_id)
    if row.state is after:
        return
    _go(conn, row, [move(row.state, after)], at=at, cause=cause, by=by)


def advance(
    conn: Connection,
    handoff_id: int,
    target: HandoffState,
    *,
    at: datetime,
    cause: str,
    by: str = "baton",
) -> bool:
    """Move a handoff to `target` by the listed steps between, recording each.

    Returns False, and does nothing, if it is there already or no way leads there (a late echo).
    """
    row = _locked(conn, handoff_id)
    steps = handoff_steps(row.state, target)
    if not steps:
        return False
    _go(conn, row, steps, at=at, cause=cause, by=by)
    return True


def reach_all(
    conn: Connection,
    stamp: str,
    reached: Mapping[int, tuple[datetime, str]],
    target: HandoffState | None = None,
    *,
    by: str = "baton",
) -> None:
    """Stamp many handoffs and move them to `target`, each with its instant and cause by id.

    Of the stamps the earliest known stays; where no way leads to `target`, the state does. Both in
    one statement: each change of a row is a new one in all its indexes. The rows are locked in the
    order of their ids, so that two workers wait for each other and do not block each other for good.
    Raises InvariantError for an unknown stamp, and for a `target` that ends a handoff.
    """
    if stamp not in EARLIEST_WINS:
        raise InvariantError(f"a handoff has no stamp '{stamp}'")
    if not reached:
        return
    moved = [] if target is None else _ways(conn, reached, target, by=by)
    after = {one.subject_id: one.after for one in moved}
    conn.execute(
        text(
            "WITH locked AS MATERIALIZED (SELECT id FROM handoff"  # noqa: S608  # checked
            " WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE)"
            f" UPDATE handoff SET {stamp} = least({stamp}, told.at),"
            " state = coalesce(told.state, handoff.state) FROM locked JOIN unnest("
            "CAST(:ids AS bigint[]), CAST(:instants AS timestamptz[]), CAST(:states AS text[]))"
            " AS told(id, at, state) ON told.id = locked.id WHERE handoff.id = locked.id"
        ),
        {
            "ids": sorted(reached),
            "instants": [reached[one][0] for one in sorted(reached)],
            "states": [after.get(one) for one in sorted(reached)],
        },
    )
    transitions.record(conn, moved)


def _ways(
    conn: Connection,
    reached: Mapping[int, tuple[datetime, str]],
    target: HandoffState,
    *,
    by: str,
) -> list[Transition]:
    """Return the steps of these handoffs to `target`, the last of each last; locks them."""
    if not HANDOFF_MOVES[target]:
        raise InvariantError(f"'{target}' ends a handoff: it is moved there by itself")
    query = select(handoff.c.id, handoff.c.state).where(among(handoff.c.id, reached))
    return [
        step
        for handoff_id, state in conn.execute(query.order_by(handoff.c.id).with_for_update()).all()
        for step in _moves(
            handoff_id,
            HandoffState(state),
            handoff_steps(HandoffState(state), target),
            at=reached[handoff_id][0],
            cause=reached[handoff_id][1],
            by=by,
        )
    ]


def decided(conn: Connection, ids: Iterable[int]) -> dict[int, datetime]:
    """Return when each of these handoffs was decided, by id."""
    query = select(handoff.c.id, handoff.c.decided_at).where(among(handoff.c.id, ids))
    return {row.id: row.decided_at for row in conn.execute(query)}


def stamp(conn: Connection, handoff_id: int, **values: Any) -> None:
    """Store instants and outcomes of a handoff; a value of None changes nothing.

    Of the instants in `EARLIEST_WINS` the earliest known stays; what is in `LATEST_WINS` is
    replaced. Raises InvariantError for any other name.
    """
    unknown = set(values) - EARLIEST_WINS - LATEST_WINS
    if unknown:
        raise InvariantError(f"a handoff has no stamp '{min(unknown)}'")
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        return
    changes: Mapping[str, ColumnElement[Any] | Any] = {
        # least() of PostgreSQL leaves nulls out of account.
        name: func.least(handoff.c[name], value) if name in EARLIEST_WINS else value
        for name, value in given.items()
    }
    conn.execute(update(handoff).where(handoff.c.id == handoff_id).values(**changes))


def update_package(
    conn: Connection, handoff_id: int, package: Mapping[str, Any], *, score_milli: int | None = None
) -> None:
    """Replace the package (a second form while the handoff is open), and the score if given."""
    values: dict[str, Any] = {"package": dict(package)}
    if score_milli is not None:
        values["score_milli"] = score_milli
    conn.execute(update(handoff).where(handoff.c.id == handoff_id).values(**values))


def _locked(conn: Connection, handoff_id: int) -> HandoffRow:
    row = conn.execute(
        select(handoff).where(handoff.c.id == handoff_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise InvariantError(f"there is no handoff {handoff_id}")
    return as_handoff(row)


def _go(
    conn: Connection,
    row: HandoffRow,
    steps: Sequence[HandoffState],
    *,
    at: datetime,
    cause: str,
    by: str,
) -> None:
    conn.execute(update(handoff).where(handoff.c.id == row.id).values(state=steps[-1].value))
    transitions.record(conn, _moves(row.id, row.state, steps, at=at, cause=cause, by=by))
    if not HANDOFF_MOVES[steps[-1]]:
        outcomes.supersede_of_ended(conn, row.id, at=at, by=by)


def _moves(
    handoff_id: int,
    state: HandoffState,
    steps: Sequence[HandoffState],
    *,
    at: datetime,
    cause: str,
    by: str,
) -> list[Transition]:
    before = (state, *steps)
    return [
        Transition("handoff", handoff_id, came_from, after, at, cause, by)
        for came_from, after in zip(before, steps, strict=False)
    ]


def _values(new: NewHandoff, cycle: int) -> dict[str, Any]:
    values = {each.name: getattr(new, each.name) for each in fields(new) if each.name != "hop"}
    return values | {
        "key": f"H{new.lead_id}-{cycle}",
        "cycle": cycle,
        "state": HandoffState.PLANNED.value,
        "mode": str(new.mode),
        "package": dict(new.package),
    }


def _hop_values(handoff_id: int, number: int, new: NewHop) -> dict[str, Any]:
    values = {each.name: getattr(new, each.name) for each in fields(new)}
    return values | {"handoff_id": handoff_id, "number": number, "terms": dict(new.terms)}
