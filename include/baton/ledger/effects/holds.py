"""Batches that a limit of the policy holds back: opened, filled, asked about, answered, settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, text, update

from baton.ledger.database.bulk import insert_rows
from baton.ledger.tables.columns import among
from baton.ledger.tables.handoffs import handoff, hop
from baton.ledger.tables.holds import held_batch, held_item
from baton.ledger.tables.leads import lead

__all__ = [
    "HeldBatch",
    "HeldItem",
    "NewHeldItem",
    "answer",
    "answered_with_items",
    "ask",
    "close_ended",
    "figures",
    "find",
    "items",
    "open_batch",
    "put",
    "settle",
    "told",
    "unanswered",
]

_OPENING = "baton held batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBatch:
    """One batch that waits, or waited, for a person.

    `unanswered`: what happens at the deadline, "release" or "keep"; `answer` is one of them too.
    """

    id: int
    opened_at: datetime
    deadline: datetime
    unanswered: str
    asked_at: datetime | None
    asked_run: str | None
    told_at: datetime | None
    answered_at: datetime | None
    answer: str | None
    by_whom: str | None
    reason: str | None
    run: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHeldItem:
    """What is held: a lead, a reassignment (handoff and present hop), or an effect."""

    kind: str
    lead_id: int
    handoff_id: int | None = None
    hop: int | None = None
    effect_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldItem(NewHeldItem):
    """One item as stored; `settled_at` None: it still waits."""

    id: int
    batch_id: int
    held_at: datetime
    settled_at: datetime | None
    result: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What waits in a batch: how much of each kind, and what stands behind the largest parts."""

    by_kind: Mapping[str, int]
    by_band: Mapping[str, int] = field(default_factory=dict)
    by_owner: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return how much waits."""
        return sum(self.by_kind.values())


def open_batch(
    conn: Connection, *, at: datetime, deadline: datetime, unanswered: str, run: str | None
) -> HeldBatch:
    """Return the batch that new items join: the one nobody was asked about yet, or a new one.

    Until the transaction ends nobody else opens one.
    """
    conn.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": _OPENING}
    )
    query = (
        select(held_batch)
        .where(held_batch.c.asked_at.is_(None), held_batch.c.answered_at.is_(None))
        .order_by(held_batch.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    if row is None or row.deadline <= at:
        values = {"opened_at": at, "deadline": deadline, "unanswered": unanswered, "run": run}
        row = conn.execute(insert(held_batch).values(**values).returning(held_batch)).one()
    return _batch(row)


def put(conn: Connection, batch_id: int, new: Sequence[NewHeldItem], *, at: datetime) -> int:
    """Put items into a batch; one that waits already stays where it is. Return how many are new."""
    rows = insert_rows(
        conn,
        held_item,
        [
            {
                "batch_id": batch_id,
                "kind": one.kind,
                "lead_id": one.lead_id,
                "handoff_id": one.handoff_id,
                "hop": one.hop,
                "effect_id": one.effect_id,
                "held_at": at,
            }
            for one in new
        ],
        on_conflict="DO NOTHING",
        returning=("id",),
    )
    return len(list(rows))


def find(conn: Connection, batch_id: int, *, lock: bool = False) -> HeldBatch | None:
    """Return one batch, locked if wanted, or None."""
    query = select(held_batch).where(held_batch.c.id == batch_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return _batch(row) if row else None


def unanswered(conn: Connection) -> list[HeldBatch]:
    """Return the batches that wait for an answer and hold anything, oldest first."""
    query = (
        select(held_batch)
        .where(held_batch.c.answered_at.is_(None), _waits())
        .order_by(held_batch.c.id)
    )
    return [_batch(row) for row in conn.execute(query)]


def answered_with_items(conn: Connection) -> list[HeldBatch]:
    """Return the batches whose answer is not carried out to the end, oldest first."""
    query = (
        select(held_batch)
        .where(held_batch.c.answer.is_not(None), _waits())
        .order_by(held_batch.c.id)
    )
    return [_batch(row) for row in conn.execute(query)]


def _waits() -> ColumnElement[bool]:
    return (
        select(held_item.c.id)
        .where(held_item.c.batch_id == held_batch.c.id, held_item.c.settled_at.is_(None))
        .exists()
    )


def ask(conn: Connection, batch_id: int, *, run: str | None, at: datetime) -> None:
    """Note that a person is asked by a run: what is held from now on joins another batch."""
    conn.execute(
        update(held_batch)
        .where(held_batch.c.id == batch_id, held_batch.c.asked_at.is_(None))
        .values(asked_at=at, asked_run=run)
    )


def told(conn: Connection, batch_id: int, *, at: datetime) -> None:
    """Note that Slack was told."""
    conn.execute(update(held_batch).where(held_batch.c.id == batch_id).values(told_at=at))


def answer(
    conn: Connection, batch_id: int, given: str, *, by: str, reason: str, at: datetime
) -> None:
    """Note the answer, "release" or "keep"."""
    conn.execute(
        update(held_batch)
        .where(held_batch.c.id == batch_id)
        .values(answer=given, answered_at=at, by_whom=by, reason=reason, asked_at=at)
    )


def items(conn: Connection, batch_id: int, *, after: int = 0, limit: int = 500) -> list[HeldItem]:
    """Return what still waits in a batch, by id, locked."""
    query = (
        select(held_item)
        .where(
            held_item.c.batch_id == batch_id,
            held_item.c.settled_at.is_(None),
            held_item.c.id > after,
        )
        .order_by(held_item.c.id)
        .limit(limit)
        .with_for_update()
    )
    return [HeldItem(**row._asdict()) for row in conn.execute(query)]


def settle(conn: Connection, ids: Sequence[int], result: str, *, at: datetime) -> None:
    """Note what became of items."""
    conn.execute(
        update(held_item)
        .where(among(held_item.c.id, ids), held_item.c.settled_at.is_(None))
        .values(settled_at=at, result=result)
    )


def close_ended(conn: Connection, *, at: datetime) -> int:
    """Settle items that are held no more: leads that moved on, effects sent or replaced."""
    gone = text(
        """
        UPDATE held_item AS item SET settled_at = :at, result = 'no longer held'
        FROM lead
        WHERE item.settled_at IS NULL AND lead.id = item.lead_id AND (
            (item.kind = 'handoff' AND lead.held_for IS DISTINCT FROM 'blast_radius')
            OR (item.effect_id IS NOT NULL AND EXISTS (
                SELECT 1 FROM effect WHERE effect.id = item.effect_id
                AND effect.state <> 'withheld'))
            OR (item.kind = 'reassignment' AND NOT EXISTS (
                SELECT 1 FROM handoff JOIN hop ON hop.handoff_id = handoff.id
                WHERE handoff.id = item.handoff_id AND hop.number = item.hop
                AND handoff.state IN ('planned', 'assigned', 'notified') AND NOT EXISTS (
                    SELECT 1 FROM hop AS later
                    WHERE later.handoff_id = handoff.id AND later.number > item.hop)))
        )
        """
    )
    return conn.execute(gone, {"at": at}).rowcount


def figures(conn: Connection, batch_id: int) -> Figures:
    """Return what still waits in a batch: by kind, handoffs by band, reassignments by owner."""
    waits = (held_item.c.batch_id == batch_id, held_item.c.settled_at.is_(None))
    many = func.count()
    by_kind = select(held_item.c.kind, many).where(*waits).group_by(held_item.c.kind)
    band = func.coalesce(lead.c.band, "none")
    by_band = (
        select(band, many)
        .select_from(held_item)
        .join(lead, lead.c.id == held_item.c.lead_id)
        .where(*waits, held_item.c.kind == "handoff")
        .group_by(band)
    )
    by_owner = (
        select(hop.c.owner_key, many)
        .select_from(held_item)
        .join(handoff, handoff.c.id == held_item.c.handoff_id)
        .join(hop, (hop.c.handoff_id == handoff.c.id) & (hop.c.number == held_item.c.hop))
        .where(*waits, held_item.c.kind == "reassignment")
        .group_by(hop.c.owner_key)
    )
    found = []
    for query in (by_kind, by_band, by_owner):
        counted = {row[0]: row[1] for row in conn.execute(query)}
        found.append(dict(sorted(counted.items(), key=lambda one: (-one[1], one[0]))))
    return Figures(*found)


def _batch(row: Row[tuple[object, ...]]) -> HeldBatch:
    return HeldBatch(**row._asdict())
