"""Hours that are not as usual: said once, in words, and nobody is stopped."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from tests.integration.pipeline.relay import Relay
from typer.testing import CliRunner

from baton.cli import app
from baton.ledger.database.engine import transaction
from baton.ledger.leads import drift as stored
from baton.ledger.leads.drift import HourProfile
from baton.pipeline.intake.drift import check_drift, hours_to_check, profile_of, usual_of
from baton.policy.lead_models import Drift, DriftVolume
from baton.policy.models import Policy
from baton.validation.drift import NOT_LISTED, DriftKind, Usual, unusual
from baton.validation.verdicts import preload

HOUR = datetime(2026, 11, 24, 10, tzinfo=UTC)
NULLS = {"fields": ["Phone", "Industry"], "rise_by": 20, "least": 20}


@pytest.fixture(scope="module", autouse=True)
def _validator() -> None:
    preload()


def words(*leads: dict[str, str | None], usual: Usual) -> list[str]:
    return [one.words for one in unusual(leads, usual)]


def test_too_few_and_too_many() -> None:
    assert words(*[{}] * 3, usual=Usual((5, 9))) == ["3 leads in the hour; usual are 5 to 9"]
    assert words(usual=Usual((1, 9))) == ["0 leads in the hour; usual are 1 to 9"]
    assert words(*[{}] * 5, usual=Usual((5, 9))) == []


def test_fields_that_are_emptier_than_usual() -> None:
    leads: list[dict[str, str | None]] = [{"Phone": None}] * 6 + [{"Phone": "(known)"}] * 4
    usual = Usual(empty={"Phone": 0.4})
    assert words(*leads, usual=usual) == [
        "Phone is empty in 60 % of the leads; at most 40 % is usual"
    ]
    assert words(*leads, usual=Usual(empty={"Phone": 0.6})) == []
    assert words(usual=usual) == [], "no leads are not empty leads"


def test_values_that_are_new() -> None:
    leads: list[dict[str, str | None]] = [
        {"Source": "Direct"}, {"Source": "Carrier pigeon"}, {"Source": None}, {"Source": NOT_LISTED}
    ]  # fmt: skip
    found = unusual(leads, Usual(values={"Source": frozenset({"Direct"})}))
    assert [one.kind for one in found] == [DriftKind.NEW_VALUES]
    assert found[0].words == (
        "Source has values that are new (2 leads): 'Carrier pigeon', '(not listed in the policy)'"
    )


def test_what_is_usual_comes_from_the_same_hour_of_the_week(policy: Policy) -> None:
    agreed = Drift(volume=DriftVolume(at_least=50, at_most=200, weeks=4, least=10))
    weeks = [HourProfile(HOUR - timedelta(weeks=back), count) for back, count in ((1, 30), (2, 50))]
    others = [HourProfile(HOUR - timedelta(hours=back), 1000) for back in range(1, 60)]
    assert usual_of(HOUR, [*weeks, *others], 0, agreed, policy).rows == (20, 80)
    assert usual_of(HOUR, [*weeks[:1], *others], 0, agreed, policy).rows is None, "one is no habit"
    small = [HourProfile(one.hour, 3) for one in weeks]
    assert usual_of(HOUR, small, 0, agreed, policy).rows is None, "small numbers vary"


def test_usual_emptiness_is_weighed_by_leads(policy: Policy) -> None:
    agreed = Drift.model_validate({"nulls": NULLS})
    before = [
        HourProfile(HOUR - timedelta(hours=2), 90, {"Phone": 9, "Industry": 0}),
        HourProfile(HOUR - timedelta(hours=1), 10, {"Phone": 1}),
    ]
    usual = usual_of(HOUR, before, 50, agreed, policy)
    assert usual.empty == pytest.approx({"Phone": 0.3})
    assert usual_of(HOUR, before, 3, agreed, policy).empty == {}, "three leads prove nothing"


def test_an_hour_in_numbers(policy: Policy) -> None:
    agreed = Drift.model_validate({"nulls": NULLS, "new_values": ["Source"]})
    rows: list[dict[str, str | None]] = [
        {"Phone": "(known)", "Industry": None, "Source": "Direct"},
        {"Phone": None, "Industry": None, "Source": None},
    ]
    found = profile_of(HOUR, rows, agreed, policy)
    assert (found.leads, found.missing) == (2, {"Phone": 1, "Industry": 2})
    assert found.choices == {"Source": ["Direct"]}


@pytest.mark.parametrize(
    ("last", "hours"),
    [(None, [9]), (8, [9]), (9, []), (6, [7, 8, 9])],
)
def test_which_hours_are_looked_at(last: int | None, hours: list[int]) -> None:
    before = None if last is None else HOUR.replace(hour=last)
    now = HOUR.replace(minute=59)
    assert [one.hour for one in hours_to_check(before, now)] == hours
    assert len(hours_to_check(HOUR - timedelta(days=30), now)) == 24


def test_through_the_chain_an_unusual_hour_is_logged_stored_and_shown_once(
    relay: Relay, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, ledger_url: str
) -> None:
    habit(relay.engine, relay.now().replace(minute=0))
    relay.contact(hs_analytics_source="zq_carrier", phone="")
    relay.run()
    relay.wait(hours=1)
    with caplog.at_level(logging.WARNING):
        report = check_drift(relay.ctx)

    assert report["drift volume"] == 1
    assert report["drift new_values"] == 1
    assert "1 leads in the hour; usual are 20 to 320" in caplog.text
    assert "Source has values that are new (1 leads): '(not listed in the policy)'" in caplog.text
    assert check_drift(relay.ctx).total() == 0
    with transaction(relay.engine) as conn:
        found = stored.warnings_since(conn, relay.now() - timedelta(days=1))
    assert {one.kind for one in found} == {"volume", "new_values"}
    monkeypatch.setenv("BATON_DATABASE_URL", ledger_url)
    monkeypatch.setenv("BATON_MODE", "live")
    monkeypatch.setattr("baton.clock.SystemClock.now", lambda _: relay.now())
    shown = CliRunner().invoke(app, ["status"])
    assert "1 leads in the hour; usual are 20 to 320" in shown.output, shown.output


def habit(engine: Engine, hour: datetime) -> None:
    """Eighty leads in this hour of the last three weeks, all of them with a phone."""
    with transaction(engine) as conn:
        for back in (1, 2, 3):
            profile = HourProfile(
                hour - timedelta(weeks=back), 80, {"Phone": 0}, {"Source": ["Direct"]}
            )
            stored.record(conn, profile, [], at=hour)
        stored.record(conn, HourProfile(hour - timedelta(hours=1), 80), [], at=hour)


@pytest.fixture(scope="module")
def policy() -> Policy:
    from pathlib import Path

    from baton.policy.loader import parse_policy, read_bundle

    return parse_policy(read_bundle(Path(__file__).resolve().parents[3] / "include" / "policy"))
