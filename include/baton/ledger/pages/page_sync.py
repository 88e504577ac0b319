"""What the page Sync health asks: when each kind of write last went well, and what failed lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from baton.ledger.budget.daily_budget import DailyBudget
from baton.ledger.budget.rate_limits import BucketRow, daily_budgets
from baton.ledger.record.admin_actions import AdminAction
from baton.ledger.tables.admin import admin_action
from baton.ledger.tables.operation import rate_bucket


@dataclass(frozen=True, slots=True)
class Failed:
    """Attempts that did not go well: of which kind, how they ended, why, how many, the newest."""

    kind: str
    outcome: str
    code: str
    number: int
    newest: datetime


def last_done(conn: Connection, kinds: Sequence[str]) -> dict[str, datetime]:
    """Return when an effect of each kind was last carried out."""
    query = text(
        """
        SELECT kind, newest.done_at FROM unnest(CAST(:kinds AS text[])) AS kind
        CROSS JOIN LATERAL (SELECT done_at FROM effect WHERE effect.kind = kind.kind
            AND state = 'done' AND done_at IS NOT NULL ORDER BY done_at DESC LIMIT 1) AS newest
        """
    )
    return {row.kind: row.done_at for row in conn.execute(query, {"kinds": list(kinds)})}


def failed_since(conn: Connection, since: datetime, *, most: int = 50) -> list[Failed]:
    """Return the attempts since then that did not go well, by kind of effect and error."""
    query = text(
        """
        SELECT effect.kind, attempt.outcome, coalesce(effect.last_error_code, ''), count(*),
            max(attempt.at)
        FROM attempt JOIN effect ON effect.id = attempt.effect_id
        WHERE attempt.at >= :since AND attempt.outcome <> 'done'
          AND attempt.outcome <> 'superseded'
        GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT :most
        """
    )
    rows = conn.execute(query, {"since": since, "most": most})
    return [Failed(*row) for row in rows]


def buckets(conn: Connection) -> list[BucketRow]:
    """Return every rate limit as it stands, by name."""
    rows = conn.execute(select(rate_bucket).order_by(rate_bucket.c.name))
    return [BucketRow(**row._asdict()) for row in rows]


def budgets(conn: Connection, now: datetime) -> dict[str, DailyBudget]:
    """Return the day's calls by system, of those that have told their limit."""
    return {one.system: one for one in daily_budgets(conn, now)}


def actions_on(conn: Connection, subject: str, *, limit: int) -> list[AdminAction]:
    """Return what people did to a subject by hand, newest first."""
    query = (
        select(admin_action)
        .where(admin_action.c.subject == subject)
        .order_by(admin_action.c.id.desc())
        .limit(limit)
    )
    return [AdminAction(**row._asdict()) for row in conn.execute(query)]
