"""Carrying out the effects that keep a row of Handoff__c for each handoff, for sales to report on.

The row is found by the handoff's key and holds what the ledger knows when it is sent, so that one
write does for several that are due. People read it; nothing is ever read back from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from baton.crm.results import WriteResult
from baton.errors import FatalGatewayError, RejectedRecordError
from baton.leads.states import OPEN_HANDOFF_STATES
from baton.ledger.effects.dossiers import HandoffDossier
from baton.ledger.effects.outbox import ClaimedEffect
from baton.ledger.handoffs import moves
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.sources import references
from baton.pipeline.context import Context
from baton.pipeline.delivery import salesforce_shapes
from baton.pipeline.delivery.outcomes import Done, Failed, Outcome, outcome_of
from baton.pipeline.delivery.salesforce_plans import Dossiers, handoff_of
from baton.pipeline.delivery.salesforce_records import HANDOFF_KEY, Fields, instant
from baton.pipeline.delivery.setup import HANDOFF_OBJECT


def write_handoffs(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    """Create or bring up to date the rows of these handoffs, one write a handoff."""
    wanting: defaultdict[str, list[ClaimedEffect]] = defaultdict(list)
    for effect in effects:
        wanting[dossiers[handoff_of(effect)].key].append(effect)
    ids = {handoff_of(effect) for effect in effects}
    with ctx.engine.connect() as conn:
        rows, owners = moves.rows_of(conn, ids), references.owner_ids(conn)
    shape = salesforce_shapes.shapes(ctx, (HANDOFF_OBJECT,))[HANDOFF_OBJECT]
    records: list[Fields] = []
    for ones in wanting.values():
        dossier = dossiers[handoff_of(ones[-1])]
        moved_at = max(datetime.fromisoformat(str(one.params["moved_at"])) for one in ones)
        fields = _fields(dossier, rows[dossier.handoff_id], owners, moved_at)
        fitting, findings = shape.fit(fields, lead_id=dossier.lead_id)
        salesforce_shapes.note(ctx, findings)
        records.append(fitting)
    try:
        results = ctx.salesforce.upsert(HANDOFF_OBJECT, HANDOFF_KEY, records, repeat_ambiguous=True)
    except FatalGatewayError as error:
        # The object or a field of it is gone: the rows wait for an admin, the leads do not.
        salesforce_shapes.forget(ctx, (HANDOFF_OBJECT,))
        return {one.id: Failed("rejected", "HANDOFF_OBJECT", str(error)) for one in effects}
    return {
        effect.id: _settled(effect, results.get(key))
        for key, ones in wanting.items()
        for effect in ones
    }


def _settled(effect: ClaimedEffect, result: WriteResult | None) -> Outcome:
    if result is not None and result.ok and result.id is not None:
        return Done({"sobject": HANDOFF_OBJECT, "id": result.id})
    error = result.error if result is not None else None
    refused = error or RejectedRecordError("NO_ID", "the row came back without an id")
    return outcome_of(refused, effect.attempts, repeatable=True)


def _fields(
    dossier: HandoffDossier, row: HandoffRow, owners: Mapping[str, str], moved_at: datetime
) -> Fields:
    hop = dossier.hops[-1]
    person = hop.owner_kind == "user"
    ended = row.state not in OPEN_HANDOFF_STATES
    fields: Fields = {
        HANDOFF_KEY: row.key,
        "Name": row.key,
        "Assigned_To__c": owners.get(hop.owner_key.lower()) if person else None,
        "Queue__c": None if person else hop.owner_key,
        "Cycle__c": row.cycle,
        "Hops__c": len(dossier.hops),
        "Score__c": None if row.score_milli is None else row.score_milli / 1000,
        "Band__c": row.band,
        "Trigger__c": row.trigger,
        "Source__c": row.source,
        "Segment__c": row.segment,
        "Territory__c": row.territory,
        "State__c": row.state.value,
        "Reason_Code__c": row.disposition_code,
        "Opportunity__c": row.salesforce_opportunity_id,
        "Captured_At__c": instant(row.captured_at),
        "Decided_At__c": instant(row.decided_at),
        "Due_At__c": _instant(hop.first_touch_due),
        "Notified_At__c": _instant(row.notified_at),
        "First_Touch_At__c": _instant(row.first_touch_at),
        "Accepted_At__c": _instant(row.accepted_at),
        "Ended_At__c": instant(row.closed_at or row.disposed_at or moved_at) if ended else None,
    }
    # A converted Lead takes no new references: the Contact it became does.
    if dossier.salesforce_contact_id:
        fields["Contact__c"] = dossier.salesforce_contact_id
    elif dossier.salesforce_lead_id:
        fields["Lead__c"] = dossier.salesforce_lead_id
    return fields


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant(at)
