"""How far each source was read, and what was read of Salesforce for reference."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Table, Text, text

from baton.ledger.tables.columns import Instant, metadata, one_of

watermark = Table(
    "watermark",
    metadata,
    Column("source", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    comment="how far each source has been read",
)
crm_user = Table(
    "crm_user",
    metadata,
    Column("salesforce_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("active", Boolean, nullable=False),
    Column("manager_id", Text),
    Column("kind", Text, nullable=False),
    CheckConstraint(one_of("kind", ("user", "queue")), name="kind"),
    comment="who may own a record in Salesforce",
)
Index("ix_crm_user_email", text("lower(email)"), _table=crm_user)
crm_account = Table(
    "crm_account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("domain", Text),
    Column("owner_id", Text),
    Column("type", Text),
    Column("country", Text, comment="ISO code"),
    Column("name_key", Text, comment="the name as it is compared, worked out when it was read"),
)
Index("ix_crm_account_domain", crm_account.c.domain)
crm_opportunity = Table(
    "crm_opportunity",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text),
    Column("owner_id", Text),
    Column("stage", Text),
    Column("is_closed", Boolean, nullable=False),
    Column("is_won", Boolean, nullable=False),
    Column("amount_cents", BigInteger),
    Column("lead_source", Text),
    Column("modified_at", Instant, nullable=False),
    Column("closed_at", Instant),
)
Index("ix_crm_opportunity_account", crm_opportunity.c.account_id, crm_opportunity.c.is_closed)
