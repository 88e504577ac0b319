"""Rate limits, daily figures and switches."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Double, Numeric, PrimaryKeyConstraint, Table, Text

from baton.ledger.tables.columns import Instant, metadata

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
