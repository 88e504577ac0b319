"""``baton demo`` and ``baton down``: the whole relay on one machine, from nothing to a summary."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from baton.demo.attachment import forget_demo, read_record
from baton.demo.environment import StateFolders, state_home
from baton.demo.options import DemoOptions
from baton.demo.processes import ProcessTable, exclusive
from baton.demo.screen import Screen
from baton.demo.services import SANDBOX
from baton.demo.summary import show_addresses
from baton.errors import BatonError, ConfigurationError
from baton.ledger.database import embedded

__all__ = ["conduct", "stop_demo"]

_FAILED, _INTERRUPTED = 1, 130


def conduct(options: DemoOptions, screen: Screen | None = None) -> int:
    """Play the demo and return the exit code: 0, or 1 when a promise does not hold.

    Everything is left running, unless it failed on the way or `options.once`.

    Raises:
        BatonError: something could not be started; what had been started is stopped.
    """
    screen = screen or Screen()
    folders = state_home().create()
    table = ProcessTable(folders.run, folders.logs)
    with exclusive(folders.run):
        if (code := _already_there(options, screen, folders, table)) is not None:
            return code
        if os.environ.get("BATON_DATABASE_URL"):
            screen.say(
                "BATON_DATABASE_URL is set; the demo leaves that ledger alone and uses its own. "
                "Unset it for commands that are to join the demo.",
                style="yellow",
            )
        play = _play(options)
        try:
            with _logging_to(folders.logs / "demo.log"), _stopped_by_sigterm():
                code = play(options, screen, folders, table)
        except KeyboardInterrupt:
            screen.say("interrupted: stopping what was started", style="yellow")
            _stop_everything(screen, folders, table)
            return _INTERRUPTED
        except ConfigurationError:
            _stop_everything(screen, folders, table)
            raise
        except BatonError:
            screen.say(f"It did not work; the logs are in {folders.logs}", style="red")
            _stop_everything(screen, folders, table)
            raise
        if options.once:
            _stop_everything(screen, folders, table)
        return code


def stop_demo(screen: Screen | None = None) -> int:
    """Stop everything that a demo has left running, and say what; return the exit code."""
    screen = screen or Screen()
    folders = state_home()
    if not folders.run.is_dir():
        screen.say("nothing is running")
        return 0
    with exclusive(folders.run):
        stopped = _stop_everything(screen, folders, ProcessTable(folders.run, folders.logs))
    if not stopped:
        screen.say("nothing was running")
    return 0


def _play(
    options: DemoOptions,
) -> Callable[[DemoOptions, Screen, StateFolders, ProcessTable], int]:
    if options.leads is not None:
        from baton.demo.export import play_export

        return play_export
    from baton.demo.relay import play_relay

    return play_relay


def _already_there(
    options: DemoOptions, screen: Screen, folders: StateFolders, table: ProcessTable
) -> int | None:
    """Say that a demo runs; None when there is none, or only the rest of one, which is stopped."""
    names = {found.name for found in table.running()}
    record = read_record(folders)
    whole = record is not None and SANDBOX in names and set(record.processes) <= names
    if record is not None and whole:
        screen.say("A demo is running already. Stop it with `make down`, then start again.")
        show_addresses(screen, record)
        # Whoever asked for a judgement (`once`) has not got one.
        return _FAILED if options.once else 0
    if names:
        screen.say("Only a part of the last demo is still running: stopping that first.")
        table.stop()
    forget_demo(folders)
    return None


def _stop_everything(screen: Screen, folders: StateFolders, table: ProcessTable) -> list[str]:
    """Stop Airflow's processes side by side, then what they use; return the names of all."""
    names = [found.name for found in table.running()]
    airflow = [name for name in names if name != SANDBOX]
    if names:
        screen.say(f"  stopping {', '.join(names)}", style="dim")
    with ThreadPoolExecutor(max(len(airflow), 1)) as pool:
        stopped = [
            one for found in pool.map(lambda name: table.stop([name]), airflow) for one in found
        ]
    stopped += table.stop()
    if embedded.stop(folders.postgres):
        stopped.append("postgres")
    forget_demo(folders)
    if stopped:
        screen.say(f"stopped: {', '.join(stopped)}")
    return stopped


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM (a CI job that is cancelled, say) stop the demo as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Send the log of the pipeline, which runs in this process, to a file of its own."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    root, ours = logging.getLogger(), logging.getLogger("baton")
    levels = root.level, ours.level
    with os.fdopen(descriptor, "w") as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
        root.setLevel(logging.WARNING)
        ours.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(levels[0])
            ours.setLevel(levels[1])
