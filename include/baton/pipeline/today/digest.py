"""The morning's message: what wants a person today, and what waits in quarantine.

Once a day, at the time that the policy sets; none when nothing wants anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from baton.errors import AmbiguousOutcomeError, BatonError
from baton.ledger.database.engine import transaction
from baton.ledger.effects import notes, switches
from baton.ledger.effects.notes import Claim
from baton.ledger.leads import quarantine
from baton.ledger.leads.quarantine import Quarantine
from baton.notify.email import SMTP, Mail, MailConnection, MailGateway
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.modes import Modes
from baton.pipeline.report import StepReport
from baton.pipeline.today.digest_words import digest_text, mail_text, morning_text, subject
from baton.pipeline.today.morning import TodayItem, Tone, read
from baton.pipeline.today.morning_items import items
from baton.policy.lead_models import Digest
from baton.policy.models import Policy

logger = logging.getLogger(__name__)

NOTE = "quarantine_digest"
QUARANTINE = "quarantine"
NOTE_BY_MAIL = "digest_by_mail"
LONGEST_BLOCK = 2900
SEARCH_BACK = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell on a day."""

    day: date
    policy: Policy
    quarantine: Quarantine
    wanted: tuple[TodayItem, ...]

    @property
    def anything(self) -> bool:
        """Tell whether it is worth a message."""
        return bool(self.quarantine.count or self.wanted)


def day_of(digest: Digest, now: datetime) -> date | None:
    """Return the local day whose digest may go out now; None before its time of day."""
    local = now.astimezone(ZoneInfo(digest.zone))
    return local.date() if local.time() >= digest.at else None


def send_digest(ctx: Context) -> StepReport:
    """Tell what wants a person, once a day at or after the agreed time: by Slack, by mail, or both.

    Raises:
        BatonError: Slack or the mail server could not be told; the next run tries again, where
            that cannot double it. The other way has been tried all the same.
    """
    with transaction(ctx.engine) as conn:
        policy = active_policy(conn).policy
        stopped = switches.effects_stopped(conn)
        live = Modes.read(conn, ctx.mode).anything_live
    digest, now = policy.digest, ctx.clock.now()
    if digest is None:
        return StepReport({"no digest agreed": 1})
    day = day_of(digest, now)
    if day is None:
        return StepReport({"digest not due yet": 1})
    if not live or stopped:
        return StepReport({"digest withheld": 1})
    with transaction(ctx.engine) as conn:
        told = Told(day, policy, quarantine.waiting(conn), wanting(conn, digest, now))
    report, trouble = StepReport(), list[BatonError]()
    ways = ((digest.channel, NOTE, _by_slack), (digest.mail, NOTE_BY_MAIL, _by_mail))
    for where, note, send in ways:
        if not where:
            continue
        try:
            report.update(_once(ctx, told, note, send))
        except BatonError as error:
            trouble.append(error)
    if trouble:
        raise trouble[0]
    return report


def _once(
    ctx: Context,
    told: Told,
    note: str,
    send: Callable[[Context, Told, Claim], dict[str, object]],
) -> StepReport:
    """Send the day's digest one way, if it is there to be sent and nobody has."""
    with transaction(ctx.engine) as conn:
        claim = notes.claim(conn, note, told.day, worker=ctx.worker, now=ctx.clock.now())
        if claim is None:
            return StepReport({"digest done before": 1})
        if not told.anything and not claim.maybe_sent:
            notes.settle(conn, note, told.day, "nothing", result={})
            return StepReport({"nothing waits": 1})
    try:
        result = send(ctx, told, claim)
    except AmbiguousOutcomeError:
        # It may have gone out: the claim stays, and whoever takes it over knows.
        raise
    except BatonError:
        if not claim.maybe_sent:
            with transaction(ctx.engine) as conn:
                notes.release(conn, note, told.day)
        raise
    with transaction(ctx.engine) as conn:
        notes.settle(conn, note, told.day, "sent", result=result | {"leads": told.quarantine.count})
    logger.info("%s sent: %d leads wait in quarantine", note, told.quarantine.count)
    return StepReport({"leads waiting": told.quarantine.count, "digest sent": 1})


def _by_slack(ctx: Context, told: Told, claim: Claim) -> dict[str, object]:
    digest = told.policy.digest
    assert digest is not None
    assert digest.channel is not None
    key = f"{NOTE}.{told.day.isoformat()}"
    texts = [morning_text(told.wanted, ctx.pages_url)] if told.wanted else []
    if told.quarantine.count or not told.wanted:
        texts.append(digest_text(told.policy, told.quarantine))
    since = ctx.clock.now() - SEARCH_BACK
    sent = ctx.slack.find_by_key(digest.channel, key, since) if claim.maybe_sent else None
    if sent is None:
        blocks: list[dict[str, object]] = [_block(text) for text in texts]
        sent = ctx.slack.post(digest.channel, "\n\n".join(texts), blocks, key=key)
    return {"channel": sent.channel, "ts": sent.ts}


def _by_mail(ctx: Context, told: Told, claim: Claim) -> dict[str, object]:
    digest = told.policy.digest
    assert digest is not None
    if claim.maybe_sent:
        # A mail cannot be looked for, and two are worse than the chance of none.
        logger.warning("whether the digest of %s was mailed is not known: not again", told.day)
        return {"unsure": True}
    gateway = MailGateway(MailConnection.from_raw(ctx.raw_connection(SMTP)))
    sent = gateway.send(
        Mail(
            to=digest.mail,
            subject=subject(told.wanted, told.quarantine),
            text=mail_text(told.policy, told.quarantine, told.wanted, pages=ctx.pages_url),
            key=f"baton.digest.{told.day.isoformat()}",
            at=ctx.clock.now(),
        )
    )
    if sent.refused:
        logger.warning("the mail server refused %d of the digest's addresses", sent.refused)
    return {"message_id": sent.message_id, "refused": sent.refused}


def wanting(conn: Connection, digest: Digest, now: datetime) -> tuple[TodayItem, ...]:
    """Return the lines of the page Today that want somebody; quarantine has a part of its own."""
    local = now.astimezone(ZoneInfo(digest.zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    found = items(read(conn, now, midnight))
    return tuple(one for one in found if one.tone is not Tone.INFO and one.id != QUARANTINE)


def _block(text: str) -> dict[str, object]:
    """Return a text as a part of a message; Slack takes 3,000 characters in each."""
    whole = text if len(text) <= LONGEST_BLOCK else text[: text.rfind("\n", 0, LONGEST_BLOCK)]
    return {"type": "section", "text": {"type": "mrkdwn", "text": whole}}
