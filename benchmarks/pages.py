"""What the review pages cost: their times at 10,000 and 1,000,000 handoffs, and what serving them adds.

Each ledger is filled in one go (`filled_ledger`), its pages served by a uvicorn in a process of its
own and asked for one after the other over HTTP. Two open pages, two scans of a month, one lead.
`python benchmarks/pages.py --plans` prints the worst nodes of the plans instead.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from figures import Figure
from filled_ledger import fill

from baton.ledger.database import embedded, migrate

SIZES = (10_000, 1_000_000)
REQUESTS = 50
HERE = Path(__file__).resolve().parent
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)

PAGES = {
    "Today": "/",
    "Handoffs": "/handoffs",
    "Handoffs, open": "/handoffs?state=open",
    "Handoffs, late": "/handoffs?late=1",
    "Handoffs, one owner": "/handoffs?owner=jonas.keller@relay.test",
    "Lead": "/lead/{lead}",
    "Review": "/review",
    "Team": "/team",
    "Metrics": "/metrics",
    "Metrics, 90 days": "/metrics?days=90",
    "Sync health": "/sync",
    "Policy": "/policy",
}


def pages(quick: bool) -> list[Figure]:
    """Measure every page at each size."""
    requests = 10 if quick else REQUESTS
    figures: list[Figure] = []
    with _postgres() as server:
        for size in (2_000,) if quick else SIZES:
            url, seconds = _filled(server, size)
            figures.append(Figure("filled", f"{size:,} handoffs", seconds, "s"))
            with _served(url) as base:
                for name, path in PAGES.items():
                    times = _asked(base, path, requests, size)
                    terms = f"{size:,} handoffs, {requests} requests"
                    figures.append(Figure(f"{name}: median", terms, _median(times), "ms"))
                    figures.append(Figure(f"{name}: p95", terms, _p95(times), "ms"))
            embedded.drop_database(server.address, _name(size))
    return figures + _plugin()


def _asked(base: str, path: str, requests: int, size: int) -> list[float]:
    """Return the milliseconds of each request after the first two, which warm up."""
    times = []
    with httpx.Client(base_url=base, trust_env=False, timeout=120) as client:
        for number in range(requests + 2):
            address = path.format(lead=size - number * 7)
            began = time.perf_counter()
            answer = client.get(address)
            times.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, (address, answer.status_code)
    return times[2:]


def _median(times: list[float]) -> float:
    return statistics.median(times)


def _p95(times: list[float]) -> float:
    return sorted(times)[math.ceil(0.95 * len(times)) - 1]


def _plugin() -> list[Figure]:
    """Measure what the plugin adds to an API server: at its start, and when a page is first asked."""
    done = subprocess.run(
        [sys.executable, str(HERE / "pages.py"), "--plugin"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the plugin could not be measured:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(_last_json(done.stdout))
    start, first = "import of the plugin, beside Airflow", "application built, a page answered"
    return [
        Figure("plugin: start", start, found["start_ms"], "ms"),
        Figure("plugin: memory at start", start, found["start_mb"], "MB"),
        Figure("plugin: first page", first, found["first_ms"], "ms"),
        Figure("plugin: memory after the first page", first, found["first_mb"], "MB"),
    ]


def _last_json(printed: str) -> str:
    # PostgreSQL's wrapper says good-bye on the same channel.
    return [line for line in printed.splitlines() if line.startswith("{")][-1]


def _measure_plugin() -> None:
    """Import Airflow's plugins first, as its API server does, then ours, and ask for a page."""
    import psutil

    sys.path.insert(0, str(HERE.parent / "plugins"))
    import airflow.api_fastapi.app  # noqa: F401 - what an API server has imported anyway

    memory = psutil.Process().memory_info
    before, began = memory().rss, time.perf_counter()
    import baton_plugin  # noqa: F401

    started, start = memory().rss, time.perf_counter() - began
    with _postgres() as server:
        url, _seconds = _filled(server, 1_000)
        began = time.perf_counter()
        from fastapi.testclient import TestClient
        from page_server import application

        answer = TestClient(application(url)).get("/")
        first = time.perf_counter() - began
        assert answer.status_code == 200
        mega = 1024 * 1024
        found = {
            "start_ms": start * 1000,
            "start_mb": (started - before) / mega,
            "first_ms": first * 1000,
            "first_mb": (memory().rss - started) / mega,
        }
    print(json.dumps(found))


def _plans(size: int, ledger: str) -> None:
    """Print the slowest queries of each page and the nodes of their plans that took longest.

    Then every table that any query of the page reads from end to end.
    """
    with ExitStack() as stack:
        url = ledger
        if not url:
            url, seconds = _filled(stack.enter_context(_postgres()), size)
            print(f"{size:,} handoffs, filled in {seconds:.0f} s")
        from page_server import application

        app = application(url)
        for name, path in PAGES.items():
            _plans_of(app, name, path.format(lead=size - 7))


def _plans_of(app: Any, name: str, address: str) -> None:
    from fastapi.testclient import TestClient
    from page_server import watched

    client = TestClient(app)
    for _warming in range(2):
        client.get(address)
    with watched(app) as seen:
        client.get(address)
    print(f"\n{name}: {sum(one.seconds for one in seen) * 1000:.0f} ms in {len(seen)} queries")
    plans = [(query, query.plan(app)) for query in seen]
    for query, plan in sorted(plans, key=lambda one: -one[1].milliseconds)[:2]:
        print(f"  {plan.milliseconds:.1f} ms  {query.words[:160]}")
        for node in plan.worst():
            print(f"      {node}")
    for query, plan in plans:
        for node in plan.scans():
            print(f"  from end to end: {node} in {query.words[:80]}")


def _name(size: int) -> str:
    return f"pages_{size}"


def _filled(server: Any, size: int) -> tuple[str, float]:
    name = _name(size)
    url = server.address.url(name)
    embedded.ensure_database(server.address, name)
    migrate.upgrade(url)
    return url, fill(url, size, NOW)


@contextmanager
def _postgres() -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="baton-pages-") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "postgres"
        server = embedded.start(data, durable=False)
        try:
            yield server
        finally:
            embedded.stop(data)


@contextmanager
def _served(url: str) -> Iterator[str]:
    command = [sys.executable, str(HERE / "page_server.py"), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", action="store_true", help="print the plans' worst nodes")
    parser.add_argument("--plugin", action="store_true", help="measure the plugin in this process")
    parser.add_argument("--handoffs", type=int, default=max(SIZES), help="with --plans: how many")
    parser.add_argument("--ledger", default="", help="with --plans: a ledger filled already")
    options = parser.parse_args()
    if options.plugin:
        _measure_plugin()
    elif options.plans:
        _plans(options.handoffs, options.ledger)
    else:
        parser.error("measuring is `python benchmarks/run.py pages`; here are --plans and --plugin")
