"""What the policy's limits hold back: batches that wait for a person, and what is in them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from baton.ledger.tables.columns import Instant, metadata, one_of
from baton.ledger.tables.handoffs import handoff

HELD_KINDS = ("handoff", "reassignment", "message", "write_back")
ANSWERS = ("release", "keep")

held_batch = Table(
    "held_batch",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("opened_at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("unanswered", Text, nullable=False, comment="what happens at the deadline"),
    Column("asked_at", Instant, comment="from then on nothing more joins it"),
    Column("asked_run", Text, comment="the Airflow run that asks"),
    Column("told_at", Instant, comment="when Slack was told"),
    Column("answered_at", Instant),
    Column("answer", Text),
    Column("by_whom", Text),
    Column("reason", Text),
    Column("run", Text, comment="the Airflow run whose leads are the first in it"),
    CheckConstraint(one_of("unanswered", ANSWERS), name="unanswered"),
    CheckConstraint(one_of("answer", ANSWERS), name="answer"),
    comment="what a limit of the policy holds back, asked about and answered as one",
)

held_item = Table(
    "held_item",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("batch_id", BigInteger, ForeignKey("held_batch.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id")),
    Column("hop", Integer),
    Column("effect_id", BigInteger, ForeignKey("effect.id")),
    Column("held_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("result", Text, comment="what became of it"),
    CheckConstraint(one_of("kind", HELD_KINDS), name="kind"),
    comment="one lead, reassignment or effect of a held batch",
)
Index("ix_held_item_batch", held_item.c.batch_id, held_item.c.kind)
Index(
    "uq_held_item_open",
    held_item.c.kind,
    held_item.c.lead_id,
    text("coalesce(effect_id, handoff_id, 0)"),
    unique=True,
    postgresql_where=held_item.c.settled_at.is_(None),
)

Index(
    "ix_handoff_observed",
    handoff.c.id.desc(),
    postgresql_where=text("mode = 'observe'"),
)
