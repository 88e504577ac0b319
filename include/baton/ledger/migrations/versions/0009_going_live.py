"""Modes, cut-over and limits of a batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_ACTIONS = (
    "reassign",
    "hold",
    "release",
    "retry",
    "re_check",
    "dismiss",
    "stop_effects",
    "resume_effects",
)
_NEW_ACTIONS = ("set_mode", "set_start", "release_batch")


def upgrade() -> None:
    """Bring the ledger forward."""
    op.add_column("handoff", sa.Column("form", sa.Text(), comment="the form that was sent last"))
    op.add_column(
        "handoff",
        sa.Column("adopted_at", _INSTANT, comment="observed, then taken over as Salesforce had it"),
    )
    op.create_index(
        "ix_handoff_observed",
        "handoff",
        [sa.text("id DESC")],
        postgresql_where=sa.text("mode = 'observe'"),
    )
    op.create_table(
        "held_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("deadline", _INSTANT, nullable=False),
        sa.Column("unanswered", sa.Text(), nullable=False, comment="what happens at the deadline"),
        sa.Column("asked_at", _INSTANT, comment="from then on nothing more joins it"),
        sa.Column("asked_run", sa.Text(), comment="the Airflow run that asks"),
        sa.Column("told_at", _INSTANT, comment="when Slack was told"),
        sa.Column("answered_at", _INSTANT),
        sa.Column("answer", sa.Text()),
        sa.Column("by_whom", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("run", sa.Text(), comment="the Airflow run whose leads are the first in it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_batch")),
        sa.CheckConstraint(
            "unanswered IN ('release', 'keep')", name=op.f("ck_held_batch_unanswered")
        ),
        sa.CheckConstraint("answer IN ('release', 'keep')", name=op.f("ck_held_batch_answer")),
        comment="what a limit of the policy holds back, asked about and answered as one",
    )
    op.create_table(
        "held_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("handoff_id", sa.BigInteger()),
        sa.Column("hop", sa.Integer()),
        sa.Column("effect_id", sa.BigInteger()),
        sa.Column("held_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.Column("result", sa.Text(), comment="what became of it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_item")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["held_batch.id"], name=op.f("fk_held_item_batch_id")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_held_item_lead_id")),
        sa.ForeignKeyConstraint(
            ["handoff_id"], ["handoff.id"], name=op.f("fk_held_item_handoff_id")
        ),
        sa.ForeignKeyConstraint(["effect_id"], ["effect.id"], name=op.f("fk_held_item_effect_id")),
        sa.CheckConstraint(
            "kind IN ('handoff', 'reassignment', 'message', 'write_back')",
            name=op.f("ck_held_item_kind"),
        ),
        comment="one lead, reassignment or effect of a held batch",
    )
    op.create_index("ix_held_item_batch", "held_item", ["batch_id", "kind"])
    op.create_index(
        "uq_held_item_open",
        "held_item",
        ["kind", "lead_id", sa.text("coalesce(effect_id, handoff_id, 0)")],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    _actions((*_ACTIONS, *_NEW_ACTIONS))


def downgrade() -> None:
    """Take the ledger back."""
    op.execute("ALTER TABLE admin_action DISABLE TRIGGER USER")
    op.execute(
        "DELETE FROM admin_action WHERE action IN ('set_mode', 'set_start', 'release_batch')"
    )
    op.execute("ALTER TABLE admin_action ENABLE TRIGGER USER")
    _actions(_ACTIONS)
    op.drop_table("held_item")
    op.drop_table("held_batch")
    op.drop_index("ix_handoff_observed", table_name="handoff")
    op.drop_column("handoff", "adopted_at")
    op.drop_column("handoff", "form")


def _actions(names: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{name}'" for name in names)
    op.drop_constraint(op.f("ck_admin_action_action"), "admin_action", type_="check")
    op.create_check_constraint(
        op.f("ck_admin_action_action"), "admin_action", f"action IN ({listed})"
    )
