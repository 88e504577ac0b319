"""Daily budgets of the APIs: when they begin again, how they are paced, where the calls went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ON_BUCKET = (
    ("zone", sa.Text(), "IANA zone whose midnight opens a daily limit again"),
    ("resets_at", sa.DateTime(timezone=True), "when a daily limit begins again; NULL: it rolls"),
    (
        "paced_until",
        sa.DateTime(timezone=True),
        "a daily limit runs short: the next call not before",
    ),
    ("probed_at", sa.DateTime(timezone=True), "a refused lane was last let through to look"),
)


def upgrade() -> None:
    """Bring the ledger forward."""
    for name, kind, comment in _ON_BUCKET:
        op.add_column("rate_bucket", sa.Column(name, kind, nullable=True, comment=comment))
    op.create_table(
        "api_usage",
        sa.Column("system", sa.Text(), nullable=False, comment="hubspot or salesforce"),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False, comment="its beginning"),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "lane IN ('hot', 'normal', 'background')", name=op.f("ck_api_usage_lane")
        ),
        sa.PrimaryKeyConstraint("system", "hour", "lane", name=op.f("pk_api_usage")),
        comment="our own calls that count against a daily limit",
    )


def downgrade() -> None:
    """Take the ledger back."""
    op.drop_table("api_usage")
    for name, _, _ in reversed(_ON_BUCKET):
        op.drop_column("rate_bucket", name)
