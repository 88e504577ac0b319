"""Is any lead lost, doubled or late? Asked of the ledger and of the systems outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from baton.demo.live import live_handoffs, seconds_to_message
from baton.demo.market import MarketAdmin
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.leads import leads
from baton.ledger.proofs import conservation
from baton.ledger.proofs.conservation import Severity
from baton.ledger.record.decisions import Selection
from baton.pipeline.context import Context
from baton.pipeline.past.replay import replay

__all__ = ["BOUND_S", "Check", "all_hold", "unknown_contacts", "verify"]

BOUND_S = 120.0
"""Seconds from capture to message that no live lead may exceed (requirement 000-10)."""
_DONE = "done"
MOST_REPLAYED = 3000
"""Decisions that are repeated, the newest ones: more than a demonstration makes, in seconds."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, whether it holds, and what was counted."""

    name: str
    holds: bool
    words: str


def all_hold(checks: Sequence[Check]) -> bool:
    """Tell whether every promise holds."""
    return all(check.holds for check in checks)


def verify(
    ctx: Context, admin: MarketAdmin, *, live_since: datetime | None, grace: timedelta
) -> list[Check]:
    """Check conservation, doubles in Salesforce and Slack, and the live leads' seconds.

    `grace`: contacts younger than this may still be on their way. `live_since` None: nothing has
    been live, so nothing can be late.
    """
    checks = [_lost(ctx, grace), _conserved(ctx), _one_record(ctx), _one_task(ctx), _replayed(ctx)]
    if live_since is not None:
        with transaction(ctx.engine) as conn:
            live = live_handoffs(conn, live_since)
            hops = {row.id: len(found) for row, found in _with_hops(conn, live)}
        checks += [_one_message(admin, live, hops), _in_time(live, ctx.clock.now(), grace)]
    return checks


def unknown_contacts(ctx: Context, *, older_than: datetime) -> int:
    """Count HubSpot's contacts that were created before `older_than` and that the ledger lacks."""
    unknown = 0
    for page in ctx.hubspot.list_contacts(["createdate"]):
        old = [row.id for row in page if row.created_at is None or row.created_at < older_than]
        with transaction(ctx.engine) as conn:
            unknown += len(set(old) - set(leads.by_hubspot_ids(conn, old)))
    return unknown


def _lost(ctx: Context, grace: timedelta) -> Check:
    unknown = unknown_contacts(ctx, older_than=ctx.clock.now() - grace)
    words = "every contact of HubSpot is in the ledger"
    return Check("nothing lost", not unknown, f"{unknown} contacts unknown" if unknown else words)


def _conserved(ctx: Context) -> Check:
    with transaction(ctx.engine) as conn:
        report = conservation.check(conn, now=ctx.clock.now())
    broken = [one for one in report.findings if one.severity is Severity.BROKEN]
    if broken:
        causes = Counter(one.code for one in broken)
        words = ", ".join(f"{count} × {code}" for code, count in causes.items())
        return Check("conservation", False, words)
    total = sum(report.leads.values())
    return Check("conservation", True, f"{total} leads, each in exactly one state")


def _one_record(ctx: Context) -> Check:
    """No person has two Leads that were handed over."""
    soql = "SELECT Id, Email FROM Lead WHERE Handoff_Key__c != null AND IsConverted = false"
    emails = Counter(
        str(row["Email"]).lower() for row in ctx.salesforce.query(soql) if row.get("Email")
    )
    doubled = sum(1 for count in emails.values() if count > 1)
    words = f"{doubled} people with two" if doubled else "no person with two"
    return Check("one Lead each", not doubled, words)


def _one_task(ctx: Context) -> Check:
    """Each hop has at most one task."""
    soql = "SELECT Id, Handoff_Key__c FROM Task WHERE Handoff_Key__c != null"
    keys = Counter(str(row["Handoff_Key__c"]) for row in ctx.salesforce.query(soql))
    doubled = sum(1 for count in keys.values() if count > 1)
    words = f"{doubled} doubled" if doubled else f"{len(keys)} tasks, none doubled"
    return Check("one task each", not doubled, words)


def _replayed(ctx: Context) -> Check:
    """Every decision comes out the same again from what is stored of it, byte for byte."""
    report = replay(ctx.engine, Selection(newest=MOST_REPLAYED))
    if report.all_equal:
        return Check("decisions repeat", True, f"replayed {report.total} decisions: all equal")
    counts = ", ".join(f"{count} {standing}" for standing, count in report.counts.items())
    place = report.first.difference if report.first else None
    at = f", first at {place.path}" if place else ""
    return Check("decisions repeat", False, f"replayed {report.total} decisions: {counts}{at}")


def _one_message(admin: MarketAdmin, live: Sequence[HandoffRow], hops: dict[int, int]) -> Check:
    """Each live hop that counts as notified has exactly one message in Slack."""
    sent = Counter(key for message in admin.slack_messages() if (key := _key_of(message)))
    wanted = [
        f"{row.key}.{number}.slack_message"
        for row in live
        if row.notified_at is not None
        for number in range(1, hops.get(row.id, 0) + 1)
    ]
    doubled = sum(1 for count in sent.values() if count > 1)
    missing = sum(1 for key in wanted if not sent[key])
    if doubled or missing:
        return Check("one message each", False, f"{doubled} doubled, {missing} missing")
    return Check("one message each", True, f"{len(wanted)} live handoffs told once")


def _in_time(live: Sequence[HandoffRow], now: datetime, grace: timedelta) -> Check:
    """Every live handoff was told within the bound; younger ones than `grace` may be on the way."""
    if not live:
        return Check("in time", False, "no live handoff at all")
    told = [row for row in live if row.notified_at is not None]
    late = sum(1 for row in told if seconds_to_message(row) > BOUND_S)
    untold = sum(1 for row in live if row.notified_at is None and now - row.captured_at >= grace)
    if late or untold or not told:
        return Check("in time", False, f"{late} over {BOUND_S:.0f} s, {untold} not told")
    slowest = max(seconds_to_message(row) for row in told)
    return Check("in time", True, f"the slowest took {slowest:.1f} s of {BOUND_S:.0f} s")


def _with_hops(conn: Connection, rows: Sequence[HandoffRow]) -> list[tuple[HandoffRow, list[Any]]]:
    found = handoffs.hops(conn, [row.id for row in rows])
    return [(row, list(found.get(row.id, ()))) for row in rows]


def _key_of(message: dict[str, Any]) -> str | None:
    """Return the effect's key that our messages carry."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    key = payload.get("key")
    return str(key) if key else None
