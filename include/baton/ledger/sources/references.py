"""Reference data from Salesforce: users and queues, accounts, opportunities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, case, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.columns import among
from baton.ledger.tables.sources import crm_account, crm_opportunity, crm_user

_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class CrmUser:
    """Who may own a record: a user, or a queue (`kind`), which has no e-mail."""

    salesforce_id: str
    name: str
    email: str | None = None
    active: bool = True
    manager_id: str | None = None
    kind: str = "user"


@dataclass(frozen=True, slots=True)
class CrmAccount:
    """An account."""

    id: str
    name: str
    domain: str | None = None
    owner_id: str | None = None
    type: str | None = None
    country: str | None = None
    name_key: str | None = None


@dataclass(frozen=True, slots=True)
class CrmOpportunity:
    """An opportunity. `amount_cents` is in cents of the org's currency."""

    id: str
    modified_at: datetime
    account_id: str | None = None
    owner_id: str | None = None
    stage: str | None = None
    is_closed: bool = False
    is_won: bool = False
    amount_cents: int | None = None
    lead_source: str | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as matching needs it: owners as e-mails, with its newest open opportunity."""

    id: str
    name: str
    domain: str | None
    type: str | None
    owner: str | None
    owner_active: bool
    open_opportunity_id: str | None
    open_opportunity_owner: str | None
    country: str | None = None
    name_key: str | None = None
    lost_opportunity_owner: str | None = None


def replace_users(conn: Connection, users: Sequence[CrmUser]) -> None:
    """Make the list of users and queues exactly `users`."""
    _upsert(conn, crm_user, users)
    known = [user.salesforce_id for user in users]
    conn.execute(delete(crm_user).where(~among(crm_user.c.salesforce_id, known)))


def replace_accounts(conn: Connection, accounts: Sequence[CrmAccount]) -> None:
    """Make the list of accounts exactly `accounts`."""
    _upsert(conn, crm_account, accounts)
    known = [account.id for account in accounts]
    conn.execute(delete(crm_account).where(~among(crm_account.c.id, known)))


def upsert_accounts(conn: Connection, accounts: Sequence[CrmAccount]) -> None:
    """Add or change accounts."""
    _upsert(conn, crm_account, accounts)


def upsert_opportunities(conn: Connection, opportunities: Sequence[CrmOpportunity]) -> None:
    """Add or change opportunities."""
    _upsert(conn, crm_opportunity, opportunities)


def replace_opportunities(conn: Connection, opportunities: Sequence[CrmOpportunity]) -> None:
    """Make the list of opportunities exactly `opportunities`."""
    _upsert(conn, crm_opportunity, opportunities)
    known = [each.id for each in opportunities]
    conn.execute(delete(crm_opportunity).where(~among(crm_opportunity.c.id, known)))


def delete_opportunities(conn: Connection, ids: Iterable[str]) -> None:
    """Forget opportunities that Salesforce has deleted."""
    conn.execute(delete(crm_opportunity).where(among(crm_opportunity.c.id, ids)))


def users(conn: Connection) -> list[CrmUser]:
    """Return all users and queues, by name."""
    rows = conn.execute(select(crm_user).order_by(crm_user.c.name, crm_user.c.salesforce_id))
    return [CrmUser(**row._asdict()) for row in rows]


def users_by_email(conn: Connection) -> dict[str, CrmUser]:
    """Return users by e-mail in lower case; an active one before an inactive one."""
    query = (
        select(crm_user)
        .where(crm_user.c.email.is_not(None))
        .order_by(crm_user.c.active, crm_user.c.salesforce_id)
    )
    return {row.email.lower(): CrmUser(**row._asdict()) for row in conn.execute(query)}


def queues_by_name(conn: Connection) -> dict[str, CrmUser]:
    """Return queues by name."""
    rows = conn.execute(select(crm_user).where(crm_user.c.kind == "queue"))
    return {row.name: CrmUser(**row._asdict()) for row in rows}


def owner_ids(conn: Connection) -> dict[str, str]:
    """Return the Salesforce id of every active owner key in lower case: e-mail, or queue's name."""
    query = select(crm_user).where(crm_user.c.active).order_by(crm_user.c.salesforce_id)
    keyed = ((row.name if row.kind == "queue" else row.email, row) for row in conn.execute(query))
    return {key.lower(): row.salesforce_id for key, row in keyed if key}


def owner_keys(conn: Connection) -> dict[str, str]:
    """Return the owner key of every Salesforce id: e-mail in lower case, or the queue's name."""
    keyed = (
        (user.salesforce_id, user.name if user.kind == "queue" else (user.email or "").lower())
        for user in users(conn)
    )
    return {salesforce_id: key for salesforce_id, key in keyed if key}


def active_users(conn: Connection) -> dict[str, str]:
    """Return the e-mail in lower case of every active user, by Salesforce id; no queues."""
    query = select(crm_user.c.salesforce_id, func.lower(crm_user.c.email)).where(
        crm_user.c.active, crm_user.c.kind == "user", crm_user.c.email.is_not(None)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def account_rows(conn: Connection) -> list[AccountRow]:
    """Return every account with its owner, newest open and last lost opportunity, by id.

    Who owns or owned an opportunity is told only while Salesforce has them as active: nobody else
    can be given a record or a task.
    """
    account_owner, deal_owner = crm_user.alias("account_owner"), crm_user.alias("deal_owner")
    ranked = (
        select(
            crm_opportunity,
            func.row_number()
            .over(
                partition_by=crm_opportunity.c.account_id,
                order_by=(crm_opportunity.c.modified_at.desc(), crm_opportunity.c.id.desc()),
            )
            .label("place"),
        )
        .where(~crm_opportunity.c.is_closed)
        .subquery()
    )
    newest = select(ranked).where(ranked.c.place == 1).subquery()
    lost_owner = crm_user.alias("lost_owner")
    lost_ranked = (
        select(
            crm_opportunity.c.account_id,
            func.lower(lost_owner.c.email).label("owner"),
            func.row_number()
            .over(
                partition_by=crm_opportunity.c.account_id,
                order_by=(
                    crm_opportunity.c.closed_at.desc().nulls_last(),
                    crm_opportunity.c.id.desc(),
                ),
            )
            .label("place"),
        )
        .join(lost_owner, lost_owner.c.salesforce_id == crm_opportunity.c.owner_id)
        .where(crm_opportunity.c.is_closed, ~crm_opportunity.c.is_won, lost_owner.c.active)
        .subquery()
    )
    lost = select(lost_ranked).where(lost_ranked.c.place == 1).subquery()
    query = (
        select(
            crm_account.c.id,
            crm_account.c.name,
            crm_account.c.domain,
            crm_account.c.type,
            func.lower(account_owner.c.email).label("owner"),
            func.coalesce(account_owner.c.active, False).label("owner_active"),
            newest.c.id.label("open_opportunity_id"),
            case((deal_owner.c.active, func.lower(deal_owner.c.email))).label(
                "open_opportunity_owner"
            ),
            crm_account.c.country,
            crm_account.c.name_key,
            lost.c.owner.label("lost_opportunity_owner"),
        )
        .outerjoin(account_owner, account_owner.c.salesforce_id == crm_account.c.owner_id)
        .outerjoin(newest, newest.c.account_id == crm_account.c.id)
        .outerjoin(deal_owner, deal_owner.c.salesforce_id == newest.c.owner_id)
        .outerjoin(lost, lost.c.account_id == crm_account.c.id)
        .order_by(crm_account.c.id)
    )
    return [AccountRow(**row._asdict()) for row in conn.execute(query)]


def accounts_fingerprint(conn: Connection) -> str:
    """Return what changes when `account_rows` or `active_users` may: counts and sums of row hashes.

    Much cheaper than reading them: who has the same fingerprint need not read them again.
    """
    parts = (
        # Names of our own tables, and a condition without values.
        f"(SELECT concat(count(*), ':', sum(hashtextextended({table.name}::text, 0)::numeric))"  # noqa: S608
        f" FROM {table.name} {only})"
        for table, only in (
            (crm_user, ""),
            (crm_account, ""),
            (crm_opportunity, "WHERE NOT is_won"),
        )
    )
    found: str = conn.execute(text(f"SELECT concat_ws('/', {', '.join(parts)})")).scalar_one()
    return found


def opportunities_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, CrmOpportunity]:
    """Return opportunities by id; unknown ones are left out."""
    query = select(crm_opportunity).where(among(crm_opportunity.c.id, ids))
    return {row.id: CrmOpportunity(**row._asdict()) for row in conn.execute(query)}


def _upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[CrmUser] | Sequence[CrmAccount] | Sequence[CrmOpportunity],
) -> None:
    values = [asdict(row) for row in rows]
    key = next(iter(table.primary_key.columns)).name
    statement = insert(table)
    changes = {
        column.name: statement.excluded[column.name] for column in table.c if column.name != key
    }
    statement = statement.on_conflict_do_update(index_elements=[key], set_=changes)
    for start in range(0, len(values), _CHUNK):
        conn.execute(statement, values[start : start + _CHUNK])
