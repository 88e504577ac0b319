"""## Purpose
Runs the response clock: looks for touches, reminds the owner before the first touch is due, records
a breach when it is not met, tells the manager. … Notify → **Work** → Disposition …

## Inputs and outputs
In: touches from Salesforce; the terms that each handoff was born with (a new policy never moves a
running clock). Out: clock events in the ledger, reminders in Slack.

## When it runs
Every minute. Each event of a clock is recorded once, so that running again reminds nobody twice.

## When it fails
Clocks are computed from instants, not from runs: a late run records the same breach at the same due
time. Only reminders are late.

See who is late: [Handoffs](baton/handoffs?late=1).

## Owner
Sales operations; page somebody: nobody is reminded.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from baton.orchestration.defaults import DEFAULT_ARGS, SALESFORCE_POOL, START_DATE
from baton.orchestration.runtime import task_context
from baton.orchestration.tags import Tag


@dag(
    schedule=CronTriggerTimetable("* * * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=15),
    default_args=DEFAULT_ARGS,
    tags=[Tag.BATON, Tag.WORK, Tag.PAGE_SOMEBODY],
    doc_md=__doc__,
)
def sla_watch() -> None:
    """Read touches, evaluate clocks, remind."""

    @task(pool=SALESFORCE_POOL, priority_weight=5)
    def watch_clocks() -> dict[str, int]:
        """Evaluate the clock of every open handoff and send what is due."""
        from baton.pipeline.response.sla_watch import watch_clocks as step

        with task_context() as ctx:
            return step(ctx).counts()

    watch_clocks()


sla_watch()
