"""Effects as they stand: new, claimed, stored; and what makes one outdated."""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from baton.leads.states import EffectState
from baton.ledger.tables.columns import among, one_of
from baton.ledger.tables.effects import effect

ASSIGNMENT_KINDS = ("salesforce_record", "salesforce_task", "slack_message", "slack_reminder")
"""Part of handing over: pointless once the handoff has ended."""
REPLACED_KINDS = ("hubspot_state",)
"""Of a lead-level effect of these kinds only the newest counts."""
_ENDED = ("won", "lost", "recycled", "disqualified", "cancelled")

# The ledger's own sequence orders them: a worker's clock may be wrong.
# `e` is the effect. Written once, used by the claim and by the check before sending.
OUTDATED = f"""(
    EXISTS (SELECT 1 FROM hop newer
            WHERE newer.handoff_id = e.handoff_id AND newer.number > e.generation)
    OR ({one_of("e.kind", ASSIGNMENT_KINDS)} AND EXISTS (
            SELECT 1 FROM handoff ended
            WHERE ended.id = e.handoff_id AND {one_of("ended.state", _ENDED)}))
    OR (e.handoff_id IS NULL AND {one_of("e.kind", REPLACED_KINDS)} AND EXISTS (
            SELECT 1 FROM effect later
            WHERE later.lead_id = e.lead_id AND later.kind = e.kind
              AND later.handoff_id IS NULL AND later.id > e.id))
)"""

# A write of the same lead's copy is under way: what it read may be older than what is due now, and
# the slower of the two must not have the last word. Nor may a state that was read before a person's
# value was put back.
IN_PROGRESS = f"""(
    e.handoff_id IS NULL AND {one_of("e.kind", REPLACED_KINDS)} AND EXISTS (
        SELECT 1 FROM effect other
        WHERE other.lead_id = e.lead_id AND other.id <> e.id
          AND other.state = 'leased' AND other.lease_until > :now
          AND (other.kind = e.kind AND other.handoff_id IS NULL
               OR e.kind = 'hubspot_state' AND other.kind = 'hubspot_restore'))
)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEffect:
    """Something to be done outside. `params` holds no personal data.

    `generation` is the hop's number; of lead-level effects the one added last is the newest. `depends_on_key` names an effect that must be done first, of this call or an earlier one.
    `priority`: lower goes first; 0 for the hottest band. `not_before`: the instant from which it may
    be carried out; None: at once.
    """

    key: str
    kind: str
    lead_id: int
    handoff_id: int | None = None
    hop: int | None = None
    generation: int = 1
    depends_on_key: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    state: EffectState = EffectState.PENDING
    priority: int = 100
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedEffect:
    """An effect that this worker, and nobody else, may carry out until `lease_until`.

    `attempts` counts this one. `maybe_sent`: an earlier attempt may have been carried out.
    """

    id: int
    key: str
    kind: str
    lead_id: int
    handoff_id: int | None
    hop: int | None
    generation: int
    params: Mapping[str, Any]
    fence: int
    attempts: int
    maybe_sent: bool
    lease_until: datetime
    priority: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """An effect as it stands, for pages and commands."""

    id: int
    key: str
    kind: str
    lead_id: int
    handoff_id: int | None
    hop: int | None
    generation: int
    priority: int
    state: EffectState
    depends_on: int | None
    params: Mapping[str, Any]
    lease_owner: str | None
    lease_until: datetime | None
    fence: int
    maybe_sent: bool
    attempts: int
    next_attempt_at: datetime | None
    last_error_code: str | None
    last_error: str | None
    result: Mapping[str, Any] | None
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """How many effects of one kind are in one state, and when the oldest of them was planned."""

    kind: str
    state: EffectState
    count: int
    oldest_at: datetime


def get(conn: Connection, effect_id: int) -> EffectRow | None:
    """Return one effect, or None."""
    row = conn.execute(select(effect).where(effect.c.id == effect_id)).one_or_none()
    return as_effect(row) if row else None


def by_keys(conn: Connection, keys: Iterable[str]) -> dict[str, EffectRow]:
    """Return effects by key; unknown ones are left out."""
    rows = conn.execute(select(effect).where(among(effect.c.key, keys)))
    return {row.key: as_effect(row) for row in rows}


def of_handoff(conn: Connection, handoff_id: int) -> list[EffectRow]:
    """Return the effects of one handoff, oldest first."""
    query = select(effect).where(effect.c.handoff_id == handoff_id).order_by(effect.c.id)
    return [as_effect(row) for row in conn.execute(query)]


def withheld(conn: Connection, ids: Iterable[int]) -> list[int]:
    """Return those of these effects that are withheld, by id."""
    query = select(effect.c.id).where(
        among(effect.c.id, ids), effect.c.state == EffectState.WITHHELD
    )
    return list(conn.execute(query.order_by(effect.c.id)).scalars())


def in_state(
    conn: Connection, state: EffectState, *, limit: int = 100, before_id: int | None = None
) -> list[EffectRow]:
    """Return effects in `state`, newest first; `before_id` continues after the last one shown."""
    query = select(effect).where(effect.c.state == state).order_by(effect.c.id.desc())
    if before_id is not None:
        query = query.where(effect.c.id < before_id)
    return [as_effect(row) for row in conn.execute(query.limit(limit))]


def depth(conn: Connection) -> list[QueueDepth]:
    """Return how full the outbox is, by kind and state."""
    query = (
        select(effect.c.kind, effect.c.state, func.count(), func.min(effect.c.created_at))
        .group_by(effect.c.kind, effect.c.state)
        .order_by(effect.c.kind, effect.c.state)
    )
    return [
        QueueDepth(kind=kind, state=EffectState(state), count=count, oldest_at=oldest)
        for kind, state, count, oldest in conn.execute(query)
    ]


def as_effect(row: Row[Any]) -> EffectRow:
    """Return a row of the table as the type that callers work with."""
    return EffectRow(**{**row._asdict(), "state": EffectState(row.state)})
