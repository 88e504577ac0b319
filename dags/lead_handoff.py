"""## Purpose
Carries each lead from marketing to sales: pulls what changed in HubSpot, judges and enriches it,
scores and routes it, writes owner, package and task to Salesforce, tells the owner, and writes the
state back to HubSpot. Define → **Score → Route → Notify** → Work → Disposition → Learn.

## Inputs and outputs
In: contacts of HubSpot changed since the ledger's watermark; the active policy and roster.
Out: decisions, handoffs and effects in the ledger; records and tasks in Salesforce; messages in
Slack; `baton_…` properties in HubSpot. Tasks pass batch ids and counts, never leads.

## When it runs
Every minute, and within seconds of a hand raise (`hubspot_hand_raises`). Running it again changes
nothing: leads are claimed in the ledger, effects have keys.

## When it fails
* `qualify_and_route` red: nothing was decided, nothing is lost; the next run takes the same leads.
  The log names the connection (token, scope) or the policy line to mend.
* `deliver_and_notify` red: owners and tasks wait in the outbox and go out with the next run.
  A single refused record never turns the task red; it is in the ledger as rejected, with its reason.
* `write_back` red: only HubSpot's copy of the state is late.

See what wants somebody: [Today](baton/); what failed: [Review](baton/review); the connections:
[Sync health](baton/sync). The button “Leads of this run” on a task leads to its leads.

## Owner
Revenue operations; page somebody: buyers are waiting.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from baton.orchestration.assets import HAND_RAISES, HANDOFFS
from baton.orchestration.defaults import DEFAULT_ARGS, HUBSPOT_POOL, SALESFORCE_POOL, START_DATE
from baton.orchestration.runtime import task_context
from baton.orchestration.tags import Tag


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("* * * * *", timezone="UTC"), assets=[HAND_RAISES]
    ),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=3,
    dagrun_timeout=timedelta(minutes=30),
    default_args=DEFAULT_ARGS,
    tags=[Tag.BATON, Tag.SCORE_AND_ROUTE, Tag.NOTIFY, Tag.PAGE_SOMEBODY],
    doc_md=__doc__,
)
def lead_handoff() -> None:
    """Pull, qualify and route, deliver and notify, write back."""

    @task(pool=HUBSPOT_POOL, priority_weight=10)
    def qualify_and_route() -> dict[str, int]:
        """Decide what becomes of every changed lead, in one transaction a batch."""
        from baton.pipeline.judging.qualify import qualify_and_route as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=SALESFORCE_POOL, priority_weight=10, outlets=[HANDOFFS])
    def deliver_and_notify() -> dict[str, int]:
        """Carry out what waits in the outbox: record, task, message."""
        from baton.pipeline.delivery.deliver import deliver_and_notify as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=HUBSPOT_POOL)
    def write_back() -> dict[str, int]:
        """Write the leads' state to HubSpot."""
        from baton.pipeline.delivery.deliver import write_back as step

        with task_context() as ctx:
            return step(ctx).counts()

    qualify_and_route() >> deliver_and_notify() >> write_back()


lead_handoff()
