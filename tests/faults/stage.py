"""The processes behind the cases: everything is imported and prepared once, and forked from then on.

``Stage`` (in the test or the benchmark) forks an *opener*, which furnishes a sandbox and a ledger.
The opener forks a *preparer* for each act, which plays what stands at its beginning. The preparer
forks a *director* for each case, which serves the sandbox, and whose *workers* are forked from a
process without threads. So a case pays neither for imports nor for its opening.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import traceback
import uuid
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.faults.acts import ACTS, Contacts
from tests.faults.catalogue import case
from tests.faults.director import Scene, Verdict, direct
from tests.faults.worker import SharedClock, serve
from tests.integration.pipeline.relay import START, Relay, furnish

from baton.ledger.database import embedded
from baton.ledger.database.embedded import DatabaseAddress
from baton.ledger.database.engine import ledger_engine
from baton.policy.loader import read_bundle, read_roster
from baton.validation.verdicts import preload
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.world import ServeOptions, build_world

POLICY = Path(__file__).resolve().parents[2] / "include" / "policy"
LONGEST_CASE = 90.0
LONGEST_OPENING = 100.0


class StageError(Exception):
    """A process behind the cases has died or could not prepare; the text says which and why."""


@dataclass(frozen=True, slots=True)
class _House:
    """What all processes of a stage share."""

    address: DatabaseAddress
    template: str
    directory: Path
    prefix: str

    def copy(self, template: str, name: str) -> str:
        """Create a ledger of that name from a template; return its URL."""
        embedded.ensure_database(self.address, f"{self.prefix}{name}", template=template)
        return str(self.address.url(f"{self.prefix}{name}"))

    def drop(self, name: str) -> None:
        embedded.drop_database(self.address, f"{self.prefix}{name}")

    def options(self) -> ServeOptions:
        return ServeOptions(state_dir=self.directory / "state", at=START, market=False)


class Stage:
    """Plays cases, one at a time, from `with` to its end.

    `address` and `template` name the server and the migrated, empty ledger; `directory` is for the
    sandboxes' certificate. The first case of an act takes seconds longer, the others do not.
    """

    def __init__(self, address: DatabaseAddress, template: str, directory: Path) -> None:
        self._house = _House(address, template, directory, f"f_{uuid.uuid4().hex[:8]}_")
        self._opener: _Child | None = None

    def __enter__(self) -> Stage:
        preload()
        self._opener = _fork(lambda orders: _opener(self._house, orders))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opener is not None:
            self._opener.end()

    def play(self, seed: int) -> Verdict:
        """Play one case. Raises StageError when the stage itself fails."""
        if self._opener is None:
            raise StageError("the stage is not open")
        answer = self._opener.ask(seed, 2 * LONGEST_OPENING + LONGEST_CASE)
        if isinstance(answer, str):
            raise StageError(answer)
        verdict: Verdict = answer
        return verdict


@dataclass(frozen=True, slots=True)
class _Child:
    pid: int
    pipe: Connection

    def ask(self, order: Any, seconds: float) -> Any:
        """Return the answer; a text when there is none in time."""
        try:
            self.pipe.send(order)
            if self.pipe.poll(seconds):
                return self.pipe.recv()
        except (EOFError, OSError) as error:
            return f"process {self.pid} is gone ({type(error).__name__})"
        os.kill(self.pid, signal.SIGKILL)
        return f"process {self.pid} did not answer within {seconds:.0f} s"

    def end(self) -> None:
        """Have it end and wait for it."""
        # Said aloud: a sibling that was forked later may still hold the pipe open.
        with suppress(OSError):
            self.pipe.send(None)
        self.pipe.close()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _fork(run: Callable[[Connection], None]) -> _Child:
    """Run `run` in a forked process, at the other end of a pipe."""
    ours, theirs = Pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about threads: see the module
        pid = os.fork()
    if pid:
        theirs.close()
        return _Child(pid, ours)
    code = 1
    try:
        ours.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        run(theirs)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _opener(house: _House, orders: Connection) -> None:
    """Furnish a sandbox and a ledger, and pass each case on to the preparer of its act."""
    world = build_world(house.options())
    ground = furnish(world)
    bundle, roster = read_bundle(POLICY), read_roster(POLICY / "roster.yaml")
    engine = ledger_engine(house.copy(house.template, "opening"))
    with SandboxThread(house.options(), world) as sandbox:
        relay = Relay(sandbox, engine, ground, bundle, roster)
        relay.adopt()
        relay.close()
    engine.dispose()
    preparers: dict[str, _Child] = {}
    for seed in iter(lambda: _next(orders), None):
        act = case(seed).act
        if act not in preparers:
            preparers[act] = _fork(lambda pipe, act=act: _preparer(house, act, relay, pipe))
        answer = preparers[act].ask(seed, LONGEST_OPENING + LONGEST_CASE)
        if isinstance(answer, str):
            preparers.pop(act).end()
        orders.send(answer)
    for act, child in preparers.items():
        child.end()
        house.drop(act)
    house.drop("opening")


def _next(orders: Connection) -> Any:
    try:
        return orders.recv()
    except EOFError:
        return None


def _preparer(house: _House, act: str, opening: Relay, orders: Connection) -> None:
    """Play what stands at the beginning of an act, then fork a director for each case."""
    world = opening.world
    engine = ledger_engine(house.copy(f"{house.prefix}opening", act))
    with SandboxThread(house.options(), world) as sandbox:
        relay = Relay(sandbox, engine, opening.ground, opening.bundle, opening.roster)
        contacts = ACTS[act].prepare(relay)
        relay.close()
    engine.dispose()
    gc.freeze()
    for seed in iter(lambda: _next(orders), None):
        child = _fork(lambda pipe, seed=seed: _case(house, act, relay, contacts, seed, pipe))
        answer = child.ask("begin", LONGEST_CASE)
        child.end()
        name = f"case_{seed}"
        house.drop(name)
        if isinstance(answer, str):
            answer = Verdict(seed, (f"the case ended without a verdict: {answer}",), False, "", 0.0)
        orders.send(answer)


def _case(
    house: _House, act: str, prepared: Relay, contacts: Contacts, seed: int, pipe: Connection
) -> None:
    pipe.recv()
    logging.disable(logging.CRITICAL)  # the servers complain of every fault
    clock = SharedClock()
    clock.set(prepared.now())
    workers = _fork(lambda orders: serve(orders, clock))
    url = house.copy(f"{house.prefix}{act}", f"case_{seed}")
    engine = ledger_engine(url, pooled=True, pool_size=2)
    sandbox = SandboxThread(house.options(), prepared.world)
    sandbox.__enter__()
    relay = Relay(sandbox, engine, prepared.ground, prepared.bundle, prepared.roster)
    relay._numbers = prepared._numbers
    scene = Scene(case(seed), ACTS[act], contacts, relay, clock, workers.pipe, url)
    verdict = direct(scene)
    workers.end()
    engine.dispose()
    pipe.send(verdict)
    pipe.recv()
    # The sandbox's threads end with this process.
