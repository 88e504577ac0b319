"""The chain's three steps between a sandbox process and an embedded PostgreSQL, over real HTTP.

Airflow is left out: this is what the steps themselves cost. Rate limits are lifted, which the
real systems will not do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from figures import Figure
from generated import contacts
from stage import UNBOUND, Stage, stage

from baton.pipeline.context import Context
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.qualify import qualify_and_route
from baton.validation.verdicts import preload


def chain(quick: bool) -> list[Figure]:
    """Load generated contacts into a sandbox and time each step over all of them."""
    preload()
    with stage(*UNBOUND) as built:
        return _measured(built, 60 if quick else 500)


def _measured(built: Stage, count: int) -> list[Figure]:
    ctx = built.context()
    built.prepare(ctx)
    read_references(ctx)
    qualify_and_route(ctx)  # whoever the sandbox began with
    deliver_and_notify(ctx)
    write_back(ctx)
    before = len(built.requests())
    built.load(contacts(count, now=datetime.now(UTC)))
    time.sleep(1.5)  # HubSpot's Date header, which ends the window, counts whole seconds
    ctx = built.context()  # as a new task would open it
    figures = []
    steps: tuple[tuple[str, Callable[[Context], Any]], ...] = (
        ("pull, judge, decide", qualify_and_route),
        ("record, task, message", deliver_and_notify),
        ("write back", write_back),
    )
    for name, step in steps:
        began = time.perf_counter()
        counts = step(ctx).counts()
        seconds = time.perf_counter() - began
        done = ", ".join(f"{what} {number}" for what, number in sorted(counts.items()))
        figures.append(Figure(name, f"{count} leads: {done}", seconds, "s"))
    calls = len(built.requests()) - before
    figures.append(Figure("calls to all three systems", f"{count} leads", calls, "calls"))
    ctx.engine.dispose()
    return figures
