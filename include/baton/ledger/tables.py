"""The ledger's tables, as SQLAlchemy Core metadata. The migrations must arrive at exactly this.

Conventions: instants are `timestamptz`; money is in cents; points are in thousandths (`milli`);
JSON columns hold no personal data, except those of `person`, the only table that does. Staff
(owners, users) are named by their e-mail address, called a key. Deleting one `person` row forgets
someone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    any_,
    literal,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from baton.leads.states import EffectState, HandoffState, LeadState

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Instant = DateTime(timezone=True)
NOW_EMPTY = text("'{}'::jsonb")

LEAD_STATES = tuple(state.value for state in LeadState)
FINAL_LEAD_STATES = ("merged", "erased")
DATED_LEAD_STATES = ("seen", "quarantined", "nurture", "held", "recycled")
"""States whose timer is an instant; the others wait for an event, named by the timer's action."""
HANDOFF_STATES = tuple(state.value for state in HandoffState)
OPEN_HANDOFF_STATES = ("planned", "assigned", "notified", "accepted", "working", "converted")
EFFECT_STATES = tuple(state.value for state in EffectState)
CLAIMABLE_EFFECT_STATES = ("pending", "waiting", "leased", "ambiguous")
MODES = ("live", "observe", "history")
ORIGINS = ("buyer", "import", "test")
APPEND_ONLY = ("transition", "decision", "attempt", "policy_activation", "admin_action")


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that `column` holds one of `values`."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def among(column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that `column` holds one of `values`, however many there are.

    They travel as one array: a list of parameters has a limit, and is planned anew for each length.
    """
    return column == any_(literal(list(values), ARRAY(column.type)))


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


lead = Table(
    "lead",
    metadata,
    _id(),
    Column("hubspot_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("timer_at", Instant, comment="when timer_action is due"),
    Column("timer_action", Text, comment="what happens then, unless the lead moves before"),
    Column("band", Text, comment="band of the last decision"),
    Column("score_milli", BigInteger, comment="score of the last decision, in thousandths"),
    Column("cycle", Integer, nullable=False, server_default="0", comment="handoffs so far"),
    Column("salesforce_lead_id", Text),
    Column("salesforce_contact_id", Text),
    Column("last_modified_seen", Instant, comment="HubSpot's stamp of the newest snapshot"),
    Column("last_content_hash", Text, comment="hash of the newest snapshot"),
    Column("merged_into", BigInteger, ForeignKey("lead.id")),
    Column("created_at", Instant, nullable=False),
    Column("held_for", Text, comment="reason code, while it is held"),
    Column("waits_for", Text, comment="who must be there again: 'pool NAME', 'person E-MAIL'"),
    Column("retry_at", Instant, comment="from when on it may be tried again, before its timer"),
    Column("cold_since", Instant, comment="without activity since"),
    CheckConstraint("state = 'held' OR held_for IS NULL", name="held_for"),
    CheckConstraint(one_of("state", LEAD_STATES), name="state"),
    CheckConstraint(
        f"timer_at IS NOT NULL OR NOT ({one_of('state', DATED_LEAD_STATES)})", name="timer"
    ),
    CheckConstraint(
        f"timer_action IS NOT NULL OR {one_of('state', FINAL_LEAD_STATES)}", name="timer_action"
    ),
    CheckConstraint("state = 'merged' OR merged_into IS NULL", name="merged_into"),
    CheckConstraint("merged_into <> id", name="not_into_itself"),
    comment="one person in HubSpot whom marketing may hand to sales",
)
Index("ix_lead_timer_due", lead.c.timer_at, postgresql_where=lead.c.timer_at.is_not(None))
Index("ix_lead_state", lead.c.state, lead.c.id.desc())
Index(
    "ix_lead_held",
    lead.c.held_for,
    lead.c.waits_for,
    postgresql_where=lead.c.held_for.is_not(None),
)
Index("ix_lead_salesforce_lead_id", lead.c.salesforce_lead_id)
Index("ix_lead_salesforce_contact_id", lead.c.salesforce_contact_id)

person = Table(
    "person",
    metadata,
    Column("lead_id", BigInteger, ForeignKey("lead.id"), primary_key=True, autoincrement=False),
    Column("email", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("phone", Text),
    Column("title", Text),
    Column("company_name", Text),
    Column("answers", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("raw", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("erased_at", Instant),
    Column(
        "profile",
        JSONB,
        nullable=False,
        server_default=NOW_EMPTY,
        comment="personal answers over time, by label",
    ),
    Column(
        "identity",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="signs by which the same person is recognised in another contact",
    ),
    comment="all personal data of leads, and nothing else",
)
Index("ix_person_email", text("lower(email)"), _table=person)
Index(
    "ix_person_identity",
    person.c.identity,
    postgresql_using="gin",
    postgresql_with={"fastupdate": "off"},  # or every look-up reads the list of what is new
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("hash", Text, nullable=False, comment="of the whole content, personal part included"),
    Column("modified_at", Instant, nullable=False, comment="as HubSpot stamps it"),
    Column("seen_at", Instant, nullable=False),
    Column("captured_at", Instant, nullable=False, comment="when the person last raised a hand"),
    Column("content", JSONB, nullable=False, comment="properties without personal data"),
    PrimaryKeyConstraint("lead_id", "hash"),
    comment="what we saw of a lead at one moment",
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("bundle", JSONB, nullable=False, comment="file name to text"),
    Column("loaded_at", Instant, nullable=False),
    comment="every policy ever loaded, named by the hash of its content",
)

policy_activation = Table(
    "policy_activation",
    metadata,
    _id(),
    Column("hash", Text, ForeignKey("policy_version.hash"), nullable=False),
    Column("parent_hash", Text, ForeignKey("policy_version.hash")),
    Column("by_whom", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False, server_default="activate"),
    Column("note", Text),
    CheckConstraint(one_of("kind", ("activate", "rollback")), name="kind"),
    comment="which policy became current, when, and after which; append-only",
)

roster_version = Table(
    "roster_version",
    metadata,
    _id(),
    Column("hash", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("note", Text),
    comment="who is there; the newest row is current",
)
Index("ix_roster_version_hash", roster_version.c.hash)

pool_state = Table(
    "pool_state",
    metadata,
    Column("pool", Text, primary_key=True),
    Column("state", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("version", BigInteger, nullable=False, server_default="0"),
    comment="whose turn it is in each pool",
)

batch = Table(
    "batch",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("policy_hash", Text, ForeignKey("policy_version.hash")),
    Column("roster_hash", Text),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("counts", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("run", Text, comment="the Airflow run that asked for it, if any"),
    CheckConstraint(one_of("mode", MODES), name="mode"),
    comment="one run's worth of leads; pins policy and roster",
)
Index("ix_batch_run", batch.c.run, postgresql_where=batch.c.run.is_not(None))
Index("ix_batch_created_at", batch.c.created_at.desc())

decision = Table(
    "decision",
    metadata,
    _id(),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("batch_id", Uuid, ForeignKey("batch.id")),
    Column("snapshot_hash", Text, nullable=False),
    Column("policy_hash", Text, ForeignKey("policy_version.hash"), nullable=False),
    Column("roster_hash", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("position", Integer, nullable=False, comment="place in the batch, from 0"),
    Column("inputs", JSONB, nullable=False),
    Column("inputs_hash", Text, nullable=False),
    Column("result", JSONB, nullable=False),
    Column("result_hash", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("band", Text),
    Column("score_milli", BigInteger),
    Column("trigger", Text),
    Column("rule", Text, comment="the routing rule that chose"),
    Column("owner_key", Text),
    Column("reason_code", Text),
    ForeignKeyConstraint(
        ["lead_id", "snapshot_hash"], ["snapshot.lead_id", "snapshot.hash"], name="fk_decision_seen"
    ),
    comment="the pure result of recorded inputs; append-only",
)
Index("ix_decision_lead", decision.c.lead_id, decision.c.id.desc())
Index("ix_decision_batch", decision.c.batch_id, decision.c.position)
Index("ix_decision_decided_at", decision.c.decided_at)

handoff = Table(
    "handoff",
    metadata,
    _id(),
    Column("key", Text, nullable=False, unique=True, comment="H<lead>-<cycle>, never changes"),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("decision_id", BigInteger, ForeignKey("decision.id")),
    Column("state", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("band", Text),
    Column("trigger", Text),
    Column("score_milli", BigInteger),
    Column("source", Text),
    Column("segment", Text),
    Column("territory", Text),
    Column("captured_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("decided_at", Instant, nullable=False),
    Column("owner_written_at", Instant),
    Column("task_written_at", Instant),
    Column("notified_at", Instant),
    Column("accepted_at", Instant),
    Column("first_touch_at", Instant),
    Column("first_touch_grade", SmallInteger, comment="strength of the evidence, 1 is weakest"),
    Column("disposed_at", Instant),
    Column("disposition_code", Text),
    Column("meeting_at", Instant),
    Column("opportunity_at", Instant),
    Column("closed_at", Instant),
    Column("outcome", Text),
    Column("amount_cents", BigInteger),
    Column("salesforce_opportunity_id", Text),
    Column("package", JSONB, nullable=False, server_default=NOW_EMPTY, comment="no personal data"),
    Column("origin", Text, nullable=False, server_default="buyer", comment="who began it"),
    Column("account_id", Text, comment="the company's account in Salesforce"),
    Column("company_domain", Text, comment="the company's domain, never one of free mail"),
    Column("form", Text, comment="the form that was sent last"),
    Column("adopted_at", Instant, comment="observed, then taken over as Salesforce had it"),
    CheckConstraint(one_of("origin", ORIGINS), name="origin"),
    CheckConstraint(one_of("state", HANDOFF_STATES), name="state"),
    CheckConstraint(one_of("mode", MODES), name="mode"),
    comment="one passing of the baton to sales",
)
Index(
    "uq_handoff_open_per_lead",
    handoff.c.lead_id,
    unique=True,
    postgresql_where=text(one_of("state", OPEN_HANDOFF_STATES)),
)
Index("ix_handoff_lead", handoff.c.lead_id, handoff.c.id.desc())
Index(
    "ix_handoff_open",
    handoff.c.id.desc(),
    postgresql_where=text(one_of("state", OPEN_HANDOFF_STATES)),
)
Index("ix_handoff_decided_at", handoff.c.decided_at)
Index("ix_handoff_opportunity", handoff.c.salesforce_opportunity_id)
Index(
    "ix_handoff_account",
    handoff.c.account_id,
    handoff.c.decided_at,
    postgresql_where=handoff.c.account_id.is_not(None),
)
Index(
    "ix_handoff_company_domain",
    handoff.c.company_domain,
    handoff.c.decided_at,
    postgresql_where=handoff.c.company_domain.is_not(None),
)
Index(
    "ix_handoff_imported",
    handoff.c.decided_at,
    postgresql_where=text("origin = 'import'"),
)

hop = Table(
    "hop",
    metadata,
    _id(),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("owner_kind", Text, nullable=False),
    Column("owner_key", Text, nullable=False),
    Column("pool", Text),
    Column("change_owner", Boolean, nullable=False),
    Column("assigned_at", Instant, nullable=False),
    Column("terms", JSONB, nullable=False, server_default=NOW_EMPTY, comment="the SLA it has"),
    Column("first_touch_due", Instant),
    UniqueConstraint("handoff_id", "number"),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint(one_of("owner_kind", ("user", "queue")), name="owner_kind"),
    comment="one assignment within a handoff; the highest number is the present one",
)
Index("ix_hop_owner", hop.c.owner_key, hop.c.assigned_at)
Index("ix_hop_due", hop.c.first_touch_due)

effect = Table(
    "effect",
    metadata,
    _id(),
    Column("key", Text, nullable=False, unique=True, comment="idempotency key"),
    Column("kind", Text, nullable=False),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id")),
    Column("hop", Integer),
    Column("generation", BigInteger, nullable=False, comment="a newer one supersedes"),
    Column("priority", SmallInteger, nullable=False, server_default="100", comment="0 goes first"),
    Column("state", Text, nullable=False),
    Column("depends_on", BigInteger, ForeignKey("effect.id")),
    Column("params", JSONB, nullable=False, server_default=NOW_EMPTY, comment="no personal data"),
    Column("lease_owner", Text),
    Column("lease_until", Instant),
    Column("fence", BigInteger, nullable=False, server_default="0", comment="counts the claims"),
    Column(
        "maybe_sent",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="an earlier attempt may have been carried out: read back before sending",
    ),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Instant),
    Column("last_error_code", Text),
    Column("last_error", Text),
    Column("result", JSONB),
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    CheckConstraint(one_of("state", EFFECT_STATES), name="state"),
    CheckConstraint(
        "(state = 'leased') = (lease_until IS NOT NULL AND lease_owner IS NOT NULL)", name="lease"
    ),
    CheckConstraint("state <> 'waiting' OR next_attempt_at IS NOT NULL", name="waiting"),
    CheckConstraint("handoff_id IS NULL OR hop IS NOT NULL", name="hop"),
    comment="one thing to be done outside",
)
Index(
    "ix_effect_claim",
    effect.c.priority,
    effect.c.id,
    postgresql_where=text(one_of("state", CLAIMABLE_EFFECT_STATES)),
)
Index("ix_effect_handoff", effect.c.handoff_id, effect.c.hop)
Index("ix_effect_lead", effect.c.lead_id, effect.c.id.desc())
Index("ix_effect_depends_on", effect.c.depends_on)
Index("ix_effect_state", effect.c.state, effect.c.id.desc())

attempt = Table(
    "attempt",
    metadata,
    _id(),
    Column("effect_id", BigInteger, ForeignKey("effect.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text),
    comment="every try to carry out an effect, and how it ended; append-only",
)
Index("ix_attempt_effect", attempt.c.effect_id, attempt.c.id.desc())

transition = Table(
    "transition",
    metadata,
    _id(),
    Column("subject", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("cause", Text, nullable=False),
    Column("by_whom", Text, nullable=False),
    CheckConstraint(one_of("subject", ("lead", "handoff", "effect")), name="subject"),
    comment="every change of state; append-only",
)
Index("ix_transition_subject", *(transition.c[n] for n in ("subject", "subject_id")), text("id"))

touch = Table(
    "touch",
    metadata,
    _id(),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id"), nullable=False),
    Column("external_id", Text, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("by_whom", Text),
    comment="evidence that a human worked the lead",
)
Index("ix_touch_handoff", touch.c.handoff_id, touch.c.at)

disposition = Table(
    "disposition",
    metadata,
    _id(),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by_whom", Text),
    Column("return_at", Instant),
    Column("action", JSONB, nullable=False, server_default=NOW_EMPTY),
    Column("external_id", Text, nullable=False, unique=True),
    CheckConstraint(one_of("outcome", ("accepted", "recycle", "disqualified")), name="outcome"),
    comment="the structured outcome that sales gave",
)
Index("ix_disposition_handoff", disposition.c.handoff_id, disposition.c.at)

sla_event = Table(
    "sla_event",
    metadata,
    _id(),
    Column("hop_id", BigInteger, ForeignKey("hop.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("hop_id", "kind"),
    CheckConstraint(one_of("kind", ("remind", "breach", "tell_manager", "reassign")), name="kind"),
    comment="what a clock said, once per hop and kind",
)

human_override = Table(
    "human_override",
    metadata,
    _id(),
    Column("lead_id", BigInteger, ForeignKey("lead.id"), nullable=False),
    Column("handoff_id", BigInteger, ForeignKey("handoff.id")),
    Column("field", Text, nullable=False),
    Column("ours", Text),
    Column("theirs", Text),
    Column("at", Instant, nullable=False),
    Column("by_whom", Text),
    Column("restored_at", Instant, comment="when we put back what we had overwritten"),
    comment="a person changed what we wrote, and keeps it so",
)
Index("ix_human_override_lead", human_override.c.lead_id, human_override.c.id.desc())

watermark = Table(
    "watermark",
    metadata,
    Column("source", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    comment="how far each source has been read",
)

rate_bucket = Table(
    "rate_bucket",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tokens", Double, nullable=False, comment="below 0: promised to those who wait"),
    Column("refilled_at", Instant, nullable=False),
    Column("blocked_until", Instant, comment="the other side asked for silence until then"),
    Column("remaining", BigInteger, comment="as the other side last said"),
    Column("allowed", BigInteger, comment="as the other side last said"),
    Column("observed_at", Instant),
    Column("zone", Text, comment="IANA zone whose midnight opens a daily limit again"),
    Column("resets_at", Instant, comment="when a daily limit begins again; NULL: it rolls"),
    Column("paced_until", Instant, comment="a daily limit runs short: the next call not before"),
    Column("probed_at", Instant, comment="a refused lane was last let through to look"),
    comment="one rate limit, shared by all processes",
)

crm_user = Table(
    "crm_user",
    metadata,
    Column("salesforce_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("active", Boolean, nullable=False),
    Column("manager_id", Text),
    Column("kind", Text, nullable=False),
    CheckConstraint(one_of("kind", ("user", "queue")), name="kind"),
    comment="who may own a record in Salesforce",
)
Index("ix_crm_user_email", text("lower(email)"), _table=crm_user)

crm_account = Table(
    "crm_account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("domain", Text),
    Column("owner_id", Text),
    Column("type", Text),
    Column("country", Text, comment="ISO code"),
    Column("name_key", Text, comment="the name as it is compared, worked out when it was read"),
)
Index("ix_crm_account_domain", crm_account.c.domain)

crm_opportunity = Table(
    "crm_opportunity",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text),
    Column("owner_id", Text),
    Column("stage", Text),
    Column("is_closed", Boolean, nullable=False),
    Column("is_won", Boolean, nullable=False),
    Column("amount_cents", BigInteger),
    Column("lead_source", Text),
    Column("modified_at", Instant, nullable=False),
    Column("closed_at", Instant),
)
Index("ix_crm_opportunity_account", crm_opportunity.c.account_id, crm_opportunity.c.is_closed)

metric_daily = Table(
    "metric_daily",
    metadata,
    Column("day", Date, nullable=False),
    Column("name", Text, nullable=False),
    Column("dimension", Text, nullable=False, comment="'all' or '<kind>:<value>'"),
    Column("value", Numeric, comment="empty where there is nothing to measure"),
    Column("numerator", Numeric),
    Column("denominator", Numeric),
    PrimaryKeyConstraint("day", "name", "dimension"),
    comment="one figure a day; computing a day again replaces it",
)

switch = Table(
    "switch",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("at", Instant, nullable=False),
    comment="modes by scope, and the kill switch",
)
