"""Mending what the systems disagree about, where that is safe; never against a person's change.

Nothing is written to a CRM from here: what must be written is planned as an effect and goes out
through the outbox, which looks before it writes and leaves alone what somebody changed meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.leads.model import LeadSnapshot
from baton.leads.states import EffectState, HandoffState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import handoffs, overrides
from baton.ledger.handoffs.overrides import NewOverride
from baton.ledger.leads import leads
from baton.ledger.leads.persons import delete_people
from baton.ledger.proofs import comparison, reconciliation
from baton.ledger.proofs.conservation import Finding
from baton.ledger.proofs.reconciliation import Found
from baton.ledger.sources import watermarks
from baton.pipeline.active_policy import Agreement
from baton.pipeline.context import Context
from baton.pipeline.intake.gone import follow_merges, take_off, what_became_of
from baton.pipeline.intake.preparation import Preparation
from baton.pipeline.intake.pull import SnapshotReader
from baton.pipeline.judging.plan import state_write_back
from baton.pipeline.judging.qualify import judge
from baton.pipeline.modes import acting_for_leads
from baton.pipeline.reconciling.differences import KINDS, Repair
from baton.pipeline.report import StepReport
from baton.settings import Mode

BY = "reconcile"
SALES_LEADS = "salesforce.lead"
"""The watermark of what sales did on Leads: set back, so that it is read again."""

Founds = Sequence[Found]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What repairs need, made once for many: the policy, and what judging needs."""

    ctx: Context
    agreement: Agreement
    preparation: Preparation
    reader: SnapshotReader

    @classmethod
    def of(cls, ctx: Context, agreement: Agreement) -> Workshop:
        """Open it; nothing is called outside."""
        policy = agreement.policy
        return cls(ctx, agreement, Preparation(ctx, policy), SnapshotReader(ctx, policy))

    def judge(self, snapshots: Sequence[LeadSnapshot], *, again: bool = False) -> None:
        """Judge snapshots as the chain does."""
        made = (self.ctx, self.agreement, self.preparation)
        judge(*made, snapshots, StepReport(), again=again, kind=BY)


def mend(shop: Workshop, found: Iterable[Found], repairs: Iterable[Repair]) -> StepReport:
    """Mend those differences whose repair is among `repairs`; the report counts them by repair.

    Raises GatewayError: a CRM could not be read; what was mended before stays so.
    """
    wanted = set(repairs)
    by_repair: defaultdict[Repair, list[Found]] = defaultdict(list)
    for one in found:
        by_repair[KINDS[one.code].repair].append(one)
    report = StepReport()
    for repair, carry in _CARRIERS.items():
        ones = by_repair.get(repair)
        if ones and repair in wanted:
            carry(shop, ones)
            report[repair.value] += len(ones)
    return report


def mend_ledger(conn: Connection, findings: Iterable[Finding], *, at: datetime) -> StepReport:
    """Mend what of the ledger's own check needs no judgement; the rest is left to people."""
    report = StepReport()
    for one in findings:
        if one.code == "person_of_gone_lead":
            delete_people(conn, [one.subject_id])
        elif one.code == "handoff_written_but_planned":
            assigned = HandoffState.ASSIGNED
            handoffs.advance(conn, one.subject_id, assigned, at=at, cause=BY, by=BY)
        else:
            continue
        report[one.code] += 1
    return report


def _settle(conn: Connection, shop: Workshop, found: Founds) -> None:
    keys = [one.key for one in found]
    reconciliation.settle(conn, keys, at=shop.ctx.clock.now(), by=BY)


def _settled(shop: Workshop, found: Founds) -> None:
    with transaction(shop.ctx.engine) as conn:
        _settle(conn, shop, found)


def _ids(found: Founds) -> list[str]:
    return list(dict.fromkeys(one.hubspot_id for one in found if one.hubspot_id))


def _read(shop: Workshop, found: Founds) -> None:
    properties = shop.reader.contact_properties
    read = shop.ctx.hubspot.read_contacts(_ids(found), properties)
    shop.judge(shop.reader.snapshots(read.found.values()))
    _settled(shop, found)


def _judge_again(shop: Workshop, found: Founds) -> None:
    properties = shop.reader.contact_properties
    read = shop.ctx.hubspot.read_contacts(_ids(found), properties)
    shop.judge(shop.reader.snapshots(read.found.values()), again=True)
    _settled(shop, found)


def _follow(shop: Workshop, found: Founds) -> None:
    """Follow merges, and take off what is gone: what became of each is asked again."""
    properties = shop.reader.contact_properties
    read = shop.ctx.hubspot.read_contacts(_ids(found), properties)
    gone = what_became_of(shop.ctx, read, properties)
    follow_merges(shop.ctx, shop.reader, gone.merged, shop.judge)
    take_off(shop.ctx, shop.agreement.policy, gone)
    _settled(shop, found)


def _correct(shop: Workshop, found: Founds) -> None:
    with transaction(shop.ctx.engine) as conn:
        for one in found:
            if one.lead_id is None or one.theirs is None:
                continue
            contact = one.theirs.startswith("003")
            leads.set_salesforce_ids(
                conn,
                one.lead_id,
                lead_record=None if contact else one.theirs,
                contact_record=one.theirs if contact else None,
            )
        _settle(conn, shop, found)


def _note(shop: Workshop, found: Founds) -> None:
    now = shop.ctx.clock.now()
    news = [
        NewOverride(
            lead_id=one.lead_id,
            handoff_id=one.handoff_id,
            field=one.field,
            ours=one.ours,
            theirs=one.theirs,
            at=now,
        )
        for one in found
        if one.lead_id is not None and one.field is not None
    ]
    with transaction(shop.ctx.engine) as conn:
        overrides.record(conn, news)
        _settle(conn, shop, found)


def _read_outcomes(shop: Workshop, found: Founds) -> None:
    """Set the watermark of sales' Leads back to the oldest of these changes."""
    ids = [one.salesforce_id for one in found if one.salesforce_id]
    records = shop.ctx.salesforce.records(ids).leads.values()
    oldest = min((record.modified_at for record in records), default=None)
    if oldest is None:
        return
    with transaction(shop.ctx.engine) as conn:
        mark = watermarks.get_instant(conn, SALES_LEADS, lock=True)
        if mark is not None and oldest < mark:
            at = shop.ctx.clock.now()
            watermarks.set(conn, SALES_LEADS, oldest.isoformat(), at=at)


def _write_back(shop: Workshop, found: Founds) -> None:
    now = shop.ctx.clock.now()
    ids = sorted({one.lead_id for one in found if one.lead_id is not None})
    cause = f"{BY}-{int(now.timestamp())}"
    with transaction(shop.ctx.engine) as conn:
        acting = acting_for_leads(conn, shop.ctx, ids)
        effects = [state_write_back(acting[one], one, cause=cause) for one in ids]
        outbox.add(conn, effects, at=now, by=BY)


def _renew(shop: Workshop, found: Founds) -> None:
    now = shop.ctx.clock.now()
    ids = sorted({one.handoff_id for one in found if one.handoff_id is not None})
    with transaction(shop.ctx.engine) as conn:
        present = comparison.handoffs_again(conn, ids)
        effects = [
            NewEffect(
                key=f"{one.hop_key}.salesforce_record.{BY}-{int(now.timestamp())}",
                kind="salesforce_record",
                lead_id=one.lead_id,
                handoff_id=one.id,
                hop=one.hop,
                generation=one.hop,
                depends_on_key=f"{one.hop_key}.salesforce_record",
                # The handoff's fields alone: owner, status and outcome are left as they are.
                params={"refresh": True},
                state=_state(shop.ctx),
            )
            for one in present.values()
        ]
        outbox.add(conn, effects, at=now, by=BY)


def _state(ctx: Context) -> EffectState:
    return EffectState.WITHHELD if ctx.mode is Mode.OBSERVE else EffectState.PENDING


_CARRIERS: Mapping[Repair, Callable[[Workshop, Founds], None]] = {
    Repair.MERGE: _follow,
    Repair.TAKE_OFF: _follow,
    Repair.READ: _read,
    Repair.JUDGE: _judge_again,
    Repair.CORRECT: _correct,
    Repair.NOTE: _note,
    Repair.OUTCOME: _read_outcomes,
    Repair.WRITE_BACK: _write_back,
    Repair.RENEW: _renew,
}
"""In this order: leads become one before anything is read or written for them."""
