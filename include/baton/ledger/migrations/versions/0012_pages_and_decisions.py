"""What pages and decisions need."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""
    op.execute(
        "CREATE INDEX ix_hop_first ON hop (handoff_id)"
        " INCLUDE (owner_kind, owner_key, assigned_at, first_touch_due) WHERE number = 1"
    )


def downgrade() -> None:
    """Take the ledger back."""
    op.drop_index("ix_hop_first")
