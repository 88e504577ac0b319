"""Whatever fails, whoever dies: no lead is lost, and nothing is done twice (see docs/faults.md)."""

from __future__ import annotations

import pytest
from tests.faults.catalogue import CHOSEN, Case, Course, chosen_cases, matrix, uncovered
from tests.faults.stage import Stage


def test_nothing_is_lost_and_nothing_doubled(stage: Stage, fault_case: Case) -> None:
    verdict = stage.play(fault_case.seed)

    told = (fault_case.name, *verdict.breaches, verdict.story)
    assert not verdict.breaches, "\n".join(told)
    assert verdict.struck, "\n".join(("a fault never struck", *told))


def test_the_cases_of_every_run_cover_every_pair() -> None:
    """Each endpoint with each of its faults and in each course, each fault in each course."""
    assert len(chosen_cases()) == CHOSEN
    assert uncovered(chosen_cases()) == set()
    assert uncovered(chosen_cases()[60:]) != set()


def test_the_matrix_is_as_large_as_promised_and_numbered_without_gaps() -> None:
    cases = matrix()
    assert len(cases) >= 2000
    assert [one.seed for one in cases] == list(range(1, len(cases) + 1))
    assert {one.course for one in cases} == set(Course) - {Course.THREE_KILLED}
    assert len({one.name.partition(": ")[2] for one in cases}) == len(cases)


@pytest.mark.parametrize("seed", [0, 100_000])
def test_an_unknown_case_says_which_there_are(seed: int) -> None:
    from tests.faults.catalogue import case

    with pytest.raises(LookupError, match="there are 1 to"):
        case(seed)
