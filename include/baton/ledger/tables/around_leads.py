"""Tables around leads' data: answers over time, outside enrichment, duplicates, digest, drift.

None of them holds personal data: personal answers and the signs of identity stand in `person`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import NOW_EMPTY, Instant, metadata, one_of

lead_answer = Table(
    "lead_answer",
    metadata,
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("label", Text, nullable=False),
    Column("said_at", Instant, nullable=False),
    Column("said_in", Text, nullable=False, comment="form, or where else it was found"),
    Column("value", JSONB, nullable=False, comment="a fact that is not personal"),
    PrimaryKeyConstraint("lead_id", "label", "said_at"),
    comment="what a lead answered, and when; personal answers are in person.profile",
)

enrichment_cache = Table(
    "enrichment_cache",
    metadata,
    Column("provider", Text, nullable=False),
    Column("key", Text, nullable=False, comment="the company's domain"),
    Column("found", JSONB, nullable=False, comment="empty: the provider does not know it"),
    Column("found_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("provider", "key"),
    comment="what outside providers said of companies",
)
Index("ix_enrichment_cache_expires_at", enrichment_cache.c.expires_at)

enrichment_budget = Table(
    "enrichment_budget",
    metadata,
    Column("provider", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("used", Integer, nullable=False, comment="companies asked for, all processes together"),
    PrimaryKeyConstraint("provider", "day"),
    CheckConstraint("used >= 0", name="used"),
    comment="what each provider has cost a day",
)

duplicate_link = Table(
    "duplicate_link",
    metadata,
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("other_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("sign", Text, nullable=False),
    Column("confidence", SmallInteger, nullable=False),
    Column("found_at", Instant, nullable=False),
    PrimaryKeyConstraint("lead_id", "other_id", "sign"),
    CheckConstraint("lead_id < other_id", name="order"),
    CheckConstraint(
        one_of("sign", ("mailbox", "phone_and_name", "salesforce_record")), name="sign"
    ),
    comment="two contacts that may be one person; a person merges them, Baton never does",
)
Index("ix_duplicate_link_other", duplicate_link.c.other_id)

daily_note = Table(
    "daily_note",
    metadata,
    Column("name", Text, nullable=False),
    Column("day", Date, nullable=False, comment="local day of the policy's zone"),
    Column("state", Text, nullable=False),
    Column("claimed_at", Instant, nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("result", JSONB, nullable=False, server_default=NOW_EMPTY),
    PrimaryKeyConstraint("name", "day"),
    CheckConstraint(one_of("state", ("claimed", "sent", "nothing")), name="state"),
    comment="messages that go out once a day",
)

hourly_profile = Table(
    "hourly_profile",
    metadata,
    Column("hour", Instant, primary_key=True, comment="its beginning"),
    Column("leads", Integer, nullable=False, comment="leads judged in it"),
    Column("missing", JSONB, nullable=False, server_default=NOW_EMPTY, comment="label to count"),
    Column(
        "choices", JSONB, nullable=False, server_default=NOW_EMPTY, comment="label to known values"
    ),
    comment="what the leads of an hour looked like, to compare later hours with",
)

drift_warning = Table(
    "drift_warning",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("hour", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Column("words", Text, nullable=False),
    Column("found_at", Instant, nullable=False),
    UniqueConstraint("hour", "kind", "label"),
    CheckConstraint(one_of("kind", ("volume", "nulls", "new_values")), name="kind"),
    comment="an hour's leads are not as usual",
)
Index("ix_drift_warning_hour", drift_warning.c.hour.desc())
