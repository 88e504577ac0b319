"""The question about a held batch: its figures and deadline come from the ledger, its answer goes there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from baton.clock import SystemClock
from baton.ledger.database.engine import transaction
from baton.ledger.effects import holds
from baton.ledger.effects.holds import NewHeldItem
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead

pytestmark = pytest.mark.xdist_group("dags")


def held(engine: Engine, *, many: int) -> int:
    """A batch that holds so many handoffs, to be kept back in six hours."""
    now = datetime.now(UTC)
    with transaction(engine) as conn:
        seen = [
            SeenLead(
                hubspot_id=str(number), modified_at=now, seen_at=now, captured_at=now,
                content_hash="x", content={},
            )
            for number in range(many)
        ]  # fmt: skip
        rows = seen_leads.upsert_seen(conn, seen)
        batch = holds.open_batch(
            conn, at=now, deadline=now + timedelta(hours=6), unanswered="keep", run=None
        )
        items = [NewHeldItem(kind="handoff", lead_id=row.id) for row in rows.values()]
        holds.put(conn, batch.id, items, at=now)
    return batch.id


@pytest.fixture
def asking(ledger_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Any], Any]:
    """The operator, what it wrote for the UI, and the context of its task."""
    hitl = pytest.importorskip("airflow.providers.standard.operators.hitl")
    from baton.orchestration import approvals

    written: list[Any] = []

    @contextmanager
    def ledger_alone() -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(engine=ledger_engine, clock=SystemClock())

    monkeypatch.setattr(approvals, "task_context", ledger_alone)
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **told: written.append(told))
    batch_id = held(ledger_engine, many=3)
    instance = SimpleNamespace(id="t", xcom_pull=lambda task_ids: {"batch": batch_id})
    context = {"ti": instance, "task_instance": instance, "batch": batch_id}
    operator = approvals.AskAboutBatch(task_id="approve", asked_by="choose_batch")
    return operator, written, context


@pytest.mark.parametrize(
    ("chosen", "user", "answer", "by"),
    [
        ("Release", {"id": "1", "name": "nadia"}, "release", "nadia"),
        ("Keep with marketing", None, "keep", "deadline"),
    ],
)
def test_a_person_is_asked_with_the_figures_and_the_answer_is_recorded_once(
    asking: tuple[Any, list[Any], Any],
    ledger_engine: Engine,
    chosen: str,
    user: dict[str, str] | None,
    answer: str,
    by: str,
) -> None:
    from airflow.sdk.exceptions import TaskAwaitingInput

    operator, written, context = asking
    with pytest.raises(TaskAwaitingInput) as waiting:
        operator.execute(context)

    (told,) = written
    assert "3 things wait" in told["subject"]
    assert "3 handoffs" in told["body"]
    assert told["defaults"] == ["Keep with marketing"]
    assert timedelta(hours=5) < waiting.value.timeout <= timedelta(hours=6)
    event = {
        "chosen_options": [chosen],
        "params_input": {},
        "responded_at": datetime.now(UTC),
        "responded_by_user": user,
    }

    given = operator.execute_complete(context, event)

    assert given == {"batch": context["batch"], "released": int(answer == "release")}
    event["chosen_options"] = ["Release", "Keep with marketing"][answer == "release" :][:1]
    operator.execute_complete(context, event)  # too late: the first answer counts
    with transaction(ledger_engine) as conn:
        batch = holds.find(conn, context["batch"])
    assert batch is not None
    assert (batch.answer, batch.by_whom) == (answer, by)
    assert operator.execute(context) == {"batch": context["batch"]}  # answered: nobody is asked
