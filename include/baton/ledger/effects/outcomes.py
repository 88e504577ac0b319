"""What became of an effect: reported by its worker under the fence, or settled by a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text, update

from baton.errors import InvariantError, StaleLeaseError
from baton.leads.states import EffectState, move
from baton.ledger.database.bulk import array_text
from baton.ledger.database.json_text import json_text, storable
from baton.ledger.effects.effects import ASSIGNMENT_KINDS
from baton.ledger.record import transitions
from baton.ledger.record.transitions import Transition
from baton.ledger.tables.columns import among
from baton.ledger.tables.effects import effect

MAX_ERROR_CHARACTERS = 2000
# What is ambiguous may have gone out: it stays visible, and is not called superseded unseen.
_UNSENT = ("pending", "waiting", "rejected", "invalid", "dead", "withheld")

# One round trip: the effect changes only if the fence still holds, and only then is it recorded.
_REPORT = text(
    """
    WITH held AS (
        SELECT id, lease_owner FROM effect
        WHERE id = :id AND fence = :fence AND state = 'leased' FOR UPDATE
    ), changed AS (
        UPDATE effect SET state = CAST(:after AS text), lease_owner = NULL, lease_until = NULL,
            next_attempt_at = CAST(:next_at AS timestamptz),
            last_error_code = CAST(:code AS text), last_error = CAST(:message AS text),
            maybe_sent = coalesce(CAST(:maybe_sent AS boolean), maybe_sent),
            result = coalesce(CAST(:result AS jsonb), result),
            done_at = CAST(:done_at AS timestamptz)
        FROM held WHERE effect.id = held.id RETURNING effect.id, held.lease_owner
    ), moved AS (
        INSERT INTO transition (subject, subject_id, before, after, at, cause, by_whom)
        SELECT 'effect', id, 'leased', CAST(:after AS text), :now, CAST(:cause AS text), lease_owner
        FROM changed
    ), tried AS (
        INSERT INTO attempt (effect_id, at, outcome, detail)
        SELECT id, :now, CAST(:after AS text), CAST(:detail AS text) FROM changed
    )
    SELECT id FROM changed
    """
)


_ALL_DONE = text(
    """
    WITH held AS (
        SELECT effect.id, effect.lease_owner, told.result
        FROM unnest(CAST(:ids AS bigint[]), CAST(:fences AS bigint[]), CAST(:results AS text[]))
            AS told(id, fence, result)
        JOIN effect ON effect.id = told.id AND effect.fence = told.fence
        WHERE effect.state = 'leased' ORDER BY effect.id FOR UPDATE OF effect
    ), changed AS (
        UPDATE effect SET state = 'done', lease_owner = NULL, lease_until = NULL,
            next_attempt_at = NULL, last_error_code = NULL, last_error = NULL,
            maybe_sent = false, result = CAST(held.result AS jsonb), done_at = :now
        FROM held WHERE effect.id = held.id RETURNING effect.id, held.lease_owner
    ), moved AS (
        INSERT INTO transition (subject, subject_id, before, after, at, cause, by_whom)
        SELECT 'effect', id, 'leased', 'done', :now, 'carried_out', lease_owner
        FROM changed ORDER BY id
    ), tried AS (
        INSERT INTO attempt (effect_id, at, outcome) SELECT id, :now, 'done' FROM changed
    )
    SELECT id FROM changed
    """
)


def all_done(
    conn: Connection, carried: Mapping[int, tuple[int, Mapping[str, Any]]], *, now: datetime
) -> None:
    """Report many effects at once as carried out: fence and result by id; see `done`.

    Raises StaleLeaseError if any of them is no longer held; the caller's transaction must then be
    given up.
    """
    if not carried:
        return
    values = {
        "ids": array_text(carried),
        "fences": array_text(fence for fence, _ in carried.values()),
        "results": array_text(json_text(result) for _, result in carried.values()),
        "now": now,
    }
    lost = set(carried).difference(conn.execute(_ALL_DONE, values).scalars().all())
    if lost:
        raise StaleLeaseError(f"{len(lost)} effects are no longer held, effect {min(lost)} is one")


def done(
    conn: Connection,
    effect_id: int,
    fence: int,
    *,
    now: datetime,
    result: Mapping[str, Any] | None = None,
) -> None:
    """The effect was carried out. `result` holds ids of what was made, nothing personal.

    Raises StaleLeaseError, as all reports here do, if another worker has taken the effect over or
    somebody settled it: then nothing is recorded.
    """
    _report(
        conn,
        effect_id,
        fence,
        EffectState.DONE,
        now=now,
        cause="carried_out",
        result=result or {},
        done_at=now,
        maybe_sent=False,
    )


def retry(
    conn: Connection,
    effect_id: int,
    fence: int,
    *,
    now: datetime,
    at: datetime,
    code: str,
    message: str,
    maybe_sent: bool | None = None,
) -> None:
    """The effect was not carried out; it waits until `at`.

    `maybe_sent=False` says that this attempt made sure nothing went out; None leaves what is known.
    """
    _report(
        conn,
        effect_id,
        fence,
        EffectState.WAITING,
        now=now,
        cause="to_retry",
        code=code,
        message=message,
        next_at=at,
        maybe_sent=maybe_sent,
    )


def ambiguous(
    conn: Connection,
    effect_id: int,
    fence: int,
    *,
    now: datetime,
    code: str,
    message: str,
    at: datetime | None = None,
) -> None:
    """Nobody knows whether the effect was carried out.

    With `at` it is claimed again then, with `maybe_sent`, to be read back. Without, it stays as it
    is until a person settles it.
    """
    _report(
        conn,
        effect_id,
        fence,
        EffectState.AMBIGUOUS,
        now=now,
        cause="answer_lost",
        code=code,
        message=message,
        next_at=at,
        maybe_sent=True,
    )


def rejected(
    conn: Connection, effect_id: int, fence: int, *, now: datetime, code: str, message: str
) -> None:
    """The other side refuses the effect for good."""
    _report(
        conn,
        effect_id,
        fence,
        EffectState.REJECTED,
        now=now,
        cause="refused",
        code=code,
        message=message,
    )


def invalid(
    conn: Connection, effect_id: int, fence: int, *, now: datetime, code: str, message: str
) -> None:
    """The effect cannot be carried out as we have it."""
    _report(
        conn,
        effect_id,
        fence,
        EffectState.INVALID,
        now=now,
        cause="not_sendable",
        code=code,
        message=message,
    )


def dead(
    conn: Connection, effect_id: int, fence: int, *, now: datetime, code: str, message: str
) -> None:
    """Tried too often: a person must look."""
    _report(
        conn,
        effect_id,
        fence,
        EffectState.DEAD,
        now=now,
        cause="gave_up",
        code=code,
        message=message,
    )


def withhold(conn: Connection, effect_id: int, fence: int, *, now: datetime, cause: str) -> None:
    """The effect is not to go out (yet): `cause` says why (observe, held, switched off)."""
    _report(conn, effect_id, fence, EffectState.WITHHELD, now=now, cause=cause)


def superseded(conn: Connection, effect_id: int, fence: int, *, now: datetime) -> None:
    """The check before sending found the effect outdated: it was not sent."""
    _report(conn, effect_id, fence, EffectState.SUPERSEDED, now=now, cause="outdated")


def settle(
    conn: Connection, effect_id: int, after: EffectState, *, at: datetime, by: str, cause: str
) -> None:
    """Move an effect that no worker holds to `after`, as a person or a repair decided.

    Raises IllegalTransitionError if the state machine does not list the move, StaleLeaseError if a
    worker holds the effect.
    """
    row = conn.execute(
        select(effect).where(effect.c.id == effect_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise InvariantError(f"there is no effect {effect_id}")
    if row.state == EffectState.LEASED:
        raise StaleLeaseError(f"effect {row.key} is being carried out by {row.lease_owner}")
    _move_all(conn, [row], after, at=at, by=by, cause=cause)


def release(
    conn: Connection, ids: Iterable[int], *, at: datetime, by: str, cause: str = "released"
) -> int:
    """Let withheld effects go out, and failed ones be tried again. Return how many there were.

    Effects in other states are left alone.
    """
    ready = [EffectState.WITHHELD, EffectState.REJECTED, EffectState.INVALID, EffectState.DEAD]
    query = (
        select(effect)
        .where(among(effect.c.id, ids), among(effect.c.state, [state.value for state in ready]))
        .order_by(effect.c.id)
        .with_for_update()
    )
    rows = conn.execute(query).all()
    _move_all(conn, rows, EffectState.PENDING, at=at, by=by, cause=cause)
    return len(rows)


def supersede_hops_before(
    conn: Connection, handoff_id: int, number: int, *, at: datetime, by: str
) -> int:
    """Supersede what older hops of a handoff have not sent yet. Return how many there were."""
    return _supersede(
        conn,
        [effect.c.handoff_id == handoff_id, effect.c.generation < number],
        at=at,
        by=by,
        cause="newer_hop",
    )


def supersede_of_ended(conn: Connection, handoff_id: int, *, at: datetime, by: str) -> int:
    """Supersede what an ended handoff would still send to sales."""
    return _supersede(
        conn,
        [effect.c.handoff_id == handoff_id, effect.c.kind.in_(ASSIGNMENT_KINDS)],
        at=at,
        by=by,
        cause="handoff_ended",
    )


def supersede_lead_level(
    conn: Connection, lead_ids: Iterable[int], *, at: datetime, by: str
) -> int:
    """Supersede unsent effects of leads that belong to no handoff (the lead is gone)."""
    return _supersede(
        conn,
        [among(effect.c.lead_id, lead_ids), effect.c.handoff_id.is_(None)],
        at=at,
        by=by,
        cause="lead_gone",
    )


def _report(
    conn: Connection,
    effect_id: int,
    fence: int,
    after: EffectState,
    *,
    now: datetime,
    cause: str,
    code: str | None = None,
    message: str | None = None,
    next_at: datetime | None = None,
    result: Mapping[str, Any] | None = None,
    done_at: datetime | None = None,
    maybe_sent: bool | None = None,
) -> None:
    move(EffectState.LEASED, after)
    shown = storable(message)[:MAX_ERROR_CHARACTERS] if message else None
    changed = conn.execute(
        _REPORT,
        {
            "id": effect_id,
            "fence": fence,
            "after": after.value,
            "now": now,
            "cause": cause,
            "code": code,
            "message": shown,
            "detail": f"{code}: {shown}" if code else shown,
            "next_at": next_at,
            "result": None if result is None else json_text(result),
            "done_at": done_at,
            "maybe_sent": maybe_sent,
        },
    ).scalar_one_or_none()
    if changed is None:
        raise StaleLeaseError(
            f"effect {effect_id} is no longer held under fence {fence}: "
            "another worker took it over, or it was settled"
        )


def _supersede(
    conn: Connection, conditions: Sequence[Any], *, at: datetime, by: str, cause: str
) -> int:
    query = (
        select(effect)
        .where(*conditions, effect.c.state.in_(_UNSENT))
        .order_by(effect.c.id)
        .with_for_update()
    )
    rows = conn.execute(query).all()
    _move_all(conn, rows, EffectState.SUPERSEDED, at=at, by=by, cause=cause)
    return len(rows)


def _move_all(
    conn: Connection,
    rows: Sequence[Row[Any]],
    after: EffectState,
    *,
    at: datetime,
    by: str,
    cause: str,
) -> None:
    if not rows:
        return
    moved = [
        Transition("effect", row.id, row.state, move(EffectState(row.state), after), at, cause, by)
        for row in rows
    ]
    values: dict[str, Any] = {"state": after.value, "next_attempt_at": None}
    if after is EffectState.PENDING:
        values |= {"attempts": 0, "last_error_code": None, "last_error": None}
    if after is EffectState.DONE:
        values |= {"done_at": at, "maybe_sent": False}
    conn.execute(
        update(effect).where(among(effect.c.id, [row.id for row in rows])).values(**values)
    )
    transitions.record(conn, moved)
