"""What the tests of the pages share: a standing clock, and visitors with more or fewer rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi import HTTPException, Request
from fastapi.testclient import TestClient

from baton.web.access import Access, Visitor
from baton.web.app import create_app
from baton.web.site import Site

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECRET = b"a secret for tests alone"


class StandingClock:
    def now(self) -> datetime:
        return NOW


async def admin(_request: Request) -> Visitor:
    """Somebody who may look and act."""
    return Visitor("nadia")


async def viewer(_request: Request) -> Visitor:
    """Somebody who may only look."""
    return Visitor("vera", "you may look, but not act")


async def stranger(_request: Request) -> Visitor:
    """Somebody who has not logged in."""
    raise HTTPException(401, "who are you?")


class Visitors:
    """Makes clients of the pages, and closes what they opened."""

    def __init__(self) -> None:
        self._sites: list[Site] = []

    def client(self, url: str, access: Access = admin) -> TestClient:
        """Return a client that comes as `access` says."""
        app = create_app(access, secret=SECRET, database_url=lambda: url, clock=StandingClock())
        self._sites.append(app.state.site)
        return TestClient(app)

    def close(self) -> None:
        for site in self._sites:
            site.close()


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    made = Visitors()
    yield made
    made.close()
