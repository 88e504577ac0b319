"""Plays one case: a worker meets the fault, the course takes its turn, later runs recover."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection, Listener

from tests.faults.acts import Act, Contacts
from tests.faults.catalogue import Call, Case, Course, Moment, Strike
from tests.faults.edits import Edited, edit
from tests.faults.invariants import breaches, unsettled
from tests.faults.worker import AT, BROKEN, DIE, GO_ON, Job, SharedClock
from tests.integration.pipeline.relay import Relay

from baton.pipeline.delivery.deliver import LEASE_SECONDS
from crm_sandbox.faults import FaultRule

ROUNDS = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(minutes=31),
    timedelta(hours=1),
    timedelta(hours=1),
)
"""After these pauses later runs try to recover: the first is that of the next scheduled run. The
faults stop after the third."""
CALM_FROM = 3
PATIENCE, IMPATIENCE = 10.0, 0.4
"""Seconds that a worker waits for an answer: usually, and where the fault is a time-out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a case ended: what was broken (nothing, it should be), and what it cost.

    `struck`: whether every fault struck. `seconds` is CPU of the case's own processes.
    `recovered_after`: seconds from the strike until everything was settled, by the case's clock.
    """

    seed: int
    breaches: tuple[str, ...]
    struck: bool
    story: str
    seconds: float
    recovered_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether every promise held, and the case was what it says it is."""
        return not self.breaches and self.struck


@dataclass(slots=True)
class Scene:
    """Everything of one case while it is played."""

    case: Case
    act: Act
    contacts: Contacts
    relay: Relay
    clock: SharedClock
    workers: Connection
    ledger: str
    story: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    edited: Edited | None = None
    worked: float = 0.0
    struck: dict[int, int] = field(default_factory=dict)
    recovered_after: float | None = None

    def calm(self) -> None:
        """Take the faults away, keeping in mind how often each has struck."""
        faults = self.relay.world.faults
        self.struck |= {rule["number"]: rule["struck"] for rule in faults.listing()}
        faults.clear()

    def wait(self, length: timedelta) -> None:
        """Let time pass for the sandbox and every worker."""
        self.relay.world.clock.set(self.relay.now() + length)
        self.clock.set(self.relay.now())

    def tell(self, what: str) -> None:
        """Add a line to the story of the case."""
        self.story.append(f"{self.relay.now():%H:%M:%S} {what}")


class _Worker:
    """A worker that has been started, seen from the director."""

    def __init__(self, pipe: Connection, scene: Scene) -> None:
        self._pipe, self._scene = pipe, scene
        self.pid: int = pipe.recv()

    def hear(self) -> str | None:
        """Wait until it is stopped or ends; return what it says, None when it was killed."""
        try:
            word, what, seconds = self._pipe.recv()
        except (EOFError, ConnectionError):
            self._scene.tell(f"worker {self.pid} is dead")
            return None
        self._scene.worked += seconds
        self._scene.tell(f"worker ({seconds:.2f} s): {word} {what or ''}")
        if word == BROKEN:
            self._scene.broken.append(f"a step broke: {what}")
        return str(word)

    def say(self, word: str) -> None:
        """Let it go on or die."""
        self._pipe.send(word)


def direct(scene: Scene) -> Verdict:
    """Play the case and judge it."""
    began = time.process_time()
    try:
        for strike in scene.case.strikes:
            _arm(scene, strike)
        _COURSES[scene.case.course](scene)
        _recover(scene)
        scene.calm()
        _look_again(scene)
        scene.broken += breaches(scene.relay, scene.contacts, scene.act, scene.edited)
    except Exception:
        scene.broken.append(f"the case broke: {traceback.format_exc()}")
    cost = time.process_time() - began + scene.worked
    struck = bool(scene.struck or scene.case.deaths) and all(scene.struck.values())
    return Verdict(
        seed=scene.case.seed,
        breaches=tuple(scene.broken),
        struck=struck,
        story="\n".join(scene.story),
        seconds=cost,
        recovered_after=scene.recovered_after,
    )


def _arm(scene: Scene, strike: Strike) -> None:
    call = strike.call
    rule = dict(strike.fault.rule) | {
        "api": call.endpoint.api,
        "path_regex": call.endpoint.path,
        "method": call.endpoint.method,
        "count": strike.count,
        "skip": call.nth - 1,
        "seed": scene.case.seed,
    }
    scene.relay.world.faults.add(FaultRule.from_json(rule))


@contextmanager
def _started(
    scene: Scene,
    steps: tuple[str, ...] | None = None,
    *,
    stop_at: tuple[Call, Moment] | None = None,
) -> Iterator[_Worker]:
    """Start a worker, which is to stop at `stop_at`."""
    waits = steps is None and any(one.fault.waits for one in scene.case.strikes)
    job = Job(
        ledger=scene.ledger,
        sandbox=scene.relay.sandbox.description,
        steps=steps or scene.act.steps,
        patience=IMPATIENCE if waits else PATIENCE,
        stop_at=stop_at,
    )
    place = tempfile.mktemp(prefix="baton-fault-")  # a socket's name, made at once
    with Listener(place, "AF_UNIX") as listener:
        scene.workers.send((place, job))
        pipe = listener.accept()
    with pipe:
        yield _Worker(pipe, scene)


def _run(scene: Scene, steps: tuple[str, ...] | None = None) -> None:
    """Let a worker run to its end."""
    with _started(scene, steps) as worker:
        worker.hear()


def _retried(scene: Scene) -> None:
    _run(scene)


def _stop_of(scene: Scene) -> tuple[Call, Moment]:
    return scene.case.strikes[0].call, scene.case.moment


def _killed(scene: Scene) -> None:
    with _started(scene, stop_at=_stop_of(scene)) as worker:
        if worker.hear() == AT:
            _kill(scene, worker)


def _kill(scene: Scene, *workers: _Worker) -> None:
    for worker in workers:
        worker.say(DIE)
    for worker in workers:
        if worker.hear() is not None:
            scene.broken.append("a worker that was to be killed lives on")


def _all_killed(scene: Scene) -> None:
    """Start the workers side by side; when each holds its call, all of them die."""
    with ExitStack() as started:
        workers = []
        for death in scene.case.deaths:
            at = (death.call, death.moment)
            worker = started.enter_context(_started(scene, (death.step,), stop_at=at))
            workers.append(worker)
            if worker.hear() != AT:
                scene.broken.append(f"{death.step} never came to {death.call.name}")
                return
        _kill(scene, *workers)


def _overlapping(scene: Scene) -> None:
    with _started(scene, stop_at=_stop_of(scene)) as worker:
        if worker.hear() != AT:
            return
        if scene.case.lease_over:
            scene.wait(timedelta(seconds=LEASE_SECONDS + 1))
        _run(scene)
        worker.say(GO_ON)
        worker.hear()


def _edited(scene: Scene) -> None:
    with _started(scene, stop_at=_stop_of(scene)) as worker:
        if worker.hear() != AT:
            return
        scene.edited = edit(scene.relay, scene.contacts, scene.case)
        scene.tell(f"edit: {scene.edited}")
        worker.say(GO_ON)
        worker.hear()


_COURSES = {
    Course.RETRY: _retried,
    Course.KILLED: _killed,
    Course.OVERLAP: _overlapping,
    Course.HUMAN: _edited,
    Course.THREE_KILLED: _all_killed,
}


def _recover(scene: Scene) -> None:
    """Let later runs come until nothing is left to be done."""
    began = scene.relay.now()
    for number, pause in enumerate(ROUNDS):
        if number == CALM_FROM:
            scene.calm()
        scene.wait(pause)
        _run(scene)
        if unsettled(scene.relay):
            continue
        if scene.recovered_after is None:
            scene.recovered_after = (scene.relay.now() - began).total_seconds()
        if _all_struck(scene):
            return


def _all_struck(scene: Scene) -> bool:
    rules = scene.relay.world.faults.listing()
    return all(rule["struck"] == rule["count"] for rule in rules)


def _look_again(scene: Scene) -> None:
    """Let the other steps of the chain see what has become of it."""
    # What people did is read in the first round, and what follows from it carried out in the second.
    for _ in range(1 if scene.edited is None else 2):
        scene.wait(timedelta(minutes=2))
        steps = ("qualify_and_route", "deliver_and_notify", "read_outcomes", "write_back")
        _run(scene, steps)
