"""Every reason code leads somewhere; some have to be earned first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from baton.dispositions.actions import Planned, Refusal, action_for, code_of
from baton.leads.history import LeadHistory
from baton.leads.states import LeadState
from baton.policy.actions import ActionKind, ReturnTo
from baton.policy.models import Outcome, Policy

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
FINAL = {LeadState.DISQUALIFIED, LeadState.MERGED, LeadState.ERASED}


@dataclass(frozen=True)
class Worked:
    at: datetime
    counts: bool = True


def worked(count: int, days: float) -> list[Worked]:
    step = timedelta(days=days) / max(1, count - 1)
    return [Worked(NOW - timedelta(days=days) + step * n) for n in range(count)]


def plan(
    policy: Policy, code: str, *, touches: list[Worked] | None = None, **given: Any
) -> Planned:
    history = LeadHistory(recycles=given.pop("recycles", {}))
    enough = worked(8, 14) if touches is None else touches
    return action_for(policy, code, history=history, touches=enough, now=NOW, **given)


@pytest.mark.requirement("004-14")
@pytest.mark.requirement("004-16")
def test_every_reason_code_has_an_action_before_and_after_its_cap(policy: Policy) -> None:
    for code, disposition in policy.dispositions.items():
        for used in (0, 1, 99):
            found = plan(policy, code, given_date=date(2027, 2, 1), recycles={code: used})
            assert found.refusal is None, code
            assert found.words
            if disposition.outcome is not Outcome.ACCEPTED:
                assert found.lead_state is not None, code


@pytest.mark.requirement("003-12")
def test_no_reply_is_never_final(policy: Policy) -> None:
    for used in range(6):
        found = plan(policy, "no_reply", recycles={"no_reply": used})
        assert found.outcome is Outcome.RECYCLE
        assert found.lead_state not in FINAL
    first = plan(policy, "no_reply")
    assert (first.action, first.lead_state) == (ActionKind.RECYCLE, LeadState.RECYCLED)
    assert first.return_at == NOW + timedelta(days=90)
    assert first.to is ReturnTo.FRESH
    last = plan(policy, "no_reply", recycles={"no_reply": 2})
    assert (last.action, last.list, last.capped) == (
        ActionKind.NURTURE_LIST,
        "Nurture: later",
        True,
    )
    assert last.lead_state is LeadState.NURTURE


@pytest.mark.requirement("003-11")
@pytest.mark.parametrize(
    ("touches", "allowed"),
    [
        (worked(6, 10), True),
        (worked(5, 20), False),
        (worked(9, 9), False),
        ([], False),
        ([Worked(one.at, counts=False) for one in worked(9, 20)], False),
    ],
)
def test_giving_up_must_be_earned(policy: Policy, touches: list[Worked], allowed: bool) -> None:
    found = plan(policy, "no_reply", touches=touches)
    assert (found.refusal is None) == allowed
    if not allowed:
        assert found.refusal is Refusal.TOO_LITTLE_WORK
        assert found.lead_state is None
        assert "6 touches over 10 days" in found.words


@pytest.mark.requirement("004-12")
def test_bad_timing_asks_for_a_date_and_returns_on_it_to_the_same_rep(policy: Policy) -> None:
    found = plan(policy, "bad_timing", given_date=date(2027, 2, 1))
    assert found.return_at == datetime(2027, 2, 1, tzinfo=UTC)
    assert found.to is ReturnTo.SAME_REP
    assert (found.lead_state, found.list) == (LeadState.RECYCLED, "Nurture: later")
    assert plan(policy, "bad_timing").refusal is Refusal.DATE_MISSING
    assert plan(policy, "bad_timing", given_date=NOW.date()).refusal is Refusal.DATE_PAST


def test_a_return_on_an_event_has_no_date(policy: Policy) -> None:
    found = plan(policy, "too_small")
    assert (found.lead_state, found.return_at) == (LeadState.RECYCLED, None)


def test_some_leave_marketing_for_good(policy: Policy) -> None:
    found = plan(policy, "competitor")
    assert found.action is ActionKind.REMOVE_FROM_MARKETING
    assert found.lead_state is LeadState.DISQUALIFIED
    assert found.return_at is None


def test_acceptance_leaves_the_handoff_open(policy: Policy) -> None:
    found = plan(policy, "accepted")
    assert (found.action, found.lead_state) == (ActionKind.ACCEPT, None)


def test_an_unknown_code_is_told_what_there_is(policy: Policy) -> None:
    found = plan(policy, "bad")
    assert found.refusal is Refusal.UNKNOWN_CODE
    assert "bad_timing" in found.words
    assert found.lead_state is None


def test_codes_are_found_by_what_the_rep_sees(policy: Policy) -> None:
    for code, disposition in policy.dispositions.items():
        assert code_of(policy, f" {disposition.rep_sees.upper()} ") == code
        assert code_of(policy, code) == code
    assert code_of(policy, "bad") is None
