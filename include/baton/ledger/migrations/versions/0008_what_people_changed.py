"""What people changed in the CRM, field by field."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the ledger forward."""
    op.add_column(
        "human_override",
        sa.Column("restored_at", _INSTANT, comment="when we put back what we had overwritten"),
    )
    op.add_column("lead", sa.Column("cold_since", _INSTANT, comment="without activity since"))
    _field_write()
    op.create_table(
        "crm_object",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column(
            "fields", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("described_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_crm_object")),
        comment="what an object of Salesforce takes, as describe last said",
    )
    _field_finding()
    _refused_disposition()


def _field_write() -> None:
    op.create_table(
        "field_write",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), comment="empty until a new record has its id"),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column(
            "scope", sa.Text(), nullable=False, comment="the handoff it was written for, or 'lead'"
        ),
        sa.Column("saw", sa.Text(), comment="what stood there when we looked"),
        sa.Column("wrote", sa.Text(), comment="what we meant to put there"),
        sa.Column("looked_at", _INSTANT, nullable=False, comment="when we looked"),
        sa.Column("landed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "checked_at", _INSTANT, comment="when the history was read for what fell between"
        ),
        sa.CheckConstraint(
            "system IN ('salesforce', 'hubspot')", name=op.f("ck_field_write_system")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_field_write_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_write")),
        comment="each value Baton wrote, with what it saw just before; texts as digests",
    )
    op.create_index(
        "ix_field_write_newest", "field_write", ["lead_id", "system", "field", sa.text("id DESC")]
    )
    op.create_index(
        "ix_field_write_unchecked",
        "field_write",
        ["system", "id"],
        postgresql_where=sa.text("checked_at IS NULL"),
    )


def _field_finding() -> None:
    op.create_table(
        "field_finding",
        sa.Column("sobject", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "detail",
            sa.Text(),
            nullable=False,
            comment="the picklist value that is not one, or empty",
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", _INSTANT, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), comment="the last one it happened to"),
        sa.CheckConstraint(
            "kind IN ('cut', 'not_a_value', 'not_writable', 'ambiguous')",
            name=op.f("ck_field_finding_kind"),
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_field_finding_lead_id")),
        sa.PrimaryKeyConstraint(
            "sobject", "field", "kind", "detail", name=op.f("pk_field_finding")
        ),
        comment="what a field did not take as it was, and the lead went through all the same",
    )
    op.create_index("ix_field_finding_last_at", "field_finding", [sa.text("last_at DESC")])


def _refused_disposition() -> None:
    op.create_table(
        "refused_disposition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("handoff_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the record on which it was given"),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("return_date", sa.Date()),
        sa.Column("given_at", _INSTANT, nullable=False),
        sa.Column("by_whom", sa.Text()),
        sa.Column("words", sa.Text(), nullable=False, comment="why, as the rep is told"),
        sa.Column("refused_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT, comment="when it was taken after all, or taken back"),
        sa.ForeignKeyConstraint(
            ["handoff_id"], ["handoff.id"], name=op.f("fk_refused_disposition_handoff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_disposition")),
        sa.UniqueConstraint(
            "handoff_id", "source", name=op.f("uq_refused_disposition_handoff_id_source")
        ),
        comment="an outcome that may not be given yet; it is taken once it may",
    )
    op.create_index(
        "ix_refused_disposition_open",
        "refused_disposition",
        ["id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    """Take the ledger back."""
    for table in ("refused_disposition", "field_finding", "crm_object", "field_write"):
        op.drop_table(table)
    op.drop_column("lead", "cold_since")
    op.drop_column("human_override", "restored_at")
