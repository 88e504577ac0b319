"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("transition", "decision", "attempt", "policy_activation")

# Erasing a person is the one reason to touch what is append-only; whoever does so says it first,
# by `SET LOCAL baton.erasure = 'on'`, in that transaction alone.
REFUSE_CHANGES = """
CREATE FUNCTION baton_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('baton.erasure', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_LEVEL = 'STATEMENT' THEN RETURN NULL; END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    """Bring the ledger forward."""
    op.create_table(
        "crm_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_account")),
    )
    op.create_index("ix_crm_account_domain", "crm_account", ["domain"], unique=False)
    op.create_table(
        "crm_opportunity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("is_won", sa.Boolean(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("lead_source", sa.Text(), nullable=True),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_opportunity")),
    )
    op.create_index(
        "ix_crm_opportunity_account", "crm_opportunity", ["account_id", "is_closed"], unique=False
    )
    op.create_table(
        "crm_user",
        sa.Column("salesforce_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("manager_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('user', 'queue')", name=op.f("ck_crm_user_kind")),
        sa.PrimaryKeyConstraint("salesforce_id", name=op.f("pk_crm_user")),
        comment="who may own a record in Salesforce",
    )
    op.create_index(
        "ix_crm_user_email", "crm_user", [sa.literal_column("lower(email)")], unique=False
    )
    op.create_table(
        "lead",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hubspot_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "timer_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when timer_action is due",
        ),
        sa.Column(
            "timer_action",
            sa.Text(),
            nullable=True,
            comment="what happens then, unless the lead moves before",
        ),
        sa.Column("band", sa.Text(), nullable=True, comment="band of the last decision"),
        sa.Column(
            "score_milli",
            sa.BigInteger(),
            nullable=True,
            comment="score of the last decision, in thousandths",
        ),
        sa.Column(
            "cycle", sa.Integer(), server_default="0", nullable=False, comment="handoffs so far"
        ),
        sa.Column("salesforce_lead_id", sa.Text(), nullable=True),
        sa.Column("salesforce_contact_id", sa.Text(), nullable=True),
        sa.Column(
            "last_modified_seen",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="HubSpot's stamp of the newest snapshot",
        ),
        sa.Column(
            "last_content_hash", sa.Text(), nullable=True, comment="hash of the newest snapshot"
        ),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state = 'merged' OR merged_into IS NULL", name=op.f("ck_lead_merged_into")
        ),
        sa.CheckConstraint(
            "state IN ('seen', 'quarantined', 'suppressed', 'nurture', 'held', 'in_handoff', 'recycled', 'customer', 'disqualified', 'merged', 'erased')",
            name=op.f("ck_lead_state"),
        ),
        sa.CheckConstraint(
            "timer_action IS NOT NULL OR state IN ('merged', 'erased')",
            name=op.f("ck_lead_timer_action"),
        ),
        sa.CheckConstraint(
            "timer_at IS NOT NULL OR NOT (state IN ('seen', 'quarantined', 'nurture', 'held', 'recycled'))",
            name=op.f("ck_lead_timer"),
        ),
        sa.CheckConstraint("merged_into <> id", name=op.f("ck_lead_not_into_itself")),
        sa.ForeignKeyConstraint(["merged_into"], ["lead.id"], name=op.f("fk_lead_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
        sa.UniqueConstraint("hubspot_id", name=op.f("uq_lead_hubspot_id")),
        comment="one person in HubSpot whom marketing may hand to sales",
    )
    op.create_index(
        "ix_lead_salesforce_contact_id", "lead", ["salesforce_contact_id"], unique=False
    )
    op.create_index("ix_lead_salesforce_lead_id", "lead", ["salesforce_lead_id"], unique=False)
    op.create_index("ix_lead_state", "lead", ["state", sa.literal_column("id DESC")], unique=False)
    op.create_index(
        "ix_lead_timer_due",
        "lead",
        ["timer_at"],
        unique=False,
        postgresql_where=sa.text("timer_at IS NOT NULL"),
    )
    op.create_table(
        "metric_daily",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False, comment="'all' or '<kind>:<value>'"),
        sa.Column(
            "value", sa.Numeric(), nullable=True, comment="empty where there is nothing to measure"
        ),
        sa.Column("numerator", sa.Numeric(), nullable=True),
        sa.Column("denominator", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint("day", "name", "dimension", name=op.f("pk_metric_daily")),
        comment="one figure a day; computing a day again replaces it",
    )
    op.create_table(
        "policy_version",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column(
            "bundle",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="file name to text",
        ),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_policy_version")),
        comment="every policy ever loaded, named by the hash of its content",
    )
    op.create_table(
        "pool_state",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column(
            "state",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("pool", name=op.f("pk_pool_state")),
        comment="whose turn it is in each pool",
    )
    op.create_table(
        "rate_bucket",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "tokens", sa.Double(), nullable=False, comment="below 0: promised to those who wait"
        ),
        sa.Column("refilled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "blocked_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the other side asked for silence until then",
        ),
        sa.Column(
            "remaining", sa.BigInteger(), nullable=True, comment="as the other side last said"
        ),
        sa.Column("allowed", sa.BigInteger(), nullable=True, comment="as the other side last said"),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rate_bucket")),
        comment="one rate limit, shared by all processes",
    )
    op.create_table(
        "roster_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_version")),
        comment="who is there; the newest row is current",
    )
    op.create_index("ix_roster_version_hash", "roster_version", ["hash"], unique=False)
    op.create_table(
        "switch",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switch")),
        comment="modes by scope, and the kill switch",
    )
    op.create_table(
        "transition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "subject IN ('lead', 'handoff', 'effect')", name=op.f("ck_transition_subject")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transition")),
        comment="every change of state; append-only",
    )
    op.create_index(
        "ix_transition_subject",
        "transition",
        ["subject", "subject_id", sa.literal_column("id")],
        unique=False,
    )
    op.create_table(
        "watermark",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_watermark")),
        comment="how far each source has been read",
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=True),
        sa.Column("roster_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint("mode IN ('live', 'observe', 'history')", name=op.f("ck_batch_mode")),
        sa.ForeignKeyConstraint(
            ["policy_hash"], ["policy_version.hash"], name=op.f("fk_batch_policy_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        comment="one run's worth of leads; pins policy and roster",
    )
    op.create_index(
        "ix_batch_created_at", "batch", [sa.literal_column("created_at DESC")], unique=False
    )
    op.create_table(
        "person",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column(
            "answers",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "raw",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_person_lead_id")),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_person")),
        comment="all personal data of leads, and nothing else",
    )
    op.create_index("ix_person_email", "person", [sa.literal_column("lower(email)")], unique=False)
    op.create_table(
        "policy_activation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("parent_hash", sa.Text(), nullable=True),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["hash"], ["policy_version.hash"], name=op.f("fk_policy_activation_hash")
        ),
        sa.ForeignKeyConstraint(
            ["parent_hash"], ["policy_version.hash"], name=op.f("fk_policy_activation_parent_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_activation")),
        comment="which policy became current, when, and after which; append-only",
    )
    op.create_table(
        "snapshot",
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "hash",
            sa.Text(),
            nullable=False,
            comment="of the whole content, personal part included",
        ),
        sa.Column(
            "modified_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="as HubSpot stamps it",
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "captured_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the person last raised a hand",
        ),
        sa.Column(
            "content",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="properties without personal data",
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_snapshot_lead_id")),
        sa.PrimaryKeyConstraint("lead_id", "hash", name=op.f("pk_snapshot")),
        comment="what we saw of a lead at one moment",
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("snapshot_hash", sa.Text(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("roster_hash", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="place in the batch, from 0"),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("inputs_hash", sa.Text(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result_hash", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=True),
        sa.Column("score_milli", sa.BigInteger(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True, comment="the routing rule that chose"),
        sa.Column("owner_key", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_decision_batch_id")),
        sa.ForeignKeyConstraint(
            ["lead_id", "snapshot_hash"],
            ["snapshot.lead_id", "snapshot.hash"],
            name="fk_decision_seen",
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_decision_lead_id")),
        sa.ForeignKeyConstraint(
            ["policy_hash"], ["policy_version.hash"], name=op.f("fk_decision_policy_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        comment="the pure result of recorded inputs; append-only",
    )
    op.create_index("ix_decision_batch", "decision", ["batch_id", "position"], unique=False)
    op.create_index("ix_decision_decided_at", "decision", ["decided_at"], unique=False)
    op.create_index(
        "ix_decision_lead", "decision", ["lead_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_table(
        "handoff",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="H<lead>-<cycle>, never changes"),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=True),
        sa.Column("score_milli", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("territory", sa.Text(), nullable=True),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_touch_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "first_touch_grade",
            sa.SmallInteger(),
            nullable=True,
            comment="strength of the evidence, 1 is weakest",
        ),
        sa.Column("disposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disposition_code", sa.Text(), nullable=True),
        sa.Column("meeting_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opportunity_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("salesforce_opportunity_id", sa.Text(), nullable=True),
        sa.Column(
            "package",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="no personal data",
        ),
        sa.CheckConstraint("mode IN ('live', 'observe', 'history')", name=op.f("ck_handoff_mode")),
        sa.CheckConstraint(
            "state IN ('planned', 'assigned', 'notified', 'accepted', 'working', 'converted', 'won', 'lost', 'recycled', 'disqualified', 'cancelled')",
            name=op.f("ck_handoff_state"),
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_handoff_decision_id")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_handoff_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff")),
        sa.UniqueConstraint("key", name=op.f("uq_handoff_key")),
        comment="one passing of the baton to sales",
    )
    op.create_index("ix_handoff_decided_at", "handoff", ["decided_at"], unique=False)
    op.create_index(
        "ix_handoff_lead", "handoff", ["lead_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_handoff_open",
        "handoff",
        [sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text(
            "state IN ('planned', 'assigned', 'notified', 'accepted', 'working', 'converted')"
        ),
    )
    op.create_index(
        "ix_handoff_opportunity", "handoff", ["salesforce_opportunity_id"], unique=False
    )
    op.create_index(
        "uq_handoff_open_per_lead",
        "handoff",
        ["lead_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('planned', 'assigned', 'notified', 'accepted', 'working', 'converted')"
        ),
    )
    op.create_table(
        "disposition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("handoff_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=True),
        sa.Column("return_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "action",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'recycle', 'disqualified')",
            name=op.f("ck_disposition_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["handoff_id"], ["handoff.id"], name=op.f("fk_disposition_handoff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposition")),
        sa.UniqueConstraint("external_id", name=op.f("uq_disposition_external_id")),
        comment="the structured outcome that sales gave",
    )
    op.create_index("ix_disposition_handoff", "disposition", ["handoff_id", "at"], unique=False)
    op.create_table(
        "effect",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="idempotency key"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("handoff_id", sa.BigInteger(), nullable=True),
        sa.Column("hop", sa.Integer(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False, comment="a newer one supersedes"),
        sa.Column(
            "priority",
            sa.SmallInteger(),
            server_default="100",
            nullable=False,
            comment="0 goes first",
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("depends_on", sa.BigInteger(), nullable=True),
        sa.Column(
            "params",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="no personal data",
        ),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "fence",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="counts the claims",
        ),
        sa.Column(
            "maybe_sent",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="an earlier attempt may have been carried out: read back before sending",
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error_code", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'leased') = (lease_until IS NOT NULL AND lease_owner IS NOT NULL)",
            name=op.f("ck_effect_lease"),
        ),
        sa.CheckConstraint(
            "state <> 'waiting' OR next_attempt_at IS NOT NULL", name=op.f("ck_effect_waiting")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'leased', 'done', 'waiting', 'ambiguous', 'rejected', 'invalid', 'dead', 'withheld', 'superseded')",
            name=op.f("ck_effect_state"),
        ),
        sa.CheckConstraint("handoff_id IS NULL OR hop IS NOT NULL", name=op.f("ck_effect_hop")),
        sa.ForeignKeyConstraint(["depends_on"], ["effect.id"], name=op.f("fk_effect_depends_on")),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoff.id"], name=op.f("fk_effect_handoff_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_effect_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effect")),
        sa.UniqueConstraint("key", name=op.f("uq_effect_key")),
        comment="one thing to be done outside",
    )
    op.create_index(
        "ix_effect_claim",
        "effect",
        ["priority", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'waiting', 'leased', 'ambiguous')"),
    )
    op.create_index("ix_effect_depends_on", "effect", ["depends_on"], unique=False)
    op.create_index("ix_effect_handoff", "effect", ["handoff_id", "hop"], unique=False)
    op.create_index(
        "ix_effect_lead", "effect", ["lead_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_effect_state", "effect", ["state", sa.literal_column("id DESC")], unique=False
    )
    op.create_table(
        "hop",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("handoff_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("owner_key", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=True),
        sa.Column("change_owner", sa.Boolean(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "terms",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="the SLA it has",
        ),
        sa.Column("first_touch_due", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("owner_kind IN ('user', 'queue')", name=op.f("ck_hop_owner_kind")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_hop_number")),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoff.id"], name=op.f("fk_hop_handoff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hop")),
        sa.UniqueConstraint("handoff_id", "number", name=op.f("uq_hop_handoff_id_number")),
        comment="one assignment within a handoff; the highest number is the present one",
    )
    op.create_index("ix_hop_due", "hop", ["first_touch_due"], unique=False)
    op.create_index("ix_hop_owner", "hop", ["owner_key", "assigned_at"], unique=False)
    op.create_table(
        "human_override",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("handoff_id", sa.BigInteger(), nullable=True),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("ours", sa.Text(), nullable=True),
        sa.Column("theirs", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["handoff_id"], ["handoff.id"], name=op.f("fk_human_override_handoff_id")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_human_override_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_human_override")),
        comment="a person changed what we wrote, and keeps it so",
    )
    op.create_index(
        "ix_human_override_lead",
        "human_override",
        ["lead_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "touch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("handoff_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoff.id"], name=op.f("fk_touch_handoff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touch")),
        sa.UniqueConstraint("external_id", name=op.f("uq_touch_external_id")),
        comment="evidence that a human worked the lead",
    )
    op.create_index("ix_touch_handoff", "touch", ["handoff_id", "at"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("effect_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["effect_id"], ["effect.id"], name=op.f("fk_attempt_effect_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        comment="every try to carry out an effect, and how it ended; append-only",
    )
    op.create_index(
        "ix_attempt_effect", "attempt", ["effect_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_table(
        "sla_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hop_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('remind', 'breach', 'tell_manager', 'reassign')",
            name=op.f("ck_sla_event_kind"),
        ),
        sa.ForeignKeyConstraint(["hop_id"], ["hop.id"], name=op.f("fk_sla_event_hop_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_event")),
        sa.UniqueConstraint("hop_id", "kind", name=op.f("uq_sla_event_hop_id_kind")),
        comment="what a clock said, once per hop and kind",
    )
    op.execute(REFUSE_CHANGES)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION baton_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION baton_append_only()"
        )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("sla_event")
    op.drop_index("ix_attempt_effect", table_name="attempt")
    op.drop_table("attempt")
    op.drop_index("ix_touch_handoff", table_name="touch")
    op.drop_table("touch")
    op.drop_index("ix_human_override_lead", table_name="human_override")
    op.drop_table("human_override")
    op.drop_index("ix_hop_owner", table_name="hop")
    op.drop_index("ix_hop_due", table_name="hop")
    op.drop_table("hop")
    op.drop_index("ix_effect_state", table_name="effect")
    op.drop_index("ix_effect_lead", table_name="effect")
    op.drop_index("ix_effect_handoff", table_name="effect")
    op.drop_index("ix_effect_depends_on", table_name="effect")
    op.drop_index(
        "ix_effect_claim",
        table_name="effect",
        postgresql_where=sa.text("state IN ('pending', 'waiting', 'leased', 'ambiguous')"),
    )
    op.drop_table("effect")
    op.drop_index("ix_disposition_handoff", table_name="disposition")
    op.drop_table("disposition")
    op.drop_index(
        "uq_handoff_open_per_lead",
        table_name="handoff",
        postgresql_where=sa.text(
            "state IN ('planned', 'assigned', 'notified', 'accepted', 'working', 'converted')"
        ),
    )
    op.drop_index("ix_handoff_opportunity", table_name="handoff")
    op.drop_index(
        "ix_handoff_open",
        table_name="handoff",
        postgresql_where=sa.text(
            "state IN ('planned', 'assigned', 'notified', 'accepted', 'working', 'converted')"
        ),
    )
    op.drop_index("ix_handoff_lead", table_name="handoff")
    op.drop_index("ix_handoff_decided_at", table_name="handoff")
    op.drop_table("handoff")
    op.drop_index("ix_decision_lead", table_name="decision")
    op.drop_index("ix_decision_decided_at", table_name="decision")
    op.drop_index("ix_decision_batch", table_name="decision")
    op.drop_table("decision")
    op.drop_table("snapshot")
    op.drop_table("policy_activation")
    op.drop_index("ix_person_email", table_name="person")
    op.drop_table("person")
    op.drop_index("ix_batch_created_at", table_name="batch")
    op.drop_table("batch")
    op.drop_table("watermark")
    op.drop_index("ix_transition_subject", table_name="transition")
    op.drop_table("transition")
    op.drop_table("switch")
    op.drop_index("ix_roster_version_hash", table_name="roster_version")
    op.drop_table("roster_version")
    op.drop_table("rate_bucket")
    op.drop_table("pool_state")
    op.drop_table("policy_version")
    op.drop_table("metric_daily")
    op.drop_index(
        "ix_lead_timer_due", table_name="lead", postgresql_where=sa.text("timer_at IS NOT NULL")
    )
    op.drop_index("ix_lead_state", table_name="lead")
    op.drop_index("ix_lead_salesforce_lead_id", table_name="lead")
    op.drop_index("ix_lead_salesforce_contact_id", table_name="lead")
    op.drop_table("lead")
    op.drop_index("ix_crm_user_email", table_name="crm_user")
    op.drop_table("crm_user")
    op.drop_index("ix_crm_opportunity_account", table_name="crm_opportunity")
    op.drop_table("crm_opportunity")
    op.drop_index("ix_crm_account_domain", table_name="crm_account")
    op.drop_table("crm_account")
    op.execute("DROP FUNCTION baton_append_only()")
