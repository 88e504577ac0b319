"""The pages of a filled ledger, served for a measurement; and what they ask of it, watched.

`python page_server.py URL` serves on a free port, prints its address, and serves until it is ended.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from sqlalchemy import Engine, event

from baton.web.access import Visitor
from baton.web.app import create_app


class _Standing:
    def now(self) -> datetime:
        return datetime(2026, 11, 20, 9, tzinfo=UTC)


async def _somebody(_request: Request) -> Visitor:
    return Visitor("nadia")


def application(url: str) -> FastAPI:
    """Return the pages over the ledger at `url`, for somebody who may act."""
    return create_app(
        _somebody, secret=b"a secret for measuring", database_url=lambda: url, clock=_Standing()
    )


@dataclass(frozen=True)
class Query:
    """One query: what was sent, and how long it took."""

    statement: str
    parameters: Any
    seconds: float

    @property
    def words(self) -> str:
        """Return it in one line."""
        return " ".join(self.statement.split())

    def plan(self, app: FastAPI) -> Plan:
        """Return its plan, as it was carried out once more."""
        with _engine(app).connect() as conn:
            asked = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + self.statement
            found = conn.exec_driver_sql(asked, self.parameters).scalar_one()
        whole = (json.loads(found) if isinstance(found, str) else found)[0]
        return Plan(tuple(_nodes(whole["Plan"])), whole["Execution Time"])


@dataclass(frozen=True)
class Node:
    """One node of a plan: its own time, and what it read."""

    milliseconds: float
    kind: str
    of: str
    rows: float
    loops: int
    pages: int

    def __str__(self) -> str:
        return (
            f"{self.milliseconds:7.1f} ms  {self.kind} {self.of}: {self.rows:,.0f} rows"
            f" × {self.loops:,}, {self.pages:,} pages"
        )


@dataclass(frozen=True)
class Plan:
    """The nodes of a plan, and how long the whole took."""

    nodes: tuple[Node, ...]
    milliseconds: float

    def worst(self, most: int = 4) -> list[Node]:
        """Return the nodes that took longest by themselves."""
        return sorted(self.nodes, key=lambda one: -one.milliseconds)[:most]

    def scans(self) -> list[Node]:
        """Return the tables that are read from end to end and hold more than a few rows."""
        return [one for one in self.nodes if one.kind == "Seq Scan" and one.rows * one.loops > 1000]


def _nodes(plan: dict[str, Any]) -> Iterator[Node]:
    below = plan.get("Plans", [])
    total = plan["Actual Total Time"] * plan["Actual Loops"]
    own = total - sum(one["Actual Total Time"] * one["Actual Loops"] for one in below)
    pages = _pages(plan) - sum(_pages(one) for one in below)
    name = plan.get("Index Name") or plan.get("Relation Name") or ""
    read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    loops = plan["Actual Loops"]
    yield Node(max(0.0, own), plan["Node Type"], name, read, loops, max(0, pages))
    for one in below:
        yield from _nodes(one)


def _pages(plan: dict[str, Any]) -> int:
    return int(plan.get("Shared Hit Blocks", 0)) + int(plan.get("Shared Read Blocks", 0))


def _engine(app: FastAPI) -> Engine:
    engine: Engine = next(iter(app.state.site._engines.values()))  # noqa: SLF001
    return engine


@contextmanager
def watched(app: FastAPI) -> Iterator[list[Query]]:
    """Note every query of the pages until the end of the block."""
    engine, seen, began = _engine(app), list[Query](), dict[int, float]()

    def before(_conn: Any, cursor: Any, *_rest: Any) -> None:
        began[id(cursor)] = time.perf_counter()

    def after(_conn: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seconds = time.perf_counter() - began[id(cursor)]
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(Query(statement, parameters, seconds))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def main(url: str) -> None:
    """Serve until ended."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        listener.listen(64)
        server = uvicorn.Server(
            uvicorn.Config(application(url), log_level="warning", lifespan="off")
        )
        server.run([listener])


if __name__ == "__main__":
    main(sys.argv[1])
