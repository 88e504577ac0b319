"""API calls over a day of the simulated market: Baton's, the least possible, and those of peers.

Buyers and reps act in simulated time, minute by minute; after each stretch the steps run as their
Dags would, each with connections of its own. Calls are what the sandbox has served. The least
possible is what batch sizes allow if each run does at once what there is to do: 100 contacts a
read or write of HubSpot, 200 records a write and 250 persons a look-up of Salesforce. Polls, which
ask whether there is anything, are counted apart; so are log-ins, which count against no limit.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from figures import Figure
from stage import Stage, bare_salesforce, stage

from baton.clock import SystemClock
from baton.pipeline.context import Context
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.report import StepReport
from baton.pipeline.response.sales_activity import read_outcomes
from baton.pipeline.response.sla_watch import watch_clocks
from baton.pipeline.timers import run_timers
from baton.validation.verdicts import preload

FIRST_DAY = datetime(2026, 11, 23, tzinfo=UTC)
"""A Monday. The market lives some days before one of it is measured, so that there is business."""
BUSY = 15.0
"""Times the market's usual number of buyers: some two hundred new ones a day."""
TAP = Path(__file__).resolve().parents[1] / ".venv" / "peers-tap" / "bin" / "python"
TAP_SCRIPT = (
    Path(__file__).resolve().parents[1] / "tests" / "contract" / "conformance" / "singer_tap.py"
)
_IDS = re.compile(r"(?<=/)(\d+|0[0-9A-Za-z]{14,17}|[0-9a-f-]{32,})(?=/|$)")
_VERSION = re.compile(r"/services/data/v[\d.]+")
_SOQL = ("/query", "/queryAll", "/describe")
_POLLS = {
    "qualify": ("/objects/contacts/search", "/account-info/", "/crm/v3/properties/"),
    "outcomes": _SOQL,
    "clocks": _SOQL,
    "references": ("",),
}
"""Paths of a step that ask whether there is anything, or whether a field is gone; "" all of them."""
_GUARDS = {
    "deliver": "/composite",
    "write back": "/contacts/batch/read",
    "outcomes": "/contacts/batch/read",
}
"""How paths end that look, right before or after a write, whether a person has edited the same."""
_SIZES = {"hubspot_state": 100, "hubspot_list": 100}
_RECORDS = 200
_LOOK_UP = 250
_SETTLED = re.compile(r"^(salesforce_\w+|hubspot_\w+) (?:done|rejected|invalid|superseded)$")

Step = Callable[[Context], StepReport]


class _SandboxTime(SystemClock):
    """The sandbox's simulated instant, as whoever plays it sets it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@dataclass
class _Day:
    """Counts of one day."""

    polls: Counter[str] = field(default_factory=Counter)
    guards: int = 0
    looks: int = 0
    written: int = 0
    work: Counter[str] = field(default_factory=Counter)
    least: Counter[str] = field(default_factory=Counter)
    logins: int = 0
    messages: int = 0
    done: Counter[str] = field(default_factory=Counter)


def api_calls(quick: bool) -> list[Figure]:
    """Play a day through the pipeline; count its calls, and those of peers for the same."""
    preload()
    every = timedelta(minutes=int(os.environ.get("BENCH_EVERY_MINUTES", "30" if quick else "10")))
    hours = int(os.environ.get("BENCH_HOURS", "24"))
    busy = float(os.environ.get("BENCH_BUSY", "4" if quick else BUSY))
    with stage("--at", FIRST_DAY.isoformat(), "--busy", str(busy)) as built:
        clock = _SandboxTime(FIRST_DAY)
        ctx = built.context(clock=clock)
        built.prepare(ctx)
        ctx.engine.dispose()
        for _ in range(1 if quick else 7):
            _play(built, clock, clock.at + timedelta(days=1))
            _steps(built, clock, _Day())  # at midnight: reference data is read as well
        day = _Day()
        bookmark = clock.at
        end = clock.at + timedelta(hours=hours)
        while clock.at < end:
            _play(built, clock, clock.at + every)
            _steps(built, clock, day)
        figures = _ours(day, every, end - bookmark)
        if os.environ.get("BENCH_SHOW_CALLS"):
            _print_kinds(day)
        return [*figures, *_tap(built, bookmark), *_row_by_row(built, day)]


def _play(built: Stage, clock: _SandboxTime, until: datetime) -> None:
    body = {"until": until.isoformat()}
    httpx.post(f"{built.admin}/market/play", json=body, timeout=600).raise_for_status()
    clock.at = until


def _steps(built: Stage, clock: _SandboxTime, day: _Day) -> None:
    """Run what the Dags run in such a stretch, each task with connections of its own."""
    steps: list[tuple[str, Step]] = [
        ("qualify", qualify_and_route),
        ("deliver", deliver_and_notify),
        ("outcomes", read_outcomes),
        ("clocks", watch_clocks),
        ("timers", run_timers),
        ("write back", write_back),
    ]
    if clock.at.minute < 10:
        steps.insert(0, ("references", read_references))
    for name, step in steps:
        before = _last(built)
        ctx = built.context(clock=clock)
        report = step(ctx)
        ctx.engine.dispose()
        _count(day, name, built.requests(before), report)


def _count(day: _Day, name: str, served: list[dict[str, Any]], report: Mapping[str, int]) -> None:
    for one in served:
        if one["api"] == "slack":
            day.messages += one["path"].endswith("chat.postMessage")
        elif "/oauth2/" in one["path"]:
            day.logins += 1
        else:
            kind = f"{name}: {one['method']} {_IDS.sub('{id}', _VERSION.sub('', one['path']))}"
            poll = any(part in one["path"] for part in _POLLS.get(name, ()))
            (day.polls if poll else day.work)[kind] += 1
            guard = _GUARDS.get(name)
            day.guards += guard is not None and one["path"].endswith(guard)
    day.least.update(_least(name, report))
    day.looks += _looks(day, name, report)
    day.done.update({f"{name}: {what}": number for what, number in report.items()})


def _least(name: str, report: Mapping[str, int]) -> dict[str, int]:
    """Return the calls that a run cannot do without, given what it did."""
    least: dict[str, int] = {}
    if name == "qualify" and report.get("read"):
        # Contacts, their companies, and in Salesforce the persons who are handed off.
        least["contacts"] = least["companies"] = math.ceil(report["read"] / 100)
        least["persons"] = math.ceil(report.get("handoff", 0) / _LOOK_UP)
    written: Counter[str] = Counter()
    for what, number in report.items():
        if found := _SETTLED.match(what):
            written[found[1]] += number
    for kind, number in written.items():
        least[kind] = math.ceil(number / _SIZES.get(kind, _RECORDS))
    return least


def _looks(day: _Day, name: str, report: Mapping[str, int]) -> int:
    """Return the looks for people's edits that a run cannot do without.

    Before records and states are written, and once after: histories come for fifty contacts a call.
    """
    if name == "outcomes":
        written, day.written = day.written, 0
        return math.ceil(written / 50)
    records = report.get("salesforce_record done", 0)
    states = report.get("hubspot_state done", 0)
    day.written += states
    return math.ceil(records / _LOOK_UP) + math.ceil(states / 100)


def _ours(day: _Day, every: timedelta, length: timedelta) -> list[Figure]:
    hours = length / timedelta(hours=1)
    terms = (
        f"{hours:.0f} hours of the market, a run each {every / timedelta(minutes=1):.0f} minutes"
    )
    work, least = sum(day.work.values()), sum(day.least.values())
    read, handed = day.done["qualify: read"], day.done["qualify: handoff"]
    return [
        Figure(
            "Baton: calls for work", f"{terms}: {read} read, {handed} handed off", work, "calls"
        ),
        Figure("of them looks for people's edits", "before and after writes", day.guards, "calls"),
        Figure("the least: reads and writes", "in full batches, the same runs", least, "calls"),
        Figure("the least: looks for people's edits", "in full batches", day.looks, "calls"),
        Figure(
            "Baton: calls over the least",
            "aim: at most 1.2",
            work / max(1, least + day.looks),
            "times",
        ),
        Figure(
            "Baton: polls", "asking whether there is anything", sum(day.polls.values()), "calls"
        ),
    ]


def _print_kinds(day: _Day) -> None:
    for title, counts in (("work", day.work), ("least", day.least), ("polls", day.polls)):
        print(f"  {title}", file=sys.stderr)
        for kind, number in counts.most_common():
            print(f"    {number:6} {kind}", file=sys.stderr)
    print(f"  {dict(day.done)}", file=sys.stderr)


def _last(built: Stage) -> int:
    served = built.requests(max(0, _last_seen.get(built.admin, 0)))
    if served:
        _last_seen[built.admin] = served[-1]["number"]
    return _last_seen.get(built.admin, 0)


_last_seen: dict[str, int] = {}


def _crm_calls(built: Stage, since: int) -> int:
    served = built.requests(since)
    return sum(one["api"] in ("hubspot", "salesforce") for one in served) - sum(
        "/oauth2/" in one["path"] for one in served
    )


def _tap(built: Stage, bookmark: datetime) -> list[Figure]:
    """Let Singer's tap-hubspot read what changed since the day began, once."""
    python = Path(os.environ.get("BENCH_TAP_PYTHON", TAP))
    if not python.exists():
        return []
    before = _last(built)
    hubspot = built.where["hubspot"]
    state = {"bookmarks": {"contacts": {"updatedAt": bookmark.isoformat()}}}
    done = subprocess.run(
        [str(python), str(TAP_SCRIPT), hubspot["url"], hubspot["token"], json.dumps(state)],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(f"tap-hubspot failed:\n{done.stderr[-2000:]}")
    records = sum(line.startswith('{"type": "RECORD"') for line in done.stdout.splitlines())
    calls = _crm_calls(built, before)
    return [
        Figure(
            "tap-hubspot 4.5.0: calls to read the day's changes",
            f"one sync at the end: {records} records",
            calls,
            "calls",
        )
    ]


def _row_by_row(built: Stage, day: _Day) -> list[Figure]:
    """Write the day's handoffs as scripts do: look each person up, write lead and task."""
    count = day.done["deliver: salesforce_record done"]
    if not count:
        return []
    client = bare_salesforce(built.where)
    before = _last(built)
    for number in range(count):
        email = f"row{number}@by-row.test"
        found = client.query(f"SELECT Id FROM Lead WHERE Email = '{email}'")["records"]
        fields = {"LastName": f"Row {number}", "Company": "By row", "Email": email}
        made = found[0]["Id"] if found else client.Lead.create(fields)["id"]
        client.Task.create({"WhoId": made, "Subject": "Call", "Status": "Not Started"})
    ours = sum(n for kind, n in day.work.items() if kind.startswith("deliver:"))
    return [
        Figure(
            "simple-salesforce row by row: calls to write the same",
            f"{count} leads looked up, written, each with a task",
            _crm_calls(built, before),
            "calls",
        ),
        Figure("Baton: calls to write them", "of the calls for work above", ours, "calls"),
    ]
