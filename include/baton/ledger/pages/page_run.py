"""The leads that one Airflow run judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

_LEADS = text(
    """
    SELECT d.id, d.lead_id, d.decided_at, d.outcome, d.reason_code, d.band, d.score_milli,
        d.owner_key, d.result ->> 'words' AS words, person.company_name AS company,
        nullif(concat_ws(' ', person.first_name, person.last_name), '') AS name
    FROM batch b JOIN decision d ON d.batch_id = b.id
    LEFT JOIN person ON person.lead_id = d.lead_id
    WHERE b.run = :run AND d.id < :before ORDER BY d.id DESC LIMIT :limit
    """
)
_COUNTS = text(
    """
    SELECT d.outcome, count(*) FROM batch b JOIN decision d ON d.batch_id = b.id
    WHERE b.run = :run GROUP BY 1 ORDER BY 2 DESC, 1
    """
)
_LAST = 2**62


@dataclass(frozen=True, slots=True)
class JudgedInRun:
    """One decision of the run."""

    id: int
    lead_id: int
    decided_at: datetime
    outcome: str
    reason_code: str | None
    band: str | None
    score_milli: int | None
    owner_key: str | None
    words: str | None
    company: str | None
    name: str | None


def judged(
    conn: Connection, run: str, *, limit: int, before_id: int | None = None
) -> list[JudgedInRun]:
    """Return what a run decided, newest first; `before_id` continues below the last one shown."""
    before = _LAST if before_id is None else before_id
    rows = conn.execute(_LEADS, {"run": run, "before": before, "limit": limit})
    return [JudgedInRun(**row._asdict()) for row in rows]


def outcomes(conn: Connection, run: str) -> dict[str, int]:
    """Return how many leads of a run met each outcome, most first."""
    return {row[0]: row[1] for row in conn.execute(_COUNTS, {"run": run})}
