"""A held batch through a real Airflow: a person is asked in the UI's own way, and answers there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.e2e.live import COMPONENT_SECONDS, LiveRelay

from baton.demo.airflow_client import AirflowRefusedError
from baton.demo.processes import wait_until
from baton.leads.states import LeadState
from baton.ledger.database.engine import ledger_engine, transaction
from baton.ledger.effects import holds
from baton.ledger.effects.holds import NewHeldItem
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads import leads
from baton.ledger.leads.judgement_queue import RELEASE_BATCH
from baton.ledger.leads.leads import StateChange

pytestmark = [pytest.mark.airflow, pytest.mark.long, pytest.mark.timeout(600)]

DAG = "handoff_release"


def held_leads(live: LiveRelay, *hubspot_ids: str) -> tuple[int, list[int]]:
    """Hold leads as the limits do; return the batch and the leads' ids."""
    now = datetime.now(UTC)
    deadline = now + timedelta(hours=6)
    engine = ledger_engine(live.installation.ledger_url)
    with transaction(engine) as conn:
        seen = [
            SeenLead(
                hubspot_id=one, modified_at=now, seen_at=now, captured_at=now,
                content_hash="x", content={},
            )
            for one in hubspot_ids
        ]  # fmt: skip
        ids = [row.id for row in seen_leads.upsert_seen(conn, seen).values()]
        leads.set_states(
            conn,
            [
                StateChange(
                    lead_id=one, after=LeadState.HELD, at=now, cause="limit", by="test",
                    timer_at=deadline, timer_action="nurture", held_for="blast_radius",
                )
                for one in ids
            ],
        )  # fmt: skip
        batch = holds.open_batch(conn, at=now, deadline=deadline, unanswered="keep", run=None)
        holds.put(conn, batch.id, [NewHeldItem(kind="handoff", lead_id=one) for one in ids], at=now)
    engine.dispose()
    return batch.id, ids


def test_a_batch_is_released_by_a_person_in_airflow(live: LiveRelay) -> None:
    assert wait_until(lambda: DAG in live.client.dag_ids(), timeout_s=COMPONENT_SECONDS)
    batch_id, ids = held_leads(live, "99000000001", "99000000002")
    live.client.pause(DAG, paused=False)
    run = live.client.trigger(DAG)
    path = f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"

    def asked() -> dict[str, Any] | None:
        try:
            return live.client._call("GET", path)
        except AirflowRefusedError:
            return None

    assert wait_until(lambda: asked() is not None, timeout_s=COMPONENT_SECONDS, every_s=1)
    question = asked()
    assert question is not None
    assert "2 handoffs" in question["body"]
    assert question["defaults"] == ["Keep with marketing"]
    assert live.client.run_state(DAG, run) == "running"

    live.client._call("PATCH", path, json={"chosen_options": ["Release"], "params_input": {}})

    assert live.client.wait_for_run(DAG, run, timeout_s=COMPONENT_SECONDS) == "success"
    engine = ledger_engine(live.installation.ledger_url)
    with transaction(engine) as conn:
        batch = holds.find(conn, batch_id)
        rows = [leads.get(conn, one) for one in ids]
    engine.dispose()
    assert batch is not None
    assert (batch.answer, batch.by_whom) == ("release", "admin")
    assert {row.timer_action for row in rows if row} == {RELEASE_BATCH}
    live.client.pause(DAG, paused=True)
