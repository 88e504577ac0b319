from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from tests.dags.conftest import DAGS, AirflowProcess

from baton.orchestration.tags import Tag

pytestmark = pytest.mark.xdist_group("dags")

STRUCTURE = {
    "crm_reference_sync": {"read_references": [], "adopt_in_flight": ["read_references"]},
    "disposition_sync": {"read_outcomes": [], "carry_out_actions": ["read_outcomes"]},
    "handoff_audit": {"measure": []},
    "handoff_release": {
        "choose_batch": [],
        "approve": ["choose_batch"],
        "carry_out": ["approve"],
    },
    "lead_backfill": {
        "plan_parts": [],
        "read_part": ["plan_parts"],
        "announce": ["read_part"],
    },
    "lead_handoff": {
        "qualify_and_route": [],
        "deliver_and_notify": ["qualify_and_route"],
        "write_back": ["deliver_and_notify"],
    },
    "ledger_upkeep": {
        "run_timers": [],
        "check_conservation": ["run_timers"],
        "hand_over_leavers": [],
        "look_after_data": [],
        "reconcile": [],
    },
    "sla_watch": {"watch_clocks": []},
}
"""Every Dag, its tasks in order, and what each comes after."""

SCHEDULES = {
    "crm_reference_sync": ("*/15 * * * *", []),
    "disposition_sync": ("*/2 * * * *", []),
    "handoff_audit": ("15 1 * * *", []),
    "handoff_release": ("*/10 * * * *", []),
    "lead_backfill": ("NullTimetable", []),
    "lead_handoff": ("* * * * *", ["hubspot_hand_raises"]),
    "ledger_upkeep": ("*/10 * * * *", []),
    "sla_watch": ("* * * * *", []),
}
LONGEST = {"handoff_release": 8 * 86400, "lead_backfill": 2 * 86400}
"""Seconds that a run may take which waits for a person, or reads history."""
DOC_SECTIONS = ["Purpose", "Inputs and outputs", "When it runs", "When it fails", "Owner"]
HEAVY = {
    "altair",
    "great_expectations",
    "hubspot",
    "pandas",
    "simple_salesforce",
    "sklearn",
    "slack_sdk",
}
KEPT_OUT = ("baton.crm", "baton.ledger", "baton.notify", "baton.pipeline", "baton.validation")
DAG_IDS = sorted(STRUCTURE)


def test_the_dags_are_exactly_these(airflow: AirflowProcess) -> None:
    assert DAGS.is_absolute()
    assert airflow.import_errors == {}
    assert sorted(airflow.dags) == DAG_IDS


def test_each_file_is_named_after_its_dag(airflow: AirflowProcess) -> None:
    assert {dag_id: Path(dag["file"]).stem for dag_id, dag in airflow.dags.items()} == {
        dag_id: dag_id for dag_id in DAG_IDS
    }
    assert sorted(file.stem for file in DAGS.glob("*.py")) == DAG_IDS


def test_tasks_and_their_order(airflow: AirflowProcess) -> None:
    found = {
        dag_id: {task_id: task["after"] for task_id, task in dag["tasks"].items()}
        for dag_id, dag in airflow.dags.items()
    }
    assert found == STRUCTURE
    for dag_id, dag in airflow.dags.items():
        assert list(dag["tasks"]) == list(STRUCTURE[dag_id])


def test_schedules(airflow: AirflowProcess) -> None:
    found = {
        dag_id: (dag["schedule"]["cron"], dag["schedule"]["assets"])
        for dag_id, dag in airflow.dags.items()
    }
    assert found == SCHEDULES


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_rules_of_a_dag(airflow: AirflowProcess, dag_id: str) -> None:
    dag = airflow.dags[dag_id]
    assert dag["catchup"] is False
    assert dag["max_active_runs"] <= 3
    assert 0 < dag["time_limit"] <= LONGEST.get(dag_id, 3600)
    assert set(dag["tags"]) <= {tag.value for tag in Tag}
    assert Tag.BATON.value in dag["tags"]
    assert len([tag for tag in dag["tags"] if tag.startswith("impact/")]) == 1
    assert re.findall(r"^## (.+)$", dag["doc"], re.MULTILINE) == DOC_SECTIONS
    for section in re.split(r"^## .+$", dag["doc"], flags=re.MULTILINE)[1:]:
        assert len(section.split()) >= 4


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_rules_of_its_tasks(airflow: AirflowProcess, dag_id: str) -> None:
    created = json.loads((DAGS.parent / "config" / "pools.json").read_text())
    for task in airflow.dags[dag_id]["tasks"].values():
        assert task["owner"] == "revenue-operations"
        assert task["retries"] >= 1
        assert [action for _error, action in task["retry_rules"]].count("fail") >= 2
        assert 0 < task["time_limit"] <= 900
        assert task["pool"] in created
        assert task["reports_failure"]
        assert task["doc"]


def test_tasks_can_only_return_counts(airflow: AirflowProcess) -> None:
    tasks = [task for dag in airflow.dags.values() for task in dag["tasks"].values()]
    assert {task["returns"] for task in tasks} == {"dict[str, int]"}
    # Nothing but a step's counts is returned, so no text can get into XCom.
    for file in DAGS.glob("*.py"):
        returned = [
            ast.unparse(node.value)
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Return) and node.value is not None
        ]
        assert returned
        assert all(re.fullmatch(r"step\(ctx(, \w+)?\)\.counts\(\)", one) for one in returned)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_file_is_parsed_in_under_a_second_with_nothing_heavy(
    airflow: AirflowProcess, dag_id: str
) -> None:
    cost = airflow.parse_costs[dag_id]
    assert cost["cpu_s"] < 1.0
    assert HEAVY.isdisjoint(cost["modules"])
    assert [name for name in cost["modules"] if name.startswith(KEPT_OUT)] == []
