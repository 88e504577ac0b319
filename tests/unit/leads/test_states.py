from __future__ import annotations

from itertools import product

import pytest

from baton.errors import IllegalTransitionError
from baton.leads.states import (
    EFFECT_MOVES,
    FINAL_EFFECT_STATES,
    FINAL_LEAD_STATES,
    HANDOFF_CHAIN,
    HANDOFF_MOVES,
    LEAD_MOVES,
    OPEN_HANDOFF_STATES,
    EffectState,
    HandoffState,
    LeadState,
    allowed,
    handoff_steps,
    move,
)


def test_each_state_stands_in_its_table() -> None:
    assert set(LEAD_MOVES) == set(LeadState)
    assert set(HANDOFF_MOVES) == set(HandoffState)
    assert set(EFFECT_MOVES) == set(EffectState)


@pytest.mark.parametrize("kind", [LeadState, HandoffState, EffectState])
def test_every_move_is_allowed_or_refused_by_name(kind: type) -> None:
    table = {LeadState: LEAD_MOVES, HandoffState: HANDOFF_MOVES, EffectState: EFFECT_MOVES}[kind]
    for before, after in product(kind, kind):
        if after in table[before]:
            assert move(before, after) is after
        else:
            with pytest.raises(IllegalTransitionError, match=f"from '{before}' to '{after}'"):
                move(before, after)


def test_no_state_moves_to_itself_and_none_is_entered_again_by_being_seen() -> None:
    for state in (*LeadState, *HandoffState, *EffectState):
        assert not allowed(state, state)
    assert not [state for state in LeadState if allowed(state, LeadState.SEEN)]


def test_the_ends() -> None:
    assert {LeadState.MERGED, LeadState.ERASED} == FINAL_LEAD_STATES
    assert {EffectState.DONE, EffectState.SUPERSEDED} == FINAL_EFFECT_STATES
    assert set(HANDOFF_CHAIN) == OPEN_HANDOFF_STATES


@pytest.mark.requirement("004-16")
def test_every_lead_state_that_is_not_final_leads_back_to_sales_or_out() -> None:
    for state in set(LeadState) - FINAL_LEAD_STATES - {LeadState.IN_HANDOFF}:
        assert LeadState.IN_HANDOFF in LEAD_MOVES[state]
        assert LEAD_MOVES[state] >= FINAL_LEAD_STATES


@pytest.mark.requirement("003-12")
def test_an_open_handoff_can_always_end_with_an_outcome() -> None:
    ends = {HandoffState.RECYCLED, HandoffState.DISQUALIFIED, HandoffState.CANCELLED}
    for state in OPEN_HANDOFF_STATES:
        assert HANDOFF_MOVES[state] >= ends


def test_bad_data_does_not_take_an_open_handoff_away() -> None:
    assert not allowed(LeadState.IN_HANDOFF, LeadState.QUARANTINED)


def test_a_recycled_lead_that_raises_its_hand_goes_out_at_once() -> None:
    assert allowed(LeadState.RECYCLED, LeadState.IN_HANDOFF)
    assert allowed(LeadState.DISQUALIFIED, LeadState.IN_HANDOFF)


def test_nothing_is_done_twice() -> None:
    assert not EFFECT_MOVES[EffectState.DONE]
    assert not allowed(EffectState.AMBIGUOUS, EffectState.PENDING), "it is read back first"
    assert not allowed(EffectState.WITHHELD, EffectState.LEASED), "it must be released first"


def test_a_late_outcome_is_recorded_step_by_step() -> None:
    assert handoff_steps(HandoffState.PLANNED, HandoffState.WON) == (
        HandoffState.ASSIGNED,
        HandoffState.CONVERTED,
        HandoffState.WON,
    )
    assert handoff_steps(HandoffState.WON, HandoffState.WORKING) == ()
    assert handoff_steps(HandoffState.ACCEPTED, HandoffState.ACCEPTED) == ()
    for before, after in product(HandoffState, HandoffState):
        at = before
        for step in handoff_steps(before, after):
            at = move(at, step)
        assert at in (before, after)
