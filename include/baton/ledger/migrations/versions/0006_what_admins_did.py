"""What people did by hand on the pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ACTIONS = (
    "'reassign', 'hold', 'release', 'retry', 're_check', 'dismiss', 'stop_effects', "
    "'resume_effects'"
)


def upgrade() -> None:
    """Bring the ledger forward."""
    op.create_table(
        "admin_action",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="what it was about: 'lead 12', 'effect 7'",
        ),
        sa.Column("lead_id", sa.BigInteger()),
        sa.Column("handoff_id", sa.BigInteger()),
        sa.Column("effect_id", sa.BigInteger()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "form",
            sa.Text(),
            nullable=False,
            comment="the form that was sent; sent twice it acts once",
        ),
        sa.Column("seen", sa.Text(), nullable=False, comment="the state that the form showed"),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False, comment="what was done, or why nothing was"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_action")),
        sa.UniqueConstraint("form", "subject", name=op.f("uq_admin_action_form_subject")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_admin_action_lead_id")),
        sa.ForeignKeyConstraint(
            ["handoff_id"], ["handoff.id"], name=op.f("fk_admin_action_handoff_id")
        ),
        sa.ForeignKeyConstraint(
            ["effect_id"], ["effect.id"], name=op.f("fk_admin_action_effect_id")
        ),
        sa.CheckConstraint(f"action IN ({ACTIONS})", name=op.f("ck_admin_action_action")),
        sa.CheckConstraint("result IN ('done', 'refused')", name=op.f("ck_admin_action_result")),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 500", name=op.f("ck_admin_action_reason")),
        comment="what people did by hand; append-only",
    )
    op.create_index("ix_admin_action_lead", "admin_action", ["lead_id", sa.text("id DESC")])
    op.create_index("ix_admin_action_subject", "admin_action", ["subject", sa.text("id DESC")])
    op.execute(
        "CREATE TRIGGER admin_action_append_only BEFORE UPDATE OR DELETE ON admin_action "
        "FOR EACH ROW EXECUTE FUNCTION baton_append_only()"
    )
    op.execute(
        "CREATE TRIGGER admin_action_no_truncate BEFORE TRUNCATE ON admin_action "
        "FOR EACH STATEMENT EXECUTE FUNCTION baton_append_only()"
    )


def downgrade() -> None:
    """Take the ledger back."""
    op.drop_table("admin_action")
