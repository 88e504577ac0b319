"""Metrics: the figures agree with the daily ones, small numbers say so, targets are named targets."""

from __future__ import annotations

import html
import json
import re
from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from tests.web.conftest import NOW, Visitors
from tests.web.test_team import agree

from baton.audit.metrics import METRICS
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import NewHandoff, NewHop
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads.persons import PersonFields
from baton.ledger.metrics import metrics
from baton.ledger.pages import page_metrics

AT = NOW - timedelta(days=10)
COUNT = 30
NASTY = "<script>alert(1)</script> שלום"


@pytest.fixture
def client(ledger_engine: Engine, ledger_url: str, visitors: Visitors) -> TestClient:
    """Thirty handoffs ten days ago: every third untouched, the others after 1, 2, 3… minutes."""
    agree(ledger_engine)
    with transaction(ledger_engine) as conn:
        for number in range(COUNT):
            seen = SeenLead(
                hubspot_id=str(number),
                modified_at=AT,
                seen_at=AT,
                captured_at=AT,
                content_hash="hash",
                content={},
                person=PersonFields(email=f"p{number}@made.test"),
            )
            lead = seen_leads.upsert_seen(conn, [seen])[seen.hubspot_id]
            hop = NewHop(
                owner_kind="user",
                owner_key="helena.voss@relay.test",
                assigned_at=AT,
                first_touch_due=AT + timedelta(minutes=5),
            )
            new = NewHandoff(
                lead_id=lead.id,
                mode="live",
                captured_at=AT,
                decided_at=AT,
                hop=hop,
                band="hot" if number % 2 else "warm",
                source=NASTY if number == 1 else "Referral",
            )
            made = handoffs.open_handoff(conn, new)
            handoffs.stamp(conn, made.id, notified_at=AT + timedelta(seconds=9))
            if number % 3:
                handoffs.stamp(conn, made.id, first_touch_at=AT + timedelta(minutes=number))
    return visitors.client(ledger_url)


def figure(page: str, title: str) -> str:
    found = re.search(
        rf"<dt>{re.escape(title)}</dt><dd>(.*?)</dd>\s*<dd class=\"note\">(.*?)</dd>", page, re.S
    )
    assert found, title
    return " ".join(re.sub(r"<[^>]+>", " ", f"{found[1]} {found[2]}").split())


@pytest.mark.requirement("001-08")
def test_the_time_to_the_first_contact_stands_first_with_those_never_touched(
    client: TestClient,
) -> None:
    page = client.get("/metrics").text
    assert figure(page, "Median") == "15 min of 20 touched"
    assert figure(page, "Within 1 minute") == "3 % 1 of 30"
    assert figure(page, "Within 5 minutes") == "13 % 4 of 30"
    assert figure(page, "Within 60 minutes") == "67 % 20 of 30"
    assert figure(page, "Never touched") == "10 of 30"
    assert figure(page, "Owner told within") == "9 s of 30 messages"
    assert page.index("<dt>Median</dt>") < page.index("<dt>Accepted by sales</dt>")


def test_the_figures_are_those_of_the_daily_ones(client: TestClient, ledger_engine: Engine) -> None:
    day = date(2026, 11, 10)
    with transaction(ledger_engine) as conn:
        daily = {
            (one.name, one.dimension): one for one in metrics.daily_metrics(conn, day, now=NOW)
        }
        found = page_metrics.measured(
            conn, AT - timedelta(days=1), NOW, first_week=AT - timedelta(days=7), now=NOW
        )
    whole = found.whole
    for dimension, one in [("all", whole)] + [
        (f"{one.by}:{one.value}", one.figures) for one in found.splits if one.value is not None
    ]:
        assert daily["handoffs", dimension].value == one.handoffs
        speed = daily["speed_to_lead_median_seconds", dimension]
        assert (speed.value, speed.denominator) == (one.touch_median, one.touched)
        p90 = daily["speed_to_lead_p90_seconds", dimension]
        assert float(p90.value or 0) == pytest.approx(one.touch_p90)
        assert daily["never_touched", dimension].numerator == one.never_touched
        breach = daily["sla_breach_rate", dimension]
        assert (breach.numerator, breach.denominator) == (one.breached, one.clock_decided)
        taken = daily["acceptance_rate", dimension]
        assert (taken.numerator, taken.denominator) == (one.accepted, one.verdicts_or_expired)
    assert list(found.weeks.values()) == [whole]
    p95 = daily["system_latency_p95_seconds", "all"]
    assert (p95.value, p95.denominator) == (found.system.p95, found.system.measured)


def test_a_stretch_long_before_the_weeks_is_measured_too(
    client: TestClient, ledger_engine: Engine
) -> None:
    later = NOW + timedelta(days=400)
    with transaction(ledger_engine) as conn:
        found = page_metrics.measured(
            conn, AT, NOW, first_week=later - timedelta(days=77), now=later
        )
    assert (found.whole.handoffs, found.weeks) == (COUNT, {})


def test_targets_are_named_as_targets_beside_the_results(client: TestClient) -> None:
    page = client.get("/metrics").text
    rows = [
        " ".join(re.sub(r"<[^>]+>", " ", one).split())
        for one in re.findall(r'<tr><th scope="row" class="promise">.*?</tr>', page, re.S)
    ]
    (touch,) = [one for one in rows if "within 5 minutes" in one]
    assert "at most 5 minutes 15 minutes few missed" in touch
    (volume,) = [one for one in rows if "150 handoffs" in one]
    assert "at least 150 a month 30.4 a month missed" in volume
    (data,) = [one for one in rows if "wrong data" in one]
    assert "at most 5 % – not measured here" in data
    assert "Baton does not read that answer" in data
    assert '<th scope="col">Target</th>' in page


def test_a_promise_about_a_band_is_measured_over_that_band(
    client: TestClient, ledger_engine: Engine
) -> None:
    with transaction(ledger_engine) as conn:
        conn.execute(
            text("UPDATE handoff SET first_touch_at = captured_at + :soon WHERE band = 'warm'"),
            {"soon": timedelta(minutes=2)},
        )
    page = client.get("/metrics").text
    (row,) = re.findall(
        r'<tr><th scope="row" class="promise">Half of the hot leads.*?</tr>', page, re.S
    )
    words = " ".join(re.sub(r"<[^>]+>", " ", row).split())
    assert "Speed to lead, median, of hot leads" in words
    assert "at most 5 minutes 15 minutes few missed" in words
    assert figure(page, "Median").startswith("2 min "), "of all it would be kept"


def test_every_figure_has_its_definition_one_click_away(client: TestClient) -> None:
    page = client.get("/metrics").text
    shown = re.findall(r"<dt>(.*?)</dt>.*?<details><summary>Definition", page, re.S)
    assert len(shown) == 10
    for name in ("speed_to_lead_median", "acceptance_rate", "sla_breach_rate", "never_touched"):
        assert html.escape(METRICS[name].words).replace("&#x27;", "&#39;") in page


def test_few_are_marked(client: TestClient) -> None:
    page = client.get("/metrics").text
    assert "few" not in figure(page, "Within 5 minutes")
    assert figure(page, "Won, of those closed") == "– nothing to measure"
    by_band = page[page.index("By band") : page.index("By segment")]
    assert by_band.count("≈") == 4


def test_sources_are_shown_as_text_and_charts_hold_what_the_table_says(client: TestClient) -> None:
    page = client.get("/metrics").text
    assert html.escape(NASTY) in page
    assert "<script>" not in page
    charts = [json.loads(html.unescape(one)) for one in re.findall(r'data-chart="([^"]*)"', page)]
    assert len(charts) == 3
    funnel, pace, _shares = charts
    assert funnel["data"]["values"][0] == {"step": "Handed off", "number": COUNT}
    assert {"week": "9 Nov", "seconds": 900.0, "line": "median"} in pace["data"]["values"]
    assert "15 min" in page[page.index("The same as a table") :]


def test_scripts_are_loaded_only_where_there_is_something_to_draw(
    visitors: Visitors, ledger_url: str
) -> None:
    page = visitors.client(ledger_url).get("/metrics").text
    assert "Nothing was handed off in the last 30 days" in page
    assert "vega" not in page


def test_ten_years_are_bounded_and_it_says_so(client: TestClient) -> None:
    page = client.get("/metrics?since=2016-11-20&until=2026-11-20").text
    assert "At most 366 days are shown" in page
    assert 'value="2025-11-20"' in page
