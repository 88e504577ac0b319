from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from baton.leads.model import LeadSnapshot
from baton.policy.loader import parse_policy, read_bundle
from baton.policy.models import Policy

SHIPPED = Path(__file__).parents[3] / "include" / "policy"
SEEN = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def policy() -> Policy:
    return parse_policy(read_bundle(SHIPPED))


@pytest.fixture(scope="session")
def snapshot() -> Callable[..., LeadSnapshot]:
    def make(
        properties: Mapping[str, str | None], company: Mapping[str, str | None] | None = None
    ) -> LeadSnapshot:
        return LeadSnapshot("101", SEEN, SEEN, SEEN, properties, company)

    return make
