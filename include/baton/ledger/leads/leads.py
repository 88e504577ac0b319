"""Lead rows: read, locked in one order, moved from state to state by the state machine alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, text, update

from baton.errors import InvariantError
from baton.leads.states import FINAL_LEAD_STATES, LeadState, move
from baton.ledger.record import transitions
from baton.ledger.record.transitions import Transition
from baton.ledger.tables.columns import DATED_LEAD_STATES, among
from baton.ledger.tables.leads import lead

WAITS_FOR = {
    LeadState.IN_HANDOFF: "handoff_clocks",
    LeadState.SUPPRESSED: "on_change",
    LeadState.CUSTOMER: "on_change",
    LeadState.DISQUALIFIED: "on_new_trigger",
}
"""The timer's action in states that wait for an event and not for an instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """One lead as the ledger knows it.

    `created` and `changed` are set by `upsert_seen` alone: the lead is new; its content differs
    from what was seen last, so that it must be judged again.
    """

    id: int
    hubspot_id: str
    state: LeadState
    state_since: datetime
    timer_at: datetime | None
    timer_action: str | None
    band: str | None
    score_milli: int | None
    cycle: int
    salesforce_lead_id: str | None
    salesforce_contact_id: str | None
    last_modified_seen: datetime | None
    last_content_hash: str | None
    merged_into: int | None
    created_at: datetime
    held_for: str | None = None
    waits_for: str | None = None
    retry_at: datetime | None = None
    cold_since: datetime | None = None
    created: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """A lead moves to `after`. `timer_at` is required where the state waits for an instant.

    The same state again only renews the timer. `held_for`, `waits_for`, `retry_at`: why a held lead
    is held, whom it waits for, and from when on it may be tried before its timer; a change that
    does not say `held_for` leaves all three as they are.
    """

    lead_id: int
    after: LeadState
    at: datetime
    cause: str
    by: str
    timer_at: datetime | None = None
    timer_action: str | None = None
    held_for: str | None = None
    waits_for: str | None = None
    retry_at: datetime | None = None


def get(conn: Connection, lead_id: int) -> LeadRow | None:
    """Return one lead, or None."""
    row = conn.execute(select(lead).where(lead.c.id == lead_id)).one_or_none()
    return as_lead(row) if row else None


def by_hubspot_ids(conn: Connection, hubspot_ids: Iterable[str]) -> dict[str, LeadRow]:
    """Return the leads with these HubSpot ids, by that id. Unknown ones are left out."""
    query = select(lead).where(among(lead.c.hubspot_id, hubspot_ids))
    return {row.hubspot_id: as_lead(row) for row in conn.execute(query)}


def by_salesforce_ids(conn: Connection, ids: Iterable[str]) -> dict[str, LeadRow]:
    """Return the leads whose Salesforce Lead or Contact has one of these ids, by that id."""
    wanted = list(ids)
    found: dict[str, LeadRow] = {}
    for column in (lead.c.salesforce_contact_id, lead.c.salesforce_lead_id):
        for row in conn.execute(
            select(lead).where(
                among(column, wanted), lead.c.state.not_in(sorted(FINAL_LEAD_STATES))
            )
        ):
            found[getattr(row, column.name)] = as_lead(row)
    return found


def hubspot_ids_like(conn: Connection, beginning: str, *, limit: int = 500) -> list[str]:
    """Return HubSpot ids that begin like this."""
    query = select(lead.c.hubspot_id).where(
        lead.c.hubspot_id.startswith(beginning, autoescape=True)
    )
    return list(conn.execute(query.order_by(lead.c.hubspot_id).limit(limit)).scalars())


def salesforce_ids_like(conn: Connection, beginning: str) -> list[str]:
    """Return the ids of Salesforce Leads and Contacts that begin like this, case and all."""
    found: list[str] = []
    for column in (lead.c.salesforce_contact_id, lead.c.salesforce_lead_id):
        query = select(column).where(column.startswith(beginning, autoescape=True))
        found += conn.execute(query.limit(2)).scalars()
    return found


def lock_leads(conn: Connection, lead_ids: Iterable[int]) -> dict[int, LeadRow]:
    """Lock these leads in the order of their ids until the transaction ends."""
    return {row.id: as_lead(row) for row in lock_rows(conn, among(lead.c.id, lead_ids))}


def in_state(
    conn: Connection, state: LeadState, *, limit: int = 100, before_id: int | None = None
) -> list[LeadRow]:
    """Return leads in `state`, newest first; `before_id` continues after the last one shown."""
    query = select(lead).where(lead.c.state == state).order_by(lead.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(lead.c.id < before_id)
    return [as_lead(row) for row in conn.execute(query)]


def ids_in_state(conn: Connection, lead_ids: Iterable[int], state: LeadState) -> frozenset[int]:
    """Return which of these leads are in `state`."""
    query = select(lead.c.id).where(among(lead.c.id, lead_ids), lead.c.state == state)
    return frozenset(conn.execute(query).scalars())


def count_by_state(conn: Connection) -> dict[LeadState, int]:
    """Return how many leads are in each state; states without any count 0."""
    query = select(lead.c.state, func.count()).group_by(lead.c.state)
    counted = {LeadState(state): number for state, number in conn.execute(query)}
    return {state: counted.get(state, 0) for state in LeadState}


def set_state(
    conn: Connection,
    lead_id: int,
    after: LeadState,
    *,
    at: datetime,
    cause: str,
    by: str,
    timer_at: datetime | None = None,
    timer_action: str | None = None,
) -> None:
    """Move one lead. Raises IllegalTransitionError if the state machine does not list the move."""
    change = StateChange(
        lead_id=lead_id,
        after=after,
        at=at,
        cause=cause,
        by=by,
        timer_at=timer_at,
        timer_action=timer_action,
    )
    set_states(conn, [change])


def set_states(conn: Connection, changes: Sequence[StateChange]) -> None:
    """Move many leads at once, each at most once, as `set_state` does."""
    before = {
        row.id: LeadState(row.state)
        for row in lock_rows(conn, among(lead.c.id, [change.lead_id for change in changes]))
    }
    updates: list[dict[str, Any]] = []
    moved: list[Transition] = []
    for change in changes:
        current = before.get(change.lead_id)
        if current is None:
            raise InvariantError(f"there is no lead {change.lead_id}")
        updates.append(_update_of(change, current))
        if current is not change.after:
            moved.append(
                Transition(
                    "lead",
                    change.lead_id,
                    current,
                    move(current, change.after),
                    change.at,
                    change.cause,
                    change.by,
                )
            )
    _apply(conn, updates)
    transitions.record(conn, moved)


def note_judgement(conn: Connection, judged: Sequence[tuple[int, str | None, int | None]]) -> None:
    """Store band and score (thousandths) of the last decision: (lead id, band, score)."""
    if not judged:
        return
    conn.execute(
        text(
            "UPDATE lead SET band = new.band, score_milli = new.score FROM unnest("
            "CAST(:ids AS bigint[]), CAST(:bands AS text[]), CAST(:scores AS bigint[])"
            ") AS new(id, band, score) WHERE lead.id = new.id"
        ),
        {
            "ids": [row[0] for row in judged],
            "bands": [row[1] for row in judged],
            "scores": [row[2] for row in judged],
        },
    )


def note_echoes(conn: Connection, stamps: Mapping[int, datetime]) -> None:
    """Store how far leads have been read whose content has not changed: lead id → stamp.

    A lead that somebody else holds is left out: it would only be read once more.
    """
    if not stamps:
        return
    conn.execute(
        text(
            "UPDATE lead SET last_modified_seen = free.stamp FROM ("
            " SELECT lead.id, new.stamp FROM lead JOIN unnest("
            "  CAST(:ids AS bigint[]), CAST(:stamps AS timestamptz[])) AS new(id, stamp)"
            "  ON new.id = lead.id WHERE lead.last_modified_seen < new.stamp"
            " FOR UPDATE OF lead SKIP LOCKED) AS free WHERE lead.id = free.id"
        ),
        {"ids": list(stamps), "stamps": list(stamps.values())},
    )


def set_salesforce_ids(
    conn: Connection, lead_id: int, *, lead_record: str | None, contact_record: str | None
) -> None:
    """Store which Salesforce records this person has; None keeps what is known."""
    conn.execute(
        update(lead)
        .where(lead.c.id == lead_id)
        .values(
            salesforce_lead_id=func.coalesce(lead_record, lead.c.salesforce_lead_id),
            salesforce_contact_id=func.coalesce(contact_record, lead.c.salesforce_contact_id),
        )
    )


def set_all_salesforce_ids(
    conn: Connection, known: Mapping[int, tuple[str | None, str | None]]
) -> None:
    """Store the Lead's and the Contact's id of many persons, by lead; see `set_salesforce_ids`."""
    if not known:
        return
    conn.execute(
        text(
            "UPDATE lead SET"
            " salesforce_lead_id = coalesce(told.lead_record, salesforce_lead_id),"
            " salesforce_contact_id = coalesce(told.contact_record, salesforce_contact_id)"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:leads AS text[]), CAST(:contacts AS text[]))"
            " AS told(id, lead_record, contact_record) WHERE lead.id = told.id"
        ),
        {
            "ids": list(known),
            "leads": [lead_record for lead_record, _ in known.values()],
            "contacts": [contact_record for _, contact_record in known.values()],
        },
    )


def due_timers(
    conn: Connection,
    now: datetime,
    *,
    limit: int = 500,
    state: LeadState | None = None,
    but: Sequence[str] = (),
) -> list[LeadRow]:
    """Return leads whose timer is due, longest due first; locked, skipping those others hold.

    `but` names timer actions that are left out: somebody else carries them out.
    """
    query = (
        select(lead)
        .where(lead.c.timer_at <= now, lead.c.timer_action.not_in(but))
        .order_by(lead.c.timer_at, lead.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if state is not None:
        query = query.where(lead.c.state == state)
    return [as_lead(row) for row in conn.execute(query)]


def lock_rows(conn: Connection, condition: ColumnElement[bool]) -> Sequence[Row[Any]]:
    """Lock the rows of `lead` that meet `condition`, always in the order of their ids."""
    return conn.execute(select(lead).where(condition).order_by(lead.c.id).with_for_update()).all()


def as_lead(row: Row[Any], *, created: bool = False, changed: bool = False) -> LeadRow:
    """Return a row of the table as the type that callers work with."""
    values = {**row._asdict(), "state": LeadState(row.state)}
    return LeadRow(**values, created=created, changed=changed)


def _update_of(change: StateChange, current: LeadState) -> dict[str, Any]:
    """Return what to write; raise InvariantError if the state would be left without its timer."""
    after = change.after
    action = change.timer_action or WAITS_FOR.get(after)
    if after in DATED_LEAD_STATES and (change.timer_at is None or action is None):
        raise InvariantError(f"a lead in '{after}' needs a timer: when, and what happens then")
    final = after in FINAL_LEAD_STATES
    return {
        "id": change.lead_id,
        "state": after.value,
        "since": None if current is after else change.at,
        "timer_at": None if final else change.timer_at,
        "timer_action": None if final else action,
        "held_for": change.held_for if after is LeadState.HELD else None,
        "waits_for": change.waits_for if after is LeadState.HELD else None,
        "retry_at": change.retry_at if after is LeadState.HELD else None,
        "stays": current is after and change.held_for is None,
    }


def _apply(conn: Connection, updates: Sequence[Mapping[str, Any]]) -> None:
    if not updates:
        return
    names = (
        "id", "state", "since", "timer_at", "timer_action",
        "held_for", "waits_for", "retry_at", "stays",
    )  # fmt: skip
    conn.execute(
        text(
            "UPDATE lead SET state = new.state, state_since = coalesce(new.since, state_since),"
            " timer_at = new.timer_at, timer_action = new.timer_action,"
            " held_for = CASE WHEN stays THEN lead.held_for ELSE new.held_for END,"
            " waits_for = CASE WHEN stays THEN lead.waits_for ELSE new.waits_for END,"
            " retry_at = CASE WHEN stays THEN lead.retry_at ELSE new.retry_at END FROM unnest("
            "CAST(:id AS bigint[]), CAST(:state AS text[]), CAST(:since AS timestamptz[]),"
            " CAST(:timer_at AS timestamptz[]), CAST(:timer_action AS text[]),"
            " CAST(:held_for AS text[]), CAST(:waits_for AS text[]),"
            " CAST(:retry_at AS timestamptz[]), CAST(:stays AS boolean[]))"
            " AS new(id, state, since, timer_at, timer_action, held_for, waits_for, retry_at,"
            " stays) WHERE lead.id = new.id"
        ),
        {name: [row[name] for row in updates] for name in names},
    )
