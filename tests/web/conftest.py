"""What the tests of the pages share: a standing clock, and visitors with more or fewer rights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient

from baton.web.access import Access, Visitor
from baton.web.app import create_app

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


@dataclass
class Address:
    """Where the ledger is, for an application that outlives it; empty between tests."""

    url: str = ""

    def __call__(self) -> str:
        return self.url


def made(access: Access) -> tuple[FastAPI, Address]:
    """Return an application, and what tells it where the ledger is."""
    address = Address()
    app = create_app(access, secret=SECRET, database_url=address, clock=StandingClock())
    return app, address


shared = cache(made)
"""One application for every kind of visitor: making it takes longer than most tests."""


class Visitors:
    """Makes clients of the pages, and closes what they opened."""

    def __init__(self) -> None:
        self._used: list[tuple[FastAPI, Address]] = []

    def client(self, url: str, access: Access = admin) -> TestClient:
        """Return a client that comes as `access` says."""
        app, address = shared(access) if access in (admin, viewer, stranger) else made(access)
        if address.url not in ("", url):
            app, address = made(access)
        address.url = url
        self._used.append((app, address))
        return TestClient(app)

    def close(self) -> None:
        for app, address in self._used:
            app.state.site.close()
            app.state.site.links = {}
            address.url = ""


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    found = Visitors()
    yield found
    found.close()
