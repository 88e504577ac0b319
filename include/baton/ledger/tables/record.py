"""Batches, what was decided in them, and every change of state."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import MODES, NOW_EMPTY, Instant, identity, metadata, one_of

batch = Table(
    "batch",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("policy_hash", Text, ForeignKey("policy_version.hash")),
    Column("roster_hash", Text),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("counts", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("run", Text, comment="the Airflow run that asked for it, if any"),
    CheckConstraint(one_of("mode", MODES), name="mode"),
    comment="one run's worth of leads; pins policy and roster",
)
Index("ix_batch_run", batch.c.run, postgresql_where=batch.c.run.is_not(None))
Index("ix_batch_created_at", batch.c.created_at.desc())
decision = Table(
    "decision",
    metadata,
    identity(),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("batch_id", Uuid, ForeignKey("batch.id")),
    Column("snapshot_hash", Text, nullable=False),
    Column("policy_hash", Text, ForeignKey("policy_version.hash"), nullable=False),
    Column("roster_hash", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("position", Integer, nullable=False, comment="place in the batch, from 0"),
    Column("inputs", JSONB, nullable=False),
    Column("inputs_hash", Text, nullable=False),
    Column("result", JSONB, nullable=False),
    Column("result_hash", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("band", Text),
    Column("score_milli", BigInteger),
    Column("trigger", Text),
    Column("rule", Text, comment="the routing rule that chose"),
    Column("owner_key", Text),
    Column("reason_code", Text),
    ForeignKeyConstraint(
        ["lead_id", "snapshot_hash"], ["snapshot.lead_id", "snapshot.hash"], name="fk_decision_seen"
    ),
    comment="the pure result of recorded inputs; append-only",
)
Index("ix_decision_lead", decision.c.lead_id, decision.c.id.desc())
Index("ix_decision_batch", decision.c.batch_id, decision.c.position)
Index("ix_decision_decided_at", decision.c.decided_at)
transition = Table(
    "transition",
    metadata,
    identity(),
    Column("subject", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("cause", Text, nullable=False),
    Column("by_whom", Text, nullable=False),
    CheckConstraint(one_of("subject", ("lead", "handoff", "effect")), name="subject"),
    comment="every change of state; append-only",
)
Index("ix_transition_subject", *(transition.c[n] for n in ("subject", "subject_id")), text("id"))
