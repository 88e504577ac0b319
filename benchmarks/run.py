"""The benchmarks: `make bench`, or `python benchmarks/run.py --help`.

One-core figures are CPU time; those of the chain are wall time of one run. Prints a table and writes
the same figures, with machine and date, into benchmarks/results/; a full run of everything, or
--docs, also puts them into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import document
from figures import Figure, shown

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"

SUBJECTS = {
    "scores": ("scores", "Scores: thirty rules, the same leads, one core, from a prepared frame"),
    "frames": ("scores", "Making a frame of leads that come as dictionaries"),
    "whole": ("whole", "Whole decisions by columns, one core"),
    "decisions": ("deciding", "Decisions, one core"),
    "deadlines": ("deciding", "Working-time calendars, one core"),
    "fairness": ("fairness", "Fairness: worst distance from a fair share"),
    "verdicts": ("deciding", "Great Expectations"),
    "chain": ("chain", "The chain's steps against the sandbox, without Airflow"),
    "api_calls": ("api_calls", "API calls over a day of the simulated market"),
    "reading": ("reading", "Contacts read a second: at HubSpot's limit, and without one"),
    "throughput": ("throughput", "Leads a second through the chain's steps, by number of leads"),
    "pages": ("pages", "The review pages, over HTTP, and what serving them adds"),
}


def main() -> None:
    """Measure what was asked for, print it, write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it runs")
    parser.add_argument("--docs", action="store_true", help="put the figures into the docs")
    parser.add_argument("subject", nargs="*", metavar="subject", help=", ".join(SUBJECTS))
    options = parser.parse_args()
    unknown = [name for name in options.subject if name not in SUBJECTS]
    if unknown:
        parser.error(f"no such subject: {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    print(f"{machine()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    measured: dict[str, list[Figure]] = {}
    for name in options.subject or SUBJECTS:
        module, title = SUBJECTS[name]
        print(f"\n{title}", flush=True)
        began = time.perf_counter()
        measure: Callable[[bool], list[Figure]] = getattr(import_module(module), name)
        measured[name] = measure(options.quick)
        for one in measured[name]:
            print(f"  {one.what:<46}{shown(one.value):>12} {one.unit:<12} {one.terms}")
        print(f"  measured in {time.perf_counter() - began:.0f} s", flush=True)
    print(f"\n{written(measured, quick=options.quick)}")
    if options.docs or not (options.quick or options.subject):
        tables = {SUBJECTS[name][1]: (name, figures) for name, figures in measured.items()}
        print(f"{document.put(tables, machine(), datetime.now(UTC)).relative_to(HERE.parent)}")


def machine() -> str:
    """Return processor, cores and Python in a line."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line[:10] == "model name"), "")
    return (
        f"{model or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )


def written(measured: dict[str, list[Figure]], *, quick: bool) -> str:
    """Write the figures as JSON and return where they are."""
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    content = {
        "machine": machine(),
        "at": now.isoformat(timespec="seconds"),
        "quick": quick,
        "load": os.getloadavg(),
        "figures": {name: [asdict(one) for one in ones] for name, ones in measured.items()},
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    main()
