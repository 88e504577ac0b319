"""Signs of a person go into their index at once, not into a list beside it.

PostgreSQL would keep up to 4 MB of new entries in a list that every look-up reads from end to end,
and reckons with that: during a first load it read all persons for every sign instead.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""
    op.execute("ALTER INDEX ix_person_identity SET (fastupdate = off)")
    op.execute("SELECT gin_clean_pending_list('ix_person_identity')")


def downgrade() -> None:
    """Take it back."""
    op.execute("ALTER INDEX ix_person_identity RESET (fastupdate)")
