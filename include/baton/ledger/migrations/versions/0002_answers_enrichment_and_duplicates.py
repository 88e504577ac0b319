"""Answers over time, enrichment cache, duplicates, digest, drift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _instant(name: str, **more: object) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, **more)


def _json(name: str, **more: object) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=False, **more)


def _empty_json(name: str, **more: object) -> sa.Column:
    return _json(name, server_default=sa.text("'{}'::jsonb"), **more)


def upgrade() -> None:
    """Bring the ledger forward."""
    _answers()
    _enrichment()
    _duplicates()
    _notes()
    _drift()


def _answers() -> None:
    op.add_column("person", _empty_json("profile", comment="personal answers over time, by label"))
    op.create_table(
        "lead_answer",
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        _instant("said_at"),
        sa.Column("said_in", sa.Text(), nullable=False, comment="form, or where else it was found"),
        _json("value", comment="a fact that is not personal"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name="fk_lead_answer_lead_id"),
        sa.PrimaryKeyConstraint("lead_id", "label", "said_at", name="pk_lead_answer"),
        comment="what a lead answered, and when; personal answers are in person.profile",
    )


def _enrichment() -> None:
    op.add_column("crm_account", sa.Column("country", sa.Text(), nullable=True, comment="ISO code"))
    op.add_column(
        "crm_account",
        sa.Column(
            "name_key",
            sa.Text(),
            nullable=True,
            comment="the name as it is compared, worked out when it was read",
        ),
    )
    op.create_table(
        "enrichment_cache",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="the company's domain"),
        _json("found", comment="empty: the provider does not know it"),
        _instant("found_at"),
        _instant("expires_at"),
        sa.PrimaryKeyConstraint("provider", "key", name="pk_enrichment_cache"),
        comment="what outside providers said of companies",
    )
    op.create_index("ix_enrichment_cache_expires_at", "enrichment_cache", ["expires_at"])
    op.create_table(
        "enrichment_budget",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "used",
            sa.Integer(),
            nullable=False,
            comment="companies asked for, all processes together",
        ),
        sa.PrimaryKeyConstraint("provider", "day", name="pk_enrichment_budget"),
        sa.CheckConstraint("used >= 0", name=op.f("ck_enrichment_budget_used")),
        comment="what each provider has cost a day",
    )


def _duplicates() -> None:
    op.add_column(
        "person",
        _json(
            "identity",
            server_default=sa.text("'[]'::jsonb"),
            comment="signs by which the same person is recognised in another contact",
        ),
    )
    op.create_index("ix_person_identity", "person", ["identity"], postgresql_using="gin")
    op.create_table(
        "duplicate_link",
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("confidence", sa.SmallInteger(), nullable=False),
        _instant("found_at"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name="fk_duplicate_link_lead_id"),
        sa.ForeignKeyConstraint(["other_id"], ["lead.id"], name="fk_duplicate_link_other_id"),
        sa.PrimaryKeyConstraint("lead_id", "other_id", "sign", name="pk_duplicate_link"),
        sa.CheckConstraint("lead_id < other_id", name=op.f("ck_duplicate_link_order")),
        sa.CheckConstraint(
            "sign IN ('mailbox', 'phone_and_name', 'salesforce_record')",
            name=op.f("ck_duplicate_link_sign"),
        ),
        comment="two contacts that may be one person; a person merges them, Baton never does",
    )
    op.create_index("ix_duplicate_link_other", "duplicate_link", ["other_id"])


def _notes() -> None:
    op.create_table(
        "daily_note",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="local day of the policy's zone"),
        sa.Column("state", sa.Text(), nullable=False),
        _instant("claimed_at"),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        _empty_json("result"),
        sa.PrimaryKeyConstraint("name", "day", name="pk_daily_note"),
        sa.CheckConstraint(
            "state IN ('claimed', 'sent', 'nothing')", name=op.f("ck_daily_note_state")
        ),
        comment="messages that go out once a day",
    )


def _drift() -> None:
    op.create_table(
        "hourly_profile",
        _instant("hour", comment="its beginning"),
        sa.Column("leads", sa.Integer(), nullable=False, comment="leads judged in it"),
        _empty_json("missing", comment="label to count"),
        _empty_json("choices", comment="label to known values"),
        sa.PrimaryKeyConstraint("hour", name="pk_hourly_profile"),
        comment="what the leads of an hour looked like, to compare later hours with",
    )
    op.create_table(
        "drift_warning",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _instant("hour"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False, server_default=""),
        sa.Column("words", sa.Text(), nullable=False),
        _instant("found_at"),
        sa.PrimaryKeyConstraint("id", name="pk_drift_warning"),
        sa.UniqueConstraint("hour", "kind", "label", name="uq_drift_warning_hour_kind_label"),
        sa.CheckConstraint(
            "kind IN ('volume', 'nulls', 'new_values')", name=op.f("ck_drift_warning_kind")
        ),
        comment="an hour's leads are not as usual",
    )
    op.create_index("ix_drift_warning_hour", "drift_warning", [sa.text("hour DESC")])


def downgrade() -> None:
    """Take the ledger back."""
    for table in (
        "drift_warning",
        "hourly_profile",
        "daily_note",
        "duplicate_link",
        "enrichment_budget",
        "enrichment_cache",
        "lead_answer",
    ):
        op.drop_table(table)
    op.drop_index("ix_person_identity", table_name="person")
    op.drop_column("person", "identity")
    op.drop_column("person", "profile")
    op.drop_column("crm_account", "name_key")
    op.drop_column("crm_account", "country")
