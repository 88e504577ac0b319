from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from tests.integration.ledger.conftest import START

from baton.errors import InvariantError
from baton.ledger.budget.rate_limits import LedgerRateLimiter, Rate

RATES = {"api": Rate(per_second=10, burst=5)}


class Watch:
    """A clock that stands still, and remembers how long each caller was told to wait."""

    def __init__(self) -> None:
        self.at = START
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self.at


def limiter(engine: Engine, watch: Watch) -> LedgerRateLimiter:
    return LedgerRateLimiter(engine, RATES, sleep=watch.waits.append, now=watch.now)


def test_a_burst_passes_and_then_everybody_waits_in_turn(ledger_engine: Engine) -> None:
    watch = Watch()
    shared = [limiter(ledger_engine, watch), limiter(ledger_engine, watch)]
    for number in range(8):
        shared[number % 2].acquire("api")
    assert watch.waits == pytest.approx([0.1, 0.2, 0.3])


def test_tokens_come_back_with_time_up_to_the_burst(ledger_engine: Engine) -> None:
    watch = Watch()
    mine = limiter(ledger_engine, watch)
    for _ in range(5):
        mine.acquire("api")
    watch.at += timedelta(hours=1)
    for _ in range(6):
        mine.acquire("api")
    assert watch.waits == pytest.approx([0.1])


def test_what_the_other_side_says_slows_us_down(ledger_engine: Engine) -> None:
    watch = Watch()
    mine = limiter(ledger_engine, watch)
    mine.acquire("api")
    mine.observe("api", 0, 100)
    mine.acquire("api", 2)
    assert watch.waits == pytest.approx([0.2])
    watch.at += timedelta(seconds=3)
    mine.observe("api", 90, 100)
    mine.observe("api", 89, 100)  # plenty left, and just written: not worth a transaction
    (row,) = mine.buckets()
    assert (row.remaining, row.allowed) == (90, 100)
    assert row.tokens == -2


def test_a_blocked_bucket_waits_until_its_time(ledger_engine: Engine) -> None:
    watch = Watch()
    mine = limiter(ledger_engine, watch)
    mine.acquire("api")
    mine.block("api", START + timedelta(seconds=7))
    mine.acquire("api")
    assert watch.waits == pytest.approx([7])


def test_what_is_only_observed_has_no_limit_of_ours(ledger_engine: Engine) -> None:
    watch = Watch()
    mine = limiter(ledger_engine, watch)
    mine.acquire("daily")
    mine.observe("daily", 4_990, 5_000)
    watch.at += timedelta(seconds=3)
    mine.observe("daily", None, 5_000)
    assert [(row.name, row.remaining) for row in mine.buckets()] == [("daily", 4_990)]
    assert watch.waits == []


def test_a_cost_above_the_burst_is_a_bug(ledger_engine: Engine) -> None:
    with pytest.raises(InvariantError, match="never pass"):
        limiter(ledger_engine, Watch()).acquire("api", 6)


def test_threads_together_keep_the_rate_in_real_time(ledger_engine: Engine) -> None:
    shared = LedgerRateLimiter(ledger_engine, {"api": Rate(per_second=40, burst=4)})
    began = time.monotonic()

    def work() -> None:
        for _ in range(6):
            shared.acquire("api")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # 24 calls, 4 at once, the other 20 at 40 a second: half a second at the least.
    assert time.monotonic() - began >= 0.49
