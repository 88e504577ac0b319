"""Tests and imported lists in figures and loads; who owns a company's people."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.ledger.conftest import START, minutes

from baton.ledger.handoffs import handoffs, loads, touches
from baton.ledger.handoffs.handoffs import NewHop
from baton.ledger.handoffs.touches import NewTouch
from baton.ledger.metrics import metrics

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World

DAY = date(2026, 11, 2)
ANA, BEN = "ana@relay.test", "ben@relay.test"


def touched(world: World, after: float, **more: Any) -> None:
    handoff = world.handoff(**more)
    handoffs.stamp(world.conn, handoff.id, notified_at=START + timedelta(seconds=8))
    new = NewTouch(
        handoff_id=handoff.id,
        external_id=f"touch-{handoff.id}",
        at=minutes(after),
        kind="call",
        grade=3,
    )
    touches.record(world.conn, [new])


def figures(world: World) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    found = metrics.daily_metrics(world.conn, DAY, now=START + timedelta(days=1))
    return {one.name: (one.value, one.denominator) for one in found if one.dimension == "all"}


def test_a_test_is_in_no_figure_and_an_import_in_none_of_the_buyers_clock(world: World) -> None:
    touched(world, 2)
    alone = figures(world)
    touched(world, 0.5, origin="test")
    assert figures(world) == alone
    touched(world, 300, origin="import")
    both = figures(world)
    assert both["handoffs"][0] == 2
    for name in ("speed_to_lead_median_seconds", "touched_within_5_minutes", "never_touched",
                 "notified_within_120_seconds"):  # fmt: skip
        assert both[name] == alone[name], name
    assert both["contact_rate"] == (Decimal(1), Decimal(2))
    assert both["rep_response_median_seconds"][1] == 2


def test_an_untouched_import_was_never_owed_a_touch(world: World) -> None:
    world.handoff(origin="import")
    assert figures(world)["never_touched"] == (None, Decimal(0))


def test_a_test_counts_in_no_load_and_an_import_in_all_of_them(world: World) -> None:
    world.handoff(owner=ANA, origin="test")
    world.handoff(owner=ANA, origin="import")
    world.handoff(owner=ANA)
    now = START + timedelta(minutes=30)
    assert handoffs.open_loads(world.conn) == {ANA: 2}
    assert loads.given_lately(world.conn, now).hour == {ANA: 2}
    assert loads.imported_lately(world.conn, now) == 1


@pytest.mark.parametrize(
    ("passed", "hour", "day", "week"),
    [
        (timedelta(0), 1, 1, 1),
        (timedelta(minutes=59, seconds=59), 1, 1, 1),
        (timedelta(hours=1), 0, 1, 1),
        (timedelta(hours=24), 0, 0, 1),
        (timedelta(days=7), 0, 0, 0),
    ],
)
def test_the_windows_roll(world: World, passed: timedelta, hour: int, day: int, week: int) -> None:
    """What is given at this very instant counts, what is a whole window old does not."""
    world.handoff(owner=ANA)
    found = loads.given_lately(world.conn, START + passed)
    assert [each.get(ANA, 0) for each in (found.hour, found.day, found.week)] == [hour, day, week]


def test_who_has_people_of_a_company(world: World) -> None:
    first = world.handoff(owner=ANA, company_domain="acme.test", account_id="001A")
    handoffs.add_hop(
        world.conn, first.id, NewHop(owner_kind="user", owner_key=BEN, assigned_at=minutes(5))
    )
    world.handoff(owner=ANA, company_domain="acme.test", origin="test")
    world.handoff(owner="Triage", kind="queue", company_domain="acme.test")
    world.handoff(owner=ANA, company_domain="other.test")

    def owners(*domains: str, accounts: tuple[str, ...] = ()) -> list[str]:
        found = loads.company_owners(
            world.conn, accounts=accounts, domains=domains, since=minutes(-60)
        )
        return [one.owner for one in found]

    assert owners("acme.test") == [BEN]  # the newest hop's; neither the test's nor a queue
    assert owners(accounts=("001A",)) == [BEN]
    assert owners("nobody.test") == []
