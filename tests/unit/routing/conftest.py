from __future__ import annotations

from pathlib import Path

import pytest

from baton.policy.loader import parse_policy, read_bundle, roster_from_yaml
from baton.policy.models import Policy
from baton.policy.roster import Roster

SHIPPED = Path(__file__).parents[3] / "include" / "policy"


@pytest.fixture(scope="session")
def policy() -> Policy:
    """Return the policy that ships as the example."""
    return parse_policy(read_bundle(SHIPPED))


@pytest.fixture(scope="session")
def roster() -> Roster:
    """Return the roster that ships as the example."""
    return roster_from_yaml((SHIPPED / "roster.yaml").read_text(encoding="utf-8"))
