"""What every ``baton`` command shares: how errors are shown, exit codes, the two consoles.

Exit codes: 0 done; 1 it failed; 2 something a person configured or typed is wrong.
"""

from __future__ import annotations

import functools
from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from baton.errors import BatonError, ConfigurationError

__all__ = ["FAILED", "MISCONFIGURED", "CarefulGroup", "err", "out", "plain", "whoever_calls"]

FAILED = 1
MISCONFIGURED = 2
_WIDE = 200


@functools.cache
def out() -> Console:
    """Return the console on standard output: results, nothing else."""
    console = Console(highlight=False, soft_wrap=True)
    # A pipe has no width; tables must not be cut for it.
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_WIDE)


@functools.cache
def err() -> Console:
    """Return the console on standard error: remarks, progress, errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def plain(*cells: str) -> tuple[Text, ...]:
    """Return cells of a table as they are: a name may hold brackets, which rich would obey."""
    return tuple(Text(cell) for cell in cells)


class CarefulGroup(TyperGroup):
    """A command group that shows Baton's errors as a message, never as a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn an error into its message and exit code."""
        try:
            return super().invoke(ctx)
        except BatonError as error:
            err().print(f"baton: {error}", style="red", markup=False)
            raise typer.Exit(exit_code_of(error)) from error
        except OSError as error:
            # A file that a person named; what has no name is a fault of ours, or of the machine.
            file = error.filename2 or error.filename
            if file is None:
                raise
            err().print(f"baton: {file}: {error.strerror}", style="red", markup=False)
            raise typer.Exit(MISCONFIGURED) from error


def exit_code_of(error: BatonError) -> int:
    """Return 2 when a person must change a setting, file or argument, else 1."""
    return MISCONFIGURED if isinstance(error, ConfigurationError) else FAILED


def whoever_calls() -> str:
    """Return the name of the person at the keyboard, for the ledger's record of who did what."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run a user id that nobody has named.
        return "unknown"
