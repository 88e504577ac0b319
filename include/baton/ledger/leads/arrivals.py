"""How many leads each form and source brings, hour by hour: counted once, asked often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.pages import counted_hour, hourly_arrival

HOUR = timedelta(hours=1)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
GRACE = timedelta(minutes=10)
"""So long after its end an hour is counted: until then its last leads are judged."""
WEEKS_BACK = 4
"""So many earlier weeks say what is usual."""

# Who raised a hand in the hour, as judged first or again until shortly after it. Whoever is judged
# later for another reason brings nothing new.
_COUNT = text(
    """
    WITH judged AS (
        SELECT DISTINCT ON (lead_id) lead_id, outcome, inputs
        FROM decision
        WHERE decided_at >= :begin AND decided_at < :until
          AND CAST(inputs ->> 'captured_at' AS timestamptz) >= :begin
          AND CAST(inputs ->> 'captured_at' AS timestamptz) < :end
        ORDER BY lead_id, id DESC
    ), named AS (
        SELECT 'form' AS kind, inputs #>> '{facts,Form}' AS name, outcome FROM judged
        UNION ALL
        SELECT 'source', inputs #>> '{facts,Source}', outcome FROM judged
        UNION ALL
        SELECT 'unreadable', problem ->> 'label', outcome
        FROM judged CROSS JOIN LATERAL jsonb_array_elements(
            CASE jsonb_typeof(inputs -> 'problems') WHEN 'array' THEN inputs -> 'problems'
            ELSE '[]'::jsonb END) AS problem
        WHERE problem ->> 'code' LIKE 'unknown%'
    ), counted AS (
        INSERT INTO hourly_arrival (hour, kind, name, leads, stayed)
        SELECT CAST(:begin AS timestamptz), kind, left(name, 200), count(*),
            count(*) FILTER (WHERE outcome = 'nurture')
        FROM named WHERE name <> '' GROUP BY kind, left(name, 200)
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM judged
    """
)

# `age` counts the whole hours since, 0 for the newest; the same days of an earlier week lie a
# multiple of 168 hours before.
_SILENT = text(
    """
    SELECT kind, name, last_hour, usual FROM (
        SELECT kind, name, max(hour) AS last_hour,
            coalesce(sum(leads) FILTER (WHERE age < :span), 0) AS present,
            coalesce(sum(leads) FILTER (WHERE age >= 168 AND age % 168 < :span), 0)
                / CAST(:weeks AS numeric) AS usual
        FROM (
            SELECT kind, name, hour, leads, CAST(
                extract(epoch FROM CAST(:until AS timestamptz) - hour) / 3600 AS int) - 1 AS age
            FROM hourly_arrival
            WHERE kind IN ('form', 'source') AND hour >= :since AND hour < :until
        ) AS aged GROUP BY kind, name
    ) AS shown
    WHERE present = 0 AND usual >= :least ORDER BY usual DESC, name
    """
)


@dataclass(frozen=True, slots=True)
class Silent:
    """A form or source that brought leads in the same days of earlier weeks, and brings none now.

    `usual`: leads in such a span on average; `last_hour`: the hour of the last one.
    """

    kind: str
    name: str
    last_hour: datetime
    usual: float
    span: timedelta


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a form brought lately: leads, and how many of them stay with marketing."""

    name: str
    leads: int
    stayed: int


def last_counted(conn: Connection) -> datetime | None:
    """Return the newest hour that is counted."""
    found: datetime | None = conn.execute(select(func.max(counted_hour.c.hour))).scalar()
    return found


def count_hour(conn: Connection, hour: datetime) -> int:
    """Count what arrived in the hour from `hour` on, once. Return how many leads it had."""
    made = conn.execute(
        insert(counted_hour)
        .values(hour=hour, leads=0)
        .on_conflict_do_nothing()
        .returning(counted_hour.c.hour)
    ).first()
    if made is None:
        return 0
    found = int(
        conn.execute(
            _COUNT, {"begin": hour, "end": hour + HOUR, "until": hour + HOUR + GRACE}
        ).scalar_one()
    )
    if found:
        conn.execute(counted_hour.update().where(counted_hour.c.hour == hour).values(leads=found))
    return found


def silent(conn: Connection, now: datetime, *, least: int) -> list[Silent]:
    """Return the forms and sources that have fallen silent for a day or a week, as of `now`.

    Compared are the same days of the four weeks before, of which the mean must be `least`: with
    five expected, none at all comes about by chance less than once in a hundred times. Nothing is
    silent while the hours since are not counted (the ledger's upkeep stands still).
    """
    newest = last_counted(conn)
    if newest is None or newest < now - timedelta(hours=3):
        return []
    until = newest + HOUR
    found: dict[tuple[str, str], Silent] = {}
    for span in (DAY, WEEK):
        rows = conn.execute(
            _SILENT,
            {
                "until": until,
                "span": span // HOUR,
                "weeks": WEEKS_BACK,
                "since": until - WEEKS_BACK * WEEK - span,
                "least": least,
            },
        )
        for row in rows:
            one = Silent(row.kind, row.name, row.last_hour, float(row.usual), span)
            found.setdefault((row.kind, row.name), one)
    return list(found.values())


def arrived(conn: Connection, kind: str, *, since: datetime) -> list[Arrived]:
    """Return what forms ("form") or unreadable labels ("unreadable") brought since then."""
    row = hourly_arrival.c
    query = (
        select(row.name, func.sum(row.leads), func.sum(row.stayed))
        .where(row.kind == kind, row.hour >= since)
        .group_by(row.name)
        .order_by(func.sum(row.leads).desc(), row.name)
    )
    return [Arrived(name, int(leads), int(stayed)) for name, leads, stayed in conn.execute(query)]
