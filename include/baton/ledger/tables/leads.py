"""Leads, their personal data, and what was seen of them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import (
    DATED_LEAD_STATES,
    FINAL_LEAD_STATES,
    LEAD_STATES,
    NOW_EMPTY,
    Instant,
    identity,
    metadata,
    one_of,
)

lead = Table(
    "lead",
    metadata,
    identity(),
    Column("hubspot_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("timer_at", Instant, comment="when timer_action is due"),
    Column("timer_action", Text, comment="what happens then, unless the lead moves before"),
    Column("band", Text, comment="band of the last decision"),
    Column("score_milli", BigInteger, comment="score of the last decision, in thousandths"),
    Column("cycle", Integer, nullable=False, server_default="0", comment="handoffs so far"),
    Column("salesforce_lead_id", Text),
    Column("salesforce_contact_id", Text),
    Column("last_modified_seen", Instant, comment="HubSpot's stamp of the newest snapshot"),
    Column("last_content_hash", Text, comment="hash of the newest snapshot"),
    Column("merged_into", BigInteger, ForeignKey("lead.id")),
    Column("created_at", Instant, nullable=False),
    Column("held_for", Text, comment="reason code, while it is held"),
    Column("waits_for", Text, comment="who must be there again: 'pool NAME', 'person E-MAIL'"),
    Column("retry_at", Instant, comment="from when on it may be tried again, before its timer"),
    Column("cold_since", Instant, comment="without activity since"),
    CheckConstraint("state = 'held' OR held_for IS NULL", name="held_for"),
    CheckConstraint(one_of("state", LEAD_STATES), name="state"),
    CheckConstraint(
        f"timer_at IS NOT NULL OR NOT ({one_of('state', DATED_LEAD_STATES)})", name="timer"
    ),
    CheckConstraint(
        f"timer_action IS NOT NULL OR {one_of('state', FINAL_LEAD_STATES)}", name="timer_action"
    ),
    CheckConstraint("state = 'merged' OR merged_into IS NULL", name="merged_into"),
    CheckConstraint("merged_into <> id", name="not_into_itself"),
    comment="one person in HubSpot whom marketing may hand to sales",
)
Index("ix_lead_timer_due", lead.c.timer_at, postgresql_where=lead.c.timer_at.is_not(None))
Index("ix_lead_state", lead.c.state, lead.c.id.desc())
Index(
    "ix_lead_held",
    lead.c.held_for,
    lead.c.waits_for,
    postgresql_where=lead.c.held_for.is_not(None),
)
Index("ix_lead_salesforce_lead_id", lead.c.salesforce_lead_id)
Index("ix_lead_salesforce_contact_id", lead.c.salesforce_contact_id)
person = Table(
    "person",
    metadata,
    Column("lead_id", BigInteger, ForeignKey("lead.id"), primary_key=True, autoincrement=False),
    Column("email", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("phone", Text),
    Column("title", Text),
    Column("company_name", Text),
    Column("answers", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("raw", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("erased_at", Instant),
    Column(
        "profile",
        JSONB,
        nullable=False,
        server_default=NOW_EMPTY,
        comment="personal answers over time, by label",
    ),
    Column(
        "identity",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="signs by which the same person is recognised in another contact",
    ),
    comment="all personal data of leads, and nothing else",
)
Index("ix_person_email", text("lower(email)"), _table=person)
Index(
    "ix_person_identity",
    person.c.identity,
    postgresql_using="gin",
    postgresql_with={"fastupdate": "off"},  # or every look-up reads the list of what is new
)
snapshot = Table(
    "snapshot",
    metadata,
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("hash", Text, nullable=False, comment="of the whole content, personal part included"),
    Column("modified_at", Instant, nullable=False, comment="as HubSpot stamps it"),
    Column("seen_at", Instant, nullable=False),
    Column("captured_at", Instant, nullable=False, comment="when the person last raised a hand"),
    Column("content", JSONB, nullable=False, comment="properties without personal data"),
    PrimaryKeyConstraint("lead_id", "hash"),
    comment="what we saw of a lead at one moment",
)
