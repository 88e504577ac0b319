"""What people did by hand on the pages: asked, done or refused, under their names."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
)

from baton.ledger.tables.columns import Instant, metadata, one_of

ADMIN_ACTIONS = (
    "reassign",
    "hold",
    "release",
    "retry",
    "re_check",
    "dismiss",
    "stop_effects",
    "resume_effects",
    "set_mode",
    "set_start",
    "release_batch",
)
ADMIN_RESULTS = ("done", "refused")

admin_action = Table(
    "admin_action",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="what it was about: 'lead 12', 'effect 7'"),
    Column("lead_id", BigInteger, ForeignKey("lead.id")),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id")),
    Column("effect_id", BigInteger, ForeignKey("effect.id")),
    Column("reason", Text, nullable=False),
    Column("form", Text, nullable=False, comment="the form that was sent; sent twice it acts once"),
    Column("seen", Text, nullable=False, comment="the state that the form showed"),
    Column("result", Text, nullable=False),
    Column("words", Text, nullable=False, comment="what was done, or why nothing was"),
    UniqueConstraint("form", "subject"),
    CheckConstraint(one_of("action", ADMIN_ACTIONS), name="action"),
    CheckConstraint(one_of("result", ADMIN_RESULTS), name="result"),
    CheckConstraint("length(reason) BETWEEN 1 AND 500", name="reason"),
    comment="what people did by hand; append-only",
)
Index("ix_admin_action_lead", admin_action.c.lead_id, admin_action.c.id.desc())
Index("ix_admin_action_subject", admin_action.c.subject, admin_action.c.id.desc())
