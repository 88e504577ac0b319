"""Airflow in a process of its own: parses the Dags, and runs them with `dag.test()` when told.

Airflow reads its configuration and opens its database when it is imported, once a process; tests
of other things import it too, with other settings. Usage: ``airflow_process.py DAGS_FOLDER``, with
Airflow's settings in the environment. Requests and answers are lines of JSON on stdin and stdout:
first come a description of every Dag and what parsing each file costs, then one answer a request
``{"run": dag_id}``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

PROVIDER = {"baton", "baton.orchestration", "baton.orchestration.provider"}
"""What Airflow itself imports where Baton is installed: the description of its connection types."""


def main(folder: str) -> None:
    # Whatever Airflow prints goes to stderr: stdout belongs to the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import airflow.sdk  # noqa: F401 - what every Dag file imports anyway

    costs = {file.stem: in_a_fork(file) for file in sorted(Path(folder).glob("*.py"))}
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import upgradedb

    upgradedb()
    bag = DagBag(folder)
    described = {dag_id: describe(dag) for dag_id, dag in bag.dags.items()}
    start = {"dags": described, "import_errors": bag.import_errors, "parse_costs": costs}
    print(json.dumps(start), file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(run(bag.dags[request["run"]])), file=answers)


def in_a_fork(file: Path) -> dict[str, Any]:
    """Parse a Dag file where Airflow has been imported and nothing of Baton; return what it cost.

    Measured is CPU time, which a busy machine does not distort.
    """
    assert {name for name in sys.modules if name.split(".")[0] == "baton"} <= PROVIDER
    reading, writing = os.pipe()
    if os.fork() == 0:
        with os.fdopen(writing, "w") as answer:
            json.dump(parse(file), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        cost: dict[str, Any] = json.loads(answer.read())
    os.wait()
    return cost


def parse(file: Path) -> dict[str, Any]:
    began = time.process_time()
    spec = importlib.util.spec_from_file_location(f"parsed_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return {"cpu_s": time.process_time() - began, "modules": sorted(sys.modules)}


def describe(dag: Any) -> dict[str, Any]:
    return {
        "file": dag.fileloc,
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "time_limit": dag.dagrun_timeout.total_seconds() if dag.dagrun_timeout else None,
        "schedule": schedule_of(dag.timetable),
        "tasks": {task.task_id: describe_task(task) for task in dag.topological_sort()},
    }


def schedule_of(timetable: Any) -> dict[str, Any]:
    condition = getattr(timetable, "asset_condition", None)
    cron = getattr(timetable, "timetable", timetable)
    return {
        "cron": getattr(cron, "expression", type(cron).__name__),
        "assets": sorted(asset.name for asset in getattr(condition, "objects", ())),
    }


def describe_task(task: Any) -> dict[str, Any]:
    limit = task.execution_timeout
    return {
        "after": sorted(task.upstream_task_ids),
        "doc": task.doc_md or _called(task).__doc__,
        "owner": task.owner,
        "retries": task.retries,
        "retry_rules": [
            [str(rule.exception), str(getattr(rule.action, "value", rule.action))]
            for rule in getattr(task.retry_policy, "rules", ())
        ],
        "time_limit": limit.total_seconds() if limit else None,
        "pool": task.pool,
        "reports_failure": bool(task.on_failure_callback),
        "outlets": sorted(asset.name for asset in task.outlets),
        "returns": str(_called(task).__annotations__.get("return")),
    }


def _called(task: Any) -> Any:
    """Return what a task calls: its function, or what an operator does once it is answered."""
    return getattr(task, "python_callable", None) or task.execute_complete


def run(dag: Any) -> dict[str, Any]:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    done = dag.test()
    with create_session() as session:
        rows = session.execute(
            select(XComModel.task_id, XComModel.value).where(
                XComModel.dag_id == dag.dag_id,
                XComModel.run_id == done.run_id,
                XComModel.key == "return_value",
            )
        ).all()
    return {
        "state": str(done.state),
        "tasks": {one.task_id: str(one.state) for one in done.get_task_instances()},
        "returned": {row.task_id: decoded(row.value) for row in rows},
    }


def decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


if __name__ == "__main__":
    main(sys.argv[1])
