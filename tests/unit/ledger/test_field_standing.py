"""What a later description of a field says of a value that it did not take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.ledger.effects.crm_objects import FindingRow, Standing, StoredObject, standing

MET = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIELD: dict[str, Any] = {
    "length": 40,
    "createable": True,
    "updateable": True,
    "values": ["Hot", "Warm"],
    "restricted": True,
}
LOCKED = {"updateable": False}


def judged(
    kind: str,
    now: dict[str, Any] | None,
    *,
    detail: str = "",
    before: dict[str, Any] | None = None,
    described: datetime = MET - HOUR,
) -> Standing:
    """The standing of a finding; None: the field is not there, or was not known."""
    one = FindingRow("Lead", "F", kind, detail, 3, MET - HOUR, MET, None)
    then = None if before is None else StoredObject("Lead", True, {"F": FIELD | before}, described)
    return standing(one, then, {} if now is None else {"F": FIELD | now})


@pytest.mark.parametrize(
    ("detail", "now", "expected"),
    [
        ("Cold", {}, Standing.STANDS),
        ("hot", {}, Standing.MENDED),
        ("War", {}, Standing.STANDS),
        ("x" * 80, {"values": ["x" * 90]}, Standing.MENDED),
        ("Cold", {"restricted": False}, Standing.MENDED),
        ("Cold", None, Standing.OPEN),
    ],
)
def test_a_value_is_in_the_picklist_or_not(
    detail: str, now: dict[str, Any] | None, expected: Standing
) -> None:
    assert judged("not_a_value", now, detail=detail) is expected


def test_a_text_is_cut_until_its_field_is_longer() -> None:
    assert judged("cut", {}, before={}) is Standing.STANDS
    assert judged("cut", {"length": 80}, before={}) is Standing.MENDED
    assert judged("cut", {"length": 0}, before={}) is Standing.MENDED
    assert judged("cut", {"length": 80}) is Standing.OPEN, "how long it was is not known"
    assert judged("cut", {}, before={}, described=MET + HOUR) is Standing.OPEN
    assert judged("cut", None, before={}) is Standing.OPEN


def test_a_refusal_is_mended_only_where_the_field_could_not_be_written_then() -> None:
    assert judged("not_writable", LOCKED) is Standing.STANDS
    assert judged("not_writable", None, before={}) is Standing.STANDS
    assert judged("not_writable", {}, before=LOCKED) is Standing.MENDED
    assert judged("not_writable", {}, before={}) is Standing.OPEN, "a rule may refuse the value"
    assert judged("not_writable", {}) is Standing.OPEN


def test_no_definition_tells_of_records_that_share_an_address() -> None:
    assert judged("ambiguous", {}, before={}) is Standing.OPEN
