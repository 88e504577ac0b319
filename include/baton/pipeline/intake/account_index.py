"""The index in which leads find their accounts: built once, and anew only when accounts changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from baton.leads.accounts import Account, AccountIndex
from baton.ledger.sources import references
from baton.ledger.sources.references import AccountRow
from baton.policy.models import Policy


@dataclass(frozen=True, slots=True)
class Accounts:
    """What Salesforce knows of accounts: by id, indexed for matching, and who owns what.

    `owner_keys`: e-mails by id of users who are active, so that they may be given something.
    """

    by_id: Mapping[str, Account]
    index: AccountIndex
    owner_keys: Mapping[str, str]


_Key = tuple[str, frozenset[str], tuple[tuple[str, str], ...]]
_MOST_KEPT = 2
_kept: dict[_Key, Accounts] = {}
"""Of this process. The key is the content, so an entry is never out of date, only unused."""


def accounts_of(conn: Connection, policy: Policy) -> Accounts:
    """Return the accounts as the ledger has them now.

    A process that has built the index for the same content uses it again: a fingerprint of the
    tables tells, so it does not matter who changed them.
    """
    aliases = tuple(sorted(policy.company_aliases.items()))
    free = frozenset(policy.mail.free)
    key = (references.accounts_fingerprint(conn), free, aliases)
    found = _kept.get(key)
    if found is None:
        accounts = {row.id: _account(row) for row in references.account_rows(conn)}
        index = AccountIndex(accounts.values(), free, dict(aliases))
        found = Accounts(accounts, index, references.active_users(conn))
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = found
    return found


def _account(row: AccountRow) -> Account:
    return Account(
        row.id,
        row.name,
        row.domain,
        row.owner if row.owner_active else None,
        row.type,
        row.open_opportunity_id,
        row.open_opportunity_owner,
        row.country,
        row.lost_opportunity_owner,
        row.name_key,
    )
