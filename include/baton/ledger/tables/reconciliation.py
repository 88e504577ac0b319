"""What HubSpot, the ledger and Salesforce disagree about, and how far the last look has come.

No personal data: ids, states, keys and the addresses of staff.
"""

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
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import NOW_EMPTY, Instant, metadata, one_of
from baton.ledger.tables.leads import lead

PASS_KINDS = ("nightly", "demand")
PHASES = ("hubspot", "salesforce", "done")

reconcile_pass = Table(
    "reconcile_pass",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("phase", Text, nullable=False),
    Column("reached", Text, comment="the id that the phase goes on with; empty: at its start"),
    Column("worked_at", Instant, nullable=False, comment="when it last came further"),
    Column("finished_at", Instant),
    Column("counts", JSONB, nullable=False, server_default=NOW_EMPTY),
    CheckConstraint(one_of("kind", PASS_KINDS), name="kind"),
    CheckConstraint(one_of("phase", PHASES), name="phase"),
    CheckConstraint("(phase = 'done') = (finished_at IS NOT NULL)", name="finished"),
    comment="one comparison of the three systems, in parts that each fit a task",
)
Index("ix_reconcile_pass_kind", reconcile_pass.c.kind, reconcile_pass.c.id.desc())

difference = Table(
    "difference",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False, comment="what it is about; at most one of a key is open"),
    Column("code", Text, nullable=False),
    Column("lead_id", BigInteger, ForeignKey("lead.id")),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id")),
    Column("hubspot_id", Text),
    Column("salesforce_id", Text),
    Column("field", Text),
    Column("ours", Text),
    Column("theirs", Text),
    Column("found_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False, comment="when it was found again last"),
    Column("seen_in", BigInteger, ForeignKey("reconcile_pass.id"), comment="the last comparison"),
    Column("settled_at", Instant, comment="when it was mended, or not found any more"),
    Column("settled_by", Text),
    comment="the systems disagree, or disagreed until it was settled",
)
Index(
    "uq_difference_open",
    difference.c.key,
    unique=True,
    postgresql_where=difference.c.settled_at.is_(None),
)
Index("ix_difference_lead", difference.c.lead_id, difference.c.id.desc())
# HubSpot lists contacts by the number of their id, which is a text here.
Index("ix_lead_hubspot_order", func.length(lead.c.hubspot_id), lead.c.hubspot_id)
