"""The outbox: what is to be done outside, and every try."""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import (
    CLAIMABLE_EFFECT_STATES,
    EFFECT_STATES,
    NOW_EMPTY,
    Instant,
    identity,
    metadata,
    one_of,
)

effect = Table(
    "effect",
    metadata,
    identity(),
    Column("key", Text, nullable=False, unique=True, comment="idempotency key"),
    Column("kind", Text, nullable=False),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id")),
    Column("hop", Integer),
    Column("generation", BigInteger, nullable=False, comment="a newer one supersedes"),
    Column("priority", SmallInteger, nullable=False, server_default="100", comment="0 goes first"),
    Column("state", Text, nullable=False),
    Column("depends_on", BigInteger, ForeignKey("effect.id")),
    Column("params", JSONB, nullable=False, server_default=NOW_EMPTY, comment="no personal data"),
    Column("lease_owner", Text),
    Column("lease_until", Instant),
    Column("fence", BigInteger, nullable=False, server_default="0", comment="counts the claims"),
    Column(
        "maybe_sent",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="an earlier attempt may have been carried out: read back before sending",
    ),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Instant),
    Column("last_error_code", Text),
    Column("last_error", Text),
    Column("result", JSONB),
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    CheckConstraint(one_of("state", EFFECT_STATES), name="state"),
    CheckConstraint(
        "(state = 'leased') = (lease_until IS NOT NULL AND lease_owner IS NOT NULL)", name="lease"
    ),
    CheckConstraint("state <> 'waiting' OR next_attempt_at IS NOT NULL", name="waiting"),
    CheckConstraint("handoff_id IS NULL OR hop IS NOT NULL", name="hop"),
    comment="one thing to be done outside",
)
Index(
    "ix_effect_claim",
    effect.c.priority,
    effect.c.id,
    postgresql_where=text(one_of("state", CLAIMABLE_EFFECT_STATES)),
)
Index("ix_effect_handoff", effect.c.handoff_id, effect.c.hop)
Index("ix_effect_lead", effect.c.lead_id, effect.c.id.desc())
Index("ix_effect_depends_on", effect.c.depends_on)
Index("ix_effect_state", effect.c.state, effect.c.id.desc())
attempt = Table(
    "attempt",
    metadata,
    identity(),
    Column("effect_id", BigInteger, ForeignKey("effect.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text),
    comment="every try to carry out an effect, and how it ended; append-only",
)
Index("ix_attempt_effect", attempt.c.effect_id, attempt.c.id.desc())
