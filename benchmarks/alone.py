"""A measurement in a process of its own, on one core: its memory is nobody else's.

`python alone.py MODULE FUNCTION JSON-ARGUMENTS` prints what the function returns, with the peak.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def measured(module: str, function: str, **arguments: object) -> dict[str, Any]:
    """Run a function of a module of this folder in a child and return what it measured.

    The child adds `peak_mb`, the most memory that it ever held.
    """
    command = [sys.executable, str(HERE / "alone.py"), module, function, json.dumps(arguments)]
    one_thread = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=HERE,
        env={**os.environ, **one_thread},
    )
    if done.returncode:
        raise RuntimeError(f"{module}.{function} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure what the command line names."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    module, function, arguments = sys.argv[1:4]
    found = getattr(import_module(module), function)(**json.loads(arguments))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found["peak_mb"] = peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
