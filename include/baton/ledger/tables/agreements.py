"""Policies, rosters and the turns of pools."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import NOW_EMPTY, Instant, identity, metadata, one_of

policy_version = Table(
    "policy_version",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("bundle", JSONB, nullable=False, comment="file name to text"),
    Column("loaded_at", Instant, nullable=False),
    comment="every policy ever loaded, named by the hash of its content",
)
policy_activation = Table(
    "policy_activation",
    metadata,
    identity(),
    Column("hash", Text, ForeignKey("policy_version.hash"), nullable=False),
    Column("parent_hash", Text, ForeignKey("policy_version.hash")),
    Column("by_whom", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False, server_default="activate"),
    Column("note", Text),
    CheckConstraint(one_of("kind", ("activate", "rollback")), name="kind"),
    comment="which policy became current, when, and after which; append-only",
)
roster_version = Table(
    "roster_version",
    metadata,
    identity(),
    Column("hash", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("note", Text),
    comment="who is there; the newest row is current",
)
Index("ix_roster_version_hash", roster_version.c.hash)
pool_state = Table(
    "pool_state",
    metadata,
    Column("pool", Text, primary_key=True),
    Column("state", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("version", BigInteger, nullable=False, server_default="0"),
    comment="whose turn it is in each pool",
)
