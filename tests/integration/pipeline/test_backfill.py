"""A backfill reads everybody in parts, goes on where it was, and tells nobody of single leads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from tests.integration.pipeline.relay import START, Relay
from tests.integration.pipeline.test_common_cases import change_policy

from baton.crm.hubspot import ContactRow
from baton.errors import SettingsError, UnavailableError
from baton.ledger.database.engine import transaction
from baton.ledger.sources import watermarks
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.going_live import backfill
from baton.pipeline.going_live.backfill import announce, parts_left, plan_parts, read_part, size
from baton.pipeline.intake.pull import WATERMARK


def changed_only_from_now_on(relay: Relay) -> None:
    """The hot lane has read everything there was."""
    with transaction(relay.engine) as conn:
        watermarks.set(conn, WATERMARK, relay.now().isoformat(), at=relay.now())


def read_all(relay: Relay, parts: Iterable[str]) -> None:
    for part in parts:
        read_part(relay.ctx, (part, 1))


def deliver(relay: Relay) -> None:
    deliver_and_notify(relay.ctx)
    write_back(relay.ctx)


def test_it_goes_on_after_a_failure_hands_over_silently_and_ends_with_one_digest(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = [relay.hot_contact() for _ in range(5)]
    relay.contact()
    relay.wait(hours=1)
    changed_only_from_now_on(relay)
    monkeypatch.setattr(backfill, "CHUNK", 2)
    assert size(relay.ctx).contacts == 6
    planned = plan_parts(relay.ctx, parts=2)
    assert planned.counts() == {"part 1": 1, "part 2": 2}
    real, judged = backfill.judge, []

    def failing(*given: object, **more: object) -> None:
        if len(judged) == 2:
            raise UnavailableError("hubspot_default", "away")
        judged.append(given)
        real(*given, **more)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(backfill, "judge", failing)
    with pytest.raises(UnavailableError):
        read_all(relay, planned)
    monkeypatch.setattr(backfill, "judge", real)
    with transaction(relay.engine) as conn:
        left = [one.name for one in parts_left(conn)]
    assert left
    assert list(plan_parts(relay.ctx)) == left  # it goes on, it does not begin anew
    assert announce(relay.ctx)["digest sent"] == 0

    read_all(relay, left)
    deliver(relay)

    assert [relay.lead(one)["state"] for one in contacts] == ["in_handoff"] * 5
    assert {relay.handoff(one)["state"] for one in contacts} == {"assigned"}
    assert {row["HubSpot_Contact_Id__c"] for row in relay.org.rows("Lead")} == set(contacts)
    assert relay.messages() == []
    assert announce(relay.ctx)["digest sent"] == 1
    assert announce(relay.ctx)["digest sent"] == 0
    (digest,) = relay.messages()
    assert "5 leads were handed over" in digest.says
    assert not relay.rows("SELECT id FROM decision GROUP BY id, lead_id HAVING count(*) > 1")
    # It has ended: the next one reads everything again, and finds nothing new.
    read_all(relay, plan_parts(relay.ctx, parts=1))
    assert len(relay.rows("SELECT 1 FROM decision")) == 6


def test_since_the_limits_and_the_policy_s_silence(relay: Relay) -> None:
    change_policy(
        relay,
        ("agreement.yaml", "handoffs_per_run: 200", "handoffs_per_run: 1"),
        ("agreement.yaml", "backfill_announces: one digest", "backfill_announces: nothing"),
    )
    old = relay.contact()
    relay.submit(old, "Contact sales")
    relay.wait(days=2)
    young = [relay.contact() for _ in range(3)]
    for contact in young:
        relay.submit(contact, "Contact sales")
    with pytest.raises(SettingsError, match="is no date"):
        plan_parts(relay.ctx, "yesterday")

    since = (START + timedelta(days=1)).date().isoformat()
    read_all(relay, plan_parts(relay.ctx, since, parts=1))
    deliver(relay)

    assert not relay.rows("SELECT 1 FROM lead WHERE hubspot_id = :id", id=old)
    states = sorted(relay.lead(one)["state"] for one in young)
    assert states == ["held", "held", "in_handoff"]
    assert announce(relay.ctx).counts() == {"handed over": 1}
    assert relay.messages() == []


def test_a_part_takes_only_its_own_ids() -> None:
    part = backfill.Part("part 1", 5, 9)
    row = ContactRow(id="7", properties={}, modified_at=START)
    assert backfill._is_in(row, part)
    later = backfill.Part.read("part 1", "5|9|" + (START + timedelta(1)).isoformat())
    assert not backfill._is_in(row, later)
    assert backfill.Part.read("part 1", part.text()) == part
