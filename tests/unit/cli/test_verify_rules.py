"""What counts as late, and what as doubled or missing in Slack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.decision.difference import Difference
from baton.demo import verify as verifying
from baton.demo.verify import BOUND_S, _in_time, _one_message, _replayed
from baton.pipeline.past.replay import Finding, ReplayReport, Standing

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """As much of a handoff as the checks look at."""

    captured_at: datetime
    notified_at: datetime | None
    id: int = 1
    key: str = "H1-1"


def told_after(seconds: float) -> Row:
    captured = NOW - timedelta(minutes=10)
    return Row(captured, captured + timedelta(seconds=seconds))


@pytest.mark.requirement("000-10")
@pytest.mark.parametrize(("seconds", "holds"), [(5, True), (BOUND_S, True), (BOUND_S + 0.1, False)])
def test_two_minutes_are_the_bound(seconds, holds):
    assert _in_time([told_after(seconds)], NOW, timedelta(0)).holds is holds


def test_nobody_told_is_late_once_the_grace_is_over():
    on_the_way = Row(NOW - timedelta(seconds=30), None)
    assert _in_time([told_after(5), on_the_way], NOW, timedelta(seconds=120)).holds
    assert not _in_time([told_after(5), on_the_way], NOW, timedelta(0)).holds
    assert not _in_time([on_the_way], NOW, timedelta(seconds=120)).holds


class Slack:
    """A workspace that holds messages with these keys."""

    def __init__(self, *keys: str) -> None:
        self._keys = keys

    def slack_messages(self) -> list[dict[str, Any]]:
        return [{"metadata": {"event_payload": {"key": key}}} for key in self._keys]


@pytest.mark.parametrize(
    ("keys", "holds"),
    [
        (("H1-1.1.slack_message",), True),
        ((), False),
        (("H1-1.1.slack_message", "H1-1.1.slack_message"), False),
        (("H1-1.1.slack_message", "H9-1.1.slack_message"), True),
    ],
)
def test_one_message_each_neither_missing_nor_doubled(keys, holds):
    assert _one_message(Slack(*keys), [told_after(5)], {1: 1}).holds is holds


class Context:
    """As much of a context as the check looks at."""

    engine = None


def report_of(*findings: Finding) -> ReplayReport:
    report = ReplayReport()
    for finding in findings:
        report.add(finding)
    return report


def test_decisions_that_come_out_otherwise_break_the_promise(monkeypatch):
    equal = Finding(1, 1, "2", Standing.EQUAL, "")
    erased = Finding(3, 3, "2", Standing.ERASED, "the person has been erased")
    other = Finding(2, 2, "2", Standing.DIFFERENT, "", Difference("$.band", "hot", "warm"))
    damaged = Finding(4, 4, "2", Standing.DAMAGED, "hash differs")

    def said(*findings: Finding) -> tuple[bool, str]:
        monkeypatch.setattr(verifying, "replay", lambda *_: report_of(*findings))
        check = _replayed(Context)
        return check.holds, check.words

    assert said(equal, erased) == (True, "replayed 2 decisions: all equal")
    assert said(equal, other) == (
        False,
        "replayed 2 decisions: 1 equal, 1 different, first at $.band",
    )
    assert said(equal, damaged) == (False, "replayed 2 decisions: 1 equal, 1 damaged")
