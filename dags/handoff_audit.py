"""## Purpose
Measures the handoff every day: speed-to-lead, acceptance, breach, conversion, recycling, revenue by
source, each with its definition. … Disposition → **Learn**.

## Inputs and outputs
In: the ledger. Out: one row a day, metric and dimension in the ledger.

## When it runs
At 01:15 UTC for the day before and the days of the look-ahead window whose outcomes may still have
changed. Measuring a day again replaces that day's figures.

## When it fails
Nothing else depends on it; run it again for the day.

See the figures: [Metrics](baton/metrics).

## Owner
Revenue operations; next morning.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from baton.orchestration.assets import METRICS
from baton.orchestration.defaults import DEFAULT_ARGS, LEDGER_POOL, START_DATE
from baton.orchestration.runtime import task_context
from baton.orchestration.tags import Tag


@dag(
    schedule=CronTriggerTimetable("15 1 * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args=DEFAULT_ARGS,
    tags=[Tag.BATON, Tag.LEARN, Tag.NEXT_MORNING],
    doc_md=__doc__,
)
def handoff_audit() -> None:
    """Compute the daily metrics."""

    @task(pool=LEDGER_POOL, outlets=[METRICS])
    def measure() -> dict[str, int]:
        """Compute the figures of the days that may have changed."""
        from baton.pipeline.audit import measure as step

        with task_context() as ctx:
            return step(ctx).counts()

    measure()


handoff_audit()
