"""Edits of a roster: edges of leave as typed, parts of a day, who is there on which day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from baton.errors import SettingsError
from baton.policy.roster import Leave, Pool, Rep, Roster
from baton.policy.roster_edits import (
    Absence,
    back_from_leave,
    gone,
    keeping_leave,
    leaving,
    with_abilities,
    with_leave,
)
from baton.policy.roster_words import differences

ANA = Rep(key="ana@relay.test", name="Ana", zone="Europe/Berlin")
BEN = Rep(key="ben@relay.test", name="Ben")
ROSTER = Roster(
    people=(ANA, BEN),
    pools=(
        Pool(name="SDR", members=("ana@relay.test", "ben@relay.test")),
        Pool(name="AE", members=("ana@relay.test",)),
    ),
)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


NOW = at(2026, 12, 3, 7, 5)


@pytest.mark.parametrize(
    ("start", "until", "expected"),
    [
        (None, "2026-12-04", (NOW, at(2026, 12, 4, 23))),
        ("2026-12-04", "2026-12-04", (at(2026, 12, 3, 23), at(2026, 12, 4, 23))),
        ("2027-07-04", "2027-07-05", (at(2027, 7, 3, 22), at(2027, 7, 5, 22))),
        ("2027-03-28", "2027-03-28", (at(2027, 3, 27, 23), at(2027, 3, 28, 22))),
        (None, "2026-12-04T17:00", (NOW, at(2026, 12, 4, 16))),
        (None, "2026-12-04T17:00Z", (NOW, at(2026, 12, 4, 17))),
        ("13:00", "17:00", (at(2026, 12, 3, 12), at(2026, 12, 3, 16))),
        ("8:30", "24:00", (at(2026, 12, 3, 7, 30), at(2026, 12, 3, 23))),
    ],
)
def test_leave_is_in_the_persons_zone_and_the_last_day_is_included(
    start: str | None, until: str, expected: tuple[datetime, datetime]
) -> None:
    leave = Absence(start, until).leave(ANA.zone, NOW)
    assert (leave.start, leave.end) == expected


@pytest.mark.parametrize("text", ["next friday", "25:00", "12:70", "2026-13-01", ""])
def test_nonsense_says_how_to_write_a_date(text: str) -> None:
    with pytest.raises(SettingsError, match="2026-12-04"):
        Absence(None, text).leave("UTC", NOW)


def test_leave_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(SettingsError, match="must end after it begins"):
        Absence("17:00", "13:00").leave("UTC", NOW)


def test_leave_is_added_to_one_person_alone_and_once() -> None:
    leave = Leave(start=at(2026, 12, 1), end=at(2026, 12, 5))
    changed = with_leave(ROSTER, "ANA@relay.test", leave)
    assert changed.people[0].on_leave(leave.start)
    assert not changed.people[0].on_leave(leave.end)
    assert changed.people[1] == BEN
    assert with_leave(changed, "ana@relay.test", leave) == changed
    a_minute_later = Leave(start=leave.start + timedelta(minutes=1), end=leave.end)
    assert with_leave(changed, "ana@relay.test", a_minute_later) == changed
    longer = Leave(start=leave.start, end=leave.end + timedelta(days=1))
    assert with_leave(changed, "ana@relay.test", longer) != changed


def test_back_early_ends_the_leave_of_now_and_keeps_the_next() -> None:
    later = Leave(start=at(2027, 1, 1), end=at(2027, 1, 5))
    roster = with_leave(ROSTER, ANA.key, Leave(start=at(2026, 12, 1), end=at(2026, 12, 9)))
    back = back_from_leave(with_leave(roster, ANA.key, later), ANA.key, NOW).people[0]
    assert back.leave == (Leave(start=at(2026, 12, 1), end=NOW), later)
    assert not back.on_leave(NOW)
    begun = with_leave(ROSTER, ANA.key, Leave(start=NOW, end=at(2026, 12, 9)))
    assert back_from_leave(begun, ANA.key, NOW).people[0].leave == ()
    with pytest.raises(SettingsError, match="is not away now"):
        back_from_leave(ROSTER, ANA.key, NOW)


def test_who_leaves_is_there_until_midnight_in_their_own_zone() -> None:
    rep = leaving(ROSTER, ANA.key, date(2026, 12, 1)).people[0]
    midnight = at(2026, 11, 30, 23)
    assert rep.why_gone(midnight - timedelta(seconds=1)) is None
    assert rep.why_gone(midnight) == "left the company on 2026-12-01"
    new = Rep(key="c@relay.test", name="C", zone="Asia/Tokyo", joined=date(2026, 12, 1))
    assert new.why_gone(at(2026, 11, 30, 14, 59)) == "joins on 2026-12-01"
    assert new.why_gone(at(2026, 11, 30, 15)) is None


def test_who_is_gone_is_in_no_pool_and_again_changes_nothing() -> None:
    after = gone(ROSTER, ANA.key, date(2026, 12, 1))
    assert not after.people[0].active
    assert [[one.rep for one in pool.members] for pool in after.pools] == [[BEN.key], []]
    assert gone(after, ANA.key, date(2026, 12, 9)) == after, "the day stays"


def test_what_somebody_is_good_at_is_changed_label_by_label() -> None:
    one = with_abilities(ROSTER, ANA.key, {"Language": ["de", "en"], "Industry": ["X"]})
    two = with_abilities(one, ANA.key, {"Industry": []})
    assert two.people[0].good_at == {"Language": ("de", "en")}


def test_an_import_keeps_leave_only_of_those_it_says_nothing_about() -> None:
    old = with_leave(ROSTER, ANA.key, Leave(start=at(2026, 12, 1), end=at(2026, 12, 5)))
    stated = Leave(start=at(2027, 1, 1), end=at(2027, 1, 2))
    assert keeping_leave(ROSTER, old).people[0].leave == old.people[0].leave
    new = with_leave(ROSTER, ANA.key, stated)
    assert keeping_leave(new, old).people[0].leave == (stated,)


def test_changes_are_said_in_words() -> None:
    older = BEN.model_copy(update={"name": "Benjamin", "cap_open": 5})
    before = Roster(people=(older,), pools=(Pool(name="SDR", members=("ben@relay.test",)),))
    said = [one.text for one in differences(before, ROSTER)]
    assert said == [
        "ana@relay.test: new on the roster, Ana",
        "ben@relay.test: name Benjamin → Ben",
        "ben@relay.test: most open handoffs 5 → no limit",
        "pool SDR: ana@relay.test joins with weight 1",
        "pool AE: new",
        "pool AE: ana@relay.test joins with weight 1",
    ]
    assert differences(ROSTER, ROSTER) == ()
    back = [one.text for one in differences(ROSTER, before)]
    assert "ana@relay.test: taken off the roster" in back
    assert "pool AE: no longer there" in back
