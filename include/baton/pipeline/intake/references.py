"""Keeping Salesforce's users, queues, accounts and opportunities at hand for routing."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

from baton.crm.salesforce import SalesforceAccount, SalesforceOpportunity
from baton.leads.company_names import normalised_company_name
from baton.leads.places import country_code
from baton.ledger.database.engine import transaction
from baton.ledger.sources import references, watermarks
from baton.ledger.sources.references import CrmAccount, CrmOpportunity, CrmUser
from baton.pipeline.active_policy import current_policy
from baton.pipeline.api_budget import learn_zone
from baton.pipeline.context import Context
from baton.pipeline.intake.field_mapping import watch_salesforce_fields
from baton.pipeline.report import StepReport

OPPORTUNITIES = "salesforce.opportunities"
DEALS = "salesforce.deals"
OVERLAP = timedelta(minutes=15)
SETTLE = timedelta(seconds=1)
"""Stamps have whole seconds: the second that is running is read too, and again."""
FIRST_LOOK_BACK = timedelta(days=400)


def read_references(ctx: Context) -> StepReport:
    """Replace the ledger's picture of users, queues and accounts; add changed opportunities.

    Raises:
        GatewayError: Salesforce could not be read; the picture stays as it was.
    """
    learn_zone(ctx)
    users = [
        CrmUser(
            salesforce_id=user.id,
            name=user.name,
            email=user.email.lower() if user.email else None,
            active=user.active,
            manager_id=user.manager_id,
            kind="user",
        )
        for user in ctx.salesforce.users()
    ]
    queues = [
        CrmUser(salesforce_id=queue.id, name=queue.name, kind="queue")
        for queue in ctx.salesforce.queues()
    ]
    accounts = [_account(account) for account in ctx.salesforce.accounts()]
    opportunities, until = _opportunities(ctx)
    deleted = _deleted_opportunities(ctx, until)
    with transaction(ctx.engine) as conn:
        references.replace_users(conn, [*users, *queues])
        references.replace_accounts(conn, accounts)
        references.upsert_opportunities(conn, opportunities)
        references.delete_opportunities(conn, deleted)
        watermarks.set(conn, OPPORTUNITIES, until.isoformat(), at=ctx.clock.now())
        policy = current_policy(conn)
    if policy is not None:
        watch_salesforce_fields(ctx, policy)
    return StepReport(
        users=len(users),
        queues=len(queues),
        accounts=len(accounts),
        opportunities=len(opportunities),
    )


def changed_deals(ctx: Context) -> tuple[list[CrmOpportunity], datetime]:
    """Read the opportunities that changed since they were last followed, and until when.

    They have a watermark of their own: what the references have read may not be followed yet. The
    caller moves it, in the transaction that follows them.
    """
    return _opportunities(ctx, DEALS)


def _opportunities(
    ctx: Context, source: str = OPPORTUNITIES
) -> tuple[list[CrmOpportunity], datetime]:
    with transaction(ctx.engine) as conn:
        mark = watermarks.get(conn, source)
    until = ctx.clock.now() if ctx.replays else ctx.salesforce.server_now()
    since = datetime.fromisoformat(mark) - OVERLAP if mark else until - FIRST_LOOK_BACK
    return [_opportunity(one) for one in ctx.salesforce.open_opportunities(since)], until


def _deleted_opportunities(ctx: Context, until: datetime) -> list[str]:
    """Return the ids of opportunities deleted since the last time: they stand open nowhere.

    Only a query that includes deleted rows shows them; accounts and users are read whole.
    """
    with transaction(ctx.engine) as conn:
        mark = watermarks.get_instant(conn, OPPORTUNITIES)
    since = mark - OVERLAP if mark else until - FIRST_LOOK_BACK
    rows = ctx.salesforce.changed(
        "Opportunity",
        ("IsDeleted",),
        since,
        until + SETTLE,
        where="IsDeleted = true",
        include_deleted=True,
    )
    return [str(row["Id"]) for row in rows]


def _account(account: SalesforceAccount) -> CrmAccount:
    return CrmAccount(
        id=account.id,
        name=account.name,
        domain=_host(account.website),
        owner_id=account.owner_id,
        type=account.type,
        country=country_code(account.country) if account.country else None,
        # Worked out once here: it is what costs most when an index is built.
        name_key=normalised_company_name(account.name) or "",
    )


def _host(website: str | None) -> str | None:
    """Return the host of what somebody typed as a website, without www."""
    text = (website or "").strip().lower()
    if not text:
        return None
    host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    return host.removeprefix("www.") or None


def _opportunity(one: SalesforceOpportunity) -> CrmOpportunity:
    closed = one.close_date if one.is_closed else None
    return CrmOpportunity(
        id=one.id,
        modified_at=one.modified_at,
        account_id=one.account_id,
        owner_id=one.owner_id,
        stage=one.stage,
        is_closed=one.is_closed,
        is_won=one.is_won,
        amount_cents=one.amount_cents,
        lead_source=one.lead_source,
        closed_at=datetime.combine(closed, time(12), tzinfo=UTC) if closed else None,
    )
