"""The lines of the page Today, as one message a day, with what waits in quarantine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.integration.pipeline.relay import Message, Relay

from baton.ledger.database.engine import transaction
from baton.ledger.effects import notes
from baton.ledger.proofs import checks
from baton.pipeline.intake.arrivals import MOST_HOURS, count_arrivals, hours_to_count
from baton.pipeline.reconciling.upkeep import check_conservation
from baton.pipeline.today.digest import LONGEST_BLOCK, NOTE, morning_text, send_digest
from baton.pipeline.today.morning import Step, TodayItem, Tone


def digests(relay: Relay) -> list[Message]:
    return [one for one in relay.messages() if one.key.startswith(NOTE)]


def broken(relay: Relay) -> None:
    """Let the last check have found something."""
    with transaction(relay.engine) as conn:
        checks.record(
            conn, checks.CONSERVATION, at=relay.now(), ok=False, findings={"effect_doubled": 1}
        )


def test_one_message_tells_both(relay: Relay) -> None:
    relay.hot_contact(email=None)
    relay.run()
    broken(relay)

    assert send_digest(relay.ctx)["digest sent"] == 1
    (message,) = digests(relay)
    assert "Today: 1 thing wants somebody" in message.says
    assert "A lead may be lost, stuck or doubled" in message.says
    assert "Baton › Sync health" in message.says
    assert "Quarantine: 1 lead waits for better data" in message.says
    assert message.says.index("Today:") < message.says.index("Quarantine:")


def test_once_a_day_though_quarantine_is_empty(relay: Relay) -> None:
    broken(relay)
    assert send_digest(relay.ctx)["digest sent"] == 1
    assert send_digest(relay.ctx)["digest done before"] == 1
    (message,) = digests(relay)
    assert "Quarantine" not in message.says


def test_what_is_only_good_to_know_wakes_nobody(relay: Relay) -> None:
    assert send_digest(relay.ctx)["nothing waits"] == 1
    with transaction(relay.engine) as conn:
        assert notes.state_of(conn, NOTE, relay.now().date()) == "nothing"


def test_nothing_of_a_person_is_told(relay: Relay) -> None:
    relay.hot_contact()
    relay.run()
    relay.wait(hours=3)
    send_digest(relay.ctx)
    (message,) = digests(relay)
    assert "hot lead is late" in message.says
    assert "tester" not in message.says.lower()
    assert "softworks" not in message.says.lower()


def test_many_lines_stay_one_short_message() -> None:
    one = TodayItem(
        id="x", step=Step.SCORE, tone=Tone.WARN, title="<b> & " + "x" * 150, detail="y" * 150,
        action="go", link="review?tab=effects",
    )  # fmt: skip
    said = morning_text([one] * 40)
    assert "40 things want somebody" in said
    assert "and 28 more" in said
    assert "&lt;b&gt; &amp;" in said
    assert said.count("Baton › Review") == 12
    assert len(said) > LONGEST_BLOCK


def test_how_a_check_ended_is_kept(relay: Relay) -> None:
    check_conservation(relay.ctx)
    with transaction(relay.engine) as conn:
        found = checks.last(conn, checks.CONSERVATION)
    assert found is not None
    assert (found.ok, found.at) == (True, relay.now())


def test_hours_are_counted_when_they_are_over(relay: Relay) -> None:
    relay.hot_contact()
    relay.run()
    now = relay.now()
    with transaction(relay.engine) as conn:
        conn.execute(
            text("INSERT INTO counted_hour VALUES (:hour, 0)"),
            {"hour": now.replace(minute=0) - timedelta(hours=1)},
        )
    assert count_arrivals(relay.ctx)["arrivals counted"] == 0
    relay.wait(hours=1, minutes=15)
    assert count_arrivals(relay.ctx)["arrivals counted"] == 1
    assert count_arrivals(relay.ctx)["arrivals counted"] == 0


@pytest.mark.parametrize(("minutes", "count"), [(9, 1), (11, 2), (71, 3)])
def test_which_hours_are_over(relay: Relay, minutes: int, count: int) -> None:
    now = relay.now().replace(minute=0) + timedelta(minutes=minutes)
    last = relay.now().replace(minute=0) - timedelta(hours=3)
    assert len(hours_to_count(last, now)) == count
    assert len(hours_to_count(None, now)) == 35 * 24
    assert MOST_HOURS < 35 * 24
