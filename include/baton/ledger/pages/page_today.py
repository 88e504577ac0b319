"""What the page Today and the morning's digest ask, each by one indexed query."""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, one_of
from baton.ledger.tables.pages import UNSETTLED_EFFECT_STATES
from baton.ledger.tables.record import decision

_OPEN = one_of("h.state", OPEN_HANDOFF_STATES)
_PRESENT = (
    "CROSS JOIN LATERAL (SELECT owner_kind, owner_key, assigned_at, first_touch_due FROM hop"
    " WHERE handoff_id = h.id ORDER BY number DESC LIMIT 1) AS present"
)
# Nobody was told of the others: an observed handoff, a colleague's test.
_REAL = "h.mode <> 'observe' AND h.origin <> 'test'"
MOST_OVERRIDES = 1000
SHOWN_LATE = 3
LOOKED_AT = 300
"""Of the leads in quarantine so many, the newest, say what the reasons are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Open handoffs that nobody has touched. Instants are None where there are none."""

    hot: int
    hot_late: int
    hot_due: datetime | None
    others_late: int
    others_due: datetime | None
    queued: int
    queued_since: datetime | None


@dataclass(frozen=True, slots=True)
class LateLead:
    """A hot lead that waits for its first touch: whose it is and until when that was promised."""

    lead_id: int
    key: str
    company: str | None
    owner: str
    due: datetime


@dataclass(frozen=True, slots=True)
class OwnerLoad:
    """Open handoffs of one owner; `kind` is "user" or "queue"."""

    kind: str
    owner: str
    handoffs: int


@dataclass(frozen=True, slots=True)
class OpenWork:
    """All open handoffs that count: who waits, everybody's load, and who waits longest."""

    waits: Waits
    owners: tuple[OwnerLoad, ...]
    late: tuple[LateLead, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many, by name, and since when the oldest."""

    name: str
    number: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Effects:
    """Effects of one kind in one state that are not settled. `stuck`: nothing will be tried."""

    state: str
    kind: str
    number: int
    stuck: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TodaySoFar:
    """The day's figures since midnight. `touch_median` in seconds, None with nobody touched."""

    handed_off: int
    judged: int
    answered: int
    touched: int
    touch_median: float | None


def open_work(conn: Connection, now: datetime, bands: Sequence[str]) -> OpenWork:
    """Return everything that is open, in one pass; `bands` are those that count as hot."""
    query = text(
        f"""
        SELECT owner_kind, owner_key, count(*) AS handoffs,
            count(*) FILTER (WHERE hot) AS hot,
            count(*) FILTER (WHERE hot AND late) AS hot_late,
            min(first_touch_due) FILTER (WHERE hot) AS hot_due,
            count(*) FILTER (WHERE late AND NOT hot) AS others_late,
            min(first_touch_due) FILTER (WHERE late AND NOT hot) AS others_due,
            count(*) FILTER (WHERE untouched) AS untouched,
            min(assigned_at) FILTER (WHERE untouched) AS untouched_since,
            array_agg(id) FILTER (WHERE hot AND late) AS latest
        FROM (
            SELECT h.id, present.*, h.first_touch_at IS NULL AS untouched,
                h.first_touch_at IS NULL
                    AND coalesce(h.band = ANY(CAST(:bands AS text[])), false) AS hot,
                h.first_touch_at IS NULL AND coalesce(present.first_touch_due < :now, false) AS late
            FROM handoff h {_PRESENT} WHERE {_OPEN} AND {_REAL}
        ) AS open_one GROUP BY owner_kind, owner_key ORDER BY 3 DESC, 2
        """
    )
    rows = conn.execute(query, {"now": now, "bands": list(bands)}).all()
    queues = [row for row in rows if row.owner_kind == "queue"]
    latest = [one for row in rows for one in row.latest or ()]
    return OpenWork(
        Waits(
            hot=sum(row.hot for row in rows),
            hot_late=sum(row.hot_late for row in rows),
            hot_due=_earliest(row.hot_due for row in rows),
            others_late=sum(row.others_late for row in rows),
            others_due=_earliest(row.others_due for row in rows),
            queued=sum(row.untouched for row in queues),
            queued_since=_earliest(row.untouched_since for row in queues),
        ),
        tuple(OwnerLoad(row.owner_kind, row.owner_key, row.handoffs) for row in rows),
        tuple(_late(conn, latest)) if latest else (),
    )


def _earliest(instants: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)


def _late(conn: Connection, ids: Sequence[int]) -> list[LateLead]:
    """Return those of these handoffs that have been due for longest.

    Asked apart: ordered in the aggregate, all that is open would be sorted for the sake of a few.
    """
    query = text(
        f"""
        SELECT h.lead_id, h.key, person.company_name, present.owner_key, present.first_touch_due
        FROM handoff h {_PRESENT} LEFT JOIN person ON person.lead_id = h.lead_id
        WHERE h.id = ANY(CAST(:ids AS bigint[]))
        ORDER BY present.first_touch_due, h.id LIMIT {SHOWN_LATE}
        """
    )
    return [LateLead(*row) for row in conn.execute(query, {"ids": list(ids)})]


def held(conn: Connection) -> list[Count]:
    """Return the leads that are held, by reason, most first."""
    query = text(
        "SELECT held_for, count(*), min(state_since) FROM lead WHERE held_for IS NOT NULL"
        " GROUP BY held_for ORDER BY 2 DESC, 1"
    )
    return [Count(*row) for row in conn.execute(query)]


def quarantined(conn: Connection) -> Count:
    """Return how many leads wait in quarantine."""
    query = text("SELECT count(*), min(state_since) FROM lead WHERE state = 'quarantined'")
    return Count("quarantined", *conn.execute(query).one())


def quarantine_reasons(conn: Connection, *, most: int = 3) -> list[tuple[str, int]]:
    """Return why leads wait in quarantine: words and number among the newest LOOKED_AT."""
    query = text(
        """
        SELECT failure ->> 'message' AS words, count(DISTINCT id) AS leads FROM (
            SELECT l.id, jsonb_array_elements(last.result -> 'failures') AS failure
            FROM (SELECT id FROM lead WHERE state = 'quarantined' ORDER BY id DESC LIMIT :looked) l
            CROSS JOIN LATERAL (SELECT result FROM decision WHERE lead_id = l.id
                                ORDER BY id DESC LIMIT 1) AS last
            WHERE jsonb_typeof(last.result -> 'failures') = 'array'
        ) AS each GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
        """
    )
    return [
        (row.words, row.leads) for row in conn.execute(query, {"looked": LOOKED_AT, "most": most})
    ]


def unsettled_effects(conn: Connection) -> list[Effects]:
    """Return the effects that are neither carried out nor withheld, by state and kind."""
    query = text(
        f"""
        SELECT state, kind, count(*), count(*) FILTER (WHERE next_attempt_at IS NULL),
            min(created_at)
        FROM effect WHERE {one_of("state", UNSETTLED_EFFECT_STATES)} GROUP BY 1, 2 ORDER BY 1, 2
        """
    )
    return [Effects(*row) for row in conn.execute(query)]


def unseen_overrides(conn: Connection) -> list[Count]:
    """Return the fields that people changed after us, of the newest MOST_OVERRIDES unseen ones."""
    query = text(
        """
        SELECT field, count(*), min(at) FROM (
            SELECT field, at FROM human_override o WHERE NOT EXISTS (
                SELECT 1 FROM admin_action a WHERE a.subject = 'override ' || o.id
                AND a.action = 'dismiss' AND a.result = 'done')
            ORDER BY id DESC LIMIT :most) AS unseen
        GROUP BY field ORDER BY 2 DESC, 1
        """
    )
    return [Count(*found) for found in conn.execute(query, {"most": MOST_OVERRIDES})]


def so_far(conn: Connection, since: datetime) -> TodaySoFar:
    """Return the figures since `since`: the beginning of the day."""
    handed = text("SELECT count(*) FROM handoff h WHERE decided_at >= :since AND " + _REAL)
    touched = text(
        "SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(0,"
        " extract(epoch FROM first_touch_at - captured_at)))"
        " FROM handoff h WHERE first_touch_at >= :since AND h.origin = 'buyer'"
        " AND h.mode <> 'observe'"
    )
    answered = text("SELECT count(*) FROM disposition WHERE at >= :since")
    judged = select(func.count()).where(decision.c.decided_at >= since)
    at = {"since": since}
    number, median = conn.execute(touched, at).one()
    return TodaySoFar(
        handed_off=conn.execute(handed, at).scalar_one(),
        judged=conn.execute(judged).scalar_one(),
        answered=conn.execute(answered, at).scalar_one(),
        touched=number,
        touch_median=None if median is None else float(median),
    )
