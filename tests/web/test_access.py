"""Who may see and do what: every route, as a stranger, somebody without rights, viewer and admin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from tests.web.conftest import NOW, SECRET, Visitors, stranger, viewer
from tests.web.routes import READING_POSTS, dependencies, every

from baton.ledger.database.engine import transaction
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.loader import read_bundle, read_roster
from baton.settings import SHIPPED_POLICY_DIR
from baton.web.access import Visitor
from baton.web.addresses import base_of
from baton.web.app import create_app
from baton.web.seals import Seals

_CHANGED_BY_HAND = ("admin_action", "roster_version", "policy_activation", "transition", "switch")


async def colleague(_request: Request) -> Visitor:
    """Somebody who has logged in to Airflow and may not see the handoff Dag."""
    raise HTTPException(403, "greg may not see the runs of lead_handoff, so not these pages either")


async def nobody_in_particular(_request: Request) -> Visitor:
    """Whoever comes where everybody is an admin."""
    return Visitor("Anonymous", "nobody in particular is logged in: log in under your own name")


@pytest.fixture
def url(ledger_engine: Engine, ledger_url: str) -> str:
    """A ledger with policy and roster, and nobody handed off yet."""
    with transaction(ledger_engine) as conn:
        activate_policy(conn, read_bundle(SHIPPED_POLICY_DIR), by="ops", at=NOW, parent=None)
        roster = read_roster(SHIPPED_POLICY_DIR / "roster.yaml")
        adopt_roster(conn, roster, by="ops", at=NOW)
    return ledger_url


def _changes(engine: Engine) -> dict[str, int]:
    with transaction(engine) as conn:
        return {
            table: conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in _CHANGED_BY_HAND
        }


def _app(client: TestClient) -> FastAPI:
    assert isinstance(client.app, FastAPI)
    return client.app


def test_every_route_asks_who_it_is_and_every_change_asks_for_more() -> None:
    app = create_app(stranger, secret=SECRET)
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} is no route that can ask"
        asks = dependencies(route)
        reads = route.methods == {"GET"} or route.path in READING_POSTS
        wanted = "Site.reader.<locals>.known" if reads else "Site.actor.<locals>.permitted"
        assert wanted in asks, (sorted(route.methods), route.path)


def test_a_stranger_gets_nothing(visitors: Visitors, url: str) -> None:
    client = visitors.client(url, stranger)
    for one in every(_app(client)):
        answer = client.request(one.method, one.path)
        assert (answer.status_code, answer.text) == (401, "Log in to Airflow first."), one
    for method, path in (("GET", "/nothing"), ("DELETE", "/team"), ("POST", "/")):
        assert client.request(method, path).status_code == 401, (method, path)


def test_a_colleague_without_the_right_gets_nothing(visitors: Visitors, url: str) -> None:
    client = visitors.client(url, colleague)
    for one in every(_app(client)):
        answer = client.request(one.method, one.path)
        assert answer.status_code == 403, one
        assert "relay.test" not in answer.text, one


@pytest.mark.parametrize("access", [viewer, nobody_in_particular])
def test_whoever_may_only_look_changes_nothing(
    visitors: Visitors, url: str, ledger_engine: Engine, access: object
) -> None:
    client = visitors.client(url, access)  # type: ignore[arg-type]  # either of the two above
    seals, before = Seals(SECRET), _changes(ledger_engine)
    for one in every(_app(client)):
        name = "vera" if access is viewer else "Anonymous"
        form = {"seal": seals.make(name, NOW), "reason": "because", "person": "x@relay.test"}
        data = form if one.changes else None
        answer = client.request(one.method, one.path, data=data, follow_redirects=False)
        if one.changes:
            assert answer.status_code == 403, one
            assert "Nothing was done" in answer.text, one
        else:
            assert answer.status_code in (200, 303, 307, 404, 422), one
    assert _changes(ledger_engine) == before


def test_an_admin_acts_with_a_seal_of_their_own_alone(
    visitors: Visitors, url: str, ledger_engine: Engine
) -> None:
    client, seals = visitors.client(url), Seals(SECRET)
    before = _changes(ledger_engine)
    own = {"seal": seals.make("nadia", NOW)}
    for one in every(_app(client)):
        if not one.changes:
            assert client.request(one.method, one.path).status_code not in (401, 403), one
            continue
        for form, headers in (
            ({}, {}),
            ({"seal": "1.abc"}, {}),
            ({"seal": seals.make("greg", NOW)}, {}),
            (own, {"sec-fetch-site": "cross-site"}),
            (own, {"sec-fetch-site": "same-site"}),
        ):
            answer = client.request(one.method, one.path, data=form, headers=headers)
            assert answer.status_code == 403, (one, form, headers)
        answer = client.request(one.method, one.path, data=own, follow_redirects=False)
        assert answer.status_code not in (401, 403), one
        assert answer.status_code < 500, one
    # Forms that say nothing but who sends them are refused for what they lack.
    assert _changes(ledger_engine) == before


def test_no_page_may_be_kept_or_framed_elsewhere(visitors: Visitors, url: str) -> None:
    client = visitors.client(url)
    for one in every(_app(client)):
        headers = client.request(one.method, one.path, follow_redirects=False).headers
        assert "frame-ancestors 'self'" in headers["content-security-policy"], one
        assert headers["x-content-type-options"] == "nosniff", one
        assert headers["cache-control"] in ("no-store", "private, max-age=86400"), one


PROXY = {"X-Forwarded-Prefix": "/company/airflow"}
HOW = ["mounted", "behind a proxy that cuts the prefix", "behind a proxy that says so"]


@pytest.mark.parametrize("how", HOW)
def test_every_address_stays_below_the_prefix(visitors: Visitors, url: str, how: str) -> None:
    prefix = "/company/airflow/baton"
    inner = visitors.client(url).app
    if how == "mounted":
        outer = FastAPI()
        outer.mount(prefix, inner)
        client, before = TestClient(outer), prefix
    elif how == HOW[-1]:
        # The server's own part of the path, and what the proxy has cut off.
        client, before = TestClient(inner, root_path="/baton", headers=PROXY), ""
    else:
        client, before = TestClient(inner, root_path=prefix), ""
    for one in every(inner):  # type: ignore[arg-type]  # the application itself
        form = {"seal": Seals(SECRET).make("nadia", NOW)}
        data = form if one.method == "POST" else None
        answer = client.request(one.method, before + one.path, data=data, follow_redirects=False)
        assert answer.status_code not in (401, 403, 500), one
        if "location" in answer.headers:
            assert answer.headers["location"].startswith(prefix), one
        addresses = re.findall(r'\b(?:href|src|action|hx-get|hx-post)="(/[^"]*)"', answer.text)
        beyond = {each for each in addresses if not each.startswith(prefix + "/")}
        assert beyond <= {prefix.removesuffix("baton")}, "Airflow itself, and nothing else"
        if answer.headers["content-type"].startswith("text/html"):
            assert addresses, one
    team = client.get(f"{before}/team").text
    assert re.search(rf'href="{prefix}/team" aria-current="page"', team)


def test_a_move_to_another_page_stays_below_the_prefix(visitors: Visitors, url: str) -> None:
    outer = FastAPI()
    outer.mount("/airflow/baton", visitors.client(url).app)
    client = TestClient(outer)
    page = client.get("/airflow/baton/team").text
    form = {
        "seal": Seals(SECRET).make("nadia", NOW),
        "seen": re.findall(r'name="seen" value="([0-9a-f]+)"', page)[0],
        "person": "jonas.keller@relay.test",
        "until": "today",
        "reason": "ill",
    }
    answer = client.post("/airflow/baton/team/presence", data=form, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/airflow/baton/team?done=away"


def test_airflows_own_roles(tmp_path: Path) -> None:
    """Ask Airflow's simple auth manager itself, in a process where Airflow can be set up freely."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
    }
    script = Path(__file__).parent / "airflow_roles.py"
    found = {}
    for everybody in ("False", "True"):
        done = subprocess.run(
            [sys.executable, str(script)],
            env=environment | {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": everybody},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found[everybody] = json.loads(done.stdout.splitlines()[-1])
    may = {"sees": True, "acts": True}
    assert found["False"] == {
        "VIEWER": {"sees": True, "acts": False},
        "USER": may,
        "OP": may,
        "ADMIN": may,
        "none": {"sees": False, "acts": False},
    }
    assert {one["acts"] for one in found["True"].values()} == {False}


@pytest.mark.parametrize(
    ("root", "given", "base"),
    [
        ("/baton", "/airflow", "/airflow/baton"),
        ("/airflow/baton", "/airflow", "/airflow/baton"),
        ("/baton", "/airflow/, /outer", "/airflow/baton"),
        ("/baton", "//elsewhere.test", "/baton"),
        ("/baton", '/"><script>', "/baton"),
        ("/baton", "https://elsewhere.test", "/baton"),
        ("/baton", "", "/baton"),
    ],
)
def test_a_proxys_word_is_taken_once_and_only_as_a_path(root: str, given: str, base: str) -> None:
    scope = {
        "type": "http",
        "root_path": root,
        "headers": [(b"x-forwarded-prefix", given.encode())],
    }
    assert base_of(Request(scope)) == base


def test_a_link_from_the_morning_s_message_leads_by_way_of_the_log_in(visitors: Visitors) -> None:
    client = TestClient(visitors.client("", stranger).app, root_path="/airflow/baton")
    answer = client.get("/handoffs?late=1", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    back = "next=%2Fairflow%2Fbaton%2Fhandoffs%3Flate%3D1"
    assert f'href="/airflow/api/v2/auth/login?{back}"' in answer.text
    odd = client.get('/"><script>', headers={"Accept": "text/html"})
    assert "<script>" not in odd.text
