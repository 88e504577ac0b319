"""What the pages ask of the ledger beyond the chain itself: summaries, and indexes for each question.

None of it holds personal data.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, Instant, metadata, one_of
from baton.ledger.tables.effects import attempt, effect
from baton.ledger.tables.handoffs import disposition, handoff, hop, human_override
from baton.ledger.tables.leads import person

ARRIVAL_KINDS = ("form", "source", "unreadable")
UNSETTLED_EFFECT_STATES = (
    "pending",
    "waiting",
    "leased",
    "ambiguous",
    "rejected",
    "invalid",
    "dead",
)
"""Neither carried out nor withheld nor replaced: somebody or something still has to act."""

hourly_arrival = Table(
    "hourly_arrival",
    metadata,
    Column("hour", Instant, nullable=False, comment="its beginning"),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, comment="form, source, or label that was unreadable"),
    Column("leads", Integer, nullable=False),
    Column("stayed", Integer, nullable=False, comment="of them: stay with marketing"),
    PrimaryKeyConstraint("hour", "kind", "name"),
    CheckConstraint(one_of("kind", ARRIVAL_KINDS), name="kind"),
    comment="how many leads each form and source brought, hour by hour",
)

counted_hour = Table(
    "counted_hour",
    metadata,
    Column("hour", Instant, primary_key=True, comment="its beginning"),
    Column("leads", Integer, nullable=False),
    comment="the hours whose arrivals are counted, those without any too",
)

check_result = Table(
    "check_result",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("findings", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    comment="how each check ended last: findings by code",
)

_OPEN = one_of("state", OPEN_HANDOFF_STATES)

Index(
    "ix_handoff_untouched",
    handoff.c.id.desc(),
    postgresql_where=text(f"{_OPEN} AND first_touch_at IS NULL"),
)
Index(
    "ix_handoff_first_touch",
    handoff.c.first_touch_at,
    postgresql_where=handoff.c.first_touch_at.is_not(None),
)
Index("ix_handoff_state", handoff.c.state, handoff.c.id.desc())
Index("ix_handoff_band", handoff.c.band, handoff.c.id.desc())
Index("ix_handoff_source", handoff.c.source, handoff.c.id.desc())
Index("ix_handoff_decision", handoff.c.decision_id)
Index("ix_hop_assigned_at", hop.c.assigned_at)
# All that the figures want of first hops: they are read from the index alone.
Index(
    "ix_hop_first",
    hop.c.handoff_id,
    postgresql_include=["owner_kind", "owner_key", "assigned_at", "first_touch_due"],
    postgresql_where=hop.c.number == 1,
)
Index(
    "ix_effect_unsettled",
    effect.c.state,
    effect.c.kind,
    effect.c.created_at,
    postgresql_where=text(one_of("state", UNSETTLED_EFFECT_STATES)),
)
Index(
    "ix_effect_done",
    effect.c.kind,
    effect.c.done_at,
    postgresql_where=text("state = 'done'"),
)
Index("ix_attempt_failed", attempt.c.at, postgresql_where=text("outcome <> 'done'"))
Index("ix_disposition_at", disposition.c.at)
Index("ix_human_override_at", human_override.c.at)
for _name in ("last_name", "company_name"):
    # For searches by the beginning of a name.
    Index(
        f"ix_person_{_name}",
        func.lower(person.c[_name]).label("lowered"),
        postgresql_ops={"lowered": "text_pattern_ops"},
    )
