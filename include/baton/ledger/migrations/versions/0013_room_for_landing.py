"""Room beside each written value, so that marking it as landed touches no index.

A value is stored before its call and marked after it. On full pages each mark was a new entry in
all indexes: the dearest part of recording what was written.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""
    op.execute("ALTER TABLE field_write SET (fillfactor = 50)")


def downgrade() -> None:
    """Take it back."""
    op.execute("ALTER TABLE field_write RESET (fillfactor)")
