"""Rate limits shared by all processes: a token bucket in one row, reserved in its own transaction.

A caller takes its tokens at once, even into the negative, and sleeps until they would have come:
so nobody polls, everybody is served in the order of asking, and no transaction is open while one
sleeps. What the other side says is left corrects the bucket, because others use the limit too.

A day's calls are one more row a system: each call is taken off in the same transaction, and the
rules of `daily_budget` say whether it may go now, later, or only if a hot lead waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, text, update

from baton.errors import BudgetShortError, InvariantError
from baton.ledger.budget.daily_budget import (
    MIDNIGHTS,
    SYSTEMS,
    BudgetTerms,
    DailyBudget,
    next_midnight,
)
from baton.ledger.database.engine import transaction
from baton.ledger.tables.budget import api_usage
from baton.ledger.tables.operation import rate_bucket
from baton.transport import Lane


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` calls in the long run, at most `burst` of them at once.

    Where the other side names its limit, calls in any `window` seconds, it sets both instead: 94 %
    of the limit as the rate and 4 % as the burst, which together stay below it in every window.
    """

    per_second: float
    burst: float
    window: float | None = None


DEFAULT_RATES: Mapping[str, Rate] = {
    # Until its headers tell: 100 calls in any ten seconds, what the smallest plan allows.
    "hubspot.general": Rate(per_second=9.4, burst=4.0, window=10.0),
    # Five a second for the account, all apps together; its answers carry no headers.
    "hubspot.search": Rate(per_second=4.5, burst=2.0),
    "salesforce.general": Rate(per_second=25.0, burst=25.0),
    # One message a second and channel, bursts tolerated; reading is tier 3, fifty a minute.
    "slack.post": Rate(per_second=1.0, burst=10.0),
    "slack.read": Rate(per_second=1.5, burst=20.0),
}
"""Buckets without an entry have no limit of ours: they are only observed."""

OBSERVE_EVERY_SECONDS = 2.0
_LOOK = 0.5

_OPEN = text(
    """
    INSERT INTO rate_bucket (name, tokens, refilled_at)
    VALUES (:name, :burst, coalesce(CAST(:now AS timestamptz), clock_timestamp()))
    ON CONFLICT DO NOTHING
    """
)
# The row is locked before the time is read: whoever waited for the lock must not go back in time.
_RESERVE = text(
    """
    WITH held AS MATERIALIZED (
        SELECT name, tokens, refilled_at, blocked_until,
               coalesce(allowed * 0.94 / CAST(:window AS double precision), :rate) AS rate,
               CASE WHEN CAST(:window AS double precision) IS NULL THEN :burst
                    ELSE coalesce(allowed * 0.04, :burst) END AS burst
        FROM rate_bucket WHERE name = :name FOR UPDATE
    ), timed AS MATERIALIZED (
        SELECT held.*,
               greatest(coalesce(CAST(:now AS timestamptz), clock_timestamp()), refilled_at) AS at
        FROM held
    ), taken AS (
        UPDATE rate_bucket SET refilled_at = timed.at,
            tokens = least(timed.burst, timed.tokens
                + extract(epoch FROM timed.at - timed.refilled_at) * timed.rate) - :cost
        FROM timed WHERE rate_bucket.name = timed.name
        RETURNING rate_bucket.tokens, timed.rate, timed.at, timed.blocked_until
    )
    SELECT greatest(0, -tokens / rate,
                    coalesce(extract(epoch FROM blocked_until - at), 0)) FROM taken
    """
)
_OBSERVE = text(
    """
    INSERT INTO rate_bucket (name, tokens, refilled_at, remaining, allowed, observed_at)
    VALUES (:name, coalesce(CAST(:burst AS double precision), 0),
            coalesce(CAST(:now AS timestamptz), clock_timestamp()), :remaining, :allowed,
            coalesce(CAST(:now AS timestamptz), clock_timestamp()))
    ON CONFLICT (name) DO UPDATE SET
        tokens = CASE WHEN CAST(:burst AS double precision) IS NULL THEN rate_bucket.tokens
                 ELSE least(rate_bucket.tokens, coalesce(excluded.remaining, rate_bucket.tokens))
                 END,
        remaining = coalesce(excluded.remaining, rate_bucket.remaining),
        allowed = coalesce(excluded.allowed, rate_bucket.allowed),
        observed_at = excluded.observed_at
    """
)
_COUNT = text(
    """
    INSERT INTO api_usage (system, hour, lane, calls)
    VALUES (:system, date_trunc('hour', coalesce(CAST(:now AS timestamptz), clock_timestamp()),
            'UTC'), :lane, :cost)
    ON CONFLICT (system, hour, lane) DO UPDATE SET calls = api_usage.calls + excluded.calls
    """
)
# A new day begins full; the day after is worked out in the zone, so that clock changes are right.
_SPEND = text(
    """
    WITH held AS MATERIALIZED (
        SELECT name, coalesce(zone, CAST(:zone AS text)) AS zone FROM rate_bucket
        WHERE name = :name AND allowed IS NOT NULL AND remaining IS NOT NULL FOR UPDATE
    ), timed AS MATERIALIZED (
        SELECT held.*, coalesce(CAST(:now AS timestamptz), clock_timestamp()) AS at FROM held
    )
    UPDATE rate_bucket AS daily SET
        remaining = CASE WHEN daily.resets_at <= timed.at THEN daily.allowed
                         ELSE daily.remaining END - :cost,
        resets_at = CASE WHEN timed.zone IS NULL THEN NULL
                         WHEN daily.resets_at > timed.at THEN daily.resets_at
                         ELSE (date_trunc('day', timed.at AT TIME ZONE timed.zone)
                               + interval '1 day') AT TIME ZONE timed.zone END
    FROM timed WHERE daily.name = timed.name
    RETURNING daily.allowed, daily.remaining + :cost AS remaining, daily.resets_at, timed.zone,
        daily.paced_until, daily.probed_at, daily.observed_at, timed.at
    """
)
_OURS = text(
    """
    SELECT hour, sum(calls) FROM api_usage
    WHERE system = :system AND hour > CAST(:at AS timestamptz) - interval '24 hours' GROUP BY hour
    """
)


@dataclass(frozen=True, slots=True)
class BucketRow:
    """One limit as it stands: our tokens, and what the other side said last."""

    name: str
    tokens: float
    refilled_at: datetime
    blocked_until: datetime | None
    remaining: int | None
    allowed: int | None
    observed_at: datetime | None
    zone: str | None = None
    resets_at: datetime | None = None
    paced_until: datetime | None = None
    probed_at: datetime | None = None


class LedgerRateLimiter:
    """Keeps all processes together below the other side's limits.

    The time is the database's, the one clock that all of them share. `sleep` and `now` are for
    tests: with `now` the instants come from there.
    """

    def __init__(
        self,
        engine: Engine,
        rates: Mapping[str, Rate] = DEFAULT_RATES,
        *,
        terms: BudgetTerms = BudgetTerms(),  # noqa: B008  # frozen
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._engine, self._rates, self._terms = engine, dict(rates), terms
        self._sleep, self._now = sleep, now
        self._observed: dict[str, float] = {}

    def acquire(self, bucket: str, cost: int = 1, lane: Lane = Lane.NORMAL) -> None:
        """Wait until `cost` calls of `bucket` are allowed, and charge them to the day.

        Raises:
            BudgetShortError: the rest of the day's calls is kept for hotter lanes.
        """
        rate = self._rates.get(bucket)
        system = bucket.partition(".")[0]
        if rate is None and system not in SYSTEMS:
            return
        if rate is not None and cost > rate.burst:
            raise InvariantError(f"a call of cost {cost} can never pass '{bucket}'")
        with transaction(self._engine) as conn:
            waits = [0.0]
            if system in SYSTEMS:
                waits.append(self._charge(conn, system, lane, cost))
            if rate is not None:
                waits.append(self._reserve(conn, bucket, cost, rate))
        if max(waits) > 0:
            self._sleep(max(waits))

    def observe(self, bucket: str, remaining: int | None, limit: int | None) -> None:
        """Learn what the other side says is left of `bucket`, and what its limit is."""
        rate = self._rates.get(bucket)
        if not self._worth_writing(bucket, remaining, rate):
            return
        with transaction(self._engine) as conn:
            conn.execute(
                _OBSERVE,
                {
                    "name": bucket,
                    "burst": rate.burst if rate else None,
                    "remaining": remaining,
                    "allowed": limit,
                    "now": self._instant(),
                },
            )

    def block(self, bucket: str, until: datetime) -> None:
        """Let nobody pass `bucket` before `until`: the other side asked for silence."""
        with transaction(self._engine) as conn:
            conn.execute(
                text(
                    "UPDATE rate_bucket SET blocked_until = greatest(blocked_until, :until)"
                    " WHERE name = :name"
                ),
                {"name": bucket, "until": until},
            )

    def buckets(self) -> list[BucketRow]:
        """Return every limit as it stands, by name."""
        with transaction(self._engine) as conn:
            rows = conn.execute(select(rate_bucket).order_by(rate_bucket.c.name))
            return [BucketRow(**row._asdict()) for row in rows]

    def _reserve(self, conn: Connection, bucket: str, cost: int, rate: Rate) -> float:
        values = {
            "name": bucket,
            "burst": rate.burst,
            "rate": rate.per_second,
            "window": rate.window,
            "cost": cost,
            "now": self._instant(),
        }
        wait = conn.execute(_RESERVE, values).scalar_one_or_none()
        if wait is None:
            conn.execute(_OPEN, values)
            wait = conn.execute(_RESERVE, values).scalar_one()
        return float(wait)

    def _charge(self, conn: Connection, system: str, lane: Lane, cost: int) -> float:
        """Take a call off the day's; return the seconds to wait before it."""
        values = {"system": system, "lane": lane.value, "cost": cost, "now": self._instant()}
        conn.execute(_COUNT, values)
        daily = {"name": f"{system}.daily", "zone": MIDNIGHTS.get(system)}
        row = conn.execute(_SPEND, values | daily).one_or_none()
        if row is None:
            return 0.0  # nothing has been heard of its limit yet
        budget = _as_budget(conn, system, row)
        try:
            wait, following = budget.turn(lane, cost, self._terms)
        except BudgetShortError:
            if not budget.probe_due():
                raise
            _stamp(conn, system, probed_at=budget.at)
            return 0.0
        if following is not None:
            _stamp(conn, system, paced_until=following)
        return wait

    def _worth_writing(self, bucket: str, remaining: int | None, rate: Rate | None) -> bool:
        """Tell whether to write: always when it slows us down, else every few seconds.

        Every answer of the other side comes by here, and most say that there is plenty left.
        """
        present = self._now().timestamp() if self._now else time.monotonic()
        if remaining is not None and remaining < (rate.burst if rate is not None else 1):
            self._observed[bucket] = present
            return True
        if present - self._observed.get(bucket, -OBSERVE_EVERY_SECONDS) < OBSERVE_EVERY_SECONDS:
            return False
        self._observed[bucket] = present
        return True

    def _instant(self) -> datetime | None:
        return self._now() if self._now else None


def daily_budgets(
    conn: Connection, now: datetime, systems: Iterable[str] = tuple(SYSTEMS)
) -> list[DailyBudget]:
    """Return the day's calls of those systems that have told their limit, as of `now`."""
    limited = [f"{one}.daily" for one in systems]
    query = (
        select(rate_bucket)
        .where(rate_bucket.c.name.in_(limited), rate_bucket.c.allowed.is_not(None))
        .where(rate_bucket.c.remaining.is_not(None))
        .order_by(rate_bucket.c.name)
    )
    return [_at_rest(conn, row, now) for row in conn.execute(query).all()]


def set_zone(conn: Connection, system: str, zone: str) -> None:
    """Learn the zone at whose midnight a system's day begins."""
    conn.execute(
        text(
            "UPDATE rate_bucket SET zone = :zone, resets_at = NULL"
            " WHERE name = :name AND zone IS DISTINCT FROM :zone"
        ),
        {"name": f"{system}.daily", "zone": zone},
    )


def forget_usage(conn: Connection, before: datetime) -> int:
    """Drop the counts of the hours before; return how many there were."""
    return conn.execute(delete(api_usage).where(api_usage.c.hour < before)).rowcount


def _at_rest(conn: Connection, row: Row[Any], now: datetime) -> DailyBudget:
    """Return a budget as it is when nobody calls: a day that is over has begun anew."""
    system, zone = row.name.partition(".")[0], row.zone
    zone = zone or MIDNIGHTS.get(system)
    over = row.resets_at is not None and row.resets_at <= now
    return DailyBudget(
        system=system,
        at=now,
        allowed=row.allowed,
        remaining=row.allowed if over else row.remaining,
        resets_at=next_midnight(now, zone) if zone else None,
        zone=zone,
        paced_until=row.paced_until,
        probed_at=row.probed_at,
        observed_at=row.observed_at,
        ours=_ours(conn, system, now),
    )


def _as_budget(conn: Connection, system: str, row: Row[Any]) -> DailyBudget:
    found = DailyBudget(system=system, **row._asdict())
    # Only who runs short asks where the calls went.
    return replace(found, ours=_ours(conn, system, found.at)) if found.share < _LOOK else found


def _ours(conn: Connection, system: str, at: datetime) -> dict[datetime, int]:
    return {hour: int(calls) for hour, calls in conn.execute(_OURS, {"system": system, "at": at})}


def _stamp(conn: Connection, system: str, **instants: datetime) -> None:
    conn.execute(
        update(rate_bucket).where(rate_bucket.c.name == f"{system}.daily").values(**instants)
    )
