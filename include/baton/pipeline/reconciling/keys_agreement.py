"""Comparing Salesforce with the ledger the other way round: every record that bears a handoff's key.

A key that the ledger does not hold tells of a ledger restored from an older copy, of a second Baton
that writes to the same org, or of a record that somebody copied. Nothing of it is mended from here,
least of all deleted: people decide which of the two is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baton.ledger.database.engine import transaction
from baton.ledger.proofs import comparison
from baton.ledger.proofs.comparison import KnownKey
from baton.ledger.proofs.reconciliation import Found
from baton.pipeline.context import Context
from baton.pipeline.delivery.salesforce_records import HANDOFF_KEY
from baton.pipeline.delivery.salesforce_shapes import shapes
from baton.pipeline.delivery.setup import HANDOFF_OBJECT

HUBSPOT_ID = "HubSpot_Contact_Id__c"
OBJECTS: Mapping[str, str] = {
    "Lead": "key_unknown",
    "Contact": "key_unknown",
    "Task": "task_unknown",
    HANDOFF_OBJECT: "row_unknown",
}
"""The objects in the order in which they are compared, and what an unknown key on them is called."""
FIRST_OBJECT = next(iter(OBJECTS))
_PERSONS = ("Lead", "Contact")
_TASK = ".task"


@dataclass(frozen=True, slots=True)
class KeyedPage:
    """What a page of records came to. `goes_on`: the object and id to go on with; None: none are left."""

    found: list[Found]
    goes_on: str | None


def compare_keys(ctx: Context, reached: str | None) -> KeyedPage:
    """Compare a page of the records that bear a key; `reached` is where the page before ended.

    Raises GatewayError: Salesforce could not be asked.
    """
    sobject, _, after = (reached or FIRST_OBJECT).partition(" ")
    rows, is_last = _rows(ctx, sobject, after)
    found = list(_unknown(ctx, sobject, rows)) if rows else []
    if not is_last:
        return KeyedPage(found, f"{sobject} {rows[-1]['Id']}")
    names = list(OBJECTS)
    rest = names[names.index(sobject) + 1 :]
    return KeyedPage(found, rest[0] if rest else None)


def _rows(ctx: Context, sobject: str, after: str) -> tuple[list[dict[str, Any]], bool]:
    shape = shapes(ctx, (sobject,))[sobject]
    if not shape.present or HANDOFF_KEY not in shape.fields:
        return [], True  # nothing can bear one; 'baton doctor' says that the field is missing
    more = (HUBSPOT_ID,) if sobject in _PERSONS else ()
    return ctx.salesforce.filled(sobject, HANDOFF_KEY, more, after=after)


def _unknown(ctx: Context, sobject: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Found]:
    parts = {row["Id"]: _parts(sobject, str(row[HANDOFF_KEY])) for row in rows}
    with transaction(ctx.engine) as conn:
        known = comparison.known_keys(conn, {key for key, _ in parts.values()})
    doubtful: list[tuple[Mapping[str, Any], KnownKey]] = []
    for row in rows:
        key, hop = parts[row["Id"]]
        held = known.get(key)
        if held is None or hop > held.hops:
            yield _found(OBJECTS[sobject], row, None if held is None else _newest(sobject, held))
        elif row.get(HUBSPOT_ID) and row["Id"] not in held.records:
            doubtful.append((row, held))
    yield from _of_others(ctx, doubtful)


def _of_others(
    ctx: Context, doubtful: Sequence[tuple[Mapping[str, Any], KnownKey]]
) -> Iterator[Found]:
    """Say so where a person's record bears somebody else's key, and the ledger does not hold it.

    A handoff's own record that bears another contact's id is told with the handoff.
    """
    if not doubtful:
        return
    with transaction(ctx.engine) as conn:
        stamped = comparison.leads_by_hubspot_ids(conn, {row[HUBSPOT_ID] for row, _ in doubtful})
        lines = comparison.merge_lines(conn, [lead.id for lead in stamped.values()])
    for row, held in doubtful:
        lead = stamped.get(row[HUBSPOT_ID])
        if lead is None or not held.is_of(lines[lead.id]):
            yield _found("key_of_another", row, None)


def _found(code: str, row: Mapping[str, Any], ours: str | None) -> Found:
    return Found(
        code=code,
        hubspot_id=row.get(HUBSPOT_ID),
        salesforce_id=row["Id"],
        field=HANDOFF_KEY,
        ours=ours,
        theirs=str(row[HANDOFF_KEY]),
    )


def _parts(sobject: str, key: str) -> tuple[str, int]:
    """Return the handoff's key and the hop that a record's key names; what is no key names none.

    Records and tasks bear ``H12-1.2`` and ``H12-1.2.task``, rows of Handoff__c ``H12-1`` alone.
    """
    if sobject == HANDOFF_OBJECT:
        return key, 0
    handoff, _, hop = key.removesuffix(_TASK).rpartition(".")
    return (handoff, int(hop)) if hop.isdecimal() else (key, 0)


def _newest(sobject: str, held: KnownKey) -> str:
    return held.key if sobject == HANDOFF_OBJECT else f"{held.key}.{held.hops}"
