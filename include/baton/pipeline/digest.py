"""The morning's message: what wants a person today, and what waits in quarantine.

Once a day, at the time that the policy sets; none when nothing wants anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from baton.errors import AmbiguousOutcomeError, BatonError
from baton.ledger import notes, quarantine, switches
from baton.ledger.engine import transaction
from baton.ledger.notes import Claim
from baton.ledger.quarantine import Quarantine
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.morning import TodayItem, Tone, read
from baton.pipeline.morning_items import items
from baton.pipeline.report import StepReport
from baton.policy.lead_models import Digest
from baton.policy.models import Policy
from baton.settings import Mode

logger = logging.getLogger(__name__)

NOTE = "quarantine_digest"
QUARANTINE = "quarantine"
MOST_REASONS = 10
MOST_LINES = 12
LONGEST_BLOCK = 2900
_PAGES = {
    "today": "Today",
    "handoffs": "Handoffs",
    "review": "Review",
    "team": "Team",
    "metrics": "Metrics",
    "policy": "Policy",
    "sync": "Sync health",
}
SEARCH_BACK = timedelta(hours=24)


def day_of(digest: Digest, now: datetime) -> date | None:
    """Return the local day whose digest may go out now; None before its time of day."""
    local = now.astimezone(ZoneInfo(digest.zone))
    return local.date() if local.time() >= digest.at else None


def send_digest(ctx: Context) -> StepReport:
    """Tell the policy's channel what wants a person, once a day at or after the agreed time.

    Raises:
        BatonError: Slack could not be told; the next run tries again and never doubles it.
    """
    with transaction(ctx.engine) as conn:
        policy = active_policy(conn).policy
        stopped = switches.effects_stopped(conn)
    digest, now = policy.digest, ctx.clock.now()
    if digest is None:
        return StepReport({"no digest agreed": 1})
    day = day_of(digest, now)
    if day is None:
        return StepReport({"digest not due yet": 1})
    if ctx.mode is not Mode.LIVE or stopped:
        return StepReport({"digest withheld": 1})
    with transaction(ctx.engine) as conn:
        claim = notes.claim(conn, NOTE, day, worker=ctx.worker, now=now)
        if claim is None:
            return StepReport({"digest done before": 1})
        found = quarantine.waiting(conn)
        wanted = wanting(conn, digest, now)
        if found.count == 0 and not wanted and not claim.maybe_sent:
            notes.settle(conn, NOTE, day, "nothing", result={})
            return StepReport({"nothing waits": 1})
    texts = [morning_text(wanted)] if wanted else []
    texts += [digest_text(policy, found)] if found.count or not wanted else []
    return _send(ctx, digest, day, claim, texts, StepReport({"leads waiting": found.count}))


def wanting(conn: Connection, digest: Digest, now: datetime) -> tuple[TodayItem, ...]:
    """Return the lines of the page Today that want somebody; quarantine has a part of its own."""
    local = now.astimezone(ZoneInfo(digest.zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    found = items(read(conn, now, midnight))
    return tuple(one for one in found if one.tone is not Tone.INFO and one.id != QUARANTINE)


def morning_text(wanted: Sequence[TodayItem]) -> str:
    """Return the lines as one text: how many, then each with its page. No personal data."""
    things = "1 thing wants" if len(wanted) == 1 else f"{len(wanted)} things want"
    lines = [f"*Today: {things} somebody*"]
    for one in wanted[:MOST_LINES]:
        detail = f" {_escaped(one.detail)}" if one.detail else ""
        where = one.link.partition("?")[0].partition("#")[0] or "today"
        mark = ":red_circle:" if one.tone is Tone.BAD else ":large_orange_circle:"
        lines.append(f"{mark} {_escaped(one.title)}.{detail} _Baton › {_PAGES.get(where, where)}_")
    more = len(wanted) - MOST_LINES
    if more > 0:
        lines.append(f"• and {more} more: see Baton › Today")
    return "\n".join(lines)


def _send(
    ctx: Context,
    digest: Digest,
    day: date,
    claim: Claim,
    texts: Sequence[str],
    report: StepReport,
) -> StepReport:
    key = f"{NOTE}.{day.isoformat()}"
    try:
        since = ctx.clock.now() - SEARCH_BACK
        sent = ctx.slack.find_by_key(digest.channel, key, since) if claim.maybe_sent else None
        if sent is None:
            blocks: list[dict[str, object]] = [_block(text) for text in texts]
            sent = ctx.slack.post(digest.channel, "\n\n".join(texts), blocks, key=key)
    except AmbiguousOutcomeError:
        # It may stand there: the claim stays, and whoever takes it over looks first.
        raise
    except BatonError:
        if not claim.maybe_sent:
            with transaction(ctx.engine) as conn:
                notes.release(conn, NOTE, day)
        raise
    with transaction(ctx.engine) as conn:
        result = {"channel": sent.channel, "ts": sent.ts, "leads": report["leads waiting"]}
        notes.settle(conn, NOTE, day, "sent", result=result)
    logger.info("morning digest sent: %d leads wait in quarantine", report["leads waiting"])
    report["digest sent"] += 1
    return report


def _block(text: str) -> dict[str, object]:
    """Return a text as a part of a message; Slack takes 3,000 characters in each."""
    whole = text if len(text) <= LONGEST_BLOCK else text[: text.rfind("\n", 0, LONGEST_BLOCK)]
    return {"type": "section", "text": {"type": "mrkdwn", "text": whole}}


def digest_text(policy: Policy, found: Quarantine) -> str:
    """Return the message: how many wait, why, since when, and what to do. No personal data."""
    leads = "1 lead waits" if found.count == 1 else f"{found.count} leads wait"
    lines = [f"*Quarantine: {leads} for better data*"]
    lines += [f"• {number} × {_escaped(words)}" for words, number in found.reasons[:MOST_REASONS]]
    more = len(found.reasons) - MOST_REASONS
    if more > 0:
        lines.append(f"• and {more} other reasons")
    oldest = ", ".join(f"contact {one.hubspot_id} since {_day(one.since)}" for one in found.oldest)
    lines.append(f"Longest waiting: {oldest}." if oldest else "")
    if found.newest is not None:
        lines.append(f"Newest: contact {found.newest.hubspot_id} since {_day(found.newest.since)}.")
    state = policy.write_back.properties.get("state")
    where = f" (filter contacts by {state} = quarantined)" if state else ""
    timer = policy.timers.quarantined
    lines.append(
        f"What to do: correct these values in HubSpot{where}. A corrected lead is judged again by "
        f"itself; one that nobody corrects goes to {timer.then.value.replace('_', ' ')} after "
        f"{timer.after}."
    )
    return "\n".join(line for line in lines if line)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
