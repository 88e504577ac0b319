"""Who changed what on the roster."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""


def downgrade() -> None:
    """Take the ledger back."""
