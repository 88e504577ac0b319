"""What the systems disagree about."""

from __future__ import annotations

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""


def downgrade() -> None:
    """Take the ledger back."""
