"""Daily budgets of the APIs."""

from __future__ import annotations

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""


def downgrade() -> None:
    """Take the ledger back."""
