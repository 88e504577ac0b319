"""What Baton wrote into the CRMs, field by field, and what it knows of their objects.

None of it holds personal data: long texts are kept as digests only.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import NOW_EMPTY, Instant, metadata, one_of

SYSTEMS = ("salesforce", "hubspot")
FINDINGS = ("cut", "not_a_value", "not_writable", "ambiguous")

field_write = Table(
    "field_write",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("system", Text, nullable=False),
    Column("record_id", Text, comment="empty until a new record has its id"),
    Column("field", Text, nullable=False),
    Column("scope", Text, nullable=False, comment="the handoff it was written for, or 'lead'"),
    Column("saw", Text, comment="what stood there when we looked"),
    Column("wrote", Text, comment="what we meant to put there"),
    Column("looked_at", Instant, nullable=False, comment="when we looked"),
    Column("landed", Boolean, nullable=False, server_default=text("false")),
    Column("checked_at", Instant, comment="when the history was read for what fell between"),
    CheckConstraint(one_of("system", SYSTEMS), name="system"),
    comment="each value Baton wrote, with what it saw just before; texts as digests",
)
Index(
    "ix_field_write_newest",
    field_write.c.lead_id,
    field_write.c.system,
    field_write.c.field,
    field_write.c.id.desc(),
)
Index(
    "ix_field_write_unchecked",
    field_write.c.system,
    field_write.c.id,
    postgresql_where=field_write.c.checked_at.is_(None),
)

crm_object = Table(
    "crm_object",
    metadata,
    Column("name", Text, primary_key=True),
    Column("present", Boolean, nullable=False),
    Column("fields", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("described_at", Instant, nullable=False),
    comment="what an object of Salesforce takes, as describe last said",
)

field_finding = Table(
    "field_finding",
    metadata,
    Column("sobject", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="the picklist value that is not one, or empty"),
    Column("count", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), comment="the last one it happened to"),
    PrimaryKeyConstraint("sobject", "field", "kind", "detail"),
    CheckConstraint(one_of("kind", FINDINGS), name="kind"),
    comment="what a field did not take as it was, and the lead went through all the same",
)
Index("ix_field_finding_last_at", field_finding.c.last_at.desc())

refused_disposition = Table(
    "refused_disposition",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id"), nullable=False),
    Column("source", Text, nullable=False, comment="the record on which it was given"),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("return_date", Date),
    Column("given_at", Instant, nullable=False),
    Column("by_whom", Text),
    Column("words", Text, nullable=False, comment="why, as the rep is told"),
    Column("refused_at", Instant, nullable=False),
    Column("settled_at", Instant, comment="when it was taken after all, or taken back"),
    UniqueConstraint("handoff_id", "source"),
    comment="an outcome that may not be given yet; it is taken once it may",
)
Index(
    "ix_refused_disposition_open",
    refused_disposition.c.id,
    postgresql_where=refused_disposition.c.settled_at.is_(None),
)
