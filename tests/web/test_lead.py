"""The page of one lead: what it shows to whom, and what it does with odd addresses and names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from tests.web.conftest import Visitors, viewer
from tests.web.furnished import JONAS, MIRA, Furnished

from baton.connections import RawConnection
from baton.ledger.database.engine import transaction
from baton.web.outside import addresses
from baton.web.pages import lead_look


@pytest.fixture
def ground(ledger_engine: Engine) -> Iterator[Furnished]:
    """A ledger with policy and roster; committed by `settle`."""
    with transaction(ledger_engine) as conn:
        yield Furnished(conn)
        if conn.in_transaction():
            conn.commit()


def settle(ground: Furnished) -> None:
    ground.conn.commit()


@pytest.fixture
def client(visitors: Visitors, ledger_url: str) -> TestClient:
    return visitors.client(ledger_url)


def test_the_page_tells_what_the_rep_got_and_why(ground: Furnished, client: TestClient) -> None:
    row = ground.handed_over(first_name="Runa", last_name="Eskelund", company_name="Works")
    settle(ground)
    page = client.get(f"/lead/{row.lead_id}")
    assert page.status_code == 200
    told = page.text
    assert "<bdi>Runa Eskelund</bdi>" in told
    assert "It was handed over to sales" in told
    for words in (row.key, MIRA, "SDR DACH", "What was written and sent", "What happened"):
        assert words in told
    assert "The package, as the rep gets it" in told
    assert re.search(r'<li class="chosen">.*decided', told), "the step that decided is marked"
    assert "{" not in re.sub(r"content=.\{[^>]*", "", told), "no slot is left open"


def test_points_add_up_to_the_score(ground: Furnished, client: TestClient) -> None:
    row = ground.handed_over()
    settle(ground)
    told = client.get(f"/lead/{row.lead_id}").text
    number = r'<td class="number">\s*\+?(-?\d+)<span class="fraction"[^>]*>([.\d]*)</span>'
    cells = ["".join(one) for one in re.findall("<tr>" + number, told)]
    (total,) = ["".join(one) for one in re.findall('<tr class="sum">' + number, told)]
    assert cells
    assert sum(float(one) for one in cells) == float(total)


def test_a_colleague_is_answered_in_sentences(ground: Furnished, client: TestClient) -> None:
    row = ground.handed_over()
    settle(ground)
    whole = client.get(f"/lead/{row.lead_id}/why?rep={JONAS}")
    part = client.get(f"/lead/{row.lead_id}/why?rep={JONAS}", headers={"HX-Request": "true"})
    for answer in (whole, part):
        assert answer.status_code == 200
        assert "Jonas Keller" in answer.text
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert client.get(f"/lead/{row.lead_id}/why").status_code == 422


def test_the_smallest_change_is_worked_out_when_asked_for(
    ground: Furnished, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ground.handed_over()
    settle(ground)
    told = client.get(f"/lead/{row.lead_id}").text
    (link,) = re.findall(r'href="(/lead/\d+/smallest-change[^"]*)"', told)
    answer = client.get(link)
    assert answer.status_code == 200
    assert "What would have altered it" in answer.text
    assert len(re.findall("<li>", answer.text)) > len(re.findall("<li>", client.get("/").text))


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "אביגיל בן־דרור", "🦊👩‍🚀", "L" * 300, "{E-mail}"],
)
def test_names_are_text_whatever_they_are(ground: Furnished, client: TestClient, name: str) -> None:
    row = ground.handed_over(first_name=name, last_name="", company_name=name)
    settle(ground)
    told = client.get(f"/lead/{row.lead_id}").text
    assert "<script>alert" not in told
    assert "<h1><bdi>" in told


def test_someone_who_was_never_judged_has_a_page(ground: Furnished, client: TestClient) -> None:
    lead_id = ground.lead()
    settle(ground)
    page = client.get(f"/lead/{lead_id}")
    assert page.status_code == 200
    assert "no decision has been made" in page.text.lower()
    assert "Nothing has gone out" in page.text


def test_a_decision_nobody_can_read_any_more_is_said(ground: Furnished, client: TestClient) -> None:
    row = ground.handed_over()
    ground.conn.execute(text("ALTER TABLE decision DISABLE TRIGGER USER"))
    ground.conn.execute(text("UPDATE decision SET result = '{\"old\": 1}'"))
    ground.conn.execute(text("ALTER TABLE decision ENABLE TRIGGER USER"))
    settle(ground)
    page = client.get(f"/lead/{row.lead_id}")
    assert page.status_code == 200
    assert "cannot read it" in page.text


def test_who_was_forgotten_and_who_was_merged(ground: Furnished, client: TestClient) -> None:
    gone = ground.forgotten()
    loser, winner = ground.merged()
    settle(ground)
    page = client.get(f"/lead/{gone}")
    assert page.status_code == 410
    assert "was forgotten" in page.text
    page = client.get(f"/lead/{loser}")
    assert page.status_code == 410
    assert f'href="/lead/{winner}"' in page.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/lead/999", 404, "There is no lead 999"),
        ("/lead/0", 404, "There is no lead"),
        ("/lead/-5", 404, "There is no lead"),
        (f"/lead/{10**30}", 404, "There is no lead"),
        ("/lead/abc", 422, "this page cannot read"),
        ("/lead/by-key/H9-9", 404, "no handoff"),
        ("/lead/by-key/nothing", 404, "no lead"),
        ("/lead/by-hubspot/4711", 404, "no lead"),
        ("/lead/by-hubspot/ann@made.test", 422, "never by e-mail"),
        ("/lead/999/timeline", 404, "no lead 999"),
        ("/lead/999/smallest-change", 404, "no lead 999"),
    ],
)
def test_odd_addresses_are_answered_in_words(
    client: TestClient, path: str, status: int, words: str
) -> None:
    page = client.get(path)
    assert page.status_code == status
    assert words.lower() in page.text.lower()
    assert "Traceback" not in page.text


def test_a_lead_is_found_by_key_and_by_hubspot_id(ground: Furnished, client: TestClient) -> None:
    row = ground.handed_over()
    settle(ground)
    for path in (f"/lead/by-key/{row.key.lower()}", "/lead/by-hubspot/901"):
        answer = client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/lead/{row.lead_id}")


def test_the_timeline_goes_on_without_gap_or_repetition(
    ground: Furnished, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ground.handed_over()
    settle(ground)
    whole = lines(client.get(f"/lead/{row.lead_id}").text)
    monkeypatch.setattr(lead_look, "EVENTS", 2)
    found, path = [], f"/lead/{row.lead_id}/timeline"
    while path:
        told = client.get(path).text
        found += lines(told)
        more = re.findall(r'href="([^"]*/timeline\?before=[^"]*)"', told)
        path = more[0] if more else ""
    assert len(whole) >= 4
    assert found == whole
    assert client.get(f"/lead/{row.lead_id}/timeline?before=nonsense").status_code == 200


def lines(page: str) -> list[str]:
    return re.findall(r"<li[^>]*>\s*<time.*?</li>", page, re.S)


def test_an_older_decision_can_be_looked_at(ground: Furnished, client: TestClient) -> None:
    row = ground.handed_over()
    newer, _ = ground.decided(row.lead_id)
    settle(ground)
    assert f"decision={newer}" in client.get(f"/lead/{row.lead_id}").text
    told = client.get(f"/lead/{row.lead_id}?decision={row.decision_id}").text
    assert f"smallest-change?decision={row.decision_id}" in told
    assert "has no decision 999" in client.get(f"/lead/{row.lead_id}?decision=999").text


def test_whoever_may_only_look_sees_no_form(
    ground: Furnished, visitors: Visitors, ledger_url: str
) -> None:
    row = ground.handed_over()
    ground.failed()
    settle(ground)
    told = visitors.client(ledger_url, viewer).get(f"/lead/{row.lead_id}").text
    assert 'method="post"' not in told
    assert "You may look, but not act." in told


def test_links_lead_outside_where_the_addresses_are_known(
    ground: Furnished, client: TestClient
) -> None:
    row = ground.handed_over()
    leads_page = f"/lead/{row.lead_id}"
    settle(ground)
    assert "data-outside" not in client.get(leads_page).text
    client.app.state.site.links = {"hubspot": "https://hub.test/record/0-1/"}
    assert 'data-outside rel="noopener noreferrer" href="https://hub.test/record/0-1/901"' in (
        client.get(leads_page).text
    )


SALESFORCE = """{"conn_type": "salesforce", "extra": {
    "instance_url": "https://o.my.salesforce.com", "consumer_key": "k", "consumer_secret": "s"}}"""


@pytest.mark.parametrize(
    ("hubspot", "salesforce", "expected"),
    [
        (
            '{"conn_type": "hubspot", "password": "x", "extra": {"portal_id": "4711"}}',
            SALESFORCE,
            {
                "hubspot": "https://app.hubspot.com/contacts/4711/record/0-1/",
                "salesforce": "https://o.my.salesforce.com/",
            },
        ),
        (
            '{"conn_type": "hubspot", "extra": {"portal_id": "4711", "app": "eu1"}}',
            '{"conn_type": "salesforce"}',
            {"hubspot": "https://app-eu1.hubspot.com/contacts/4711/record/0-1/"},
        ),
        ('{"conn_type": "hubspot", "extra": {"portal_id": "/../x"}}', "", {}),
        ("", "not json", {}),
    ],
)
def test_addresses_come_from_the_connections(
    hubspot: str, salesforce: str, expected: dict[str, str]
) -> None:
    env = {"AIRFLOW_CONN_HUBSPOT_DEFAULT": hubspot, "AIRFLOW_CONN_SALESFORCE_DEFAULT": salesforce}
    assert addresses(lambda conn_id: RawConnection.from_environment(conn_id, env)) == expected


def test_what_failed_says_why_and_what_mends_it(ground: Furnished, client: TestClient) -> None:
    effect_id = ground.failed()
    lead_id = ground.conn.execute(
        text("SELECT lead_id FROM effect WHERE id = :id"), {"id": effect_id}
    ).scalar_one()
    settle(ground)
    told = client.get(f"/lead/{lead_id}").text
    assert "The person has no record in Salesforce (any more)." in told
    assert "the record is gone &lt;b&gt;" in told
    assert f'action="/effect/{effect_id}/retry"' in told


def test_possible_twins_are_named_by_number(ground: Furnished, client: TestClient) -> None:
    first, other = ground.twins()
    settle(ground)
    told = client.get(f"/lead/{first}").text
    assert f'href="/lead/{other}"' in told
    assert "the same mailbox (95 % sure)" in told
