"""Bands with open and closed edges; triggers that fire once for each event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from baton.errors import PolicyError
from baton.policy.models import Band, Policy
from baton.scoring.bands import band_of, higher
from baton.scoring.triggers import fired

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)


@pytest.mark.requirement("000-10")
@pytest.mark.parametrize(
    ("milli", "band"),
    [
        (75_001, "hot"),
        (75_000, "warm"),
        (50_000, "warm"),
        (49_999, "nurture"),
        (0, "nurture"),
        (-90_000, "nurture"),
    ],
)
def test_seventy_five_is_warm_and_above_it_is_hot(policy: Policy, milli: int, band: str) -> None:
    assert band_of(milli, policy).name == band


def test_order_of_bands(policy: Policy) -> None:
    assert higher("hot", "warm", policy)
    assert not higher("warm", "warm", policy)
    assert not higher("nurture", "hot", policy)
    assert higher("nurture", None, policy)
    assert not higher(None, "nurture", policy)


def test_a_policy_without_a_rest_is_told_so(policy: Policy) -> None:
    holed = policy.model_copy(update={"bands": {"hot": Band(name="hot", above=Decimal(75))}})
    holed.__dict__.pop("bands_high_to_low", None)
    with pytest.raises(PolicyError, match="no band is left"):
        band_of(10, holed)


def test_triggers_come_strongest_first_with_their_instants(policy: Policy) -> None:
    facts = {
        "Inbound call at": NOW - timedelta(hours=2),
        "Quiz score": Decimal(80),
        "Quiz taken at": NOW - timedelta(hours=1),
    }
    found = fired(facts, policy, NOW, captured_at=NOW)
    assert [one.trigger.id for one in found] == ["inbound_call", "quiz"]
    assert found[1].at == NOW - timedelta(hours=1)


def test_a_trigger_fires_again_only_for_a_later_event(policy: Policy) -> None:
    at = NOW - timedelta(hours=1)
    facts = {"Quiz score": Decimal(80), "Quiz taken at": at}
    assert fired(facts, policy, NOW, captured_at=NOW, since=at) == ()
    assert fired(facts, policy, NOW, captured_at=NOW, since=at - timedelta(seconds=1))


def test_the_quiz_needs_more_than_seventy_five(policy: Policy) -> None:
    facts = {"Quiz score": Decimal(75), "Quiz taken at": NOW}
    assert fired(facts, policy, NOW, captured_at=NOW) == ()


def test_a_least_score_holds_a_trigger_back(policy: Policy) -> None:
    strict = policy.triggers["quiz"].model_copy(update={"min_score": Decimal(40)})
    strict.__dict__.pop("min_score_milli", None)
    demanding = policy.model_copy(update={"triggers": {"quiz": strict}})
    demanding.__dict__.pop("triggers_strongest_first", None)
    facts = {"Quiz score": Decimal(80), "Quiz taken at": NOW}
    assert not fired(facts, demanding, NOW, captured_at=NOW, total_milli=39_999)
    assert fired(facts, demanding, NOW, captured_at=NOW, total_milli=40_000)


def test_an_event_without_an_instant_counts_from_the_capture(policy: Policy) -> None:
    facts = {"Form": "Demo request", "Last conversion at": NOW}
    found = fired(facts, policy, NOW, captured_at=NOW - timedelta(seconds=9))
    assert [(one.trigger.id, one.at) for one in found] == [
        ("demo_request", NOW - timedelta(seconds=9))
    ]


@pytest.mark.requirement("000-10")
@pytest.mark.parametrize(
    ("milli", "before", "band"),
    [
        (75_000, None, "warm"),  # exactly 75 is not above 75, for whoever was not hot
        (75_000, "warm", "warm"),
        (75_001, "warm", "hot"),
        (75_000, "hot", "hot"),
        (70_001, "hot", "hot"),
        (70_000, "hot", "warm"),
        (72_000, "nurture", "warm"),
        (72_000, "a band of an older policy", "warm"),
        (40_000, "hot", "nurture"),
        (49_999, "warm", "nurture"),  # a band that says nothing is left at its edge
    ],
)
def test_a_lead_at_the_edge_does_not_flap(
    policy: Policy, milli: int, before: str | None, band: str
) -> None:
    assert band_of(milli, policy, before).name == band


def test_a_band_kept_from_below_does_not_hide_a_higher_one(policy: Policy) -> None:
    bands = {
        "vip": Band(name="vip", above=Decimal(100)),
        "hot": Band(name="hot", above=Decimal(75), stays_above=Decimal(60)),
        "rest": Band(name="rest"),
    }
    changed = policy.model_copy(update={"bands": bands})
    changed.__dict__.pop("bands_high_to_low", None)
    assert band_of(101_000, changed, "hot").name == "vip"
    assert band_of(61_000, changed, "hot").name == "hot"
    assert band_of(61_000, changed, "vip").name == "rest"
