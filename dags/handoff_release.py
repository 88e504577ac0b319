"""## Purpose
Asks a person about what goes beyond the limits of one run (`guards` in the policy): handoffs,
changes of owner, messages, changes of band. Hot leads are never held; they pass meanwhile. It is a
Dag of its own, so that waiting for a person never blocks the hot lane.

## Inputs and outputs
In: batches held in the ledger; the answer of a person. Out: released leads are judged again by the
next `lead_handoff`, released messages go out with it; what is kept back stays with marketing. A
note with the figures in Slack.

## When it runs
Every ten minutes; it ends at once when nothing is held. One run asks about one batch and waits: see
Required actions. The deadline and what happens then stand in the question. `baton release` gives
the same answer; the first one counts. Running it again asks nobody twice.

## When it fails
Everything stays held. The deadline is kept in the ledger, too: even when nobody can be asked, no
lead is held for ever.

See what is held: [Review](baton/review?tab=unrouted).

## Owner
Revenue operations; next morning.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, task

from baton.orchestration.approvals import AskAboutBatch
from baton.orchestration.defaults import DEFAULT_ARGS, LEDGER_POOL, START_DATE
from baton.orchestration.runtime import task_context
from baton.orchestration.tags import Tag


@dag(
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,
    # One waits for its person while others ask about what was held since.
    max_active_runs=3,
    dagrun_timeout=timedelta(days=8),
    default_args=DEFAULT_ARGS,
    tags=[Tag.BATON, Tag.SCORE_AND_ROUTE, Tag.NEXT_MORNING],
    doc_md=__doc__,
)
def handoff_release() -> None:
    """Ask about held batches, carry out the answers."""

    @task.short_circuit(pool=LEDGER_POOL, ignore_downstream_trigger_rules=False)
    def choose_batch() -> dict[str, int]:
        """Choose the batch to ask about and tell Slack; nothing more happens when none is held."""
        from baton.pipeline.going_live.release import ask as step

        with task_context() as ctx:
            return step(ctx).counts()

    @task(pool=LEDGER_POOL, trigger_rule=TriggerRule.ALL_DONE)
    def carry_out() -> dict[str, int]:
        """Do what was answered, and what the deadline says of the others."""
        from baton.pipeline.going_live.release import carry_out as step

        with task_context() as ctx:
            return step(ctx).counts()

    approve = AskAboutBatch(
        task_id="approve",
        asked_by="choose_batch",
        pool=LEDGER_POOL,
        doc_md="Wait in the Airflow UI for a person, at most until the deadline.",
    )
    choose_batch() >> approve >> carry_out()


handoff_release()
