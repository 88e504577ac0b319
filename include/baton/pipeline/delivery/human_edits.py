"""What people changed after us: noticed, recorded with who and when, and never flipped back.

Three places tell. At writing, a field that is no longer ours is left alone. The history of Leads
(a poll like any other) tells who changed it and when. And it tells what fell between our look and
our write: where we replaced something other than what we had seen, the person's value is put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from baton.crm.marks import mark
from baton.crm.salesforce import HistoryRow
from baton.ledger.database.engine import transaction
from baton.ledger.effects import field_writes, outbox
from baton.ledger.effects.dossiers import HandoffDossier
from baton.ledger.effects.field_writes import SALESFORCE, FieldWrite
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import handoffs, overrides
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.handoffs.overrides import NewOverride
from baton.ledger.leads import leads
from baton.ledger.leads.leads import LeadRow
from baton.ledger.sources import references, watermarks
from baton.pipeline.context import Context
from baton.pipeline.delivery.field_guard import LONG_TEXTS, Kept
from baton.pipeline.delivery.salesforce_records import GUARDED
from baton.pipeline.judging.plan import state_of
from baton.pipeline.modes import acting_for
from baton.pipeline.report import StepReport

HISTORY = "salesforce.leadhistory"
OVERLAP = timedelta(minutes=15)
SETTLE = timedelta(seconds=1)
FIRST_LOOK_BACK = timedelta(days=2)
NAMES = {"OwnerId": "owner", "Status": "status"}
"""Words of ours for fields that everybody knows."""
THEIRS_BY_TRADE = frozenset({"Status", "Disposition__c", "Disposition_Reason__c", "Return_Date__c"})
"""Fields that sales fills in: a change is their work, and an override only where we wanted another."""

WritesByField = Mapping[tuple[int, str], Sequence[FieldWrite]]


def word_of(field: str) -> str:
    """Return a field as people call it."""
    return NAMES.get(field, field)


def shown(field: str, value: str | None, owner_keys: Mapping[str, str]) -> str | None:
    """Return a mark as it may be shown: an owner's key, and of a text only that it is one."""
    if value is None:
        return None
    if field == "OwnerId":
        return owner_keys.get(value, value)
    return f"text {value[7:15]}" if value.startswith("sha256:") else value


def record_kept(
    conn: Connection,
    dossier: HandoffDossier,
    kept: Iterable[Kept],
    owner_keys: Mapping[str, str],
    *,
    at: datetime,
) -> int:
    """Record what was left as people have it; who and when is learnt from the history."""
    news = [
        NewOverride(
            lead_id=dossier.lead_id,
            handoff_id=dossier.handoff_id,
            field=word_of(one.field),
            ours=shown(one.field, one.ours, owner_keys),
            theirs=shown(one.field, one.theirs, owner_keys),
            at=at,
        )
        for one in kept
    ]
    return overrides.record(conn, news)


def note_current(
    conn: Connection,
    known: Iterable[tuple[Mapping[str, Any], HandoffRow]],
    owner_keys: Mapping[str, str],
    machine: str,
) -> int:
    """Record fields of changed Leads that are not as we left them, also those without a history."""
    pairs = [(row, handoff) for row, handoff in known if row["LastModifiedById"] != machine]
    memory = field_writes.newest(conn, SALESFORCE, {handoff.lead_id for _, handoff in pairs})
    news = []
    for row, handoff in pairs:
        for field in sorted(set(GUARDED) - THEIRS_BY_TRADE):
            write = memory.get((handoff.lead_id, field))
            stands = mark(row.get(field), plain=field not in LONG_TEXTS)
            if write is None or write.scope != handoff.key or not write.landed:
                continue
            if write.is_ours(stands):
                continue
            news.append(
                NewOverride(
                    lead_id=handoff.lead_id,
                    handoff_id=handoff.id,
                    field=word_of(field),
                    ours=shown(field, write.wrote, owner_keys),
                    theirs=shown(field, stands, owner_keys),
                    at=datetime.fromisoformat(str(row["LastModifiedDate"])),
                    by_whom=owner_keys.get(str(row["LastModifiedById"])),
                )
            )
    return overrides.record(conn, news)


@dataclass(frozen=True, slots=True)
class _Book:
    """What is known of the Leads whose history was read."""

    leads: Mapping[str, LeadRow]
    writes: WritesByField
    handoffs: Mapping[int, HandoffRow]
    owner_keys: Mapping[str, str]
    machine: str


def read_history(ctx: Context) -> StepReport:
    """Read what became of fields of Leads; record people's edits, and plan what must be put back.

    Raises:
        GatewayError: Salesforce could not be read; the watermark has not moved.
    """
    with ctx.engine.connect() as conn:
        said = watermarks.get(conn, HISTORY)
    until = ctx.clock.now() if ctx.replays else ctx.salesforce.server_now()
    since = datetime.fromisoformat(said) - OVERLAP if said else until - FIRST_LOOK_BACK
    rows = ctx.salesforce.changed_history(since, until + SETTLE)
    machine = ctx.salesforce.user_id() if rows else ""
    report = StepReport()
    with transaction(ctx.engine) as conn:
        book = _book(conn, rows, machine)
        report["overrides"] += overrides.record(conn, _edits(rows, book))
        overwritten = list(_overwritten(rows, book))
        restoring = [_restoring(ctx, one, book) for one in overwritten]
        report["to restore"] += len(outbox.add(conn, restoring, at=ctx.clock.now()))
        watermarks.set(conn, HISTORY, until.isoformat(), at=ctx.clock.now())
    return report


def _book(conn: Connection, rows: Sequence[HistoryRow], machine: str) -> _Book:
    known = leads.by_salesforce_ids(conn, {row.lead_id for row in rows})
    ids = {row.id for row in known.values()}
    writes = field_writes.of_leads(conn, SALESFORCE, ids)
    keys = {write.scope for found in writes.values() for write in found}
    return _Book(
        leads=known,
        writes=writes,
        handoffs={one.id: one for one in handoffs.by_keys(conn, keys).values()},
        owner_keys=references.owner_keys(conn),
        machine=machine,
    )


def _mark(row: HistoryRow, value: object) -> str | None:
    return mark(value, plain=row.field not in LONG_TEXTS)


def _edits(rows: Sequence[HistoryRow], book: _Book) -> list[NewOverride]:
    """Return people's newest change of each field that we had written, where it stands."""
    newest: dict[tuple[str, str], HistoryRow] = {(row.lead_id, row.field): row for row in rows}
    found = []
    for row in newest.values():
        lead = book.leads.get(row.lead_id)
        writes = book.writes.get((lead.id, row.field), ()) if lead else ()
        if lead is None or not writes or row.by_id == book.machine:
            continue
        ours, theirs = writes[0].wrote, _mark(row, row.new)
        known = row.field not in LONG_TEXTS and row.field not in THEIRS_BY_TRADE
        if known and writes[0].landed and theirs != ours and row.at >= _second(writes[-1]):
            found.append(_override(lead, row, ours, theirs, book))
    return found


def _second(write: FieldWrite) -> datetime:
    """Return when we looked, in the whole seconds of the history."""
    return write.looked_at.replace(microsecond=0)


def _override(
    lead: LeadRow,
    row: HistoryRow,
    ours: str | None,
    theirs: str | None,
    book: _Book,
    *,
    by_id: str | None = None,
) -> NewOverride:
    writes = book.writes[(lead.id, row.field)]
    scope = writes[0].scope
    handoff = next((one for one in book.handoffs.values() if one.key == scope), None)
    who = by_id or row.by_id
    return NewOverride(
        lead_id=lead.id,
        handoff_id=handoff.id if handoff else None,
        field=word_of(row.field),
        ours=shown(row.field, ours, book.owner_keys),
        theirs=shown(row.field, theirs, book.owner_keys),
        at=row.at,
        by_whom=book.owner_keys.get(who, who),
    )


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A person's value that we replaced without having seen it."""

    lead: LeadRow
    row: HistoryRow
    write: FieldWrite
    by_id: str | None
    at: datetime


def _overwritten(rows: Sequence[HistoryRow], book: _Book) -> Iterable[Overwritten]:
    """Yield what fell between our look and our write: we replaced what we had not seen."""
    for place, row in enumerate(rows):
        lead = book.leads.get(row.lead_id)
        if lead is None or row.by_id != book.machine or row.field in LONG_TEXTS:
            continue
        new, old = _mark(row, row.new), _mark(row, row.old)
        ours = [
            one
            for one in book.writes.get((lead.id, row.field), ())
            if one.wrote == new and _second(one) <= row.at
        ]
        if not ours or old is None:
            continue
        if any(one.saw == old for one in ours) and not _twice(rows[:place], row, ours[0]):
            continue
        before = _made_by(rows[:place], row)
        if before is not None and before.by_id != book.machine and before.at >= _second(ours[0]):
            yield Overwritten(lead, row, ours[0], before.by_id, before.at)


def _twice(earlier: Sequence[HistoryRow], row: HistoryRow, write: FieldWrite) -> bool:
    """Tell whether the same write was carried out before: its answer was lost, it was repeated.

    Then what it replaced the second time is a person's, though they took it back to what we had
    seen at first.
    """
    return any(
        (one.lead_id, one.field, one.by_id, one.new) == (row.lead_id, row.field, row.by_id, row.new)
        and one.at >= _second(write)
        for one in earlier
    )


def _made_by(earlier: Sequence[HistoryRow], row: HistoryRow) -> HistoryRow | None:
    return next(
        (
            one
            for one in reversed(earlier)
            if (one.lead_id, one.field, one.new) == (row.lead_id, row.field, row.old)
        ),
        None,
    )


def _restoring(ctx: Context, one: Overwritten, book: _Book) -> NewEffect:
    """Return the effect that puts a person's value back."""
    scope = one.write.scope
    handoff = next((found for found in book.handoffs.values() if found.key == scope), None)
    acting = acting_for(ctx.mode, ctx.clock, handoff) if handoff else ctx
    return NewEffect(
        key=f"L{one.lead.id}.{one.row.field}.{one.row.id}.salesforce_restore",
        kind="salesforce_restore",
        lead_id=one.lead.id,
        params={
            "record": one.row.lead_id,
            "field": one.row.field,
            "theirs": one.row.old,
            "ours": one.row.new,
            "at": one.at.isoformat(),
            "by": book.owner_keys.get(one.by_id or "", one.by_id),
            "handoff": handoff.id if handoff else None,
        },
        priority=0,
        state=state_of(acting),
    )
