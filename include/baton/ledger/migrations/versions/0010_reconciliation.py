"""What the systems disagree about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the ledger forward."""
    op.create_table(
        "reconcile_pass",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column(
            "reached", sa.Text(), comment="the id that the phase goes on with; empty: at its start"
        ),
        sa.Column("worked_at", _INSTANT, nullable=False, comment="when it last came further"),
        sa.Column("finished_at", _INSTANT),
        sa.Column(
            "counts",
            sa.dialects.postgresql.JSONB(),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconcile_pass")),
        sa.CheckConstraint("kind IN ('nightly', 'demand')", name=op.f("ck_reconcile_pass_kind")),
        sa.CheckConstraint(
            "phase IN ('hubspot', 'salesforce', 'done')", name=op.f("ck_reconcile_pass_phase")
        ),
        sa.CheckConstraint(
            "(phase = 'done') = (finished_at IS NOT NULL)",
            name=op.f("ck_reconcile_pass_finished"),
        ),
        comment="one comparison of the three systems, in parts that each fit a task",
    )
    op.create_index("ix_reconcile_pass_kind", "reconcile_pass", ["kind", sa.text("id DESC")])
    op.create_table(
        "difference",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "key",
            sa.Text(),
            nullable=False,
            comment="what it is about; at most one of a key is open",
        ),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.BigInteger()),
        sa.Column("handoff_id", sa.BigInteger()),
        sa.Column("hubspot_id", sa.Text()),
        sa.Column("salesforce_id", sa.Text()),
        sa.Column("field", sa.Text()),
        sa.Column("ours", sa.Text()),
        sa.Column("theirs", sa.Text()),
        sa.Column("found_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False, comment="when it was found again last"),
        sa.Column("seen_in", sa.BigInteger(), comment="the last comparison"),
        sa.Column("settled_at", _INSTANT, comment="when it was mended, or not found any more"),
        sa.Column("settled_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_difference")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_difference_lead_id")),
        sa.ForeignKeyConstraint(
            ["handoff_id"], ["handoff.id"], name=op.f("fk_difference_handoff_id")
        ),
        sa.ForeignKeyConstraint(
            ["seen_in"], ["reconcile_pass.id"], name=op.f("fk_difference_seen_in")
        ),
        comment="the systems disagree, or disagreed until it was settled",
    )
    op.create_index(
        "uq_difference_open",
        "difference",
        ["key"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("ix_difference_lead", "difference", ["lead_id", sa.text("id DESC")])
    op.create_index("ix_lead_hubspot_order", "lead", [sa.text("length(hubspot_id)"), "hubspot_id"])


def downgrade() -> None:
    """Take the ledger back."""
    op.drop_index("ix_lead_hubspot_order", table_name="lead")
    op.drop_table("difference")
    op.drop_table("reconcile_pass")
