"""## Purpose
Brings back from Salesforce what sales did: touches, acceptance, dispositions, conversions and
opportunities; carries out each reason code's action in HubSpot (nurture list, return date, out of
marketing, disqualified). … Work → **Disposition** → Learn.

## Inputs and outputs
In: leads, tasks, events and opportunities of Salesforce changed since the ledger's watermarks.
Out: touches, dispositions and states in the ledger; lists and `baton_…` properties in HubSpot.

## When it runs
Every two minutes. Running it again changes nothing: each touch and disposition is kept once, under
Salesforce's own id.

## When it fails
The watermark has not moved; the next run reads the same changes again. A disposition that the
policy does not allow yet (too few touches, date missing) is not an error: it is counted as refused,
the lead stays with its owner, and the rep gives the reason again when there is more work to show.

See what sales answered: [ended handoffs](baton/handoffs?state=ended); when it was
read last: [Sync health](baton/sync).

## Owner
Revenue operations; next morning.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from baton.orchestration.assets import DISPOSITIONS
from baton.orchestration.defaults import DEFAULT_ARGS, HUBSPOT_POOL, SALESFORCE_POOL, START_DATE
from baton.orchestration.runtime import task_context
from baton.orchestration.tags import Tag


@dag(
    schedule=CronTriggerTimetable("*/2 * * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args=DEFAULT_ARGS,
    tags=[Tag.BATON, Tag.WORK, Tag.DISPOSITION, Tag.NEXT_MORNING],
    doc_md=__doc__,
)
def disposition_sync() -> None:
    """Read outcomes, carry out their actions."""

    @task(pool=SALESFORCE_POOL)
    def read_outcomes() -> dict[str, int]:
        """Read what sales did and move the handoffs on."""
        from baton.pipeline.response.sales_activity import read_outcomes as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=HUBSPOT_POOL, outlets=[DISPOSITIONS])
    def carry_out_actions() -> dict[str, int]:
        """Carry out the reason codes' actions in HubSpot."""
        from baton.pipeline.delivery.deliver import write_back as step

        with task_context() as ctx:
            return step(ctx).counts()

    read_outcomes() >> carry_out_actions()


disposition_sync()
