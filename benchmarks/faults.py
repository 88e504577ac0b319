"""The whole fault matrix: ``python benchmarks/faults.py --help``.

Plays every case (a struck call, and what else happens around it) against the sandbox, prints what
failed and a table by call, fault and course, and writes the figures into benchmarks/results/. A run
that is stopped goes on with --resume; --minutes ends it in time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from run import machine  # noqa: E402
from tests.faults.catalogue import Case, all_cases, case, chosen_cases  # noqa: E402
from tests.faults.installation import stages  # noqa: E402

RESULTS = HERE / "results"
PROGRESS = RESULTS / "faults-progress.jsonl"


def main() -> int:
    """Play the cases that were asked for; return 1 if any failed."""
    options = _options()
    done = list(_done()) if options.resume else []
    if not options.resume:
        PROGRESS.unlink(missing_ok=True)
    left = _wanted(options, {one["seed"] for one in done})
    print(f"{machine()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {len(left)} cases", flush=True)
    began = time.perf_counter()
    until = began + options.minutes * 60 if options.minutes else None
    for played in _play(left, options.jobs, until):
        done.append(played)
        _note(played, len(done), time.perf_counter() - began)
    _table(done)
    failed = sorted(one["seed"] for one in done if not one["ok"])
    print(_written(done, failed, time.perf_counter() - began, whole=len(left) == len(all_cases())))
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="cases at once (default 2)")
    parser.add_argument("--minutes", type=float, help="stop after this time")
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped")
    parser.add_argument("--quick", action="store_true", help="only the cases of every test run")
    parser.add_argument("--failed", action="store_true", help="only those that failed last time")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th case")
    parser.add_argument("cases", type=int, nargs="*", metavar="case", help="only these")
    return parser.parse_args()


def _wanted(options: argparse.Namespace, done: set[int]) -> list[Case]:
    cases: Sequence[Case] = chosen_cases() if options.quick else all_cases()
    if options.failed:
        newest = max(RESULTS.glob("faults-2*.json"), default=None)
        failed = json.loads(newest.read_text())["failed"] if newest else []
        cases = [case(seed) for seed in failed]
    if options.cases:
        cases = [case(seed) for seed in options.cases]
    return [one for one in cases[:: options.every] if one.seed not in done]


def _play(left: Sequence[Case], jobs: int, until: float | None) -> Iterator[dict[str, Any]]:
    """Play cases on several stages at once; yield how each ended, as it ends."""
    with stages(jobs) as opened, ThreadPoolExecutor(jobs) as pool:
        free = list(opened)

        def play(one: Case) -> dict[str, Any] | None:
            if until is not None and time.perf_counter() > until:
                return None
            stage = free.pop()
            try:
                verdict = stage.play(one.seed)
            finally:
                free.append(stage)
            return _row(one, verdict)

        cases = iter(left)
        while chunk := list(islice(cases, jobs * 4)):
            played = [row for row in pool.map(play, chunk) if row is not None]
            yield from played
            if len(played) < len(chunk):
                return


def _row(one: Case, verdict: Any) -> dict[str, Any]:
    calls = [each.call.name for each in one.strikes[:1] or one.deaths]
    return {
        "seed": one.seed,
        "name": one.name,
        "call": ", ".join(calls),
        "fault": one.strikes[0].fault.name if one.strikes else "none",
        "course": one.course.value,
        "ok": verdict.ok,
        "breaches": list(verdict.breaches) or ([] if verdict.struck else ["a fault never struck"]),
        "cpu_seconds": round(verdict.seconds, 3),
    }


def _done() -> Iterator[dict[str, Any]]:
    if PROGRESS.exists():
        yield from (json.loads(line) for line in PROGRESS.read_text().splitlines())


def _note(row: dict[str, Any], count: int, seconds: float) -> None:
    RESULTS.mkdir(exist_ok=True)
    with PROGRESS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    if not row["ok"]:
        print(f"FAILED {row['name']}", *row["breaches"], sep="\n    ", flush=True)
    if count % 50 == 0:
        print(f"{count} played, {seconds:.0f} s", flush=True)


def _table(done: Iterable[dict[str, Any]]) -> None:
    for by in ("call", "fault", "course"):
        rows: defaultdict[str, Counter[bool]] = defaultdict(Counter)
        for one in done:
            rows[one[by]][one["ok"]] += 1
        print(f"\n{by:<40}{'played':>8}{'failed':>8}")
        for name, counts in sorted(rows.items()):
            print(f"{name:<40}{counts.total():>8}{counts[False]:>8}")


def _written(
    done: Sequence[dict[str, Any]], failed: Sequence[int], seconds: float, *, whole: bool
) -> str:
    now = datetime.now(UTC)
    cpu = sorted(one["cpu_seconds"] for one in done) or [0.0]
    content = {
        "machine": machine(),
        "at": now.isoformat(timespec="seconds"),
        "load": os.getloadavg(),
        "whole_matrix": whole,
        "played": len(done),
        "failed": list(failed),
        "wall_seconds": round(seconds, 1),
        "cpu_seconds_a_case": {"median": cpu[len(cpu) // 2], "most": cpu[-1]},
        "breaches": {one["name"]: one["breaches"] for one in done if not one["ok"]},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"faults-{now:%Y-%m-%dT%H%M%SZ}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    PROGRESS.unlink(missing_ok=True) if whole else None
    median = content["cpu_seconds_a_case"]["median"]
    return (
        f"\n{len(done)} cases, {len(failed)} failed, {seconds:.0f} s, "
        f"{median:.2f} s of CPU a case (median): {path.name}"
    )


if __name__ == "__main__":
    sys.exit(main())
