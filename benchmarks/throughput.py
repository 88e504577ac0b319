"""Leads a second: pulled, judged and decided, written to Salesforce, written back to HubSpot.

Each number of leads in a process of its own, with a sandbox that keeps HubSpot's limits and the
ledger's limiter before it, as in production; Airflow is left out, and so are Slack's messages,
which Slack allows one a second. The bare client sends the very records that Baton sent, by
simple-salesforce in collections of 200, to the same org. CPU time is told apart: ours, the
sandbox's, the database's.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alone import measured
from figures import Figure
from generated import contacts
from stage import Stage, bare_salesforce, now, stage

SIZES = (1_000, 10_000, 50_000)
HUBSPOT_ALLOWS = 1_900.0
"""Leads a second: nineteen requests of a hundred."""
PER_SIZE_SECONDS = 900.0
_LIMIT = re.compile(r"^(\s*(?:\w+_per_run|share_of_a_book):\s*)\d+", re.MULTILINE)

Record = dict[str, object]


def throughput(quick: bool) -> list[Figure]:
    """Carry leads of each number through the chain; how it grows stands in the terms."""
    sizes: tuple[int, ...] = SIZES[:1] if quick else SIZES
    if most := os.environ.get("BENCH_MOST_LEADS"):
        sizes = tuple(one for one in sizes if one <= int(most))
    figures: list[Figure] = []
    for count in sizes:
        found = measured("throughput", "carried", count=count)
        figures += _figures(count, found)
    return figures


def _figures(count: int, found: Mapping[str, Any]) -> list[Figure]:
    leads = f"{count:,} leads"
    decided, pushed = found["decide"], found["push"]
    rate = count / found["pull"]["seconds"]
    told = found["handed"]
    return [
        Figure("pulled", f"{leads}, {found['pull']['calls']} calls", rate, "leads/s"),
        Figure("pull, share of HubSpot's limit", "aim: 90 %", 100 * rate / HUBSPOT_ALLOWS, "%"),
        Figure(
            "pulled by what changed, judged, decided",
            f"{leads}, {found['decided']:,} decided",
            found["decided"] / decided["seconds"],
            "leads/s",
        ),
        Figure(
            "records and tasks written",
            f"{told:,} handoffs",
            told / pushed["seconds"],
            "handoffs/s",
        ),
        Figure(
            "the same records by a bare client",
            "simple-salesforce, collections of 200",
            told / found["bare"]["seconds"],
            "handoffs/s",
        ),
        Figure(
            "push, share of the bare client",
            "aim: 70 %",
            100 * found["bare"]["seconds"] / pushed["seconds"],
            "%",
        ),
        Figure(
            "states written back",
            f"{found['states']:,} leads",
            found["states"] / found["back"]["seconds"],
            "leads/s",
        ),
        *(
            Figure(
                f"CPU, {name}",
                f"{leads}: ours; sandbox {one['sandbox']:.1f}, database {one['database']:.1f} s",
                one["cpu"],
                "s",
            )
            for name, one in (
                ("pull", found["pull"]),
                ("decide", decided),
                ("push", pushed),
                ("bare push", found["bare"]),
                ("write back", found["back"]),
            )
        ),
        Figure("peak memory", f"{leads}, ours", found["peak_mb"], "MB"),
    ]


def carried(count: int) -> dict[str, Any]:
    """Carry `count` leads from HubSpot to Salesforce and back; return seconds and CPU by phase."""
    from baton.validation.verdicts import preload

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # sandbox and database need theirs
    preload()
    with stage() as built:
        return _carried(built, count)


def _carried(built: Stage, count: int) -> dict[str, Any]:
    from baton.ledger.engine import ledger_engine
    from baton.ledger.rate_limits import LedgerRateLimiter
    from baton.pipeline.delivery.deliver import ASSIGNING, drain, write_back
    from baton.pipeline.intake.references import read_references
    from baton.pipeline.judging.qualify import qualify_and_route

    limiter = LedgerRateLimiter(ledger_engine(built.database_url, pooled=True))
    ctx = built.context(limiter=limiter)
    _prepare(built, ctx)
    read_references(ctx)
    for step in (qualify_and_route, write_back):
        step(ctx)  # whoever the sandbox began with
    drain(ctx, _WRITING)
    built.load(contacts(count, now=now()))
    time.sleep(10)  # the ten seconds of the limit are over, and the index has the last of them
    found: dict[str, Any] = {"pull": _phase(built, lambda: _pull(ctx))}
    ctx = replace(ctx, salesforce=ctx.salesforce)
    reports: list[Mapping[str, int]] = []
    deadline = time.monotonic() + PER_SIZE_SECONDS
    found["decide"] = _phase(built, lambda: reports.append(qualify_and_route(ctx)))
    found["decided"] = reports[0]["read"]
    sent = _recording(ctx)
    done: dict[str, int] = {}

    def push() -> None:
        left = max(30.0, deadline - time.monotonic())
        done.update(drain(ctx, _WRITING, budget_seconds=left))

    found["push"] = _phase(built, push)
    found["handed"] = done["salesforce_record done"]
    found["back"] = _phase(built, lambda: done.update(write_back(ctx)))
    found["states"] = done["hubspot_state done"]
    client = bare_salesforce(built.where)
    found["bare"] = _phase(built, lambda: _send_bare(client, sent))
    ctx.engine.dispose()
    assert set(_WRITING) <= set(ASSIGNING)
    return found


_WRITING = ("salesforce_record", "salesforce_task")


def _prepare(built: Stage, ctx: Any) -> None:
    """Make the stage ready under the shipped policy without its limits on a run's size."""
    from deciding import POLICY, ROSTER, SHIPPED

    from baton.ledger.engine import transaction
    from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot
    from baton.pipeline.versions.agreements import activate_policy, adopt_roster
    from baton.policy.bundle import PolicyBundle, read_bundle

    shipped = read_bundle(SHIPPED)
    wide = {name: _LIMIT.sub(r"\g<1>99999", text) for name, text in shipped.texts.items()}
    wide = {n: re.sub(r"(share_of_a_book:\s*)\d+", r"\g<1>100", t) for n, t in wide.items()}
    with transaction(ctx.engine) as conn:
        at = ctx.clock.now()
        activate_policy(conn, PolicyBundle(wide), by="benchmark", at=at, parent=None)
        adopt_roster(conn, ROSTER, by="benchmark", at=at)
    setup_hubspot(ctx.hubspot, hubspot_plan(POLICY))


def _pull(ctx: Any) -> int:
    from deciding import POLICY

    from baton.pipeline.intake.pull import SnapshotReader

    reader = SnapshotReader(ctx, POLICY)
    pages = ctx.hubspot.list_contacts(reader.contact_properties)
    return sum(len(reader.snapshots(page)) for page in pages)


@dataclass(frozen=True)
class _Sent:
    """Records of one write, as handed to the gateway."""

    sobject: str
    key: str | None
    records: Sequence[Mapping[str, object]]


def _recording(ctx: Any) -> list[_Sent]:
    """Let the gateway remember what it writes."""
    sent: list[_Sent] = []
    upsert, update = ctx.salesforce.upsert, ctx.salesforce.update

    def remembered_upsert(sobject: str, key: str, records: Sequence[Record], **more: Any) -> Any:
        sent.append(_Sent(sobject, key, records))
        return upsert(sobject, key, records, **more)

    def remembered_update(sobject: str, records: Sequence[Record], **more: Any) -> Any:
        sent.append(_Sent(sobject, None, records))
        return update(sobject, records, **more)

    ctx.salesforce.upsert, ctx.salesforce.update = remembered_upsert, remembered_update
    return sent


def _send_bare(client: Any, sent: Sequence[_Sent]) -> None:
    """Send the same records under other keys: as many new ones, as many updates."""
    for one in sent:
        records = [{**record, "attributes": {"type": one.sobject}} for record in one.records]
        path = "composite/sobjects"
        if one.key is not None:
            path = f"{path}/{one.sobject}/{one.key}"
            for record in records:
                record[one.key] = f"B{record[one.key]}"
                if record.get("Email"):
                    record["Email"] = f"bare.{record['Email']}"
        for start in range(0, len(records), 200):
            body = {"allOrNone": False, "records": records[start : start + 200]}
            answer = client.restful(path, method="PATCH", json=body)
            refused = [row for row in answer if not row["success"]]
            if refused:
                raise RuntimeError(f"the bare client was refused: {refused[0]['errors']}")


def _phase(built: Stage, work: Callable[[], object]) -> dict[str, float]:
    sandbox, database = built.cpu_seconds(), built.database_cpu_seconds()
    served = _served(built)
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "sandbox": built.cpu_seconds() - sandbox,
        "database": built.database_cpu_seconds() - database,
        "calls": _served(built) - served,
    }


def _served(built: Stage) -> int:
    requests = built.requests(_seen.get(built.admin, 0))
    if requests:
        _seen[built.admin] = requests[-1]["number"]
    return _seen.get(built.admin, 0)


_seen: dict[str, int] = {}


if __name__ == "__main__":
    print(Path(__file__).name, throughput(quick=True))
