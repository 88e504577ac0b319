"""How many calls we made to each system, hour by hour and by lane: what a day's budget goes to."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table, Text

from baton.ledger.tables.columns import Instant, metadata, one_of
from baton.transport import Lane

api_usage = Table(
    "api_usage",
    metadata,
    Column("system", Text, nullable=False, comment="hubspot or salesforce"),
    Column("hour", Instant, nullable=False, comment="its beginning"),
    Column("lane", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    PrimaryKeyConstraint("system", "hour", "lane"),
    CheckConstraint(one_of("lane", tuple(lane.value for lane in Lane)), name="lane"),
    comment="our own calls that count against a daily limit",
)
