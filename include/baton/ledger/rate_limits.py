"""Rate limits shared by all processes: a token bucket in one row, reserved in its own transaction.

A caller takes its tokens at once, even into the negative, and sleeps until they would have come:
so nobody polls, everybody is served in the order of asking, and no transaction is open while one
sleeps. What the other side says is left corrects the bucket, because others use the limit too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select, text

from baton.errors import InvariantError
from baton.ledger.engine import transaction
from baton.ledger.tables import rate_bucket


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` calls in the long run, at most `burst` of them at once."""

    per_second: float
    burst: float


DEFAULT_RATES: Mapping[str, Rate] = {
    # 190 calls in any ten seconds: the burst is spent inside the window that it opens.
    "hubspot.general": Rate(per_second=15.0, burst=40.0),
    # Five a second for the account, all apps together; its answers carry no headers.
    "hubspot.search": Rate(per_second=4.5, burst=2.0),
    "salesforce.general": Rate(per_second=25.0, burst=25.0),
    # One message a second and channel, bursts tolerated; reading is tier 3, fifty a minute.
    "slack.post": Rate(per_second=1.0, burst=10.0),
    "slack.read": Rate(per_second=1.5, burst=20.0),
}
"""Buckets without an entry have no limit of ours: they are only observed."""

OBSERVE_EVERY_SECONDS = 2.0

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
        SELECT name, tokens, refilled_at, blocked_until FROM rate_bucket
        WHERE name = :name FOR UPDATE
    ), timed AS MATERIALIZED (
        SELECT held.*,
               greatest(coalesce(CAST(:now AS timestamptz), clock_timestamp()), refilled_at) AS at
        FROM held
    ), taken AS (
        UPDATE rate_bucket SET refilled_at = timed.at,
            tokens = least(:burst, timed.tokens
                + extract(epoch FROM timed.at - timed.refilled_at) * :rate) - :cost
        FROM timed WHERE rate_bucket.name = timed.name
        RETURNING rate_bucket.tokens, timed.at, timed.blocked_until
    )
    SELECT greatest(0, -tokens / :rate,
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
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._engine, self._rates = engine, dict(rates)
        self._sleep, self._now = sleep, now
        self._observed: dict[str, float] = {}

    def acquire(self, bucket: str, cost: int = 1) -> None:
        """Wait until `cost` calls of `bucket` are allowed."""
        rate = self._rates.get(bucket)
        if rate is None:
            return
        if cost > rate.burst:
            raise InvariantError(f"a call of cost {cost} can never pass '{bucket}'")
        wait = self._reserve(bucket, cost, rate)
        if wait > 0:
            self._sleep(wait)

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

    def _reserve(self, bucket: str, cost: int, rate: Rate) -> float:
        values = {
            "name": bucket,
            "burst": rate.burst,
            "rate": rate.per_second,
            "cost": cost,
            "now": self._instant(),
        }
        with transaction(self._engine) as conn:
            wait = conn.execute(_RESERVE, values).scalar_one_or_none()
            if wait is None:
                conn.execute(_OPEN, values)
                wait = conn.execute(_RESERVE, values).scalar_one()
        return float(wait)

    def _worth_writing(self, bucket: str, remaining: int | None, rate: Rate | None) -> bool:
        """Tell whether to write: always when it slows us down, else every few seconds.

        Every answer of the other side comes by here, and most say that there is plenty left.
        """
        present = self._now().timestamp() if self._now else time.monotonic()
        if rate is not None and remaining is not None and remaining < rate.burst:
            self._observed[bucket] = present
            return True
        if present - self._observed.get(bucket, -OBSERVE_EVERY_SECONDS) < OBSERVE_EVERY_SECONDS:
            return False
        self._observed[bucket] = present
        return True

    def _instant(self) -> datetime | None:
        return self._now() if self._now else None
