"""Who may see and do what in the pages, asked of a real Airflow: every route, as everybody."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.e2e.live import LiveRelay
from tests.web.routes import Asked, every

from baton.web.app import create_app

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(300)]

BASE = "/baton"


@pytest.fixture(scope="module")
def routes() -> list[Asked]:
    return every(create_app(secret=b"only the routes are asked for"))


@pytest.fixture(scope="module")
def http(live: LiveRelay) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.stack.plan.base_url, trust_env=False, timeout=60) as found:
        yield found


def _bearer(live: LiveRelay, http: httpx.Client, name: str) -> dict[str, str]:
    passwords = live.stack.prepare().passwords
    answer = http.post("/auth/token", json={"username": name, "password": passwords[name]})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def _asked(http: httpx.Client, one: Asked, headers: dict[str, str]) -> httpx.Response:
    return http.request(one.method, BASE + one.path, headers=headers)


def test_a_stranger_gets_nothing(http: httpx.Client, routes: list[Asked]) -> None:
    assert len(routes) > 10
    for one in routes:
        assert _asked(http, one, {}).status_code == 401, one
        # Airflow itself refuses what is no token of its own.
        for headers in ({"Authorization": "Bearer nonsense"}, {"Cookie": "_token=nonsense"}):
            answer = _asked(http, one, headers)
            assert answer.status_code in (401, 403), (one, list(headers))
            assert "Baton" not in answer.text


def test_a_viewer_looks_and_an_admin_needs_a_seal(
    live: LiveRelay, http: httpx.Client, routes: list[Asked]
) -> None:
    viewer, admin = (_bearer(live, http, name) for name in ("viewer", "admin"))
    for one in routes:
        for who in (viewer, admin):
            answer = _asked(http, one, who)
            if one.changes:
                assert answer.status_code == 403, one
                assert "Nothing was done" in answer.text, one
            else:
                assert answer.status_code not in (401, 403, 500), one
    assert "read only" in http.get(f"{BASE}/team", headers=viewer).text
    assert "read only" not in http.get(f"{BASE}/team", headers=admin).text


def test_addresses_lie_below_airflows_own(live: LiveRelay, http: httpx.Client) -> None:
    page = http.get(f"{BASE}/team", headers=_bearer(live, http, "viewer")).text
    assert f'href="{BASE}/static/baton.css"' in page
    assert f'<a href="{BASE}/team" aria-current="page">' in page
