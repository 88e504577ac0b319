"""Playing past days through the pipeline's own functions, on a clock that stands where we set it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from baton.clock import HistoryClock
from baton.demo.market import Played
from baton.pipeline.audit import measure_day
from baton.pipeline.context import Context
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.report import StepReport
from baton.pipeline.response.sales_activity import read_outcomes
from baton.pipeline.response.sla_watch import watch_clocks
from baton.pipeline.timers import run_timers

__all__ = ["Day", "HistoryReport", "Market", "days_between", "play_history"]

_REFERENCES_EVERY = 7
"""Days between two readings of users and accounts; new accounts come by conversions."""

ContextFactory = Callable[[HistoryClock], Context]


class Market(Protocol):
    """Whoever lets buyers and reps act up to an instant."""

    def play(self, until: datetime) -> Played:
        """Play up to `until`."""
        ...


@dataclass(frozen=True, slots=True)
class Day:
    """A stretch of history that has been played: `number` of `of`, up to `until`."""

    number: int
    of: int
    until: datetime
    played: Played
    counts: Counter[str]


@dataclass(slots=True)
class HistoryReport:
    """What the replay did: counts of all steps, and the seconds spent in each."""

    days: int = 0
    new_contacts: int = 0
    events: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)


Progress = Callable[[Day, HistoryReport], None]


def play_history(
    ctx_factory: ContextFactory,
    admin: Market,
    start: datetime,
    end: datetime,
    progress: Progress = lambda _day, _report: None,
) -> HistoryReport:
    """Play from `start` (where the market's clock stands) to `end`, a UTC day at a time.

    After each day's buyers and reps have acted, the chain runs as its Dags would have: judge and
    hand off, deliver, read back what sales did, watch the clocks, run the timers, write back,
    measure. Nothing is announced: the context is of mode ``history``.

    Raises whatever the steps raise.
    """
    report = HistoryReport()
    clock = HistoryClock(start)
    ctx = ctx_factory(clock)
    stretches = days_between(start, end)
    for number, until in enumerate(stretches, start=1):
        with _timed(report, "market"):
            played = admin.play(until)
        clock.stretch, clock.at = until - clock.at, until
        counts = _chain(ctx, report, references=number % _REFERENCES_EVERY == 1)
        with _timed(report, "measure"):
            # A stretch that ends at midnight is the day before.
            measure_day(ctx, (until - timedelta(microseconds=1)).date())
        report.days = number
        report.new_contacts += played.new_contacts
        report.events.update(played.counts)
        report.counts.update(counts)
        progress(Day(number, len(stretches), until, played, counts), report)
    return report


def days_between(start: datetime, end: datetime) -> list[datetime]:
    """Return the UTC midnights after `start` and before `end`, then `end` itself."""
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while (midnight := midnight + timedelta(days=1)) < end:
        found.append(midnight)
    return [*found, end]


def _chain(ctx: Context, report: HistoryReport, *, references: bool) -> Counter[str]:
    steps: list[tuple[str, Callable[[Context], StepReport]]] = [
        ("references", read_references),
        ("qualify", qualify_and_route),
        ("deliver", deliver_and_notify),
        ("outcomes", read_outcomes),
        ("clocks", watch_clocks),
        ("timers", run_timers),
        ("write back", write_back),
    ]
    counts: Counter[str] = Counter()
    for name, step in steps:
        if name == "references" and not references:
            continue
        with _timed(report, name):
            done = step(ctx)
        counts.update({f"{name}: {what}": count for what, count in done.counts().items()})
    return counts


@contextmanager
def _timed(report: HistoryReport, name: str) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        report.seconds[name] += time.monotonic() - began  # type: ignore[assignment]  # seconds are floats
