"""One run on CeleryExecutor with a real Redis and two workers, one of which is killed."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psutil
import pytest
from tests.e2e.live import HOT_LANE_SECONDS, LiveRelay

from baton.demo.airflow_stack import free_port
from baton.demo.processes import wait_until
from baton.leads.states import EffectState

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]

WORKERS = ("worker-one", "worker-two")
SLOTS = "2"
START_SECONDS = 420.0
"""A scheduler and two workers that import everything beforehand, on a busy machine."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this module's own, on loopback, with a password; it ends with the module."""
    pytest.importorskip(
        "airflow.providers.celery", reason="apache-airflow-providers-celery is not installed"
    )
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server (Debian: apt-get install redis-server)")
    port, password = free_port(), secrets.token_urlsafe(16)
    folder = tmp_path_factory.mktemp("redis")
    settings = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    # The password goes in by a file: arguments can be read by everybody on the machine.
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(f"requirepass {password}\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(configuration), *settings], stdout=log, stderr=log)
        try:
            assert wait_until(lambda: answers(port), timeout_s=10), (folder / "log").read_text()
            yield f"redis://:{password}@127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(10)


def answers(port: int) -> bool:
    """Tell whether somebody listens on this port."""
    return any(
        one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
        for one in psutil.net_connections("tcp")
    )


@pytest.fixture(scope="module")
def relay(running: LiveRelay, redis: str) -> Iterator[LiveRelay]:
    """The relay with a scheduler that sends its tasks to two Celery workers."""
    variables = {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": redis,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{running.stack.plan.database_url}",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": SLOTS,
    }
    running.stack.table.stop(["airflow-scheduler"])
    for name in WORKERS:
        arguments = ("celery", "worker", "--celery-hostname", f"{name}@%h", "--skip-serve-logs")
        running.start_program(name, *arguments, **variables, BATON_PRELOAD="1")
    running.start_program(
        "scheduler", "scheduler", "--skip-serve-logs", **variables, BATON_PRELOAD=""
    )
    try:
        yield running
    finally:
        running.stack.table.stop([f"airflow-{name}" for name in ("scheduler", *WORKERS)])
        running.start("scheduler")


def worker_of(relay: LiveRelay, task: psutil.Process) -> str:
    """Return which of the two workers a task runs under."""
    for name in WORKERS:
        running = relay.stack.table.find(f"airflow-{name}")
        if running is not None and running.pid in {one.pid for one in task.parents()}:
            return name
    raise AssertionError("the task runs under neither worker")


def test_a_celery_worker_dies_with_a_lead_in_its_hands(
    relay: LiveRelay, record_testsuite_property: Callable[[str, object], None]
) -> None:
    before = relay.hand_raise()
    relay.settle(before, within=START_SECONDS)
    contact = relay.held_lead("salesforce", r"/composite/sobjects/Task")
    [effect] = [row for row in relay.effects(contact) if row.state == EffectState.LEASED]
    task = psutil.Process(int(effect.lease_owner.split(":")[1]))
    name = worker_of(relay, task)

    relay.kill(name)
    at = datetime.now(UTC)

    assert not task.is_running()
    beside = relay.hand_raise()
    relay.settle(contact, beside)
    last = max(row.done_at for row in relay.effects(contact) if row.done_at)
    seconds = (last - at).total_seconds()
    print(f"{name} of two Celery workers killed: its lead is done {seconds:.1f} s later")
    record_testsuite_property("celery_seconds", json.dumps(round(seconds, 1)))
    assert 0 < seconds <= HOT_LANE_SECONDS
    relay.check(before)
