"""``baton roster``: reading edges of leave as typed, and what a new roster changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from baton.cli_roster import changes, read_edge, with_leave
from baton.errors import SettingsError
from baton.policy.roster import Pool, Rep, Roster

ANA = Rep(key="ana@relay.test", name="Ana", zone="Europe/Berlin")
BEN = Rep(key="ben@relay.test", name="Ben")
ROSTER = Roster(people=(ANA, BEN), pools=(Pool(name="SDR", members=("ana@relay.test",)),))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2026-12-04", False, at(2026, 12, 3, 23)),
        ("2026-12-04", True, at(2026, 12, 4, 23)),
        ("2026-07-04", False, at(2026, 7, 3, 22)),
        ("2026-12-04T17:00", True, at(2026, 12, 4, 16)),
        ("2026-12-04T17:00Z", True, at(2026, 12, 4, 17)),
    ],
)
def test_edges_are_in_the_persons_zone_and_the_last_day_is_included(text, end, expected):
    assert read_edge(text, ANA.zone, end=end) == expected


def test_nonsense_says_how_to_write_a_date():
    with pytest.raises(SettingsError, match="2026-12-04"):
        read_edge("next friday", "UTC", end=True)


def test_leave_is_added_to_one_person_alone():
    start, end = at(2026, 12, 1), at(2026, 12, 5)
    changed = with_leave(ROSTER, ANA, start, end)
    absent = changed.rep("ana@relay.test")
    assert absent is not None
    assert absent.on_leave(start)
    assert not absent.on_leave(end)
    assert changed.rep("ben@relay.test") == BEN
    assert changed.hash != ROSTER.hash


def test_leave_that_ends_before_it_begins_is_refused():
    with pytest.raises(SettingsError):
        with_leave(ROSTER, ANA, at(2026, 12, 5), at(2026, 12, 1))


def test_changes_are_said_line_by_line():
    older = BEN.model_copy(update={"name": "Benjamin"})
    before = Roster(people=(older,), pools=())
    assert changes(before, ROSTER) == ["+ ana@relay.test", "~ ben@relay.test", "~ pool SDR"]
    assert changes(ROSTER, ROSTER) == []
    assert changes(ROSTER, before)[0] == "- ana@relay.test"
