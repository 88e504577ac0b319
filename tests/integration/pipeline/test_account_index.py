"""The account index is built once for the same content, and anew when any of it changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from baton.ledger.sources import references
from baton.ledger.sources.references import CrmAccount, CrmOpportunity, CrmUser
from baton.pipeline.intake.account_index import accounts_of
from baton.policy.loader import parse_policy, read_bundle
from baton.policy.models import Policy

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
USER = CrmUser(salesforce_id="005A", name="Ada", email="ada@relay.test")
ACME = CrmAccount(id="001A", name="Acme", domain="acme.test", owner_id="005A")
DEAL = CrmOpportunity(id="006A", modified_at=NOW, account_id="001A", owner_id="005A")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse_policy(read_bundle(Path(__file__).resolve().parents[3] / "include" / "policy"))


@pytest.fixture
def conn(ledger_conn: Connection) -> Connection:
    references.replace_users(ledger_conn, [USER])
    references.replace_accounts(ledger_conn, [ACME])
    return ledger_conn


def test_reading_the_same_again_costs_no_index(conn: Connection, policy: Policy) -> None:
    first = accounts_of(conn, policy)
    references.replace_users(conn, [USER])
    references.replace_accounts(conn, [ACME])
    assert accounts_of(conn, policy) is first
    assert first.by_id["001A"].owner == "ada@relay.test"


@pytest.mark.parametrize("what", ["account", "new account", "deal", "user"])
def test_any_change_is_seen(conn: Connection, policy: Policy, what: str) -> None:
    first = accounts_of(conn, policy)
    match what:
        case "account":
            changed = CrmAccount(id="001A", name="Acme", domain="acme.test", type="Customer")
            references.upsert_accounts(conn, [changed])
        case "new account":
            references.upsert_accounts(conn, [CrmAccount(id="001B", name="Bolt")])
        case "deal":
            references.upsert_opportunities(conn, [DEAL])
        case "user":
            references.replace_users(
                conn, [CrmUser(salesforce_id="005A", name="Ada", email="ada.l@relay.test")]
            )
    second = accounts_of(conn, policy)
    assert second is not first
    assert second.by_id != first.by_id


def test_a_deal_that_was_won_is_no_news(conn: Connection, policy: Policy) -> None:
    first = accounts_of(conn, policy)
    closed = CrmOpportunity(
        id="006B", modified_at=NOW, account_id="001A", is_won=True, is_closed=True
    )
    references.upsert_opportunities(conn, [closed])
    assert accounts_of(conn, policy) is first
