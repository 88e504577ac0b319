"""## Purpose
Proves that no lead is lost: every lead is in exactly one state, every state that is not final has a
timer, every open handoff has an owner, no effect is stuck. Carries out the timers that are due.
Sends the daily quarantine digest, and warns when an hour's leads are not as usual. Hands over what
is open with everybody whose last day has come. Once a night, from two o'clock in the zone of the
daily digest, compares HubSpot, the ledger and Salesforce with each other.

## Inputs and outputs
In: the ledger; at night HubSpot's list of contacts, and Salesforce's records that bear a handoff. Out:
timers carried out; a report in the log, by cause and repair; merges, archived contacts and missed
changes followed. Nothing is written to a CRM.

## When it runs
Every ten minutes for timers and the check. Running it again changes nothing. A large portal is
compared over several runs, four minutes each.

## When it fails
`check_conservation` turns red when a promise is broken; its log lists each case with its cause and
what to do. It never repairs on its own.
`reconcile` turns red when a CRM cannot be read; the next run goes on. What the systems disagree
about does not turn it red: its log lists it, and `baton reconcile` shows it again with the repair.

See how the check ended: [Sync health](baton/sync#conservation); what waits for data:
[Review](baton/review?tab=quarantine).

## Owner
Data engineering; page somebody: a lead may be stuck.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from baton.orchestration.defaults import DEFAULT_ARGS, HUBSPOT_POOL, LEDGER_POOL, START_DATE
from baton.orchestration.runtime import task_context
from baton.orchestration.tags import Tag


@dag(
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args=DEFAULT_ARGS,
    tags=[Tag.BATON, Tag.UPKEEP, Tag.PAGE_SOMEBODY],
    doc_md=__doc__,
)
def ledger_upkeep() -> None:
    """Carry out timers, check conservation, compare the three systems at night."""

    @task(pool=LEDGER_POOL)
    def run_timers() -> dict[str, int]:
        """Carry out the timers that are due."""
        from baton.pipeline.timers import run_timers as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=LEDGER_POOL)
    def check_conservation() -> dict[str, int]:
        """Prove that every lead is in exactly one state, with a timer."""
        from baton.pipeline.reconciling.upkeep import check_conservation as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=HUBSPOT_POOL)
    def reconcile() -> dict[str, int]:
        """Compare HubSpot, the ledger and Salesforce, a part at a time, once a night."""
        from baton.pipeline.reconciling.reconcile import reconcile_by_night as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=LEDGER_POOL)
    def look_after_data() -> dict[str, int]:
        """Send the day's quarantine digest when it is time, and say where leads are unusual."""
        from baton.pipeline.today.data_care import look_after_data as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=LEDGER_POOL)
    def hand_over_leavers() -> dict[str, int]:
        """Give the open handoffs of everybody whose last day has come to others."""
        from baton.pipeline.judging.leaver import hand_over_due as step

        with task_context() as ctx:
            return step(ctx).counts()

    run_timers() >> check_conservation()
    hand_over_leavers()
    look_after_data()
    reconcile()


ledger_upkeep()
