"""Where a handoff came from, what ties it to a company, and what a held lead waits for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""
    _handoffs()
    _leads()


def _handoffs() -> None:
    for column in (
        sa.Column(
            "origin", sa.Text(), server_default="buyer", nullable=False, comment="who began it"
        ),
        sa.Column(
            "account_id", sa.Text(), nullable=True, comment="the company's account in Salesforce"
        ),
        sa.Column(
            "company_domain",
            sa.Text(),
            nullable=True,
            comment="the company's domain, never one of free mail",
        ),
    ):
        op.add_column("handoff", column)
    op.create_check_constraint(
        op.f("ck_handoff_origin"), "handoff", "origin IN ('buyer', 'import', 'test')"
    )
    for name, columns, where in (
        ("ix_handoff_account", ["account_id", "decided_at"], "account_id IS NOT NULL"),
        (
            "ix_handoff_company_domain",
            ["company_domain", "decided_at"],
            "company_domain IS NOT NULL",
        ),
        ("ix_handoff_imported", ["decided_at"], "origin = 'import'"),
    ):
        op.create_index(name, "handoff", columns, postgresql_where=sa.text(where))


def _leads() -> None:
    for column in (
        sa.Column("held_for", sa.Text(), nullable=True, comment="reason code, while it is held"),
        sa.Column(
            "waits_for",
            sa.Text(),
            nullable=True,
            comment="who must be there again: 'pool NAME', 'person E-MAIL'",
        ),
        sa.Column(
            "retry_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="from when on it may be tried again, before its timer",
        ),
    ):
        op.add_column("lead", column)
    op.create_check_constraint(
        op.f("ck_lead_held_for"), "lead", "state = 'held' OR held_for IS NULL"
    )
    op.create_index(
        "ix_lead_held",
        "lead",
        ["held_for", "waits_for"],
        postgresql_where=sa.text("held_for IS NOT NULL"),
    )


def downgrade() -> None:
    """Take the ledger back."""
    op.drop_index("ix_lead_held", "lead")
    op.drop_constraint(op.f("ck_lead_held_for"), "lead")
    for name in ("retry_at", "waits_for", "held_for"):
        op.drop_column("lead", name)
    for index in ("ix_handoff_imported", "ix_handoff_company_domain", "ix_handoff_account"):
        op.drop_index(index, "handoff")
    op.drop_constraint(op.f("ck_handoff_origin"), "handoff")
    for name in ("company_domain", "account_id", "origin"):
        op.drop_column("handoff", name)
