from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from baton.connections import HubSpotConnection, SalesforceConnection, SlackConnection
from baton.crm.hubspot import HubSpotGateway
from baton.crm.salesforce import SalesforceGateway
from baton.notify.slack import SlackGateway
from baton.transport import RetryTerms, UnlimitedRate

QUICK = RetryTerms(attempts=4, total_seconds=10, first_pause=0.01, longest_pause=0.2)


@pytest.fixture
def hubspot(sandbox) -> HubSpotGateway:
    connection = HubSpotConnection.from_environment(sandbox.connections())
    return HubSpotGateway(connection, UnlimitedRate(), terms=QUICK, read_seconds=1.0)


@pytest.fixture
def salesforce(sandbox) -> SalesforceGateway:
    connection = SalesforceConnection.from_environment(sandbox.connections())
    return SalesforceGateway(connection, UnlimitedRate(), terms=QUICK, timeout=(3.05, 1.5))


@pytest.fixture
def slack(sandbox) -> SlackGateway:
    connection = SlackConnection.from_environment(sandbox.connections())
    return SlackGateway(connection, UnlimitedRate(), terms=QUICK, timeout_seconds=1)


@pytest.fixture
def make_contacts(sandbox) -> Callable[..., list[str]]:
    """Create contacts of this test's own and return their ids."""

    def make(count: int = 1, **properties: str) -> list[str]:
        mark = uuid.uuid4().hex[:12]
        contacts = [
            {"email": f"c{n}-{mark}@made.test", "lastname": "Made"} | properties
            for n in range(count)
        ]
        answer = sandbox.admin.post("/hubspot/contacts/load", json={"contacts": contacts})
        answer.raise_for_status()
        assert not answer.json()["refused"]
        ids: list[str] = answer.json()["ids"]
        return ids

    return make


@pytest.fixture
def unique() -> Callable[[str], str]:
    return lambda name: f"{name}-{uuid.uuid4().hex[:10]}"
