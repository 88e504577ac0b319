"""How far the comparison of the three systems has come, and what it found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.database.bulk import insert_rows
from baton.ledger.tables.columns import among
from baton.ledger.tables.reconciliation import difference, reconcile_pass

NIGHTLY, DEMAND = "nightly", "demand"
CHECK = "reconciliation"
"""The name under which the last comparison's result stands among the checks."""
KEPT = frozenset(
    {"property_edited", "shared_edited", "owner_changed", "key_edited", "task_deleted"}
)
"""Differences that a person made and that stand: nobody has to do anything about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One comparison. `reached`: the id that its `phase` goes on with.

    In the phase ``salesforce``: a handoff's id, then an object and the id of a record of it.
    """

    id: int
    kind: str
    started_at: datetime
    phase: str
    reached: str | None
    worked_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A difference as found. `ours` and `theirs` are no personal data of a lead."""

    code: str
    lead_id: int | None = None
    handoff_id: int | None = None
    hubspot_id: str | None = None
    salesforce_id: str | None = None
    field: str | None = None
    ours: str | None = None
    theirs: str | None = None

    @property
    def key(self) -> str:
        """Return what it is about, so that the same difference is one row."""
        if self.lead_id:
            subject = f"lead {self.lead_id}"
        elif self.salesforce_id:
            subject = f"record {self.salesforce_id}"
        else:
            subject = f"contact {self.hubspot_id}"
        handoff = f"handoff {self.handoff_id}" if self.handoff_id else ""
        return "|".join((self.code, subject, handoff, self.field or ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow(Found):
    """A difference as stored; `settled_at` is None while the systems still disagree."""

    id: int
    found_at: datetime
    seen_at: datetime
    seen_in: int | None
    settled_at: datetime | None
    settled_by: str | None


def last_pass(conn: Connection, kind: str) -> Pass | None:
    """Return the newest comparison of this kind, finished or not."""
    query = (
        select(reconcile_pass)
        .where(reconcile_pass.c.kind == kind)
        .order_by(reconcile_pass.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return Pass(**row._asdict()) if row else None


def begin(conn: Connection, kind: str, *, at: datetime) -> Pass:
    """Begin a comparison."""
    row = conn.execute(
        insert(reconcile_pass)
        .values(kind=kind, started_at=at, phase="hubspot", worked_at=at)
        .returning(*reconcile_pass.c)
    ).one()
    return Pass(**row._asdict())


def advance(
    conn: Connection,
    one: Pass,
    *,
    phase: str,
    reached: str | None,
    counts: Mapping[str, int],
    at: datetime,
) -> Pass | None:
    """Keep how far a comparison has come; the phase ``done`` ends it.

    None: another worker has gone on from `one` meanwhile, and this one must stop.
    """
    row = conn.execute(
        update(reconcile_pass)
        .where(
            reconcile_pass.c.id == one.id,
            reconcile_pass.c.phase == one.phase,
            reconcile_pass.c.reached.is_not_distinct_from(one.reached),
        )
        .values(
            phase=phase,
            reached=reached,
            counts=dict(counts),
            worked_at=at,
            finished_at=at if phase == "done" else None,
        )
        .returning(*reconcile_pass.c)
    ).one_or_none()
    return Pass(**row._asdict()) if row else None


def record(
    conn: Connection, found: Sequence[Found], *, at: datetime, seen_in: int | None = None
) -> None:
    """Store differences; one that is open already is only seen again.

    `seen_in`: the id of the comparison; None when single leads were looked at.
    """
    rows = {
        one.key: {
            "key": one.key,
            "code": one.code,
            "lead_id": one.lead_id,
            "handoff_id": one.handoff_id,
            "hubspot_id": one.hubspot_id,
            "salesforce_id": one.salesforce_id,
            "field": one.field,
            "ours": one.ours,
            "theirs": one.theirs,
            "found_at": at,
            "seen_at": at,
            "seen_in": seen_in,
        }
        for one in found
    }
    if not rows:
        return
    insert_rows(conn, difference, [rows[key] for key in sorted(rows)], on_conflict=_SEEN_AGAIN)


_SEEN_AGAIN = (
    "(key) WHERE settled_at IS NULL DO UPDATE SET salesforce_id = excluded.salesforce_id,"
    " hubspot_id = excluded.hubspot_id, ours = excluded.ours, theirs = excluded.theirs,"
    " seen_at = excluded.seen_at, seen_in = coalesce(excluded.seen_in, difference.seen_in)"
)


def settle(conn: Connection, keys: Iterable[str], *, at: datetime, by: str) -> int:
    """Mark open differences as mended. Return how many there were."""
    done = conn.execute(
        update(difference)
        .where(among(difference.c.key, keys), difference.c.settled_at.is_(None))
        .values(settled_at=at, settled_by=by)
    )
    return done.rowcount


def settle_unseen(conn: Connection, codes: Collection[str], *, seen_in: int, at: datetime) -> int:
    """Mark open differences of these kinds as gone that a whole comparison no longer found."""
    done = conn.execute(
        update(difference)
        .where(
            difference.c.code.in_(sorted(codes)),
            difference.c.settled_at.is_(None),
            difference.c.seen_in.is_distinct_from(seen_in),
        )
        .values(settled_at=at, settled_by="not found any more")
    )
    return done.rowcount


def open_ones(conn: Connection, *, limit: int = 10_000) -> list[DifferenceRow]:
    """Return the differences that are open, oldest first."""
    query = (
        select(difference)
        .where(difference.c.settled_at.is_(None))
        .order_by(difference.c.found_at, difference.c.id)
        .limit(limit)
    )
    return [
        DifferenceRow(**{name: value for name, value in row._asdict().items() if name != "key"})
        for row in conn.execute(query)
    ]


def open_counts(conn: Connection) -> dict[str, int]:
    """Return how many differences want mending, by code; what people made and stands is left out."""
    query = (
        select(difference.c.code, func.count())
        .where(difference.c.settled_at.is_(None), difference.c.code.not_in(sorted(KEPT)))
        .group_by(difference.c.code)
        .order_by(difference.c.code)
    )
    return {row[0]: row[1] for row in conn.execute(query)}
