"""Asking a person in the Airflow UI about a batch that the limits hold back.

The question, its figures, its deadline and what happens then come from the ledger when the task
runs: a Dag file knows none of them. Nothing is decided here; the answer is put into the ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator

from baton.orchestration.runtime import task_context

__all__ = ["KEEP", "RELEASE", "AskAboutBatch"]

RELEASE, KEEP = "Release", "Keep with marketing"
_AT_LEAST = timedelta(minutes=1)


class AskAboutBatch(HITLOperator):
    """Waits in the Airflow UI for a person to release a held batch, or for its deadline.

    Args:
        asked_by: the task whose counts name the batch.
    """

    def __init__(self, *, asked_by: str, **given: Any) -> None:
        super().__init__(
            subject="Leads beyond the limits of one run",
            options=[RELEASE, KEEP],
            # Replaced by what the ledger says when it runs.
            response_timeout=timedelta(days=1),
            **given,
        )
        self.asked_by = asked_by

    def execute(self, context: Any) -> Any:
        """Put the question with its figures and wait; go on at once if it has its answer."""
        from baton.errors import InvariantError
        from baton.ledger.database.engine import transaction
        from baton.pipeline.going_live.release import RELEASE as LET_GO
        from baton.pipeline.going_live.release import question_of

        batch_id = self._batch(context)
        with task_context() as ctx, transaction(ctx.engine) as conn:
            found = question_of(conn, batch_id)
        if found is None:
            raise InvariantError(f"there is no held batch {batch_id}")
        if found.batch.answer is not None:
            return {"batch": batch_id}
        left = found.batch.deadline - datetime.now(UTC)
        self.subject, self.body = found.subject, found.body
        self.defaults = [RELEASE if found.batch.unanswered == LET_GO else KEEP]
        self.response_timeout = max(left, _AT_LEAST)
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> dict[str, int]:
        """Put the answer into the ledger under the name of who gave it; the first answer counts."""
        from baton.errors import SettingsError
        from baton.ledger.database.engine import transaction
        from baton.pipeline.going_live.release import KEEP as HOLD_BACK
        from baton.pipeline.going_live.release import RELEASE as LET_GO
        from baton.pipeline.going_live.release import Answer, answer

        given = super().execute_complete(context, event)
        released = given["chosen_options"] == [RELEASE]
        user = given["responded_by_user"]
        batch_id = self._batch(context)
        wish = Answer(
            batch_id=batch_id,
            given=LET_GO if released else HOLD_BACK,
            by=str(user["name"]) if user else "deadline",
            reason="answered in Airflow" if user else "nobody answered in time",
        )
        with task_context() as ctx:
            try:
                with transaction(ctx.engine) as conn:
                    answer(conn, wish, at=ctx.clock.now())
            except SettingsError as error:
                # A command or the deadline was faster.
                self.log.info("%s", error)
        return {"batch": batch_id, "released": int(released)}

    def _batch(self, context: Any) -> int:
        return int(context["ti"].xcom_pull(task_ids=self.asked_by)["batch"])
