"""What people changed in the CRM, field by field."""

from __future__ import annotations

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""


def downgrade() -> None:
    """Take the ledger back."""
