"""A human edit wins: which of the values that we want may be written, field by field.

Pure: three values of each field decide. What we last wrote, what stands there now (seen just before
writing), and what we want. What somebody else has put there stays, and is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from baton.crm.marks import mark
from baton.ledger.effects.field_writes import FieldWrite, Newest, NewFieldWrite

LONG_TEXTS = frozenset({"Handoff_Reasons__c", "Handoff_Package__c", "Description"})
"""Fields of Salesforce that hold personal data: only their digests are compared."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Somebody else's value that stays. Both are marks."""

    field: str
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of a record's fields.

    `write` goes out; `kept` stays as people have it; `writes` are to be stored before the call,
    `equal` are writes that need no call, because what we want stands there already.
    """

    write: Mapping[str, object] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    writes: tuple[NewFieldWrite, ...] = ()
    equal: tuple[NewFieldWrite, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record that is about to be written, and how its fields are compared.

    `scope` is the handoff that asks: a new one sets its fields anew. `changed_since` are fields
    that a person changed after that handoff was decided. `until_news`: fields that only report
    what Baton decided; what people put there stays until there is something new to report.
    """

    lead_id: int
    system: str
    record_id: str | None
    scope: str
    looked_at: datetime
    changed_since: Collection[str] = ()
    until_news: Collection[str] = ()
    long_texts: Collection[str] = LONG_TEXTS

    def mark(self, name: str, value: object) -> str | None:
        """Return a value of this record as a mark."""
        return mark(value, plain=name not in self.long_texts)


def settle(
    record: Record,
    wanted: Mapping[str, object],
    current: Mapping[str, object],
    memory: Mapping[str, FieldWrite],
) -> Settled:
    """Return what to write of `wanted`; `memory` holds our newest write of each field."""
    write: dict[str, object] = {}
    kept: list[Kept] = []
    writes: list[NewFieldWrite] = []
    equal: list[NewFieldWrite] = []
    for name, value in wanted.items():
        want, stands = record.mark(name, value), record.mark(name, current.get(name))
        before = _of_record(memory.get(name), record)
        new = _new(record, name, saw=stands, wrote=want)
        if stands == want:
            if _is_new_to_us(new, before):
                equal.append(new)
        elif _is_theirs(record, name, stands, want, before):
            kept.append(Kept(name, before.wrote if before else want, stands))
        else:
            write[name] = value
            writes.append(new)
    return Settled(write, tuple(kept), tuple(writes), tuple(equal))


def new_record(record: Record, wanted: Mapping[str, object]) -> tuple[NewFieldWrite, ...]:
    """Return the writes of a record that is not there yet."""
    return tuple(
        _new(record, name, saw=None, wrote=record.mark(name, value))
        for name, value in wanted.items()
    )


def _is_new_to_us(new: NewFieldWrite, before: FieldWrite | None) -> bool:
    """Tell whether it must be remembered that what we want stands there: it is ours from now on."""
    if before is None:
        return new.wrote is not None
    return (before.wrote, before.scope) != (new.wrote, new.scope) or not before.landed


def _of_record(before: FieldWrite | None, record: Record) -> FieldWrite | None:
    """Return our newest write if it was to this record: a recreated one starts afresh."""
    if before is None or before.record_id in (None, record.record_id):
        return before
    return None


def _is_theirs(
    record: Record, name: str, stands: str | None, want: str | None, before: FieldWrite | None
) -> bool:
    if name in record.changed_since:
        return True
    if before is None or before.is_ours(stands):
        return False
    if name in record.until_news:
        return want == before.wrote
    return before.scope == record.scope


def _new(record: Record, name: str, *, saw: str | None, wrote: str | None) -> NewFieldWrite:
    return NewFieldWrite(
        lead_id=record.lead_id,
        system=record.system,
        record_id=record.record_id,
        field=name,
        scope=record.scope,
        saw=saw,
        wrote=wrote,
        looked_at=record.looked_at,
    )


def by_lead(newest: Newest) -> dict[int, dict[str, FieldWrite]]:
    """Return each lead's newest writes by field; a lead to whom nothing was written has none."""
    found: defaultdict[int, dict[str, FieldWrite]] = defaultdict(dict)
    for (lead_id, name), write in newest.items():
        found[lead_id][name] = write
    return dict(found)


def names(kept: Iterable[Kept]) -> str:
    """Return the fields that stay, for an effect's result."""
    return ", ".join(sorted(one.field for one in kept))
