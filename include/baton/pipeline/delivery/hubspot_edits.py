"""What people changed in HubSpot after us: recorded, and put back where we overwrote it unseen.

HubSpot keeps every value that a property ever had. It tells who made a person's value and when, and
whether our own value replaced what we had seen or something that fell between look and write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from baton.crm.hubspot import ContactUpdate, PropertyValue
from baton.crm.marks import mark
from baton.errors import RejectedRecordError
from baton.ledger.database.engine import transaction
from baton.ledger.effects import field_writes, outbox
from baton.ledger.effects.dossiers import LeadDossier
from baton.ledger.effects.field_writes import HUBSPOT, FieldWrite
from baton.ledger.effects.outbox import ClaimedEffect, NewEffect
from baton.ledger.handoffs import overrides
from baton.ledger.handoffs.overrides import NewOverride
from baton.ledger.leads import leads
from baton.pipeline.context import Context
from baton.pipeline.delivery.field_guard import Kept
from baton.pipeline.delivery.human_edits import shown
from baton.pipeline.delivery.lifecycle import LIFECYCLE, goes_back
from baton.pipeline.delivery.outcomes import Done, Outcome, outcome_of
from baton.pipeline.report import StepReport

AFTER = timedelta(minutes=1)
"""A write is looked at again once it has surely been carried out."""
AT_ONCE = 2000
FRESH = timedelta(days=2)
"""What was written longer ago (while the past was replayed, say) is not looked into any more."""
_TOLERANCE = timedelta(seconds=5)
"""Our clock and HubSpot's may differ by so much."""

History = Mapping[str, Mapping[str, Sequence[PropertyValue]]]


def field_name(name: str) -> str:
    """Return how an override of a HubSpot property is called."""
    return f"hubspot.{name}"


def note_kept(ctx: Context, ones: Iterable[tuple[LeadDossier, str, tuple[Kept, ...]]]) -> None:
    """Record what was left as people have it; who and when, HubSpot's history tells."""
    found = [(lead, contact, kept) for lead, contact, all_kept in ones for kept in all_kept]
    if not found:
        return
    with ctx.engine.connect() as conn:
        found = [
            (lead, contact, kept)
            for lead, contact, kept in found
            if (known := overrides.latest(conn, lead.lead_id, field_name(kept.field))) is None
            or known.theirs != shown(kept.field, kept.theirs, {})
        ]
    if not found:
        return
    history = ctx.hubspot.property_history(
        [contact for _, contact, _ in found], sorted({kept.field for _, _, kept in found})
    )
    news = []
    for lead, contact, kept in found:
        made = _made(history.get(contact, {}).get(kept.field, ()), kept.theirs)
        news.append(
            NewOverride(
                lead_id=lead.lead_id,
                field=field_name(kept.field),
                ours=shown(kept.field, kept.ours, {}),
                theirs=shown(kept.field, kept.theirs, {}),
                at=(made.at if made else None) or ctx.clock.now(),
                by_whom=made.source if made else None,
            )
        )
    with transaction(ctx.engine) as conn:
        overrides.record(conn, news)


def _made(values: Sequence[PropertyValue], theirs: str | None) -> PropertyValue | None:
    plain = not (theirs or "").startswith("sha256:")
    return next((one for one in values if mark(one.value, plain=plain) == theirs), None)


def read_property_history(ctx: Context) -> StepReport:
    """Look at what became of our writes to HubSpot; plan to put back what fell in between.

    One call for 50 contacts that were written since the last time.
    """
    now = ctx.clock.now()
    with ctx.engine.connect() as conn:
        writes = field_writes.unchecked(conn, HUBSPOT, before=now - AFTER, limit=AT_ONCE)
    report = StepReport()
    asked = [
        one
        for one in writes
        if one.landed and one.record_id and one.saw != one.wrote and one.looked_at > now - FRESH
    ]
    names = sorted({one.field for one in asked})
    history: History = (
        ctx.hubspot.property_history([str(one.record_id) for one in asked], names) if asked else {}
    )
    found = [
        (one, theirs)
        for one in asked
        if (theirs := _fell_between(one, _versions(history, one), writes)) is not None
    ]
    with transaction(ctx.engine) as conn:
        live = {one.id for one in leads.by_hubspot_ids(conn, _ids(asked)).values()}
        effects = [_restoring(ctx, *one) for one in found if one[0].lead_id in live]
        report["to restore"] += len(outbox.add(conn, effects, at=now))
        field_writes.checked(conn, [one.id for one in writes], at=now)
    return report


def _ids(writes: Iterable[FieldWrite]) -> list[str]:
    return [one.record_id for one in writes if one.record_id]


def _versions(history: History, write: FieldWrite) -> Sequence[PropertyValue]:
    return history.get(str(write.record_id), {}).get(write.field, ())


def _fell_between(
    write: FieldWrite, versions: Sequence[PropertyValue], writes: Sequence[FieldWrite]
) -> PropertyValue | None:
    """Return the person's value that ours replaced unseen, if it was so."""
    plain = not (write.wrote or "").startswith("sha256:")
    ours = next(
        (
            place
            for place, one in enumerate(versions)
            if mark(one.value, plain=plain) == write.wrote
            and one.at is not None
            and one.at >= write.looked_at - _TOLERANCE
        ),
        None,
    )
    if ours is None:
        return None
    before = next(
        (one for one in versions[ours + 1 :] if one.value or write.field != LIFECYCLE), None
    )
    if before is None or before.at is None or before.at < write.looked_at - _TOLERANCE:
        return None
    replaced = mark(before.value, plain=plain)
    same = [one for one in writes if (one.lead_id, one.field) == (write.lead_id, write.field)]
    known = {one.saw for one in same} | {one.wrote for one in same}
    return None if replaced in known or not plain else before


def _restoring(ctx: Context, write: FieldWrite, theirs: PropertyValue) -> NewEffect:
    return NewEffect(
        key=f"L{write.lead_id}.{write.field}.{write.id}.hubspot_restore",
        kind="hubspot_restore",
        lead_id=write.lead_id,
        params={
            "record": write.record_id,
            "field": write.field,
            "theirs": theirs.value,
            "ours": write.wrote,
            "at": theirs.at.isoformat() if theirs.at else None,
            "by": theirs.source,
        },
        priority=0,
        # Pending in every mode: it undoes a write of ours, which was live.
    )


def restore_in_hubspot(ctx: Context, effects: Sequence[ClaimedEffect]) -> dict[int, Outcome]:
    """Put people's values back where ours still stands; what has changed since is left alone."""
    records = [str(effect.params["record"]) for effect in effects]
    fields = sorted({str(effect.params["field"]) for effect in effects})
    read = ctx.hubspot.read_contacts(records, fields)
    outcomes: dict[int, Outcome] = {}
    for effect in effects:
        record, field = str(effect.params["record"]), str(effect.params["field"])
        found = read.found.get(record)
        stands = found.properties.get(field) if found else None
        if found is None or mark(stands) != effect.params["ours"]:
            _record(ctx, effect, at=None)
            outcomes[effect.id] = Done({"id": record, "found": "true"})
            continue
        theirs = str(effect.params["theirs"])
        if field == LIFECYCLE and goes_back(stands, theirs):
            ctx.hubspot.update_contacts([ContactUpdate(found.id, {field: ""})])
        result = ctx.hubspot.update_contacts([ContactUpdate(found.id, {field: theirs})])[found.id]
        if result.ok:
            _record(ctx, effect, at=ctx.clock.now())
            outcomes[effect.id] = Done({"id": found.id})
        else:
            error = result.error or RejectedRecordError("REFUSED", "HubSpot refused it")
            outcomes[effect.id] = outcome_of(error, effect.attempts, repeatable=True)
    return outcomes


def _record(ctx: Context, effect: ClaimedEffect, *, at: datetime | None) -> None:
    params, field = effect.params, str(effect.params["field"])
    made_at = params.get("at")
    new = NewOverride(
        lead_id=effect.lead_id,
        field=field_name(field),
        ours=shown(field, params["ours"], {}),
        theirs=shown(field, mark(params["theirs"]), {}),
        at=datetime.fromisoformat(str(made_at)) if made_at else ctx.clock.now(),
        by_whom=params.get("by"),
        restored_at=at,
    )
    with transaction(ctx.engine) as conn:
        overrides.record(conn, [new])
