from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import IntegrityError
from tests.integration.ledger.conftest import START, minutes

from baton.errors import IllegalTransitionError, InvariantError
from baton.leads.states import HANDOFF_MOVES, HandoffState, LeadState
from baton.ledger.handoffs import handoffs, sla_events, touches
from baton.ledger.handoffs.handoffs import NewHop
from baton.ledger.handoffs.sla_events import SlaEvent
from baton.ledger.handoffs.touches import NewTouch
from baton.ledger.leads import leads
from baton.ledger.record import transitions

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World


def test_opening_makes_key_hop_and_moves_the_lead(world: World) -> None:
    lead = world.lead()
    handoff = world.handoff(lead)
    assert (handoff.key, handoff.state) == (f"H{lead.id}-1", HandoffState.PLANNED)
    (hop,) = handoffs.hops(world.conn, [handoff.id])[handoff.id]
    assert (hop.number, hop.owner_key) == (1, "amara@relay.test")
    moved = leads.get(world.conn, lead.id)
    assert moved is not None
    assert (moved.state, moved.cycle) == (LeadState.IN_HANDOFF, 1)


def test_a_lead_has_one_open_handoff(world: World) -> None:
    lead = world.lead()
    world.handoff(lead)
    with pytest.raises(IntegrityError), world.conn.begin_nested():
        world.handoff(lead)


def test_many_are_opened_at_once_in_order(world: World) -> None:
    rows = [world.lead() for _ in range(5)]
    news = [
        handoffs.NewHandoff(
            lead_id=row.id,
            mode="live",
            captured_at=START,
            decided_at=START,
            hop=NewHop(owner_kind="queue", owner_key="Inbound", assigned_at=START),
        )
        for row in reversed(rows)
    ]
    made = handoffs.open_handoffs(world.conn, news)
    assert [one.lead_id for one in made] == [new.lead_id for new in news]
    assert handoffs.open_handoffs(world.conn, []) == []


def test_every_handoff_move_that_is_not_listed_is_refused(world: World) -> None:
    handoff = world.handoff()
    for after in set(HandoffState) - HANDOFF_MOVES[HandoffState.PLANNED] - {HandoffState.PLANNED}:
        with pytest.raises(IllegalTransitionError):
            handoffs.set_state(world.conn, handoff.id, after, at=START, cause="x", by="test")


def test_advancing_records_every_step_and_drops_late_echoes(world: World) -> None:
    handoff = world.handoff()
    going: dict[str, Any] = {"at": START, "cause": "read back", "by": "sync"}
    assert handoffs.advance(world.conn, handoff.id, HandoffState.WON, **going)
    assert not handoffs.advance(world.conn, handoff.id, HandoffState.NOTIFIED, **going)
    states = [one.after for one in transitions.of(world.conn, "handoff", handoff.id)]
    assert states == ["planned", "assigned", "converted", "won"]


def test_stamps_keep_the_earliest_instant(world: World) -> None:
    handoff = world.handoff()
    handoffs.stamp(world.conn, handoff.id, notified_at=minutes(2), amount_cents=100)
    handoffs.stamp(world.conn, handoff.id, notified_at=minutes(5), amount_cents=200)
    handoffs.stamp(world.conn, handoff.id, notified_at=None)
    row = handoffs.get(world.conn, handoff.id)
    assert row is not None
    assert (row.notified_at, row.amount_cents) == (minutes(2), 200)
    with pytest.raises(InvariantError, match="no stamp 'state'"):
        handoffs.stamp(world.conn, handoff.id, state="won")


def test_a_new_hop_needs_an_open_handoff(world: World) -> None:
    handoff = world.handoff(state=HandoffState.ASSIGNED)
    assert handoffs.add_hop(world.conn, handoff.id, _hop("b@relay.test")).number == 2
    handoffs.set_state(
        world.conn, handoff.id, HandoffState.CANCELLED, at=START, cause="x", by="test"
    )
    with pytest.raises(InvariantError, match="takes no new hop"):
        handoffs.add_hop(world.conn, handoff.id, _hop("c@relay.test"))


def test_loads_count_the_present_owner_of_open_handoffs(world: World) -> None:
    first = world.handoff(owner="a@relay.test")
    world.handoff(owner="a@relay.test")
    handoffs.add_hop(world.conn, first.id, _hop("b@relay.test"))
    assert handoffs.open_loads(world.conn) == {"a@relay.test": 1, "b@relay.test": 1}
    given = handoffs.assigned_since(world.conn, START, minutes(30))
    assert given == {"a@relay.test": 2, "b@relay.test": 1}
    assert [one.id for one in handoffs.page(world.conn, owner_key="b@relay.test")] == [first.id]


def test_open_terms_show_the_present_hop_and_what_its_clock_said(world: World) -> None:
    handoff = world.handoff()
    hop = handoffs.add_hop(world.conn, handoff.id, _hop("b@relay.test"))
    event = SlaEvent(hop_id=hop.id, kind="remind", due_at=minutes(3), recorded_at=minutes(4))
    assert sla_events.record(world.conn, [event]) == [event]
    assert sla_events.record(world.conn, [event]) == []
    assert handoffs.open_with_terms(world.conn, START) == []
    (found,) = handoffs.open_with_terms(world.conn, minutes(10))
    assert (found.handoff.id, found.hop.number, found.recorded) == (
        handoff.id,
        2,
        frozenset({"remind"}),
    )


def test_a_touch_counts_once_and_a_machine_is_no_human(world: World) -> None:
    handoff = world.handoff()
    call = _touch(handoff.id, "00T1", minutes(4), grade=3)
    machine = _touch(handoff.id, "00T0", minutes(1), grade=0)
    assert len(touches.record(world.conn, [call, machine])) == 2
    assert touches.record(world.conn, [call]) == []
    row = handoffs.get(world.conn, handoff.id)
    assert row is not None
    assert (row.first_touch_at, row.first_touch_grade) == (minutes(4), 3)
    touches.record(world.conn, [_touch(handoff.id, "00T2", minutes(2), grade=1)])
    row = handoffs.get(world.conn, handoff.id)
    assert row is not None
    assert row.first_touch_at == minutes(2)


def test_pages_go_back_by_id(world: World) -> None:
    made = [world.handoff().id for _ in range(5)]
    first = [one.id for one in handoffs.page(world.conn, limit=3)]
    rest = [one.id for one in handoffs.page(world.conn, limit=3, before_id=first[-1])]
    assert first + rest == made[::-1]


def _hop(owner: str) -> NewHop:
    return NewHop(owner_kind="user", owner_key=owner, assigned_at=START + timedelta(minutes=1))


def _touch(handoff_id: int, external_id: str, at: datetime, *, grade: int) -> NewTouch:
    return NewTouch(handoff_id=handoff_id, external_id=external_id, at=at, kind="call", grade=grade)
