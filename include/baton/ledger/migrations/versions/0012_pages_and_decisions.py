"""What pages and decisions need."""

from __future__ import annotations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""


def downgrade() -> None:
    """Take the ledger back."""
