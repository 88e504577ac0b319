from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.ledger.conftest import START, minutes

from baton.ledger.sources import references
from baton.ledger.sources.references import CrmAccount, CrmOpportunity, CrmUser

if TYPE_CHECKING:
    from sqlalchemy import Connection

USERS = [
    CrmUser("005A", "Ines Moreau", "Ines.Moreau@relay.test"),
    CrmUser("005B", "Gone", "gone@relay.test", active=False),
    CrmUser("00G1", "Inbound triage", kind="queue"),
]


def test_users_and_queues_are_found_by_owner_key(ledger_conn: Connection) -> None:
    references.replace_users(ledger_conn, USERS)
    expected = {"ines.moreau@relay.test": "005A", "inbound triage": "00G1"}
    assert references.owner_ids(ledger_conn) == expected
    assert references.owner_keys(ledger_conn)["005A"] == "ines.moreau@relay.test"
    assert references.users_by_email(ledger_conn)["gone@relay.test"].active is False
    assert references.queues_by_name(ledger_conn)["Inbound triage"].salesforce_id == "00G1"


def test_replacing_forgets_what_is_gone_and_changes_what_stayed(ledger_conn: Connection) -> None:
    references.replace_users(ledger_conn, USERS)
    references.replace_users(ledger_conn, [CrmUser("005A", "Ines New", "ines@relay.test")])
    assert [user.name for user in references.users(ledger_conn)] == ["Ines New"]
    references.replace_users(ledger_conn, [])
    assert references.users(ledger_conn) == []


def test_an_account_shows_its_owner_and_newest_open_opportunity(ledger_conn: Connection) -> None:
    references.replace_users(ledger_conn, USERS)
    references.replace_accounts(
        ledger_conn,
        [
            CrmAccount("001A", "Northwind", "northwind.test", owner_id="005A", type="Customer"),
            CrmAccount("001B", "Lonely"),
        ],
    )
    references.upsert_opportunities(
        ledger_conn,
        [
            CrmOpportunity("006A", START, "001A", "005B"),
            CrmOpportunity("006B", minutes(5), "001A", "005A"),
            CrmOpportunity("006C", minutes(9), "001A", "005A", is_closed=True),
        ],
    )
    first, second = references.account_rows(ledger_conn)
    assert (first.owner, first.owner_active) == ("ines.moreau@relay.test", True)
    assert first.open_opportunity_id == "006B"
    assert first.open_opportunity_owner == "ines.moreau@relay.test"
    assert (second.owner, second.open_opportunity_id) == (None, None)


def test_more_accounts_than_a_statement_has_parameters(ledger_conn: Connection) -> None:
    many = [CrmAccount(f"001{number:06}", f"Company {number}") for number in range(12_000)]
    references.replace_accounts(ledger_conn, many)
    references.replace_accounts(ledger_conn, many[:2])
    assert len(references.account_rows(ledger_conn)) == 2
