"""Columns travel as text: what comes back is what was sent, whatever stands in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from baton.ledger.database.bulk import array_text
from baton.ledger.effects import field_writes
from baton.ledger.effects.field_writes import SALESFORCE, NewFieldWrite

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World

AWKWARD = [
    "plain",
    None,
    "",
    "NULL",
    "null",
    "a, b",
    '"quoted"',
    "C:\\path\\",
    "{1,2}",
    "two\nlines\r\n",
    " spaces ",
    "\u00e4\u20ac\U0001f600",
    'back\\\\slashes\\"',
]


def test_texts_come_back_as_they_were_sent(world: World) -> None:
    query = text(
        "SELECT one FROM unnest(CAST(:all AS text[])) WITH ORDINALITY AS t(one, n) ORDER BY n"
    )
    assert list(world.conn.execute(query, {"all": array_text(AWKWARD)}).scalars()) == AWKWARD
    assert list(world.conn.execute(query, {"all": array_text([])}).scalars()) == []


def test_what_cannot_be_stored_is_left_out_and_shifts_nothing(world: World) -> None:
    query = text("SELECT CAST(:all AS text[])")
    sent = array_text(["n\0ul", "\0", None, "half \ud83d", "last"])
    assert world.conn.execute(query, {"all": sent}).scalar_one() == [
        "nul", "", None, "half ?", "last"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, None, -(2**62)]),
        ("boolean", [True, None, False]),
        ("double precision", [0.1, None, -1e300]),
        ("timestamptz", [datetime(2026, 3, 29, 1, 59, 59, 123456, UTC), None]),
    ],
)
def test_other_kinds_come_back_as_they_were_sent(
    world: World, kind: str, values: list[object]
) -> None:
    query = text(f"SELECT CAST(:all AS {kind}[])")
    assert world.conn.execute(query, {"all": array_text(values)}).scalar_one() == values


def test_intents_come_back_in_their_order(world: World) -> None:
    lead = world.lead()
    at = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    groups = [
        [
            NewFieldWrite(
                lead_id=lead.id, system=SALESFORCE, record_id=None, field=name, scope="H1-1",
                saw=None, wrote=wrote, looked_at=at,
            )
            for name, wrote in names
        ]
        for names in ([("Status", "Open"), ("OwnerId", None)], [], [("Title", 'a "b", {c}')])
    ]  # fmt: skip

    ids = field_writes.intend_each(world.conn, groups)
    field_writes.landed(world.conn, {lead.id: "00Q1"}, ids[0])

    assert [len(one) for one in ids] == [2, 0, 1]
    found = {one.id: one for one in field_writes.newest(world.conn, SALESFORCE, [lead.id]).values()}
    told = [
        (found[one].field, found[one].wrote, found[one].landed) for group in ids for one in group
    ]
    assert told == [
        ("Status", "Open", True), ("OwnerId", None, True), ("Title", 'a "b", {c}', False)
    ]  # fmt: skip
    assert {one.record_id for one in found.values()} == {"00Q1", None}
