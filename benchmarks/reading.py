"""Contacts read a second, as a first load and a backfill read them: at HubSpot's limit, and freely.

HubSpot lets a burst pass before its limit bites: the share of the limit is that of a reading that
goes on for half a minute after the first ten seconds, through the ledger's own limiter. Beside it
stands what the same reading reaches on a sandbox that limits nothing, what the official client
reaches there when it only lists the same pages, and what one reader gets from a distant HubSpot,
where each answer takes a quarter of a second: there the parts of a backfill read side by side.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
from alone import measured
from figures import Figure
from generated import contacts
from stage import UNBOUND, Stage, now, stage

ALLOWED = 1_900.0
"""Leads a second: nineteen requests of a hundred."""
BURST_SECONDS, STEADY_SECONDS = 10.0, 30.0
LEADS = 5_000
ANSWERS_IN = 0.25


def reading(quick: bool) -> list[Figure]:
    """Measure in a process of its own."""
    count = 1_000 if quick else LEADS
    found = measured("reading", "read", count=count)
    steady, free, bare, distant = (found[name] for name in ("steady", "free", "bare", "distant"))
    leads = f"{count:,} leads"
    rate = steady["leads"] / steady["seconds"]
    terms = f"{steady['leads']:,} leads in {steady['seconds']:.0f} s, after the first ten"
    return [
        Figure("read, within the limit", terms, rate, "leads/s"),
        Figure("share of HubSpot's limit", "aim: 90 %", 100 * rate / ALLOWED, "%"),
        Figure("read, without limits", leads, count / free["seconds"], "leads/s"),
        Figure(
            "official client, without limits",
            f"{leads}: the same pages, nothing made of them",
            count / bare["seconds"],
            "leads/s",
        ),
        Figure(
            f"one reader, answers after {ANSWERS_IN} s",
            f"{leads}, without limits",
            count / distant["seconds"],
            "leads/s",
        ),
        *(
            Figure(
                f"CPU a thousand leads, {name}",
                f"its own; sandbox {1000 * one['sandbox'] / count:.3f} s",
                1000 * one["cpu"] / count,
                "s",
            )
            for name, one in (("reading", free), ("official client", bare))
        ),
    ]


def read(count: int) -> dict[str, Any]:
    """Read contacts at the limit for a while, then without limits; return leads and seconds."""
    from baton.ledger.budget.rate_limits import LedgerRateLimiter
    from baton.ledger.database.engine import ledger_engine

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # sandbox and database need theirs
    with stage() as built:
        limiter = LedgerRateLimiter(ledger_engine(built.database_url, pooled=True))
        ctx = built.context(limiter=limiter)
        _prepare(built, ctx, count)
        steady = _steady(ctx)
    with stage(*UNBOUND) as built:
        ctx = built.context()
        _prepare(built, ctx, count)
        _official(built, ctx)  # so that both begin with a warm sandbox
        free = _timed(built, _read, ctx)
        bare = _timed(built, _official, built, ctx)
        rule = {"kind": "slow", "api": "hubspot", "when": "before", "seconds": ANSWERS_IN}
        httpx.post(f"{built.admin}/faults", json=rule, timeout=60).raise_for_status()
        distant = _timed(built, _read, ctx)
    return {"steady": steady, "free": free, "bare": bare, "distant": distant}


def _prepare(built: Stage, ctx: Any, count: int) -> None:
    built.prepare(ctx)
    built.load(contacts(count, now=now()))


def _steady(ctx: Any) -> dict[str, float]:
    """Read all contacts over and over; count what is read once the burst is over."""
    began, since, leads = time.monotonic(), 0.0, 0
    while True:
        for chunk in _chunks(ctx):
            after = time.monotonic() - began
            if after < BURST_SECONDS:
                since = after
                continue
            leads += chunk
            if after >= BURST_SECONDS + STEADY_SECONDS:
                return {"leads": leads, "seconds": after - since}


def _read(ctx: Any) -> int:
    return sum(_chunks(ctx))


def _chunks(ctx: Any) -> Iterator[int]:
    """Read all contacts as a first load does; yield how many each chunk has."""
    from deciding import POLICY

    from baton.pipeline.intake.ahead import read_ahead
    from baton.pipeline.intake.pull import SnapshotReader

    for _, snapshots in read_ahead(SnapshotReader(ctx, POLICY).all_from(None)):
        yield len(snapshots)


def _official(built: Stage, ctx: Any) -> int:
    """List the same pages with the official client, its models left out."""
    from deciding import POLICY
    from hubspot import HubSpot

    from baton.pipeline.intake.pull import SnapshotReader

    hubspot = built.where["hubspot"]
    pages = HubSpot(access_token=hubspot["token"], host=hubspot["url"]).crm.contacts.basic_api
    names = ",".join(SnapshotReader(ctx, POLICY).contact_properties)
    after: dict[str, str] = {}
    found = 0
    while True:
        answer = pages.get_page(limit=100, properties=[names], _preload_content=False, **after)
        page = json.loads(answer.data)
        found += len(page["results"])
        if "paging" not in page:
            return found
        after = {"after": page["paging"]["next"]["after"]}


def _timed(built: Stage, work: Any, *given: Any) -> dict[str, float]:
    sandbox, began, cpu = built.cpu_seconds(), time.perf_counter(), time.process_time()
    work(*given)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "sandbox": built.cpu_seconds() - sandbox,
    }
