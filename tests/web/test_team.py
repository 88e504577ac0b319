"""Team: presence, loads, receipts; marking somebody away, by two people at once, twice, wrongly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from tests.web.conftest import NOW, SECRET, Visitors, viewer

from baton.ledger.agreements import rosters
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import NewHandoff, NewHop
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads.persons import PersonFields
from baton.pipeline.versions.agreements import activate_policy, adopt_roster, current_roster
from baton.pipeline.versions.roster_versions import change_roster
from baton.policy.loader import read_bundle, read_roster
from baton.policy.roster import Roster
from baton.policy.roster_edits import with_weight
from baton.settings import SHIPPED_POLICY_DIR
from baton.web.seals import Seals

JONAS, MIRA = "jonas.keller@relay.test", "mira.lindner@relay.test"
FRIDAY = "2026-11-20"


def agree(engine: Engine) -> None:
    with transaction(engine) as conn:
        activate_policy(conn, read_bundle(SHIPPED_POLICY_DIR), by="ops", at=NOW, parent=None)
        roster = read_roster(SHIPPED_POLICY_DIR / "roster.yaml")
        adopt_roster(conn, roster, by="ops", at=NOW - timedelta(days=3))


@pytest.fixture
def client(ledger_engine: Engine, ledger_url: str, visitors: Visitors) -> TestClient:
    agree(ledger_engine)
    return visitors.client(ledger_url)


def hand_off(
    engine: Engine, number: int, *, owner: str, pool: str | None, touched: timedelta | None = None
) -> None:
    """Hand one lead to somebody, an hour ago."""
    at = NOW - timedelta(hours=1)
    with transaction(engine) as conn:
        seen = SeenLead(
            hubspot_id=str(number),
            modified_at=at,
            seen_at=at,
            captured_at=at,
            content_hash="hash",
            content={},
            person=PersonFields(email=f"p{number}@made.test", first_name="Ann", last_name="Lead"),
        )
        lead = seen_leads.upsert_seen(conn, [seen])[seen.hubspot_id]
        hop = NewHop(owner_kind="user", owner_key=owner, pool=pool, assigned_at=at)
        new = NewHandoff(lead_id=lead.id, mode="live", captured_at=at, decided_at=at, hop=hop)
        made = handoffs.open_handoff(conn, new)
        if touched is not None:
            handoffs.stamp(conn, made.id, first_touch_at=at + touched)


def row(page: str, name: str) -> str:
    """Return the text of a person's line."""
    found = next(one for one in re.findall(r"<tr>.*?</tr>", page, re.S) if f">{name}<" in one)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def form(page: str, **more: str) -> dict[str, str]:
    seen = re.findall(r'name="seen" value="([0-9a-f]{64})"', page)[0]
    sent = {"seal": Seals(SECRET).make("nadia", NOW), "seen": seen, "reason": "ill"}
    return sent | {"person": JONAS, "until": "today"} | more


def leave_of(engine: Engine, key: str) -> Sequence[tuple[datetime, datetime]]:
    with transaction(engine) as conn:
        return [(one.start, one.end) for one in current_roster(conn).by_key[key].leave]


def versions(engine: Engine) -> int:
    with transaction(engine) as conn:
        return conn.execute(text("SELECT count(*) FROM roster_version")).scalar_one()


def test_it_says_who_is_here_and_how_much_everybody_has(
    client: TestClient, ledger_engine: Engine
) -> None:
    for number in range(3):
        touched = timedelta(minutes=7) if number else None
        hand_off(ledger_engine, number, owner=JONAS, pool="SDR DACH", touched=touched)
    page = client.get("/team").text
    jonas = row(page, "Jonas Keller")
    assert "here Fri 10:00" in jonas
    assert "Europe/Berlin" in jonas
    assert " 3 3 3 7 min of 2, 1 untouched SDR DACH" in jonas
    assert "off Fri 04:00 not in hours until 09:00" in row(page, "Amara Okafor")


def test_without_a_roster_it_says_how_to_get_one(visitors: Visitors, ledger_url: str) -> None:
    page = visitors.client(ledger_url).get("/team")
    assert page.status_code == 200
    assert "baton roster import" in page.text


@pytest.mark.parametrize(
    ("until", "day", "end"),
    [
        ("today", "", "2026-11-20T23:00+00:00"),
        ("tomorrow", "", "2026-11-21T23:00+00:00"),
        ("date", "2026-12-04", "2026-12-04T23:00+00:00"),
    ],
)
def test_somebody_is_marked_away_in_their_own_zone(
    client: TestClient, ledger_engine: Engine, until: str, day: str, end: str
) -> None:
    sent = form(client.get("/team").text, until=until, day=day)
    page = client.post("/team/presence", data=sent)
    assert page.status_code == 200
    assert "Marked away" in page.text
    assert "away until" in row(page.text, "Jonas Keller")
    assert leave_of(ledger_engine, JONAS) == [(NOW, datetime.fromisoformat(end))]
    with transaction(ledger_engine) as conn:
        version = rosters.current(conn)
    assert version is not None
    assert (version.by_whom, version.at) == ("nadia", NOW)
    assert version.note == f"{JONAS} away until {day or until}: ill"


def test_the_same_form_twice_does_it_once(client: TestClient, ledger_engine: Engine) -> None:
    sent = form(client.get("/team").text)
    assert "Marked away" in client.post("/team/presence", data=sent).text
    before = versions(ledger_engine)
    assert "It is so already" in client.post("/team/presence", data=sent).text
    assert versions(ledger_engine) == before
    assert len(leave_of(ledger_engine, JONAS)) == 1


def test_whoever_is_back_gets_leads_again(client: TestClient, ledger_engine: Engine) -> None:
    away = client.post("/team/presence", data=form(client.get("/team").text)).text
    back = form(away, until="back", reason="at work again")
    assert "Back: leads go there again" in client.post("/team/presence", data=back).text
    assert leave_of(ledger_engine, JONAS) == []
    assert "It is so already" in client.post("/team/presence", data=back).text


def test_of_two_who_edit_at_once_the_second_is_told_what_changed(
    client: TestClient, ledger_engine: Engine
) -> None:
    sent = form(client.get("/team").text)

    def heavier(roster: Roster) -> Roster:
        return with_weight(roster, MIRA, "SDR DACH", 3)

    with transaction(ledger_engine) as conn:
        change_roster(conn, heavier, by="greg", at=NOW, note="more for Mira")
    before = versions(ledger_engine)
    answer = client.post("/team/presence", data=sent)
    assert answer.status_code == 409
    assert "Nothing was done" in answer.text
    assert f"By greg at 2026-11-20 09:00 UTC: pool SDR DACH: weight of {MIRA} 1 → 3" in answer.text
    assert versions(ledger_engine) == before
    assert leave_of(ledger_engine, JONAS) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"reason": "  "}, "Say why"),
        ({"reason": "x" * 501}, "too long"),
        ({"person": "nobody@relay.test"}, "is not on the roster"),
        ({"person": ""}, "is not on the roster"),
        ({"until": "sometime"}, "Say until when"),
        ({"until": "date", "day": ""}, "is no date"),
        ({"until": "date", "day": "2026-11-01"}, "must end after it begins"),
        ({"until": "date", "day": "<script>"}, "is no date"),
        ({"until": "back"}, "is not away now"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    client: TestClient, ledger_engine: Engine, more: dict[str, str], words: str
) -> None:
    before = versions(ledger_engine)
    answer = client.post("/team/presence", data=form(client.get("/team").text, **more))
    assert answer.status_code == 422
    assert words in answer.text
    assert "Traceback" not in answer.text
    assert "<script>" not in answer.text
    assert versions(ledger_engine) == before


def test_a_viewer_sees_no_form(ledger_engine: Engine, ledger_url: str, visitors: Visitors) -> None:
    agree(ledger_engine)
    page = visitors.client(ledger_url, viewer).get("/team").text
    assert '<form class="fields presence"' not in page
    assert "You may look, but not act." in page


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("days=7", 200),
        ("days=12", 422),
        ("days=<script>", 422),
        ("since=2016-01-01&until=2026-11-20", 200),
        ("since=0001-01-01", 200),
        ("until=9999-12-31", 200),
        ("since=2026-11-20&until=2026-11-01", 422),
        ("since=2027-01-01", 422),
        ("since=yesterday", 422),
    ],
)
def test_any_stretch_of_time_is_shown_or_refused(
    client: TestClient, query: str, status: int
) -> None:
    for page in ("team", "metrics"):
        answer = client.get(f"/{page}?{query}")
        assert answer.status_code == status, page
        assert "Traceback" not in answer.text
        assert "<script>" not in answer.text
