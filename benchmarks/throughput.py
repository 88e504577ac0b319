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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from alone import measured
from figures import Figure
from generated import contacts
from stage import Stage, bare_salesforce, now, stage

SIZES = (1_000, 10_000, 50_000)
PUSH_SECONDS = 120.0
"""After that the push stops where it is: its rate is known by then."""
ANSWERS_IN = 0.3
"""Seconds: a Salesforce org beyond the loopback takes at least that for two hundred records."""
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
    distant = measured("throughput", "carried", count=SIZES[0], answers_in=ANSWERS_IN)
    return figures + _pushed(SIZES[0], distant, f"an org that answers in {ANSWERS_IN} s")


def _figures(count: int, found: Mapping[str, Any]) -> list[Figure]:
    leads = f"{count:,} leads"
    decided, pushed = found["decide"], found["push"]
    rate = count / found["pull"]["seconds"]
    return [
        Figure("pulled", f"{leads}, {found['pull']['calls']} calls", rate, "leads/s"),
        Figure(
            "pulled by what changed, judged, decided",
            f"{leads}, {found['decided']:,} decided",
            found["decided"] / decided["seconds"],
            "leads/s",
        ),
        *_pushed(count, found, "the sandbox as it is"),
        Figure(
            "push, our CPU for 1,000 handoffs",
            f"{leads}: how it grows",
            1000 * pushed["cpu"] / found["handed"],
            "s",
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


def _pushed(count: int, found: Mapping[str, Any], where: str) -> list[Figure]:
    """Return what was written a second, by us and by the bare client."""
    told, pushed, bare = found["handed"], found["push"]["seconds"], found["bare"]["seconds"]
    by_bare = f"simple-salesforce, collections of 200; {where}"
    return [
        Figure(
            "records and tasks written", f"{told:,} handoffs; {where}", told / pushed, "handoffs/s"
        ),
        Figure("the same records by a bare client", by_bare, told / bare, "handoffs/s"),
        Figure(
            "push, share of the bare client",
            f"{count:,} leads; {where}; aim: 70 %",
            100 * bare / pushed,
            "%",
        ),
    ]


def carried(count: int, answers_in: float = 0.0) -> dict[str, Any]:
    """Carry `count` leads from HubSpot to Salesforce and back; return seconds and CPU by phase.

    `answers_in`: the seconds that the org takes for an answer, beside what the sandbox needs.
    """
    from baton.pipeline.preloading import keep, warm_up

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # sandbox and database need theirs
    warm_up()
    keep()
    with stage() as built:
        return _carried(built, count, answers_in)


def _carried(built: Stage, count: int, answers_in: float) -> dict[str, Any]:
    from baton.ledger.budget.rate_limits import LedgerRateLimiter
    from baton.ledger.database.engine import ledger_engine
    from baton.pipeline.delivery.deliver import ASSIGNING, drain, write_back
    from baton.pipeline.delivery.salesforce_shapes import shapes
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
    reports: list[Mapping[str, int]] = []
    found["decide"] = _phase(built, lambda: reports.append(qualify_and_route(ctx)))
    found["decided"] = reports[0]["read"]
    shapes(ctx, ("Lead", "Contact", "Task"))  # asked for once a day, by whoever comes first
    sent = _recording(ctx)
    done: dict[str, int] = {}

    with _distant(built, answers_in):
        push = partial(drain, ctx, _WRITING, budget_seconds=PUSH_SECONDS)
        found["push"] = _phase(built, lambda: done.update(push()))
    found["handed"] = done["salesforce_record done"]
    found["back"] = _phase(built, lambda: done.update(write_back(ctx)))
    found["states"] = done["hubspot_state done"]
    client = bare_salesforce(built.where)
    with _distant(built, answers_in):
        found["bare"] = _phase(built, lambda: _send_bare(client, sent))
    ctx.engine.dispose()
    assert set(_WRITING) <= set(ASSIGNING)
    return found


_WRITING = ("salesforce_record", "salesforce_task")


@contextmanager
def _distant(built: Stage, seconds: float) -> Iterator[None]:
    """Let Salesforce take that long for each answer, while the block runs."""
    if not seconds:
        yield
        return
    rule = {"kind": "slow", "api": "salesforce", "when": "before", "seconds": seconds}
    httpx.post(f"{built.admin}/faults", json=rule, timeout=60).raise_for_status()
    yield
    httpx.delete(f"{built.admin}/faults", timeout=60).raise_for_status()


def _prepare(built: Stage, ctx: Any) -> None:
    """Make the stage ready under the shipped policy without its limits on a run's size."""
    from deciding import POLICY, ROSTER, SHIPPED

    from baton.ledger.database.engine import transaction
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

    from baton.pipeline.intake.ahead import read_ahead
    from baton.pipeline.intake.pull import SnapshotReader

    chunks = read_ahead(SnapshotReader(ctx, POLICY).all_from(None))
    return sum(len(snapshots) for _, snapshots in chunks)


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
