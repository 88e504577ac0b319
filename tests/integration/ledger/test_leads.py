from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from tests.integration.ledger.conftest import START, minutes, seen

from baton.errors import IllegalTransitionError, InvariantError
from baton.leads.states import LEAD_MOVES, HandoffState, LeadState
from baton.ledger.effects import outbox
from baton.ledger.handoffs import dispositions, handoffs
from baton.ledger.handoffs.dispositions import NewDisposition
from baton.ledger.intake import merges, seen_leads
from baton.ledger.leads import histories, leads, persons, snapshots
from baton.ledger.leads.persons import PersonFields
from baton.ledger.record import transitions
from baton.ledger.tables.leads import person, snapshot

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World


def counted(conn: Connection, table: Any) -> int:
    return conn.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_new_lead_is_seen_with_a_timer_and_its_snapshot(world: World) -> None:
    row = world.lead()
    assert (row.created, row.changed, row.state) == (True, True, LeadState.SEEN)
    assert row.timer_at == START + seen_leads.UNJUDGED_ALARM
    assert [each.after for each in transitions.of(world.conn, "lead", row.id)] == ["seen"]
    stored = snapshots.snapshot_of(world.conn, row.id, f"hash-{row.hubspot_id}-1")
    assert stored is not None
    assert stored.content == {"numberofemployees": "1"}


def test_reading_the_same_again_changes_nothing(world: World) -> None:
    row = world.lead()
    again = seen_leads.upsert_seen(world.conn, [seen(row.hubspot_id)])[row.hubspot_id]
    assert (again.created, again.changed, again.id) == (False, False, row.id)
    assert counted(world.conn, snapshot) == 1


def test_a_changed_lead_is_told_and_both_snapshots_stay(world: World) -> None:
    row = world.lead()
    later = seen(row.hubspot_id, version=2, at=minutes(1), person=PersonFields(title="CTO"))
    changed = seen_leads.upsert_seen(world.conn, [later])[row.hubspot_id]
    assert (changed.created, changed.changed) == (False, True)
    assert counted(world.conn, snapshot) == 2
    assert persons.people(world.conn, [row.id])[row.id].title == "CTO"


def test_an_older_reading_never_overwrites_a_newer_one(world: World) -> None:
    row = world.lead(at=minutes(5))
    stale = seen(row.hubspot_id, version=2, at=minutes(1), person=PersonFields(title="old"))
    result = seen_leads.upsert_seen(world.conn, [stale])[row.hubspot_id]
    assert not result.changed
    assert persons.people(world.conn, [row.id])[row.id].title is None


def test_twice_in_one_batch_the_newest_counts(world: World) -> None:
    old, new = seen("7"), seen("7", version=2, at=minutes(1))
    world.lead()
    row = seen_leads.upsert_seen(world.conn, [new, old])["7"]
    found = leads.get(world.conn, row.id)
    assert found is not None
    assert found.last_content_hash == "hash-7-2"


def test_ten_thousand_leads_in_a_few_seconds(ledger_conn: Connection) -> None:
    rows = [seen(str(number)) for number in range(10_000)]
    began = time.monotonic()
    assert len(seen_leads.upsert_seen(ledger_conn, rows)) == 10_000
    # Two to three seconds on an idle machine; row by row it would take a minute.
    assert time.monotonic() - began < 30
    assert counted(ledger_conn, person) == 10_000


def test_personal_data_is_not_shown_by_repr(world: World) -> None:
    row = world.lead()
    assert "buyer.test" not in repr(persons.people(world.conn, [row.id]))
    assert "buyer.test" not in repr(seen("9"))


def test_every_move_that_is_not_listed_is_refused(world: World) -> None:
    for before, moves in LEAD_MOVES.items():
        for after in set(LeadState) - moves - {before}:
            row = world.lead()
            _force(world.conn, row.id, before)
            with pytest.raises(IllegalTransitionError):
                leads.set_state(
                    world.conn,
                    row.id,
                    after,
                    at=START,
                    cause="test",
                    by="test",
                    timer_at=START,
                    timer_action="x",
                )


def test_a_state_that_waits_needs_its_timer(world: World) -> None:
    row = world.lead()
    with pytest.raises(InvariantError, match="needs a timer"):
        leads.set_state(world.conn, row.id, LeadState.NURTURE, at=START, cause="x", by="test")
    with pytest.raises(DBAPIError), world.conn.begin_nested():
        _force(world.conn, row.id, LeadState.NURTURE, timer=False)


def test_the_same_state_again_only_renews_the_timer(world: World) -> None:
    row = world.lead()
    world.nurture(row)
    world.nurture(row, at=minutes(60))
    found = leads.get(world.conn, row.id)
    assert found is not None
    assert found.state_since == START
    assert found.timer_at == minutes(60) + timedelta(days=90)
    changes = transitions.of(world.conn, "lead", row.id)
    assert [change.after for change in changes] == ["seen", "nurture"]


def test_due_timers_are_handed_to_one_reader_only(
    commit: Callable[[Callable[[World], Any]], Any], ledger_engine: Engine
) -> None:
    for _ in range(4):
        commit(lambda world: world.lead())
    now = START + timedelta(hours=1)
    with ledger_engine.begin() as first, ledger_engine.begin() as second:
        mine = leads.due_timers(first, now, limit=3)
        others = leads.due_timers(second, now)
    assert (len(mine), len(others)) == (3, 1)
    assert not {row.id for row in mine} & {row.id for row in others}


def test_history_knows_owners_recycles_and_the_open_handoff(world: World) -> None:
    row = world.lead()
    for owner in ("amara@relay.test", "luis@relay.test"):
        handoff = world.handoff(row, owner=owner, state=HandoffState.NOTIFIED)
        _dispose(world, handoff.id, "no_reply")
        leads.set_state(
            world.conn,
            row.id,
            LeadState.RECYCLED,
            at=START,
            cause="no_reply",
            by="test",
            timer_at=minutes(99),
            timer_action="return",
        )
    told = world.decision(row, result={"trigger_at": minutes(10).isoformat()})
    third = world.handoff(row, decision_id=told, owner="dana@relay.test")
    history = histories.histories(world.conn, [row.id])[row.id]
    assert history.earlier_owners == ("amara@relay.test", "luis@relay.test", "dana@relay.test")
    assert history.recycles == {"no_reply": 2}
    assert history.last_disposition == "no_reply"
    assert history.last_trigger_at == minutes(10)
    assert history.cycle == 3
    assert history.open_handoff is not None
    assert (history.open_handoff.id, history.open_handoff.owner) == (third.id, "dana@relay.test")


def test_merging_moves_the_only_open_handoff_to_the_winner(world: World) -> None:
    winner, loser = world.lead(), world.lead()
    handoff = world.handoff(loser)
    world.chain(handoff)
    seen_leads.upsert_seen(
        world.conn,
        [seen(winner.hubspot_id, version=2, at=minutes(1), merged_ids=(loser.hubspot_id,))],
    )
    kept, gone = leads.get(world.conn, winner.id), leads.get(world.conn, loser.id)
    assert kept is not None
    assert gone is not None
    assert (kept.state, gone.state) == (LeadState.IN_HANDOFF, LeadState.MERGED)
    assert (gone.merged_into, kept.cycle) == (winner.id, 1)
    moved = handoffs.open_of_leads(world.conn, [winner.id])[winner.id]
    assert (moved.id, moved.key) == (handoff.id, handoff.key)
    assert {each.lead_id for each in outbox.of_handoff(world.conn, handoff.id)} == {winner.id}
    assert persons.people(world.conn, [loser.id]) == {}


def test_merging_two_open_handoffs_cancels_the_losers(world: World) -> None:
    winner, loser = world.lead(), world.lead()
    mine, theirs = world.handoff(winner), world.handoff(loser)
    world.chain(theirs)
    merges.merge_into(world.conn, winner.id, [loser.id], at=minutes(1), by="hubspot")
    kept, ended = handoffs.get(world.conn, mine.id), handoffs.get(world.conn, theirs.id)
    assert kept is not None
    assert ended is not None
    assert (kept.is_open, ended.state) == (True, HandoffState.CANCELLED)
    states = {each.state for each in outbox.of_handoff(world.conn, theirs.id)}
    assert states == {"superseded"}


def test_what_was_erased_stays_erased(world: World) -> None:
    row = world.lead()
    world.conn.execute(
        text("UPDATE person SET email = NULL, erased_at = now() WHERE lead_id = :id"),
        {"id": row.id},
    )
    persons.store_people(world.conn, {row.id: PersonFields(email="back@buyer.test")})
    assert persons.people(world.conn, [row.id])[row.id].email is None


def _dispose(world: World, handoff_id: int, code: str) -> None:
    dispositions.record(
        world.conn,
        [
            NewDisposition(
                handoff_id=handoff_id,
                code=code,
                outcome="recycle",
                at=minutes(5),
                external_id=f"{handoff_id}-{code}",
            )
        ],
    )
    handoffs.set_state(
        world.conn, handoff_id, HandoffState.RECYCLED, at=minutes(5), cause=code, by="rep"
    )


def _force(conn: Connection, lead_id: int, state: LeadState, *, timer: bool = True) -> None:
    conn.execute(
        text(
            "UPDATE lead SET state = :state, timer_action = 'x',"
            " timer_at = CASE WHEN :timer THEN now() END WHERE id = :id"
        ),
        {"state": state, "id": lead_id, "timer": timer},
    )


def test_characters_that_no_database_takes_do_not_fail_a_batch(world: World) -> None:
    odd = "a\x00b\ud800 \\u0000"
    given = PersonFields(first_name=odd, raw={"firstname": odd, "more": [odd]})
    row = world.lead(person=given, content={"note": odd})
    stored = persons.people(world.conn, [row.id])[row.id]
    assert stored.first_name == "ab? \\u0000"
    assert stored.raw == {"firstname": "ab? \\u0000", "more": ["ab? \\u0000"]}
