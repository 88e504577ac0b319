from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from baton.demo.processes import (
    AlreadyRunningError,
    Child,
    ProcessTable,
    StartError,
    exclusive,
    wait_until,
)

SLEEPER = "import time\ntime.sleep(60)"
STUBBORN = (
    "import signal, time, pathlib, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "pathlib.Path(sys.argv[1]).touch()\n"
    "time.sleep(60)"
)
PARENT = (
    "import subprocess, sys, pathlib, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
    " start_new_session=True)\n"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
    "time.sleep(60)"
)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[ProcessTable]:
    (tmp_path / "run").mkdir()
    (tmp_path / "logs").mkdir()
    processes = ProcessTable(tmp_path / "run", tmp_path / "logs")
    yield processes
    processes.stop()


def child(name: str, code: str, *arguments: str, grace_s: float = 5.0) -> Child:
    return Child(
        name=name,
        command=(sys.executable, "-c", code, *arguments),
        environment=os.environ,
        directory=Path.cwd(),
        grace_s=grace_s,
    )


def test_a_child_is_found_again_by_another_table(table: ProcessTable, tmp_path: Path) -> None:
    started = table.start(child("one", SLEEPER), facts={"url": "http://127.0.0.1:1"})
    other = ProcessTable(tmp_path / "run", tmp_path / "logs")
    assert [found.pid for found in other.running()] == [started.pid]
    assert other.running()[0].facts == {"url": "http://127.0.0.1:1"}


def test_a_child_has_a_session_of_its_own(table: ProcessTable) -> None:
    started = table.start(child("one", SLEEPER))
    assert os.getsid(started.pid) == started.pid != os.getsid(0)


def test_a_name_runs_only_once(table: ProcessTable) -> None:
    table.start(child("one", SLEEPER))
    with pytest.raises(AlreadyRunningError):
        table.start(child("one", SLEEPER))


def test_a_reused_pid_is_never_signalled(table: ProcessTable, tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", SLEEPER])
    record = tmp_path / "run" / "old.process.json"
    created = psutil.Process(bystander.pid).create_time()
    content = {
        "name": "old",
        "pid": bystander.pid,
        "started": created - 100,
        "grace_s": 1,
        "log": "",
    }
    record.write_text(json.dumps(content))
    try:
        assert table.stop() == []
        assert bystander.poll() is None
        assert not record.exists()
    finally:
        bystander.kill()
        bystander.wait()


def test_stopping_goes_from_the_last_to_the_first(table: ProcessTable) -> None:
    for name in ("one", "two", "three"):
        table.start(child(name, SLEEPER))
    told: list[str] = []
    assert table.stop(progress=told.append) == ["three", "two", "one"] == told
    assert table.running() == []


def test_who_ignores_sigterm_is_killed_after_its_grace(table: ProcessTable, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    started = table.start(child("deaf", STUBBORN, str(ready), grace_s=0.2))
    assert wait_until(ready.exists, timeout_s=10)
    table.stop()
    assert started.process() is None


def test_what_a_child_started_goes_with_it(table: ProcessTable, tmp_path: Path) -> None:
    grandchild = tmp_path / "pid"
    table.start(child("parent", PARENT, str(grandchild)))
    assert wait_until(lambda: grandchild.exists() and grandchild.read_text() != "", timeout_s=10)
    table.stop()
    pid = int(grandchild.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_an_early_end_is_told_with_the_log(table: ProcessTable) -> None:
    started = table.start(child("broken", "raise SystemExit('the port is taken')"))
    with pytest.raises(StartError, match="the port is taken"):
        table.wait_ready(started, lambda: False, timeout_s=10)


def test_who_is_not_ready_in_time_is_told(table: ProcessTable) -> None:
    started = table.start(child("slow", SLEEPER))
    with pytest.raises(StartError, match="not ready within"):
        table.wait_ready(started, lambda: False, timeout_s=0.2)


def test_a_program_that_is_not_there_is_told(table: ProcessTable, tmp_path: Path) -> None:
    missing = Child(
        name="missing",
        command=(str(tmp_path / "nothing"),),
        environment={},
        directory=tmp_path,
    )
    with pytest.raises(StartError, match="cannot be started"):
        table.start(missing)


def test_only_one_command_at_a_time(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with exclusive(run), pytest.raises(AlreadyRunningError, match=str(os.getpid())), exclusive(run):
        pass
    with exclusive(run):
        pass
