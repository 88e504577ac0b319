from __future__ import annotations

from pathlib import Path

import pytest

from baton.policy.loader import parse_policy, read_bundle
from baton.policy.models import Policy

SHIPPED = Path(__file__).parents[3] / "include" / "policy"


@pytest.fixture(scope="session")
def policy() -> Policy:
    """Return the policy that ships as the example."""
    return parse_policy(read_bundle(SHIPPED))
