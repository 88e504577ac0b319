from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from tests.web.conftest import NOW, SECRET, Visitors, stranger
from tests.web.routes import every

from baton.errors import LedgerUnavailableError
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import NewHandoff, NewHop
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads.persons import PersonFields
from baton.ledger.sources import watermarks
from baton.web.pages import today
from baton.web.seals import LIFE, Seals
from baton.web.site import HERE

NASTY = '<script>alert("x")</script> & Söhne'


@pytest.fixture
def filled(ledger_engine: Engine, ledger_url: str) -> str:
    """A ledger with one handoff, to a company with a nasty name."""
    with transaction(ledger_engine) as conn:
        seen = SeenLead(
            hubspot_id="501",
            modified_at=NOW,
            seen_at=NOW,
            captured_at=NOW,
            content_hash="hash",
            content={},
            person=PersonFields(
                email="ann@made.test", first_name="Ann", last_name="Made", company_name=NASTY
            ),
        )
        lead = seen_leads.upsert_seen(conn, [seen])["501"]
        hop = NewHop(owner_kind="user", owner_key="helena.voss@relay.test", assigned_at=NOW)
        made = handoffs.open_handoff(
            conn,
            NewHandoff(
                lead_id=lead.id,
                mode="live",
                captured_at=NOW - timedelta(seconds=12),
                decided_at=NOW,
                hop=hop,
                band="hot",
                trigger="demo_request",
                score_milli=81_500,
            ),
        )
        handoffs.stamp(conn, made.id, notified_at=NOW - timedelta(seconds=4))
        watermarks.set(conn, "hubspot.contacts", NOW.isoformat(), at=NOW - timedelta(seconds=90))
    return ledger_url


def test_whatever_stands_in_the_ledger_is_escaped(visitors: Visitors, filled: str) -> None:
    text = visitors.client(filled).get("/handoffs").text

    assert "<script>" not in text
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; Söhne" in text


def test_nothing_comes_from_elsewhere_and_no_text_becomes_a_script(
    visitors: Visitors, filled: str
) -> None:
    page = visitors.client(filled).get("/")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert "//" not in page.text.replace("<!doctype html>", "")
    assert not re.search(r"<script(?! src=)|<style| on[a-z]+=| style=", page.text)


def test_links_stay_below_the_path_that_it_is_served_at(visitors: Visitors, filled: str) -> None:
    outer = FastAPI()
    outer.mount("/airflow/baton", visitors.client(filled).app)

    page = TestClient(outer).get("/airflow/baton/")

    assert 'href="/airflow/baton/static/baton.css"' in page.text
    assert (
        TestClient(outer)
        .get("/airflow/baton/static/baton.css")
        .headers["content-type"]
        .startswith("text/css")
    )


def test_an_empty_ledger_has_a_page(visitors: Visitors, ledger_url: str) -> None:
    page = visitors.client(ledger_url).get("/")

    assert page.status_code == 200
    assert "There is no policy to decide by" in page.text


def test_without_a_ledger_the_page_says_what_to_do(visitors: Visitors, empty_url: str) -> None:
    nowhere = "postgresql+psycopg://baton:secret@127.0.0.1:1/baton"
    for url, words in ((nowhere, "cannot be reached"), (empty_url, "has no tables yet")):
        page = visitors.client(url).get("/")
        assert page.status_code == 503
        assert words in page.text
        assert "Traceback" not in page.text
        assert "secret" not in page.text


def test_a_ledger_lost_on_the_way_is_the_same_page(
    visitors: Visitors, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_conn: Any, _at: datetime, _zone: Any) -> None:
        raise LedgerUnavailableError("the ledger went away <b>")

    monkeypatch.setattr(today, "look", lost)
    page = visitors.client(filled).get("/")
    assert page.status_code == 503
    assert "the ledger went away &lt;b&gt;" in page.text


def test_every_route_asks_who_is_there(visitors: Visitors, filled: str) -> None:
    strangers = visitors.client(filled, stranger)

    routes = [one for one in strangers.app.routes if isinstance(one, APIRoute)]
    assert len(routes) >= 2
    for route in routes:
        path = re.sub(r"{[^}]*}", "1", route.path)
        for method in route.methods:
            assert strangers.request(method, path).status_code == 401, (method, path)


def test_what_is_shipped_of_others_is_what_its_list_says() -> None:
    folder = HERE / "static" / "vendor"
    listed = dict(
        re.findall(
            r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", (folder / "README.md").read_text(), re.M
        )
    )
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.js")
    }
    assert found == listed


def test_a_seal_is_for_one_person_and_for_a_while() -> None:
    seals = Seals(SECRET)
    seal = seals.make("nadia", NOW)
    assert seals.holds(seal, "nadia", NOW + LIFE - timedelta(seconds=1))
    assert not seals.holds(seal, "nadia", NOW + LIFE + timedelta(seconds=1))
    assert not seals.holds(seal, "greg", NOW)
    assert not Seals(b"another secret of some length").holds(seal, "nadia", NOW)
    for broken in ("", ".", "x.y", seal[:-1], "9" + seal, f"²{seal}"):
        assert not seals.holds(broken, "nadia", NOW)


def test_the_plugin_imports_next_to_nothing() -> None:
    import subprocess
    import sys

    look = "import sys, baton.web; print([m for m in sys.modules if m.startswith(('fastapi', 'jinja2', 'sqlalchemy', 'baton.ledger'))])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_route_falls_over_without_a_ledger_and_nothing_is_done(visitors: Visitors) -> None:
    client = visitors.client("postgresql+psycopg://baton:secret@127.0.0.1:1/baton")
    assert isinstance(client.app, FastAPI)
    asked = every(client.app)
    assert any(one.changes for one in asked)
    for one in asked:
        data = {"seal": Seals(SECRET).make("nadia", NOW)} if one.method == "POST" else None
        answer = client.request(one.method, one.path, data=data, follow_redirects=False)
        static = "/static/" in one.path
        assert answer.status_code in ((200, 404) if static else (404, 422, 503)), one
        assert "Traceback" not in answer.text
        assert "secret" not in answer.text


@pytest.mark.parametrize(
    "query", ["since=2016-11-20&until=2026-11-20&band=cold", "owner=nobody", "source=%F0%9F%8F%83"]
)
def test_a_filter_that_matches_nothing_says_so(visitors: Visitors, filled: str, query: str) -> None:
    page = visitors.client(filled).get(f"/handoffs?{query}")
    assert page.status_code == 200
    assert "No handoff fits" in page.text
    assert "Choose another view, or fewer conditions." in page.text
