"""Carrying out the effects that put back what Baton had overwritten without seeing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from baton.crm.marks import mark
from baton.crm.salesforce import People
from baton.errors import RejectedRecordError
from baton.ledger.database.engine import transaction
from baton.ledger.effects.outbox import ClaimedEffect
from baton.ledger.handoffs import overrides
from baton.ledger.handoffs.overrides import NewOverride
from baton.ledger.sources import references
from baton.pipeline.context import Context
from baton.pipeline.delivery.human_edits import shown, word_of
from baton.pipeline.delivery.outcomes import Done, Outcome, outcome_of


def restore(ctx: Context, effects: Sequence[ClaimedEffect]) -> dict[int, Outcome]:
    """Put people's values back where ours still stands; what has changed since is left alone."""
    people = ctx.salesforce.records(
        [str(effect.params["record"]) for effect in effects],
        values=sorted({str(effect.params["field"]) for effect in effects}),
    )
    outcomes: dict[int, Outcome] = {}
    writing: dict[str, list[ClaimedEffect]] = {}
    records: dict[str, dict[str, object]] = {}
    for effect in effects:
        record, field = str(effect.params["record"]), str(effect.params["field"])
        if _stands(people, record, field) != mark(effect.params["ours"]):
            _record(ctx, effect, at=None)
            outcomes[effect.id] = Done({"id": record, "found": "true"})
            continue
        records.setdefault(record, {"Id": record})[field] = effect.params["theirs"]
        writing.setdefault(record, []).append(effect)
    results = (
        ctx.salesforce.update("Lead", list(records.values()), repeat_ambiguous=True)
        if records
        else {}
    )
    for record, ones in writing.items():
        result = results.get(record)
        for effect in ones:
            if result is not None and result.ok:
                _record(ctx, effect, at=ctx.clock.now())
                outcomes[effect.id] = Done({"id": record})
            else:
                error = result.error if result is not None else None
                error = error or RejectedRecordError("NO_RESULT", "no result came back for it")
                outcomes[effect.id] = outcome_of(error, effect.attempts, repeatable=True)
    return outcomes


def _stands(people: People, record: str, field: str) -> str | None:
    lead = people.leads.get(record)
    if lead is None or lead.is_deleted or lead.is_converted:
        return None
    return mark(lead.owner_id if field == "OwnerId" else lead.values.get(field))


def _record(ctx: Context, effect: ClaimedEffect, *, at: datetime | None) -> None:
    """Record the edit and, with `at`, that it was put back."""
    params, field = effect.params, str(effect.params["field"])
    with transaction(ctx.engine) as conn:
        keys = references.owner_keys(conn)
        new = NewOverride(
            lead_id=effect.lead_id,
            handoff_id=params.get("handoff"),
            field=word_of(field),
            ours=shown(field, mark(params["ours"]), keys),
            theirs=shown(field, mark(params["theirs"]), keys),
            at=datetime.fromisoformat(str(params["at"])),
            by_whom=params.get("by"),
            restored_at=at,
        )
        overrides.record(conn, [new])
