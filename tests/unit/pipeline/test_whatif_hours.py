"""How many hours people could have worked within the time that is played again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from baton.pipeline.past.whatif_worlds import Agreed
from baton.policy.loader import parse_policy, read_bundle, read_roster
from baton.policy.roster import Roster

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
TUESDAY = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def agreed() -> Agreed:
    """Two people of Berlin and Vienna, who work from nine to half past twelve, their time."""
    roster = read_roster(POLICY / "roster.yaml")
    dach = tuple(pool for pool in roster.pools if pool.name == "SDR DACH")
    return Agreed(parse_policy(read_bundle(POLICY)), Roster(people=roster.people, pools=dach))


def test_only_what_lies_within_the_window_counts(agreed: Agreed) -> None:
    found = agreed.rep_hours(TUESDAY, TUESDAY.replace(hour=12, minute=20))
    assert {hour: round(hours, 3) for hour, hours in found.items() if hours} == {
        10: 2 * 0.75,
        11: 2 * 0.5,
    }
    # From half past twelve there, which is half past eleven here, they rest for an hour.
    assert sum(agreed.rep_hours(TUESDAY, TUESDAY).values()) == 0
