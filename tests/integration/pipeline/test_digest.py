"""The daily digest of the quarantine: at its time, once a day, and none when nothing waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.integration.pipeline.relay import Message, Relay

from baton.errors import GatewayError
from baton.ledger.database.engine import transaction
from baton.ledger.effects import notes, switches
from baton.pipeline.today.data_care import look_after_data
from baton.pipeline.today.digest import NOTE, day_of, send_digest
from baton.policy.lead_models import Digest
from baton.settings import Mode

SECRET = "zq-secret"


def digests(relay: Relay) -> list[Message]:
    return [one for one in relay.messages() if one.key.startswith(NOTE)]


def quarantined(relay: Relay, count: int = 1) -> list[str]:
    found = [relay.hot_contact(email=None) for _ in range(count)]
    found.append(relay.hot_contact(email=f"{SECRET} at nowhere"))
    relay.run()
    return found


def test_it_says_how_many_why_since_when_and_what_to_do(relay: Relay) -> None:
    oldest, _, newest = quarantined(relay, 2)

    report = send_digest(relay.ctx)

    (message,) = digests(relay)
    assert message.to == "#sales-ops"
    assert "Quarantine: 3 leads wait for better data" in message.says
    assert "2 × E-mail is missing" in message.says
    assert "1 × E-mail is unusable: is not an e-mail address" in message.says
    assert f"contact {oldest} since 2026-11-24" in message.says
    assert f"Newest: contact {newest}" in message.says
    assert "filter contacts by baton_state = quarantined" in message.says
    assert "goes to nurture after 30 days" in message.says
    assert SECRET not in message.says
    assert report["leads waiting"] == 3


def test_once_a_day_exactly(relay: Relay) -> None:
    quarantined(relay)
    for _ in range(3):
        look_after_data(relay.ctx)
    assert len(digests(relay)) == 1

    relay.wait(days=1)
    look_after_data(relay.ctx)
    look_after_data(relay.ctx)
    assert [one.key for one in digests(relay)] == [f"{NOTE}.2026-11-24", f"{NOTE}.2026-11-25"]


def test_nothing_waits_then_nothing_is_said_that_day(relay: Relay) -> None:
    assert send_digest(relay.ctx)["nothing waits"] == 1
    quarantined(relay)
    assert send_digest(relay.ctx)["digest done before"] == 1
    assert digests(relay) == []


def test_a_message_of_unknown_outcome_is_looked_for_before_it_is_sent_again(relay: Relay) -> None:
    quarantined(relay)
    relay.fail("timeout", "slack", "chat.postMessage", when="after")
    slow = relay.context(seconds=1.0)

    with pytest.raises(GatewayError):
        send_digest(slow)
    assert send_digest(relay.ctx)["digest done before"] == 1, "somebody may still be at it"
    relay.wait(minutes=6)
    report = send_digest(relay.ctx)

    assert report["digest sent"] == 1
    assert len(digests(relay)) == 1


def test_a_refused_message_is_tried_again(relay: Relay) -> None:
    quarantined(relay)
    relay.fail("503", "slack", "chat.postMessage", count=20)
    with pytest.raises(GatewayError):
        send_digest(relay.ctx)
    relay.world.faults.clear()

    assert send_digest(relay.ctx)["digest sent"] == 1
    assert len(digests(relay)) == 1


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.HISTORY])
def test_only_live_is_anybody_told(relay: Relay, mode: Mode) -> None:
    quarantined(relay)
    assert send_digest(replace(relay.ctx, mode=mode))["digest withheld"] == 1
    assert digests(relay) == []


def test_the_kill_switch_holds_it_back(relay: Relay) -> None:
    quarantined(relay)
    with transaction(relay.engine) as conn:
        switches.stop_effects(conn, by="tests", at=relay.now())
    assert send_digest(relay.ctx)["digest withheld"] == 1
    with transaction(relay.engine) as conn:
        switches.resume_effects(conn)
        assert notes.state_of(conn, NOTE, relay.now().date()) is None
    assert send_digest(relay.ctx)["digest sent"] == 1


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 24, 6, 59, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 24, 7, 0, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 22, 59, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 23, 30, tzinfo=UTC), None),
        (datetime(2026, 7, 1, 6, 0, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_it_is_due_in_the_zone_of_the_policy(now: datetime, day: date | None) -> None:
    assert day_of(Digest(at="08:00", zone="Europe/Berlin", channel="x"), now) == day


def test_two_workers_cannot_both_claim_a_day(relay: Relay) -> None:
    now, day = relay.now(), relay.now().date()
    with transaction(relay.engine) as conn:
        first = notes.claim(conn, NOTE, day, worker="a", now=now)
    with transaction(relay.engine) as conn:
        assert notes.claim(conn, NOTE, day, worker="b", now=now) is None
    with transaction(relay.engine) as conn:
        later = notes.claim(conn, NOTE, day, worker="b", now=now + timedelta(minutes=6))
    assert (first is not None and not first.maybe_sent, later and later.maybe_sent) == (True, True)
