"""Metrics: definitions that are complete, and arithmetic that does not flatter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from baton.audit.measures import (
    DecidedHandoff,
    Ratio,
    TimedHandoff,
    acceptance,
    breach_rate,
    fairness,
    median,
    percentile,
    share_within,
    speed,
)
from baton.audit.metrics import METRICS

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def handoff(touched_after: float | None, due_after: float | None = 300) -> TimedHandoff:
    start = NOW - timedelta(hours=2)

    def later(seconds: float | None) -> datetime | None:
        return None if seconds is None else start + timedelta(seconds=seconds)

    return TimedHandoff(start, later(touched_after), later(due_after))


@pytest.mark.requirement("004-03")
def test_shares_are_over_all_and_never_touched_stands_beside() -> None:
    found = speed([handoff(30), handoff(60), handoff(300), handoff(301), handoff(None)])
    assert found.within == {1: Ratio(2, 5), 5: Ratio(3, 5), 60: Ratio(4, 5)}
    assert (found.touched, found.never_touched) == (4, 1)
    assert found.median == 180
    assert found.mean == pytest.approx(172.75)


def test_an_empty_cohort_has_no_values() -> None:
    found = speed([])
    assert (found.median, found.p90, found.mean) == (None, None, None)
    assert found.within[5].value is None
    assert median([]) is None


def test_a_touch_before_the_capture_counts_as_nothing_and_not_as_less() -> None:
    assert speed([handoff(-40)]).median == 0


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 2.5), (0.9, 3.7), (1, 4)])
def test_percentiles_interpolate(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == pytest.approx(expected)
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1], 1.5)


def test_open_handoffs_that_are_not_due_are_left_out_of_the_breach_rate() -> None:
    rows = [
        handoff(200),
        handoff(300),
        handoff(900),
        handoff(None),
        handoff(None, due_after=8 * 3600),
        handoff(None, due_after=None),
    ]
    assert breach_rate(rows, NOW) == Ratio(2, 4)


def test_a_touch_after_the_moment_of_asking_is_not_known_yet() -> None:
    row = handoff(3 * 3600, due_after=300)
    assert breach_rate([row], NOW) == Ratio(1, 1)


def test_acceptance_by_cohort_counts_what_was_left_lying() -> None:
    rows = [
        *[DecidedHandoff("accepted")] * 4,
        DecidedHandoff("accepted", automatic=True),
        DecidedHandoff("recycled"),
        DecidedHandoff("disqualified"),
        DecidedHandoff(None, expired=True),
        DecidedHandoff(None, expired=True),
        DecidedHandoff(None),
    ]
    assert acceptance(rows) == Ratio(4, 8)
    assert acceptance(rows, decided_only=True) == Ratio(4, 6)


def test_share_within_a_window() -> None:
    pairs = [(NOW, NOW + timedelta(days=29)), (NOW, NOW + timedelta(days=31)), (NOW, None)]
    assert share_within(pairs, timedelta(days=30)) == Ratio(1, 3)


def test_fairness_is_the_distance_from_the_share() -> None:
    assert fairness([Fraction(1, 2), Fraction(-3, 4), Fraction(1, 4)]) == (0.75, 0.5)
    assert fairness([]) == (0.0, 0.0)


def test_every_metric_says_what_it_is() -> None:
    for name, metric in METRICS.items():
        assert name == metric.name
        assert metric.words.endswith(".")
        assert metric.title
        assert metric.formula
        assert all(target.best in ("at most", "at least") for target in metric.targets)


@pytest.mark.requirement("000-12")
@pytest.mark.requirement("001-08")
def test_quoted_figures_are_targets_with_their_source() -> None:
    assert METRICS["acceptance_rate"].targets[0].value == 0.82
    assert [target.value for target in METRICS["speed_to_lead_median"].targets] == [240, 600]
    assert METRICS["system_latency_p95"].targets[0].value == 120
