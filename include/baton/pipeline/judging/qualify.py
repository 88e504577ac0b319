"""Pull, judge, score and route: what becomes of every changed lead, one transaction a chunk.

Reading and validating happen before the transaction, deciding inside it: leads and pools are
locked in one order, read, decided on and written together with the effects that follow. A run
that dies leaves nothing behind; a run that repeats finds the same leads already judged.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Connection

from baton.leads.model import LeadSnapshot
from baton.leads.states import LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.database.retries import in_transaction
from baton.ledger.leads import backlog, judgement_queue, leads
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.context import Context
from baton.pipeline.intake.field_mapping import watch_hubspot_fields
from baton.pipeline.intake.gone import follow_merges, renew_timers, take_off, what_became_of
from baton.pipeline.intake.preparation import Preparation
from baton.pipeline.intake.pull import (
    GOES_ON,
    Privacy,
    SnapshotReader,
    changed_snapshots,
    move_watermarks,
    window,
)
from baton.pipeline.judging.backlog import let_in
from baton.pipeline.judging.deciding import Asked, decide_all
from baton.pipeline.judging.judged import Judged
from baton.pipeline.judging.plan import carry_into_ledger
from baton.pipeline.report import StepReport
from baton.pipeline.timers import TRY_AGAIN_AFTER
from baton.policy.models import Policy
from baton.transport import Lane, in_lane

logger = logging.getLogger(__name__)


def qualify_and_route(ctx: Context) -> StepReport:
    """Decide on every lead that changed since the watermark, and on those whose time has come.

    Raises:
        ConfigurationError: no policy or roster is active.
        GatewayError: HubSpot or Salesforce could not be read; what was decided stays decided.
    """
    report = StepReport()
    with transaction(ctx.engine) as conn:
        agreement = active_policy(conn)
        due = judgement_queue.due(conn, ctx.clock.now())
        waiting = [one for one in let_in(conn, ctx, agreement) if one not in due]
    preparation = Preparation(ctx, agreement.policy)
    watch_hubspot_fields(ctx, agreement.policy)
    reading = window(ctx)
    # Hot leads are found by reading what changed; a first load may wait for a better day.
    with in_lane(Lane.HOT if reading.since else Lane.BACKGROUND):
        # Who waited for room goes before who comes now: only as many as there is room for.
        gone = _judge_again(ctx, agreement, preparation, waiting, report)
        _try_later(ctx, gone)
        for snapshots in changed_snapshots(ctx, agreement.policy, reading, report):
            judge(ctx, agreement, preparation, snapshots, report)
        gone = _judge_again(ctx, agreement, preparation, due, report)
        renew_timers(ctx, agreement.policy, gone)
    if not report[GOES_ON]:
        move_watermarks(ctx, reading)
    return report


def _judge_again(
    ctx: Context,
    agreement: Agreement,
    preparation: Preparation,
    hubspot_ids: Sequence[str],
    report: StepReport,
) -> Sequence[str]:
    """Judge leads about whom nothing changed, in this order; return those HubSpot has not."""
    if not hubspot_ids:
        return ()
    reader = SnapshotReader(ctx, agreement.policy)
    read = ctx.hubspot.read_contacts(hubspot_ids, reader.contact_properties)
    # Under another id answers the contact that this one was merged into.
    there = [row for one, row in read.found.items() if row.id == one]
    found = {one.hubspot_id: one for one in reader.snapshots(there)}
    again = [found[one] for one in hubspot_ids if one in found]
    judge(ctx, agreement, preparation, again, report, again=True)
    if len(again) < len(hubspot_ids):
        gone = what_became_of(ctx, read, reader.contact_properties)
        report.update(
            follow_merges(
                ctx,
                reader,
                gone.merged,
                lambda news: judge(ctx, agreement, preparation, news, report),
            )
        )
        report.update(take_off(ctx, agreement.policy, gone))
    return [one for one in hubspot_ids if one not in found]


def _try_later(ctx: Context, hubspot_ids: Sequence[str]) -> None:
    """Leave held leads that HubSpot no longer shows to their timer."""
    if hubspot_ids:
        with transaction(ctx.engine) as conn:
            backlog.put_off(conn, hubspot_ids, ctx.clock.now() + TRY_AGAIN_AFTER)


def judge(
    ctx: Context,
    agreement: Agreement,
    preparation: Preparation,
    snapshots: Sequence[LeadSnapshot],
    report: StepReport,
    *,
    again: bool = False,
    kind: str = "changes",
    announced: bool = True,
) -> None:
    """Judge these leads in one transaction; `again` also those about whom nothing changed.

    `kind` names the batch in the ledger. Not `announced`: nobody is sent a message.
    """
    if not snapshots:
        return
    report["read"] += len(snapshots)
    news = snapshots if again else _without_echoes(ctx, agreement.policy, snapshots)
    if not news:
        return
    prepared = preparation.prepare(news, again=again)
    report.update(preparation.outside.take_counts())
    asked = Asked(again=again, handed_off=report["handoff"], kind=kind)

    def decide(conn: Connection) -> tuple[list[Judged], StepReport]:
        found = decide_all(conn, ctx, agreement, prepared, asked)
        return found, carry_into_ledger(conn, ctx, agreement, found, report, announced=announced)

    judged, counts = in_transaction(ctx.engine, decide)
    report.update(counts)
    logger.info("judged %d of %d leads read", len(judged), len(snapshots))


def _without_echoes(
    ctx: Context, policy: Policy, snapshots: Sequence[LeadSnapshot]
) -> list[LeadSnapshot]:
    """Return the snapshots that say anything new; of the others only the stamp is noted.

    Every write-back of ours comes back as a change: it must not cost a validation.
    """
    ignored = Privacy.of(policy).ignored
    with transaction(ctx.engine) as conn:
        known = leads.by_hubspot_ids(conn, [one.hubspot_id for one in snapshots])
        news, echoes = [], {}
        for one in snapshots:
            row = known.get(one.hubspot_id)
            judged = row is not None and row.state is not LeadState.SEEN
            if row is not None and judged and row.last_content_hash == one.content_hash(ignored):
                echoes[row.id] = one.modified_at
            else:
                news.append(one)
        leads.note_echoes(conn, echoes)
    return news
