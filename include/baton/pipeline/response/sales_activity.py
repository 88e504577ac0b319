"""What sales did, read back from Salesforce: touches, acceptance, dispositions, conversions, deals.

Everything is kept under Salesforce's own id, once; reading the same change again changes nothing.
A rep is taken at their word only within the policy: a reason code that may not be given yet leaves
the lead with its owner, who is told why; it is taken as soon as it may be given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from baton.leads.states import HandoffState, LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.handoffs import dispositions, handoffs, observed, overrides, touches
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.handoffs.overrides import NewOverride
from baton.ledger.handoffs.touches import NewTouch
from baton.ledger.leads import leads
from baton.ledger.sources import references, watermarks
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.delivery.hubspot_edits import read_property_history
from baton.pipeline.delivery.human_edits import note_current, read_history
from baton.pipeline.delivery.salesforce_records import GUARDED
from baton.pipeline.intake.references import DEALS, changed_deals
from baton.pipeline.judging.plan import state_write_back
from baton.pipeline.modes import acting_for
from baton.pipeline.report import StepReport
from baton.pipeline.response.conversions import follow_conversions
from baton.pipeline.response.dispositions import Given, take_dispositions, take_refused
from baton.pipeline.timers import state_change
from baton.policy.models import Policy
from baton.sla.touches import TouchKind, grade_of

OVERLAP = timedelta(minutes=15)
"""Rows committed late bear a stamp older than the saved one (P13)."""
SETTLE = timedelta(seconds=1)
"""Stamps have whole seconds: the second that is running is read too, and read again next time."""
FIRST_LOOK_BACK = timedelta(days=2)

TASK_FIELDS = (
    "Id", "WhoId", "WhatId", "OwnerId", "Status", "IsClosed", "CompletedDateTime", "TaskSubtype",
    "CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate", "Handoff_Key__c",
    "Disposition__c", "Disposition_Reason__c", "Return_Date__c", "SystemModstamp",
)  # fmt: skip
EVENT_FIELDS = (
    "Id", "WhoId", "OwnerId", "StartDateTime", "CreatedById", "CreatedDate", "SystemModstamp",
)  # fmt: skip
LEAD_FIELDS = (
    "Id", "HubSpot_Contact_Id__c", "Handoff_Key__c", "Status", "OwnerId", "IsConverted",
    "ConvertedContactId", "ConvertedOpportunityId", "Disposition__c", "Disposition_Reason__c",
    "Return_Date__c", "LastModifiedById", "LastModifiedDate", "SystemModstamp", *GUARDED,
)  # fmt: skip

_SUBTYPES = {"Call": TouchKind.CALL, "Email": TouchKind.EMAIL}
_WORKING_STATUS = "Working - Contacted"

Rows = Sequence[Mapping[str, Any]]


def read_outcomes(ctx: Context) -> StepReport:
    """Read what changed in Salesforce and move the handoffs on.

    Raises:
        GatewayError: Salesforce could not be read; the watermarks have not moved.
    """
    report = StepReport()
    report.update(read_touches(ctx))
    report.update(_read_leads(ctx))
    report.update(_take_refused(ctx))
    if not ctx.replays:
        report.update(read_history(ctx))
        report.update(read_property_history(ctx))
    report.update(_read_deals(ctx))
    return report


def read_touches(ctx: Context) -> StepReport:
    """Read tasks and events: touches, meetings, and dispositions given on a task."""
    tasks, until = _changes(ctx, "Task", TASK_FIELDS)
    events, events_until = _changes(ctx, "Event", EVENT_FIELDS)
    machine = ctx.salesforce.check().user_id if tasks else ""
    with transaction(ctx.engine) as conn:
        policy = active_policy(conn).policy
        owners = references.owner_keys(conn)
        found = _handoffs_of(conn, [*tasks, *events])
        news = [
            touch
            for row in tasks
            if (touch := _task_touch(row, found.get(row["Id"]), owners, machine))
        ]
        meetings = [(row, found[row["Id"]]) for row in events if row["Id"] in found]
        news += [_meeting(row, handoff, owners) for row, handoff in meetings]
        made = touches.record(conn, news)
        for row, handoff in meetings:
            handoffs.stamp(conn, handoff.id, meeting_at=_at(row["CreatedDate"]))
        given = [g for row in tasks if (g := _given(row, found.get(row["Id"]), owners))]
        report = take_dispositions(conn, ctx, policy, given)
        _save(conn, ctx, {"Task": until, "Event": events_until})
    report["touches"] += len(made)
    return report


def _take_refused(ctx: Context) -> StepReport:
    with transaction(ctx.engine) as conn:
        return take_refused(conn, ctx, active_policy(conn).policy)


def _changes(ctx: Context, sobject: str, fields: tuple[str, ...]) -> tuple[Rows, datetime]:
    with transaction(ctx.engine) as conn:
        mark = watermarks.get(conn, f"salesforce.{sobject.lower()}")
    until = ctx.clock.now() if ctx.replays else ctx.salesforce.server_now()
    since = datetime.fromisoformat(mark) - OVERLAP if mark else until - FIRST_LOOK_BACK
    rows = ctx.salesforce.changed(sobject, fields, since, until + SETTLE)
    return list(rows), until


def _save(conn: Connection, ctx: Context, marks: Mapping[str, datetime]) -> None:
    for sobject, until in marks.items():
        name = f"salesforce.{sobject.lower()}"
        watermarks.set(conn, name, until.isoformat(), at=ctx.clock.now())


def _handoffs_of(conn: Connection, rows: Rows) -> dict[str, HandoffRow]:
    """Return the handoff that each activity belongs to: by our key, else by the person."""
    keys = {key for row in rows if (key := _handoff_key(row))}
    by_key = handoffs.by_keys(conn, keys)
    people = {str(row["WhoId"]) for row in rows if row.get("WhoId")}
    by_person = handoffs.by_salesforce_ids(conn, people)
    found: dict[str, HandoffRow] = {}
    for row in rows:
        handoff = by_key.get(_handoff_key(row) or "") or by_person.get(str(row.get("WhoId")))
        if handoff is not None:
            found[row["Id"]] = handoff
    return found


def _handoff_key(row: Mapping[str, Any]) -> str | None:
    """Return the handoff's key from an activity's ("H12-1.1.task") or a lead's ("H12-1.1")."""
    key = row.get("Handoff_Key__c")
    return str(key).split(".", 1)[0] if key else None


def _at(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))


def _task_touch(
    row: Mapping[str, Any],
    handoff: HandoffRow | None,
    owners: Mapping[str, str],
    machine: str,
) -> NewTouch | None:
    """Return the touch that a task is evidence of: a call or mail by a human, or our task done."""
    if handoff is None or not row["IsClosed"]:
        return None
    ours = bool(row.get("Handoff_Key__c"))
    kind = TouchKind.COMPLETED_TASK if ours else _SUBTYPES.get(row["TaskSubtype"] or "")
    if kind is None:
        return None
    actor = row["LastModifiedById"] if ours else row["CreatedById"]
    at = _at(row["CompletedDateTime"] or row["LastModifiedDate"])
    if at < handoff.decided_at:
        return None
    return NewTouch(
        handoff_id=handoff.id,
        external_id=f"salesforce.task.{row['Id']}",
        at=at,
        kind=kind.value,
        grade=int(grade_of(kind, by_human=actor != machine)),
        by_whom=owners.get(str(row["OwnerId"])),
    )


def _meeting(row: Mapping[str, Any], handoff: HandoffRow, owners: Mapping[str, str]) -> NewTouch:
    return NewTouch(
        handoff_id=handoff.id,
        external_id=f"salesforce.event.{row['Id']}",
        at=_at(row["CreatedDate"]),
        kind=TouchKind.MEETING.value,
        grade=int(grade_of(TouchKind.MEETING)),
        by_whom=owners.get(str(row["OwnerId"])),
    )


def _outcome(row: Mapping[str, Any]) -> Any:
    return row.get("Disposition__c")


def _given(
    row: Mapping[str, Any], handoff: HandoffRow | None, owners: Mapping[str, str]
) -> Given | None:
    """Return the outcome that a lead's or task's fields give, if any and if it is of this pass."""
    outcome = _outcome(row)
    if handoff is None or not outcome:
        return None
    key = _handoff_key(row)
    if key != handoff.key and (key is not None or handoff.adopted_at is None):
        return None
    return Given(
        handoff=handoff,
        outcome=str(outcome),
        reason=row.get("Disposition_Reason__c"),
        return_date=row.get("Return_Date__c"),
        at=_at(row["LastModifiedDate"]),
        by_whom=owners.get(str(row["LastModifiedById"])),
        source=str(row["Id"]),
    )


def _read_leads(ctx: Context) -> StepReport:
    rows, until = _changes(ctx, "Lead", LEAD_FIELDS)
    ours = [row for row in rows if row.get("Handoff_Key__c")]
    machine = ctx.salesforce.user_id() if rows else ""
    with transaction(ctx.engine) as conn:
        policy = active_policy(conn).policy
        owners = references.owner_keys(conn)
        by_key = handoffs.by_keys(conn, {_handoff_key(row) or "" for row in ours})
        known = [(row, by_key[key]) for row in ours if (key := _handoff_key(row)) in by_key]
        known += _adopted(conn, [row for row in rows if not row.get("Handoff_Key__c")])
        report = StepReport(overrides=_note_overrides(conn, known, owners))
        report["overrides"] += note_current(conn, known, owners, machine)
        for row, handoff in known:
            _follow_lead(conn, row, handoff)
        given = [g for row, handoff in known if (g := _given(row, handoff, owners))]
        report.update(take_dispositions(conn, ctx, policy, given))
        taken_back = [(handoff.id, row["Id"]) for row, handoff in known if not _outcome(row)]
        dispositions.settle_refusals(conn, taken_back, at=ctx.clock.now())
        _save(conn, ctx, {"Lead": until})
    return report


def _adopted(conn: Connection, rows: Rows) -> list[tuple[Mapping[str, Any], HandoffRow]]:
    """Return the leads that were adopted as they stood: nothing of ours is written on them."""
    found = observed.adopted_open(conn, [str(row["Id"]) for row in rows])
    adopted = {key: handoffs.get(conn, handoff_id) for key, handoff_id in found.items()}
    return [(row, handoff) for row in rows if (handoff := adopted.get(str(row["Id"]))) is not None]


def _follow_lead(conn: Connection, row: Mapping[str, Any], handoff: HandoffRow) -> None:
    """Follow status and conversion: a converted lead lives on as a contact and an opportunity."""
    at = _at(row["LastModifiedDate"])
    if row["IsConverted"]:
        handoffs.stamp(
            conn,
            handoff.id,
            accepted_at=at,
            opportunity_at=at if row["ConvertedOpportunityId"] else None,
            salesforce_opportunity_id=row["ConvertedOpportunityId"],
        )
        if row["ConvertedContactId"]:
            leads.set_salesforce_ids(
                conn, handoff.lead_id, lead_record=None, contact_record=row["ConvertedContactId"]
            )
        handoffs.advance(
            conn, handoff.id, HandoffState.CONVERTED, at=at, cause="converted", by="salesforce"
        )
    elif row["Status"] == _WORKING_STATUS:
        handoffs.advance(
            conn, handoff.id, HandoffState.WORKING, at=at, cause="status", by="salesforce"
        )


def _note_overrides(
    conn: Connection,
    known: Iterable[tuple[Mapping[str, Any], HandoffRow]],
    owners: Mapping[str, str],
) -> int:
    """Record owners that a person changed after us; they are never flipped back."""
    pairs = list(known)
    hops = handoffs.hops(conn, [handoff.id for _row, handoff in pairs])
    news = []
    for row, handoff in pairs:
        theirs = owners.get(str(row["OwnerId"]))
        present = hops.get(handoff.id, [])
        if not present or not present[-1].change_owner or handoff.owner_written_at is None:
            continue
        ours = present[-1].owner_key
        if theirs is None or theirs.lower() == ours.lower():
            continue
        news.append(
            NewOverride(
                lead_id=handoff.lead_id,
                handoff_id=handoff.id,
                field="owner",
                ours=ours,
                theirs=theirs,
                at=_at(row["LastModifiedDate"]),
                by_whom=owners.get(str(row["LastModifiedById"])),
            )
        )
    return overrides.record(conn, news)


def _read_deals(ctx: Context) -> StepReport:
    """Follow the opportunities that came of handoffs to won or lost."""
    deals, until = changed_deals(ctx)
    changed = {deal.id: deal for deal in deals}
    report = follow_conversions(ctx, deals)
    with transaction(ctx.engine) as conn:
        references.upsert_opportunities(conn, deals)
        watermarks.set(conn, DEALS, until.isoformat(), at=ctx.clock.now())
        policy = active_policy(conn).policy
        for deal_id, handoff in handoffs.by_opportunity_ids(conn, list(changed)).items():
            deal = changed[deal_id]
            if not deal.is_closed or not handoff.is_open:
                continue
            after = HandoffState.WON if deal.is_won else HandoffState.LOST
            at = max(deal.closed_at or deal.modified_at, handoff.decided_at)
            handoffs.stamp(
                conn,
                handoff.id,
                closed_at=at,
                outcome=after.value,
                amount_cents=deal.amount_cents,
            )
            if handoffs.advance(
                conn, handoff.id, after, at=at, cause="opportunity", by="salesforce"
            ):
                report[after.value] += 1
                _close_lead(conn, ctx, policy, handoff, won=deal.is_won)
    return report


def _close_lead(
    conn: Connection, ctx: Context, policy: Policy, handoff: HandoffRow, *, won: bool
) -> None:
    """A won lead is a customer; a lost one goes back to marketing, never nowhere."""
    after = LeadState.CUSTOMER if won else LeadState.NURTURE
    cause = "won" if won else "lost"
    now = ctx.clock.now()
    change = state_change(policy, handoff.lead_id, after, at=now, cause=cause, by="salesforce")
    leads.set_states(conn, [change])
    acting = acting_for(ctx.mode, ctx.clock, handoff)
    effect = state_write_back(acting, handoff.lead_id, cause=f"{handoff.key}-{cause}")
    outbox.add(conn, [effect], at=now)
