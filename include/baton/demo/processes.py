"""Child processes that outlive the command that started them, and are found again by the next.

Each child has its own session, a log file, and a record (pid and start time) on disk. A pid that
the system gave to someone else since has another start time, so it is never signalled.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from baton.errors import BatonError

__all__ = [
    "AlreadyRunningError",
    "Child",
    "ProcessTable",
    "Running",
    "StartError",
    "exclusive",
    "read_tail",
    "wait_until",
]

_START_TIME_TOLERANCE_S = 0.05
_POLL_S = 0.1


class StartError(BatonError):
    """A process did not start, or ended before it was ready. Holds the end of its log."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}; see {log}\n{read_tail(log)}".rstrip())
        self.name, self.what, self.log = name, what, log


class AlreadyRunningError(BatonError):
    """Another command is starting or stopping the same processes right now."""

    def __init__(self, lock: Path, pid: str) -> None:
        super().__init__(
            f"another baton command (process {pid or 'unknown'}) is at work on the same state "
            f"folder {lock.parent.parent}: wait for it, or stop it with Ctrl-C in its own window"
        )
        self.pid = pid


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to start: `grace_s` is how long it may take to end after SIGTERM."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    grace_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started process as recorded on disk. `started` is the system's start time, in seconds."""

    name: str
    pid: int
    started: float
    grace_s: float
    log: str
    facts: dict[str, str] = field(default_factory=dict)

    def process(self) -> psutil.Process | None:
        """Return the process while it lives, None when it ended or its pid was given away."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > _START_TIME_TOLERANCE_S:
                return None
            # A zombie has ended; it only waits for a parent that may never ask.
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.NoSuchProcess:
            return None


class ProcessTable:
    """The children of one state folder, by name, in the order in which they were started."""

    def __init__(self, run_folder: Path, log_folder: Path) -> None:
        self._run, self._logs = run_folder, log_folder
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, child: Child, *, facts: Mapping[str, str] | None = None) -> Running:
        """Start a child in its own session, its output in a log file, and record it.

        `facts` (addresses, say) are kept with the record for whoever finds the process later.

        Raises:
            AlreadyRunningError: a child of that name runs.
            StartError: the program cannot be started.
        """
        if (before := self.find(child.name)) is not None:
            raise AlreadyRunningError(self._record(child.name), str(before.pid))
        log = self._logs / f"{child.name}.log"
        with log.open("wb") as output:
            try:
                popen = subprocess.Popen(
                    child.command,
                    env=dict(child.environment),
                    cwd=child.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise StartError(
                    child.name, f"cannot be started ({error.strerror})", log
                ) from error
        self._children[popen.pid] = popen
        running = Running(
            name=child.name,
            pid=popen.pid,
            started=psutil.Process(popen.pid).create_time(),
            grace_s=child.grace_s,
            log=str(log),
            facts=dict(facts or {}),
        )
        self._write(running)
        return running

    def find(self, name: str) -> Running | None:
        """Return the living child of that name."""
        return next((found for found in self.running() if found.name == name), None)

    def running(self) -> list[Running]:
        """Return the living children, first started first; forget the records of the others."""
        self._reap()
        alive = []
        for path in self._run.glob("*.process.json"):
            try:
                record = Running(**json.loads(path.read_text()))
            except (OSError, ValueError, TypeError):
                path.unlink(missing_ok=True)
                continue
            if record.process() is None:
                path.unlink(missing_ok=True)
            else:
                alive.append(record)
        return sorted(alive, key=lambda record: record.started)

    def wait_ready(self, running: Running, probe: Callable[[], bool], *, timeout_s: float) -> float:
        """Wait until `probe` says yes; return the seconds it took.

        Raises:
            StartError: the process ended first, or the time is over.
        """
        began = time.monotonic()

        def look() -> bool:
            if self._has_ended(running):
                raise StartError(running.name, "ended before it was ready", Path(running.log))
            return probe()

        if not wait_until(look, timeout_s=timeout_s):
            what = f"was not ready within {timeout_s:.0f} s"
            raise StartError(running.name, what, Path(running.log))
        return time.monotonic() - began

    def stop(
        self,
        names: Sequence[str] | None = None,
        *,
        progress: Callable[[str], None] = lambda _name: None,
    ) -> list[str]:
        """Stop children (all, last started first, unless named) and say which ran.

        Each gets SIGTERM, then, when its grace is over, SIGKILL with everything it started.
        """
        alive = {record.name: record for record in self.running()}
        order = list(names) if names is not None else list(reversed(alive))
        stopped = []
        for name in order:
            if (record := alive.get(name)) is None:
                continue
            progress(name)
            self._end(record)
            stopped.append(name)
        return stopped

    def _end(self, record: Running) -> None:
        process = record.process()
        if process is None:
            return
        family = [process, *_descendants(process)]
        with suppress(psutil.NoSuchProcess):
            process.terminate()
        _gone, left = psutil.wait_procs([process], timeout=record.grace_s)
        # Those the leader left behind, and those it started while it ended.
        family += [late for member in left for late in _descendants(member)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                if member.is_running():
                    member.kill()
        psutil.wait_procs(family, timeout=5)
        self._reap()
        self._record(record.name).unlink(missing_ok=True)

    def _has_ended(self, running: Running) -> bool:
        self._reap()
        return running.process() is None

    def _reap(self) -> None:
        for pid, popen in list(self._children.items()):
            if popen.poll() is not None:
                self._children.pop(pid, None)

    def _record(self, name: str) -> Path:
        return self._run / f"{name}.process.json"

    def _write(self, running: Running) -> None:
        path = self._record(running.name)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(running)))
        draft.replace(path)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


@contextmanager
def exclusive(run_folder: Path) -> Iterator[None]:
    """Hold the state folder's lock; the system lets go of it however the holder ends.

    Raises:
        AlreadyRunningError: someone else holds it.
    """
    path = run_folder / "lock"
    # Not truncated on opening: the holder's pid stands in it.
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunningError(path, lock.read().strip()) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)
            fcntl.flock(lock, fcntl.LOCK_UN)


def wait_until(probe: Callable[[], bool], *, timeout_s: float, every_s: float = _POLL_S) -> bool:
    """Ask `probe` until it says yes or the time is over; return its last answer."""
    end = time.monotonic() + timeout_s
    while True:
        if probe():
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(every_s)


def read_tail(log: Path, *, lines: int = 15) -> str:
    """Return the last lines of a log, or nothing when there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
