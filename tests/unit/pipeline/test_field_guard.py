"""Three values of a field decide whose it is; marks make two systems' ways of writing equal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from baton.crm.marks import mark
from baton.ledger.effects.field_writes import FieldWrite
from baton.pipeline.delivery.field_guard import Record, settle
from baton.pipeline.delivery.lifecycle import goes_back

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
pytestmark = pytest.mark.requirement("002-06")


def record(**more: object) -> Record:
    given = {"lead_id": 1, "system": "salesforce", "record_id": "00Q1", "scope": "H1-1"}
    return Record(**{**given, "looked_at": NOW, **more})  # type: ignore[arg-type]  # by keyword


def wrote(
    value: str, *, saw: str | None = None, scope: str = "H1-1", landed: bool = True, **more: object
) -> dict[str, FieldWrite]:
    given = {
        "id": 7,
        "lead_id": 1,
        "system": "salesforce",
        "record_id": "00Q1",
        "field": "Band",
        "scope": scope,
        "saw": saw,
        "wrote": value,
        "looked_at": NOW,
        "landed": landed,
        "checked_at": None,
    }
    return {"Band": FieldWrite(**{**given, **more})}  # type: ignore[arg-type]  # by keyword


@pytest.mark.parametrize(
    ("stands", "before", "outcome"),
    [
        ("warm", {}, "equal"),
        ("cold", {}, "write"),  # never ours: the first write of a handoff
        ("hot", wrote("hot"), "write"),  # as we left it
        ("cold", wrote("hot"), "kept"),  # somebody else's
        ("cold", wrote("hot", scope="H1-0"), "write"),  # of an earlier handoff: set anew
        ("cold", wrote("hot", saw="cold", landed=False), "write"),  # the call never arrived
        ("hot", wrote("hot", saw="cold", landed=False), "write"),  # it did, and nobody heard
        ("tepid", wrote("hot", saw="cold", landed=False), "kept"),
        ("cold", wrote("hot", record_id="00Q9"), "write"),  # another record, made anew
        (None, wrote("hot"), "kept"),  # emptied by hand
    ],
)
def test_whose_a_field_is(stands: str | None, before: dict[str, FieldWrite], outcome: str) -> None:
    done = settle(record(), {"Band": "warm"}, {"Band": stands}, before)
    found = {
        "write": bool(done.write),
        "kept": bool(done.kept),
        "equal": not done.write and not done.kept,
    }
    assert [name for name, is_so in found.items() if is_so] == [outcome]
    assert [new.saw for new in done.writes] == ([stands] if outcome == "write" else [])


def test_what_changed_after_the_decision_is_theirs() -> None:
    done = settle(record(changed_since={"Band"}), {"Band": "warm"}, {"Band": "cold"}, {})
    assert [(one.ours, one.theirs) for one in done.kept] == [("warm", "cold")]


@pytest.mark.parametrize(("wanted", "kept"), [("hot", True), ("warm", False)])
def test_a_report_stays_changed_until_there_is_news(wanted: str, kept: bool) -> None:
    asked = record(until_news={"Band"}, scope="lead")
    done = settle(asked, {"Band": wanted}, {"Band": "cool"}, wrote("hot", scope="lead"))
    assert bool(done.kept) is kept
    assert bool(done.write) is not kept


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (75.0, 75),
        ("2026-11-24T10:15:00Z", "2026-11-24T10:15:00.000+0000"),
        ("2026-11-24T10:15:00Z", "1795515300000"),
        ("a\r\nb ", "a\nb"),
        ("", None),
        (True, "true"),
    ],
)
def test_two_ways_of_writing_one_value_have_one_mark(one: object, other: object) -> None:
    assert mark(one) == mark(other)


def test_a_text_is_kept_as_a_digest_only() -> None:
    assert "Robin" not in str(mark("Robin Tester", plain=False))
    assert mark("Robin Tester", plain=False) == mark("Robin Tester\r\n", plain=False)
    assert mark("x" * 90) != mark("x" * 91)


def test_a_stage_goes_back_only_towards_the_beginning() -> None:
    assert goes_back("opportunity", "lead")
    assert not goes_back("lead", "opportunity")
    assert not goes_back(None, "lead")
    assert not goes_back("lead", "lead")
    assert goes_back("1234567", "lead")  # a stage of the portal's own
