from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from crm_sandbox.hubspot.limits import LimitPlan
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.world import ServeOptions


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxThread]:
    """HubSpot, Slack and the admin port without a market and practically without limits."""
    unlimited = LimitPlan(ten_secondly=100_000, search_per_second=100_000)
    with SandboxThread(ServeOptions(market=False, limits=unlimited)) as running:
        yield running


@pytest.fixture(scope="module")
def portal_http(sandbox: SandboxThread) -> Iterator[httpx.Client]:
    """A plain HTTP client of the sandbox's HubSpot, with the token."""
    hubspot = sandbox.description["hubspot"]
    headers = {"authorization": f"Bearer {hubspot['token']}"}
    with httpx.Client(base_url=hubspot["url"], headers=headers) as client:
        yield client
