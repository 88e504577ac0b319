"""The list of handoffs: filters, paging by key, search, and a file that spreadsheets may open."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from tests.web.conftest import NOW, Visitors

from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import NewHandoff, NewHop
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads.persons import PersonFields
from baton.web.pages.handoffs import PAGE
from baton.web.spreadsheets import harmless

COUNT = PAGE + 10


@pytest.fixture
def client(ledger_engine: Engine, ledger_url: str, visitors: Visitors) -> TestClient:
    """Pages over a ledger of sixty handoffs, two of them late, one with a dangerous company."""
    with transaction(ledger_engine) as conn:
        seen = [_seen(number) for number in range(COUNT)]
        rows = seen_leads.upsert_seen(conn, seen)
        handoffs.open_handoffs(
            conn, [_handed(rows[one.hubspot_id].id, at) for at, one in enumerate(seen)]
        )
    return visitors.client(ledger_url)


def _seen(number: int) -> SeenLead:
    company = '=HYPERLINK("http://x.test")' if number == 7 else f"Works {number} שלום"
    return SeenLead(
        hubspot_id=str(7000 + number),
        modified_at=NOW,
        seen_at=NOW,
        captured_at=NOW,
        content_hash="hash",
        content={},
        person=PersonFields(
            email=f"p{number}@made.test",
            first_name="Ann",
            last_name=f"O'Lead{number}",
            company_name=company,
        ),
    )


def _handed(lead_id: int, number: int) -> NewHandoff:
    late = number in (3, 4)
    return NewHandoff(
        lead_id=lead_id,
        mode="live",
        captured_at=NOW,
        decided_at=NOW - timedelta(minutes=number),
        band="hot" if number % 2 else "warm",
        score_milli=81_500,
        source="Organic search",
        hop=NewHop(
            owner_kind="user",
            owner_key="helena.voss@relay.test" if number < 20 else "marcus.bell@relay.test",
            assigned_at=NOW,
            first_touch_due=NOW + timedelta(minutes=-5 if late else 5),
        ),
    )


def keys(page: str) -> list[str]:
    return re.findall(r">(H\d+-1)<", page)


def test_pages_follow_each_other_without_gap_or_repetition(client: TestClient) -> None:
    first = client.get("/handoffs").text
    (more,) = re.findall(r'href="(/handoffs\?before=\d+)"', first)
    second = client.get(more).text
    shown = keys(first) + keys(second)
    assert (len(keys(first)), len(shown), len(set(shown))) == (PAGE, COUNT, COUNT)
    assert f"{COUNT} handoffs" in first
    assert "Older handoffs" not in second


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("band=hot", COUNT // 2),
        ("owner=helena.voss@relay.test", 20),
        ("late=1", 2),
        ("state=open&band=warm", COUNT // 2),
        ("state=ended", 0),
        ("since=2026-11-20&until=2026-11-20", COUNT),
        ("until=2026-11-19", 0),
        ("since=1999-01-01&until=2040-01-01", COUNT),
    ],
)
def test_filters(client: TestClient, query: str, count: int) -> None:
    text = client.get(f"/handoffs?{query}").text
    assert ("No handoff fits" in text) is (count == 0)
    assert f"{count} handoffs" in text or count == 0


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("p7@MADE.test", 1),
        ("o'lead12", 1),
        ("works 1", 11),
        ("7003", 1),
        ("h4-1", 1),
        ("%", 0),
        ("nobody", 0),
    ],
)
def test_a_search_finds_people_and_leaves_no_trace_in_the_address(
    client: TestClient, search: str, found: int
) -> None:
    page = client.post("/handoffs", data={"search": search})
    assert page.status_code == 200
    assert len(keys(page.text)) == found
    assert "search=" not in str(page.url)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("state=asleep", "There is no state &#39;asleep&#39;"),
        ("since=yesterday", "A day is written as"),
        ("since=2026-11-20&until=2026-11-01", "lies after the last"),
        ("before=abc", "this page cannot read"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    client: TestClient, query: str, words: str
) -> None:
    page = client.get(f"/handoffs?{query}")
    assert page.status_code == 422
    assert words in page.text
    assert "Traceback" not in page.text


def test_names_are_shown_as_text(client: TestClient) -> None:
    text = client.get("/handoffs").text
    assert '<bdi class="clamp">Works 30 שלום</bdi>' in text
    assert "O&#39;Lead30" in text


def test_the_file_holds_every_line_and_no_formula(client: TestClient) -> None:
    answer = client.get("/handoffs.csv?band=hot")
    assert answer.headers["content-disposition"].startswith('attachment; filename="handoffs-')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == COUNT // 2
    assert rows[0]["score"] == "81.5"
    (odd,) = [row for row in rows if row["hubspot_id"] == "7007"]
    assert odd["company"] == '\'=HYPERLINK("http://x.test")'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "＝1"])
def test_texts_that_a_spreadsheet_would_run(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=b", "H1-1", 5, -5, -0.5, "", "9-5"])
def test_values_that_it_would_not_run_stay(value: object) -> None:
    assert harmless(value) == value
