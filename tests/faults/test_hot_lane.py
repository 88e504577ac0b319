"""Workers are killed in the middle of hot leads; within 90 seconds their owners know."""

from __future__ import annotations

import pytest
from tests.faults.catalogue import (
    CREATE_LEAD,
    CREATE_TASK,
    POST,
    Case,
    Course,
    Endpoint,
    Moment,
    matrix,
    three_at_once,
)
from tests.faults.stage import Stage

from baton.pipeline.delivery.deliver import LEASE_SECONDS

BOUND_SECONDS = 90
EVERY_SECONDS = 60
"""How often lead_handoff runs, even when nothing wakes it."""


def test_a_lease_ends_early_enough_for_the_run_after_next() -> None:
    assert LEASE_SECONDS < EVERY_SECONDS
    assert LEASE_SECONDS + EVERY_SECONDS < BOUND_SECONDS


@pytest.mark.xdist_group("faults deliver")
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
@pytest.mark.parametrize("endpoint", [CREATE_LEAD, CREATE_TASK, POST], ids=lambda one: one.name)
def test_a_hot_lead_whose_worker_was_killed_moves_on(
    stage: Stage, endpoint: Endpoint, moment: Moment
) -> None:
    """The next run comes a minute after the death: everything is settled by it, once."""
    killed = next(
        one
        for one in matrix()
        if one.act == "deliver"
        and one.strikes[0].call.endpoint == endpoint
        and (one.course, one.moment) == (Course.KILLED, moment)
    )

    verdict = stage.play(killed.seed)

    assert verdict.ok, (killed.name, *verdict.breaches, verdict.story)
    assert verdict.recovered_after is not None
    assert verdict.recovered_after <= BOUND_SECONDS


@pytest.mark.xdist_group("faults three steps")
@pytest.mark.parametrize("killed", three_at_once(), ids=lambda one: one.deaths[0].moment.value)
def test_three_workers_of_different_steps_die_at_once_and_every_lead_moves_on(
    stage: Stage, killed: Case
) -> None:
    """One pulls, one delivers, one writes back; the next run finds everything and doubles nothing."""
    assert len({one.step for one in killed.deaths}) == 3

    verdict = stage.play(killed.seed)

    assert verdict.ok, (killed.name, *verdict.breaches, verdict.story)
    assert verdict.story.count("is dead") == 3
    assert verdict.recovered_after is not None
    assert verdict.recovered_after <= BOUND_SECONDS
