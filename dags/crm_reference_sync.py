"""## Purpose
Keeps what routing must know of Salesforce at hand in the ledger: users, queues, accounts with their
owners, open opportunities. Takes over leads in flight of whatever went live, with the owners that
Salesforce shows.

## Inputs and outputs
In: Salesforce. Out: the reference tables of the ledger; observed handoffs adopted.

## When it runs
Every fifteen minutes. It replaces what it read before; running it again changes nothing.

## When it fails
Routing goes on with what was read last. A user deactivated meanwhile is refused by Salesforce
itself, and the handoff is shown as rejected with that reason.

See when it was read last: [Sync health](baton/sync).

## Owner
Data engineering; next morning.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from baton.orchestration.assets import REFERENCES
from baton.orchestration.defaults import DEFAULT_ARGS, SALESFORCE_POOL, START_DATE
from baton.orchestration.runtime import task_context
from baton.orchestration.tags import Tag


@dag(
    schedule=CronTriggerTimetable("*/15 * * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args=DEFAULT_ARGS,
    tags=[Tag.BATON, Tag.UPKEEP, Tag.NEXT_MORNING],
    doc_md=__doc__,
)
def crm_reference_sync() -> None:
    """Read users, queues, accounts and opportunities; adopt leads in flight."""

    @task(pool=SALESFORCE_POOL, outlets=[REFERENCES])
    def read_references() -> dict[str, int]:
        """Replace the ledger's picture of Salesforce."""
        from baton.pipeline.intake.references import read_references as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=SALESFORCE_POOL)
    def adopt_in_flight() -> dict[str, int]:
        """Take over what was only observed and is live by now; nothing to do on most days."""
        from baton.pipeline.judging.cut_over import adopt_in_flight as step

        with task_context() as ctx:
            return step(ctx).counts()

    read_references() >> adopt_in_flight()


crm_reference_sync()
