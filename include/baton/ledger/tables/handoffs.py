"""Handoffs, their hops, and what sales did with them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import (
    HANDOFF_STATES,
    MODES,
    NOW_EMPTY,
    OPEN_HANDOFF_STATES,
    ORIGINS,
    Instant,
    identity,
    metadata,
    one_of,
)

handoff = Table(
    "handoff",
    metadata,
    identity(),
    Column("key", Text, nullable=False, unique=True, comment="H<lead>-<cycle>, never changes"),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("decision_id", BigInteger, ForeignKey("decision.id")),
    Column("state", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("band", Text),
    Column("trigger", Text),
    Column("score_milli", BigInteger),
    Column("source", Text),
    Column("segment", Text),
    Column("territory", Text),
    Column("captured_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("decided_at", Instant, nullable=False),
    Column("owner_written_at", Instant),
    Column("task_written_at", Instant),
    Column("notified_at", Instant),
    Column("accepted_at", Instant),
    Column("first_touch_at", Instant),
    Column("first_touch_grade", SmallInteger, comment="strength of the evidence, 1 is weakest"),
    Column("disposed_at", Instant),
    Column("disposition_code", Text),
    Column("meeting_at", Instant),
    Column("opportunity_at", Instant),
    Column("closed_at", Instant),
    Column("outcome", Text),
    Column("amount_cents", BigInteger),
    Column("salesforce_opportunity_id", Text),
    Column("package", JSONB, nullable=False, server_default=NOW_EMPTY, comment="no personal data"),
    Column("origin", Text, nullable=False, server_default="buyer", comment="who began it"),
    Column("account_id", Text, comment="the company's account in Salesforce"),
    Column("company_domain", Text, comment="the company's domain, never one of free mail"),
    Column("form", Text, comment="the form that was sent last"),
    Column("adopted_at", Instant, comment="observed, then taken over as Salesforce had it"),
    CheckConstraint(one_of("origin", ORIGINS), name="origin"),
    CheckConstraint(one_of("state", HANDOFF_STATES), name="state"),
    CheckConstraint(one_of("mode", MODES), name="mode"),
    comment="one passing of the baton to sales",
)
Index(
    "uq_handoff_open_per_lead",
    handoff.c.lead_id,
    unique=True,
    postgresql_where=text(one_of("state", OPEN_HANDOFF_STATES)),
)
Index("ix_handoff_lead", handoff.c.lead_id, handoff.c.id.desc())
Index(
    "ix_handoff_open",
    handoff.c.id.desc(),
    postgresql_where=text(one_of("state", OPEN_HANDOFF_STATES)),
)
Index("ix_handoff_decided_at", handoff.c.decided_at)
Index("ix_handoff_opportunity", handoff.c.salesforce_opportunity_id)
Index(
    "ix_handoff_account",
    handoff.c.account_id,
    handoff.c.decided_at,
    postgresql_where=handoff.c.account_id.is_not(None),
)
Index(
    "ix_handoff_company_domain",
    handoff.c.company_domain,
    handoff.c.decided_at,
    postgresql_where=handoff.c.company_domain.is_not(None),
)
Index(
    "ix_handoff_imported",
    handoff.c.decided_at,
    postgresql_where=text("origin = 'import'"),
)
hop = Table(
    "hop",
    metadata,
    identity(),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("owner_kind", Text, nullable=False),
    Column("owner_key", Text, nullable=False),
    Column("pool", Text),
    Column("change_owner", Boolean, nullable=False),
    Column("assigned_at", Instant, nullable=False),
    Column("terms", JSONB, nullable=False, server_default=NOW_EMPTY, comment="the SLA it has"),
    Column("first_touch_due", Instant),
    UniqueConstraint("handoff_id", "number"),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint(one_of("owner_kind", ("user", "queue")), name="owner_kind"),
    comment="one assignment within a handoff; the highest number is the present one",
)
Index("ix_hop_owner", hop.c.owner_key, hop.c.assigned_at)
Index("ix_hop_due", hop.c.first_touch_due)
touch = Table(
    "touch",
    metadata,
    identity(),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id"), nullable=False),
    Column("external_id", Text, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("by_whom", Text),
    comment="evidence that a human worked the lead",
)
Index("ix_touch_handoff", touch.c.handoff_id, touch.c.at)
disposition = Table(
    "disposition",
    metadata,
    identity(),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by_whom", Text),
    Column("return_at", Instant),
    Column("action", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("external_id", Text, nullable=False, unique=True),
    CheckConstraint(one_of("outcome", ("accepted", "recycle", "disqualified")), name="outcome"),
    comment="the structured outcome that sales gave",
)
Index("ix_disposition_handoff", disposition.c.handoff_id, disposition.c.at)
sla_event = Table(
    "sla_event",
    metadata,
    identity(),
    Column("hop_id", BigInteger, ForeignKey("hop.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("hop_id", "kind"),
    CheckConstraint(one_of("kind", ("remind", "breach", "tell_manager", "reassign")), name="kind"),
    comment="what a clock said, once per hop and kind",
)
human_override = Table(
    "human_override",
    metadata,
    identity(),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id")),
    Column("field", Text, nullable=False),
    Column("ours", Text),
    Column("theirs", Text),
    Column("at", Instant, nullable=False),
    Column("by_whom", Text),
    Column("restored_at", Instant, comment="when we put back what we had overwritten"),
    comment="a person changed what we wrote, and keeps it so",
)
Index("ix_human_override_lead", human_override.c.lead_id, human_override.c.id.desc())
