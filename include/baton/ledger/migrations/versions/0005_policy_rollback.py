"""What an activation was: something new, or a step back; and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""
    op.add_column(
        "policy_activation",
        sa.Column("kind", sa.Text(), nullable=False, server_default="activate"),
    )
    op.add_column("policy_activation", sa.Column("note", sa.Text()))
    op.create_check_constraint("kind", "policy_activation", "kind IN ('activate', 'rollback')")


def downgrade() -> None:
    """Take the ledger back."""
    op.drop_constraint("kind", "policy_activation", type_="check")
    op.drop_column("policy_activation", "note")
    op.drop_column("policy_activation", "kind")
