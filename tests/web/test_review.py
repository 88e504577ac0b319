"""Review: what waits, by kind; one line or many at once; nothing more than was chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from tests.web.conftest import Visitors, viewer
from tests.web.furnished import Furnished

from baton.ledger.database.engine import transaction
from baton.web.pages import review
from baton.web.site import HERE

TABS = [one.key for one in review.TABS]


@pytest.fixture
def ground(ledger_engine: Engine) -> Iterator[Furnished]:
    with transaction(ledger_engine) as conn:
        yield Furnished(conn)


@pytest.fixture
def client(visitors: Visitors, ledger_url: str) -> TestClient:
    return visitors.client(ledger_url)


def fill(ground: Furnished) -> None:
    """One thing in each list."""
    ground.quarantined(first_name="Quarantined")
    ground.held("no_rule", first_name="Unrouted")
    ground.held("ambiguous_account", first_name="Ambiguous")
    ground.twins()
    ground.edited()
    ground.failed()
    ground.conn.commit()


def form_of(client: TestClient, tab: str) -> dict[str, Any]:
    page = client.get(f"/review?tab={tab}").text
    found: dict[str, Any] = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    )
    found["chosen"] = re.findall(r'name="chosen" value="([^"]*)"', page)
    return found | {"reason": "looked at it"}


def rows(engine: Engine, sql: str) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(text(sql)).mappings())


@pytest.mark.parametrize("tab", TABS)
def test_empty_lists_say_that_nothing_waits(client: TestClient, tab: str) -> None:
    page = client.get(f"/review?tab={tab}")
    assert page.status_code == 200
    assert "Nothing here needs you." in page.text


def test_each_list_counts_and_shows_what_waits(ground: Furnished, client: TestClient) -> None:
    fill(ground)
    first = client.get("/review").text
    assert re.findall(r'class="tag"[^>]*>(\d+)</span></a>', first) == ["1"] * len(TABS)
    for tab, words in (
        ("quarantine", "the e-mail address cannot be written to"),
        ("unrouted", "no rule says where it goes"),
        ("accounts", "several accounts fit"),
        ("duplicates", "the same mailbox"),
        ("overrides", "by Greta &lt;Sales&gt;"),
        ("effects", "The person has no record in Salesforce"),
    ):
        page = client.get(f"/review?tab={tab}").text
        assert words in page, tab
        assert len(re.findall("data-line", page)) == 1


@pytest.mark.parametrize("tab", TABS)
def test_one_line_is_settled_by_its_own_button(
    ground: Furnished, client: TestClient, ledger_engine: Engine, tab: str
) -> None:
    fill(ground)
    form = form_of(client, tab)
    (only,) = form.pop("chosen")
    answer = client.post(f"/review/{tab}", data={**form, "only": only}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert "1 done" in client.get(answer.headers["location"]).text
    (entry,) = rows(ledger_engine, "SELECT * FROM admin_action")
    assert (entry["by_whom"], entry["result"]) == ("nadia", "done")
    again = client.post(f"/review/{tab}", data={**form, "only": only}, follow_redirects=False)
    assert again.status_code == 303
    assert len(rows(ledger_engine, "SELECT * FROM admin_action")) == 1


@pytest.mark.parametrize("tab", ["duplicates", "overrides", "effects"])
def test_what_is_settled_leaves_the_list(ground: Furnished, client: TestClient, tab: str) -> None:
    fill(ground)
    form = form_of(client, tab)
    client.post(f"/review/{tab}", data={**form, "only": form.pop("chosen")[0]})
    assert "Nothing here needs you." in client.get(f"/review?tab={tab}").text


def test_many_at_once_are_asked_about_with_their_number(
    ground: Furnished, client: TestClient, ledger_engine: Engine
) -> None:
    for _ in range(3):
        ground.quarantined()
    ground.conn.commit()
    form = form_of(client, "quarantine") | {"deed": "nurture"}
    sure = client.post("/review/quarantine", data=form)
    assert sure.status_code == 200
    assert "Dismiss to marketing 3" in sure.text
    assert rows(ledger_engine, "SELECT * FROM admin_action") == []
    done = client.post("/review/quarantine", data=form | {"confirmed": "yes"})
    assert "3 done" in done.text
    assert {one["state"] for one in rows(ledger_engine, "SELECT state FROM lead")} == {"nurture"}
    assert len(rows(ledger_engine, "SELECT * FROM admin_action")) == 3


def test_only_what_is_still_as_shown_is_done(
    ground: Furnished, client: TestClient, ledger_engine: Engine
) -> None:
    kept, changed = ground.quarantined(), ground.quarantined()
    ground.conn.commit()
    form = form_of(client, "quarantine") | {"deed": "nurture", "confirmed": "yes"}
    with transaction(ledger_engine) as conn:
        ground.conn = conn
        from baton.leads.states import LeadState

        ground.move(changed, LeadState.SUPPRESSED)
    page = client.post("/review/quarantine", data=form).text
    assert "1 done" in page
    assert "1 not done" in page
    states = {one["id"]: one["state"] for one in rows(ledger_engine, "SELECT * FROM lead")}
    assert states == {kept: "nurture", changed: "suppressed"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"chosen": []}, "choose at least one line"),
        ({"reason": " "}, "a reason is needed"),
        ({"reason": "x" * 501}, "too long"),
        ({"deed": "explode"}, "cannot be done here"),
        ({"chosen": ["abc:"]}, "cannot read"),
        ({"chosen": [f"{n}:" for n in range(1, 202)], "confirmed": "yes"}, "at most 200"),
    ],
)
def test_what_makes_no_sense_is_refused(
    ground: Furnished, client: TestClient, ledger_engine: Engine, given: Any, words: str
) -> None:
    fill(ground)
    answer = client.post("/review/quarantine", data=form_of(client, "quarantine") | given)
    assert answer.status_code == 422
    assert words in answer.text
    assert rows(ledger_engine, "SELECT * FROM admin_action") == []


def test_ids_of_another_kind_do_nothing(
    ground: Furnished, client: TestClient, ledger_engine: Engine
) -> None:
    fill(ground)
    form = form_of(client, "duplicates") | {"chosen": []}
    for tab, only, status in (
        ("duplicates", "1-2:", 200),
        ("duplicates", "5:", 422),
        ("overrides", "77:", 404),
        ("effects", "7700:", 404),
    ):
        answer = client.post(f"/review/{tab}", data={**form, "only": only})
        assert answer.status_code == status
    (entry,) = rows(ledger_engine, "SELECT * FROM admin_action")
    assert (entry["subject"], entry["result"]) == ("duplicate 1-2", "refused")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("tab=nothing", 404),
        ("tab=quarantine&before=abc", 422),
        ("tab=duplicates&before=12", 422),
        ("tab=unrouted&reason=<script>", 200),
        ("tab=unrouted&reason=no_rule&before=1", 200),
        ("after=unknown", 200),
    ],
)
def test_odd_addresses(ground: Furnished, client: TestClient, query: str, status: int) -> None:
    fill(ground)
    page = client.get(f"/review?{query}")
    assert page.status_code == status
    assert "Traceback" not in page.text
    assert "<script>" not in page.text


@pytest.mark.parametrize("tab", ["quarantine", "effects"])
def test_pages_follow_each_other(
    ground: Furnished, client: TestClient, monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    monkeypatch.setattr(review, "PAGE", 2)
    for _ in range(5):
        ground.quarantined()
        ground.failed()
    ground.conn.commit()
    found: list[str] = []
    path = f"/review?tab={tab}"
    while path:
        page = client.get(path).text
        found += re.findall(r'name="chosen" value="(\d+):', page)
        more = re.findall(r'rel="next" href="([^"]*)"', page)
        path = more[0].replace("&amp;", "&") if more else ""
    assert len(found) == len(set(found)) == 5


def test_whoever_may_only_look_gets_no_buttons(
    ground: Furnished, visitors: Visitors, ledger_url: str
) -> None:
    fill(ground)
    page = visitors.client(ledger_url, viewer).get("/review?tab=quarantine").text
    assert "<button" not in page
    assert "Quarantined" in page


def test_the_keys_are_documented_where_they_work() -> None:
    script = (HERE / "static" / "review.js").read_text()
    page = (HERE / "templates" / "review.html").read_text()
    for key in "jkxar":
        assert f"<kbd>{key}</kbd>" in page
        assert f"  {key}: " in script


def test_two_who_are_told_apart_are_not_one_on_their_own_page_either(
    ground: Furnished, client: TestClient
) -> None:
    addresses = [f"/lead/{one}" for one in ground.twins()]
    ground.conn.commit()
    for address in addresses:
        assert "May be the same person" in client.get(address).text
    form = form_of(client, "duplicates")
    client.post("/review/duplicates", data={**form, "only": form.pop("chosen")[0]})
    for address in addresses:
        assert "May be the same person" not in client.get(address).text
