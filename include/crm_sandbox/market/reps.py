"""What a rep intends to do with a task: a plan of moves, made when the task comes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from random import Random

from crm_sandbox.market.buyers import Buyer
from crm_sandbox.market.judgement import (
    ACCEPTED,
    DISQUALIFIED,
    OUTCOME_OF_REASON,
    Fate,
    Judgement,
    judge,
)
from crm_sandbox.market.rhythm import Rhythm


class MoveKind(StrEnum):
    """The things a rep or a manager does in the org."""

    TOUCH = "touch"
    CLOSE_TASK = "task closed"
    ACCEPT = "accepted"
    WORKING = "working"
    DISPOSE = "rejected"
    MEETING = "meeting"
    CONVERT = "converted"
    STAGE = "stage"
    FIX = "data edit"
    HAND_ON = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One piece of work as a rep sees it: a task, or a lead that was moved to them."""

    key: str
    """Who it is about, which time, and whose work: the key of its random stream."""
    person: str
    """Staff key."""
    record_id: str
    """Id of the Lead or Contact."""
    task_id: str | None
    since: datetime
    hot: bool
    buyer: Buyer | None
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One thing to do at a moment; what the fields mean depends on the kind."""

    at: datetime
    kind: MoveKind
    by_mail: bool = False
    connected: bool = False
    disposition: str = ""
    reason: str = ""
    return_days: int | None = None
    data_correct: str | None = None
    timing_right: str | None = None
    stage: str = ""
    new_owner: str = ""
    with_task: bool = False


def plan(rng: Random, work: Work, rhythm: Rhythm) -> list[Move]:
    """Everything the rep will do, in order of time; empty when the task is never looked at."""
    first = rhythm.first(rng, work.since, hot=work.hot)
    if first is None:
        return []
    waited = (first - work.since).total_seconds() / 3600
    judgement = judge(rng, work.buyer, work.quality, hours_waited=waited)
    planner = _Planner(rng, rhythm, first)
    match judgement.fate:
        case Fate.SILENT:
            planner.silent()
        case Fate.REJECTED:
            planner.rejected(judgement)
        case Fate.ACCEPTED:
            planner.accepted(judgement)
    return planner.moves


class _Planner:
    def __init__(self, rng: Random, rhythm: Rhythm, first: datetime) -> None:
        self._rng = rng
        self._rhythm = rhythm
        self._at = first
        self.moves: list[Move] = []

    def _minutes(self, low: float, high: float) -> None:
        self._at = self._rhythm.minutes(self._at, self._rng.uniform(low, high))

    def _days(self, low: float, high: float) -> None:
        self._at = self._rhythm.days(self._rng, self._at, (low, high))

    def _touch(self, *, connected: bool = False) -> None:
        by_mail = self._rng.random() < 0.35
        self.moves.append(
            Move(at=self._at, kind=MoveKind.TOUCH, by_mail=by_mail, connected=connected)
        )

    def _do(self, kind: MoveKind) -> None:
        self.moves.append(Move(at=self._at, kind=kind))

    def _close_task(self) -> None:
        """One in twelve forgets to tick the task off."""
        if self._rng.random() > 0.08:
            self._do(MoveKind.CLOSE_TASK)

    def _dispose(self, reason: str) -> None:
        rng = self._rng
        return_days = None
        if reason == "Bad timing" and rng.random() > 0.06:
            return_days = rng.choice((14, 30, 45, 60, 90))
        asked = rng.random() < 0.8
        wrong_data = reason in ("Wrong contact", "Duplicate") or rng.random() < 0.08
        bad_moment = reason in ("Bad timing", "No budget yet", "Needs nurturing")
        self.moves.append(
            Move(
                at=self._at,
                kind=MoveKind.DISPOSE,
                disposition=OUTCOME_OF_REASON[reason],
                reason=reason,
                return_days=return_days,
                data_correct=("No" if wrong_data else "Yes") if asked else None,
                timing_right=("No" if bad_moment else "Yes") if asked else None,
            )
        )

    def silent(self) -> None:
        """Touch after touch over days, then no reply; the impatient give up too early."""
        patient = self._rng.random() < 0.85
        touches = self._rng.randint(6, 8) if patient else self._rng.randint(2, 4)
        self._touch()
        self._minutes(0, 2)
        self._close_task()
        for _ in range(touches - 1):
            self._days(1.9 if patient else 0.7, 2.8 if patient else 1.6)
            self._touch()
        self._minutes(30, 200)
        self._dispose("No reply yet")

    def rejected(self, judgement: Judgement) -> None:
        """Mostly a call first; what is plain to see is turned away without one."""
        plain = OUTCOME_OF_REASON[judgement.reason] == DISQUALIFIED
        if not plain or self._rng.random() < 0.4:
            self._touch(connected=True)
        self._minutes(0, 2)
        self._close_task()
        self._minutes(2, 120)
        self._dispose(judgement.reason)

    def accepted(self, judgement: Judgement) -> None:
        """Accept and call, or call and accept; then the long work."""
        if self._rng.random() < 0.35:
            self._accept()
            self._minutes(1, 25)
            self._touch(connected=self._rng.random() < 0.6)
            self._close_task()
        else:
            self._touch(connected=self._rng.random() < 0.6)
            self._minutes(1, 6)
            self._close_task()
            self._accept()
        self._minutes(5, 40)
        self._do(MoveKind.WORKING)
        if self._rng.random() < 0.06:
            self._do(MoveKind.FIX)
        self._follow_up(judgement)

    def _accept(self) -> None:
        asked = self._rng.random() < 0.8
        self.moves.append(
            Move(
                at=self._at,
                kind=MoveKind.ACCEPT,
                disposition=ACCEPTED,
                data_correct="Yes" if asked else None,
                timing_right="Yes" if asked else None,
            )
        )

    def _follow_up(self, judgement: Judgement) -> None:
        for _ in range(self._rng.randint(0, 2)):
            self._days(0.8, 3)
            self._touch(connected=self._rng.random() < 0.5)
        if judgement.meeting:
            self._days(0.3, 2)
            self._do(MoveKind.MEETING)
        if judgement.converts:
            self._days(1.5, 7)
            self._do(MoveKind.CONVERT)
            self._deal(judgement)
        elif judgement.dropped_later:
            self._days(5, 20)
            self._dispose(judgement.dropped_later)

    def _deal(self, judgement: Judgement) -> None:
        stages = ["Qualification", "Needs Analysis", "Proposal/Price Quote", "Negotiation/Review"]
        if not judgement.wins:
            stages = stages[: self._rng.randint(1, 4)]
        for stage in stages:
            self._days(1, 9)
            self._stage(stage)
        self._days(2, 10)
        self._stage("Closed Won" if judgement.wins else "Closed Lost")

    def _stage(self, stage: str) -> None:
        self.moves.append(Move(at=self._at, kind=MoveKind.STAGE, stage=stage))
