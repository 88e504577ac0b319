"""The leads of one Airflow run, and the button in Airflow's grid that leads there."""

from __future__ import annotations

import re
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from airflow.sdk.types import TaskInstanceKey
from sqlalchemy import Engine, text
from tests.web.conftest import NOW, Visitors

from baton.ledger.agreements import policies
from baton.ledger.database.engine import transaction
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads.persons import PersonFields
from baton.ledger.record import batches
from baton.policy.loader import read_bundle
from baton.web import RunLink
from baton.web.pages.run import PAGE

POLICY = Path(__file__).resolve().parents[2] / "include" / "policy"
RUN = "asset_triggered__2026-11-20T08:59:00+00:00_a&b"


@pytest.fixture
def judged(ledger_engine: Engine, ledger_url: str) -> str:
    """A ledger with a run that judged a few more leads than one page holds."""
    with transaction(ledger_engine) as conn:
        policy, batch = policies.store(conn, read_bundle(POLICY), at=NOW), uuid.uuid4()
        batches.create(
            conn, batch, kind="changes", mode="live", policy_hash=policy, roster_hash="r", at=NOW,
            run=RUN,
        )  # fmt: skip
        seen = [
            SeenLead(
                hubspot_id=str(number),
                modified_at=NOW,
                seen_at=NOW,
                captured_at=NOW,
                content_hash="hash",
                content={},
                person=PersonFields(last_name=f"<b>Nr{number}", company_name="Works"),
            )
            for number in range(PAGE + 5)
        ]
        for row in seen_leads.upsert_seen(conn, seen).values():
            conn.execute(
                text(
                    "INSERT INTO decision (lead_id, batch_id, snapshot_hash, policy_hash,"
                    " roster_hash, decided_at, engine_version, position, inputs, inputs_hash,"
                    " result, result_hash, outcome) VALUES (:lead, :batch, 'hash', :policy, 'r',"
                    " :at, '1', 0, '{}', 'x', '{\"words\": \"asked for a demo\"}', 'x', 'handoff')"
                ),
                {"lead": row.id, "batch": batch, "policy": policy, "at": NOW},
            )
    return ledger_url


def test_all_leads_of_the_run_page_by_page(visitors: Visitors, judged: str) -> None:
    client = visitors.client(judged)
    first = client.get("/run", params={"run": RUN}).text
    (more,) = re.findall(r'href="(/run\?[^"]+)"', first)
    second = client.get(more.replace("&amp;", "&")).text
    shown = re.findall(r'href="/lead/(\d+)"', first) + re.findall(r'href="/lead/(\d+)"', second)
    assert (len(shown), len(set(shown))) == (PAGE + 5, PAGE + 5)
    assert "asked for a demo" in first
    back = re.findall(r'href="([^"]+)">the run in Airflow', first)
    assert back == [f"/dags/lead_handoff/runs/{quote(RUN)}"]
    assert "&lt;b&gt;Nr" in first
    assert f"{PAGE + 5} decisions" in first


@pytest.mark.parametrize("query", ["", "?run=manual__x", "?run=%3Cscript%3E"])
def test_a_run_that_judged_nobody(visitors: Visitors, judged: str, query: str) -> None:
    page = visitors.client(judged).get(f"/run{query}")
    assert page.status_code == 200
    assert "This run decided on no lead" in page.text
    assert "<script>" not in page.text


def test_the_button_leads_to_the_run_and_is_on_no_other_dag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = TaskInstanceKey("lead_handoff", "qualify_and_route", RUN)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://flow.test/airflow/")
    link = RunLink().get_link(None, ti_key=key)
    assert link.startswith("/airflow/baton/run?run=asset_triggered__2026-11-20T08%3A59")
    assert "a%26b" in link
    assert RunLink().get_link(None, ti_key=key._replace(dag_id="other")) == ""


def test_airflow_finds_the_button_in_the_plugin() -> None:
    sys.path.insert(0, str(POLICY.parents[1] / "plugins"))
    try:
        from baton_plugin import BatonPlugin  # type: ignore[import-not-found]  # no package
    finally:
        del sys.path[0]
    (link,) = BatonPlugin.global_operator_extra_links
    assert link.name == "Leads of this run"


def test_a_batch_keeps_the_run(ledger_engine: Engine) -> None:
    with transaction(ledger_engine) as conn:
        batches.create(
            conn, uuid.uuid4(), kind="changes", mode="live", policy_hash=None, roster_hash=None,
            at=NOW + timedelta(minutes=1), run=RUN,
        )  # fmt: skip
        assert batches.recent(conn)[0].run == RUN
