"""What the demo shows: phases with progress, handoffs as they land; plain lines off a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.table import Column
from rich.text import Text

__all__ = ["Phase", "Phases", "Screen"]

_PLAIN_STEPS = 6
"""Off a terminal a long phase says this many times how far it is."""


class _Seconds(ProgressColumn):
    """Seconds so far, and in the end."""

    def render(self, task: Task) -> Text:
        elapsed = task.finished_time if task.finished else task.elapsed
        return Text(f"{elapsed or 0:5.1f} s", style="cyan")


class _Bar(BarColumn):
    """A bar, where there is something to count."""

    def render(self, task: Task) -> Text | object:  # type: ignore[override]  # a blank is a text
        return super().render(task) if task.fields.get("counted") else Text("")


class Screen:
    """Writes to the terminal, or to whatever stands for it."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._phases: Phases | None = None

    def say(self, text: str = "", *, style: str = "") -> None:
        """Write a line as it is: nothing in it is taken for markup."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def markup(self, text: str) -> None:
        """Write a line of our own making, with markup."""
        self.console.print(text, soft_wrap=True)

    def title(self, text: str) -> None:
        """Write a heading."""
        self.console.print()
        self.console.print(Text(text, style="bold"))

    @contextmanager
    def phases(self) -> Iterator[Phases]:
        """Show phases, several at a time, until the block ends."""
        phases = Phases(self.console)
        with phases.shown():
            yield phases


def _whole() -> Column:
    """Return a column that is never cut."""
    return Column(no_wrap=True, min_width=7)


class Phases:
    """The phases of one start. May be used from several threads."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._bars = self._new_bars() if console.is_terminal else None
        self.seconds: dict[str, float] = {}

    def _new_bars(self) -> Progress:
        return Progress(
            SpinnerColumn(finished_text="[green]✔[/]"),
            TextColumn("{task.description:<19}", markup=False, table_column=_whole()),
            _Seconds(table_column=_whole()),
            _Bar(bar_width=16),
            TextColumn(
                "{task.fields[detail]}",
                markup=False,
                style="dim",
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            console=self._console,
            expand=True,
        )

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the bars on the screen."""
        if self._bars is None:
            yield
        else:
            with self._bars:
                yield

    @contextmanager
    def phase(self, name: str, *, total: int | None = None) -> Iterator[Phase]:
        """Show one phase while the block runs; a failure leaves it marked."""
        phase = Phase(self, name, total)
        try:
            yield phase
        except BaseException:
            phase.end(failed=True)
            raise
        phase.end()

    def _line(self, text: str) -> None:
        with self._lock:
            self._console.print(Text(text), soft_wrap=True)


class Phase:
    """One phase: what it is at, how far it is."""

    def __init__(self, phases: Phases, name: str, total: int | None) -> None:
        self._phases, self._name, self._total = phases, name, total
        self._began = time.monotonic()
        self._detail = ""
        self._told = 0
        self._bars = phases._bars  # noqa: SLF001  # one subject, two classes
        self._bar = None
        if self._bars is not None:
            self._bar = self._bars.add_task(
                name, total=total or 1, detail="", counted=total is not None
            )
        else:
            phases._line(f"  … {name}")  # noqa: SLF001

    def detail(self, text: str) -> None:
        """Say what is going on."""
        self._detail = text
        if self._bars is not None and self._bar is not None:
            self._bars.update(self._bar, detail=text)

    def reached(self, done: int, detail: str = "") -> None:
        """Say how far it is, of the total."""
        if detail:
            self.detail(detail)
        if self._bars is not None and self._bar is not None:
            self._bars.update(self._bar, completed=done)
        elif self._total and done * _PLAIN_STEPS // self._total > self._told:
            self._told = done * _PLAIN_STEPS // self._total
            if done < self._total:
                words = f"    {self._name}: {done} of {self._total}  {self._detail}".rstrip()
                self._phases._line(words)  # noqa: SLF001

    def end(self, *, failed: bool = False) -> None:
        """Mark it done, or failed, and keep its seconds."""
        took = time.monotonic() - self._began
        self._phases.seconds[self._name] = took
        if self._bars is not None and self._bar is not None:
            if failed:
                self._bars.stop_task(self._bar)
                self._bars.update(self._bar, detail="failed")
            else:
                self._bars.update(self._bar, completed=self._total or 1)
            return
        mark, words = ("✘", "failed") if failed else ("✔", self._detail)
        self._phases._line(f"  {mark} {self._name:<20} {took:5.1f} s  {words}".rstrip())  # noqa: SLF001
