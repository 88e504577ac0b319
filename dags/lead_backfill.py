"""## Purpose
Reads history and large imports from HubSpot, apart from the hot lane: judges every contact, or
those changed since a day, without telling anybody of single leads. Define → **Score → Route** → …

## Inputs and outputs
In: all contacts of HubSpot by the list endpoint, in parts that are read side by side; the parameter
`since` (a date) leaves out what changed before. Out: decisions, handoffs and effects in the ledger;
one digest in Slack if the policy says so (`guards: backfill_announces`).

## When it runs
Only when somebody starts it (or `baton backfill`). A part keeps in the ledger how far it has come:
running it again goes on there. Records and tasks go out with the next `lead_handoff`; what goes
beyond the limits of one run is held and asked about (`handoff_release`).

## When it fails
A part that fails is run again by itself and goes on where it was; nothing is judged twice. When the
day's API calls run short it stops before hot leads would.

See what came of it: [Handoffs](baton/handoffs); what is held: [Review](baton/review?tab=unrouted).

## Owner
Revenue operations; next morning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from airflow.sdk import Param, dag, task

from baton.orchestration.defaults import BACKFILL_POOL, DEFAULT_ARGS, START_DATE
from baton.orchestration.runtime import task_context
from baton.orchestration.tags import Tag

SINCE = Param(
    None, type=["null", "string"], format="date", title="Since", description="Empty: everything."
)


@dag(
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=2),
    default_args=DEFAULT_ARGS,
    params={"since": SINCE},
    tags=[Tag.BATON, Tag.SCORE_AND_ROUTE, Tag.NEXT_MORNING],
    doc_md=__doc__,
)
def lead_backfill() -> None:
    """Divide, read and judge the parts, announce."""

    @task(pool=BACKFILL_POOL)
    def plan_parts(params: Mapping[str, str | None] | None = None) -> dict[str, int]:
        """Divide the contacts by their ids; one that was begun goes on."""
        from baton.pipeline.going_live.backfill import plan_parts as step

        since = params["since"] if params else None
        with task_context() as ctx:
            return step(ctx, since).counts()

    # As often as a large part needs: each try reads for some minutes, from where the last one was.
    @task(pool=BACKFILL_POOL, execution_timeout=timedelta(minutes=12), retries=200)
    def read_part(part: Sequence[object]) -> dict[str, int]:
        """Read and judge one part, as far as the time goes."""
        from baton.pipeline.going_live.backfill import read_whole_part as step

        with task_context() as ctx:
            return step(ctx, part).counts()

    @task(pool=BACKFILL_POOL)
    def announce() -> dict[str, int]:
        """Send one digest, if the policy says so."""
        from baton.pipeline.going_live.backfill import announce as step

        with task_context() as ctx:
            return step(ctx).counts()

    read_part.expand(part=plan_parts()) >> announce()


lead_backfill()
