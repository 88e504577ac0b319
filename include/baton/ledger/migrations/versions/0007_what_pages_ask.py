"""What the pages ask: arrivals by the hour, results of checks, the run of a batch, indexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OPEN = "state IN ('planned', 'assigned', 'notified', 'accepted', 'working', 'converted')"
_UNSETTLED = "state IN ('pending', 'waiting', 'leased', 'ambiguous', 'rejected', 'invalid', 'dead')"

INDEXES: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("ix_handoff_untouched", "handoff", ["id DESC"], f"{_OPEN} AND first_touch_at IS NULL"),
    ("ix_handoff_first_touch", "handoff", ["first_touch_at"], "first_touch_at IS NOT NULL"),
    ("ix_handoff_state", "handoff", ["state", "id DESC"], None),
    ("ix_handoff_band", "handoff", ["band", "id DESC"], None),
    ("ix_handoff_source", "handoff", ["source", "id DESC"], None),
    ("ix_handoff_decision", "handoff", ["decision_id"], None),
    ("ix_hop_assigned_at", "hop", ["assigned_at"], None),
    ("ix_effect_unsettled", "effect", ["state", "kind", "created_at"], _UNSETTLED),
    ("ix_effect_done", "effect", ["kind", "done_at"], "state = 'done'"),
    ("ix_attempt_failed", "attempt", ["at"], "outcome <> 'done'"),
    ("ix_disposition_at", "disposition", ["at"], None),
    ("ix_human_override_at", "human_override", ["at"], None),
    ("ix_person_last_name", "person", ["lower(last_name) text_pattern_ops"], None),
    ("ix_person_company_name", "person", ["lower(company_name) text_pattern_ops"], None),
    ("ix_batch_run", "batch", ["run"], "run IS NOT NULL"),
)
"""Name, table, columns, condition."""


def upgrade() -> None:
    """Bring the ledger forward."""
    op.add_column(
        "batch", sa.Column("run", sa.Text(), comment="the Airflow run that asked for it, if any")
    )
    op.create_table(
        "hourly_arrival",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False, comment="its beginning"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="form, source, or label that was unreadable",
        ),
        sa.Column("leads", sa.Integer(), nullable=False),
        sa.Column("stayed", sa.Integer(), nullable=False, comment="of them: stay with marketing"),
        sa.PrimaryKeyConstraint("hour", "kind", "name", name=op.f("pk_hourly_arrival")),
        sa.CheckConstraint(
            "kind IN ('form', 'source', 'unreadable')", name=op.f("ck_hourly_arrival_kind")
        ),
        comment="how many leads each form and source brought, hour by hour",
    )
    op.create_table(
        "counted_hour",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False, comment="its beginning"),
        sa.Column("leads", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_counted_hour")),
        comment="the hours whose arrivals are counted, those without any too",
    )
    op.create_table(
        "check_result",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column(
            "findings",
            sa.dialects.postgresql.JSONB(),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_check_result")),
        comment="how each check ended last: findings by code",
    )
    for name, table, columns, where in INDEXES:
        op.create_index(
            name,
            table,
            [sa.text(column) for column in columns],
            postgresql_where=None if where is None else sa.text(where),
        )


def downgrade() -> None:
    """Take the ledger back."""
    for name, table, _columns, _where in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    for table in ("check_result", "counted_hour", "hourly_arrival"):
        op.drop_table(table)
    op.drop_column("batch", "run")
