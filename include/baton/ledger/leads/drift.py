"""What the leads of each hour looked like, and the warnings that followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from baton.ledger.tables.around_leads import drift_warning, hourly_profile

HOUR = timedelta(hours=1)
MOST_LEADS = 20_000
"""Read of one hour; more would only make the same shares more exact."""


@dataclass(frozen=True, slots=True)
class HourProfile:
    """An hour's leads in numbers: how many, how many lack a label, and the values of choices."""

    hour: datetime
    leads: int
    missing: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgedLead:
    """What a decision kept of a lead: public facts, labels of known personal ones, problems."""

    facts: Mapping[str, Any]
    personal_known: frozenset[str]
    problems: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class WarningRow:
    """One warning as stored."""

    hour: datetime
    kind: str
    label: str
    words: str
    found_at: datetime


def last_hour(conn: Connection) -> datetime | None:
    """Return the newest hour that has been looked at."""
    found: datetime | None = conn.execute(select(func.max(hourly_profile.c.hour))).scalar()
    return found


def judged_in(conn: Connection, hour: datetime) -> list[JudgedLead]:
    """Return the leads judged in the hour from `hour` on, each as judged last in it."""
    rows = conn.execute(
        text(
            "SELECT DISTINCT ON (lead_id) inputs -> 'facts' AS facts,"
            " inputs -> 'personal_known' AS personal, inputs -> 'problems' AS problems"
            " FROM decision WHERE decided_at >= :begin AND decided_at < :end"
            " ORDER BY lead_id, id DESC LIMIT :most"
        ),
        {"begin": hour, "end": hour + HOUR, "most": MOST_LEADS},
    )
    return [
        JudgedLead(
            row.facts or {},
            frozenset(row.personal or ()),
            frozenset((one["label"], one["code"]) for one in row.problems or ()),
        )
        for row in rows
    ]


def profiles_since(conn: Connection, since: datetime, until: datetime) -> list[HourProfile]:
    """Return the profiles of the hours from `since` until before `until`, oldest first."""
    query = (
        select(hourly_profile)
        .where(hourly_profile.c.hour >= since, hourly_profile.c.hour < until)
        .order_by(hourly_profile.c.hour)
    )
    return [HourProfile(**row._asdict()) for row in conn.execute(query)]


def record(
    conn: Connection,
    profile: HourProfile,
    warnings: Sequence[tuple[str, str, str]],
    *,
    at: datetime,
) -> bool:
    """Store an hour's profile with its warnings (kind, label, words); False if it was there."""
    made = conn.execute(
        upsert(hourly_profile)
        .values(
            hour=profile.hour,
            leads=profile.leads,
            missing=dict(profile.missing),
            choices={label: list(values) for label, values in profile.choices.items()},
        )
        .on_conflict_do_nothing()
        .returning(hourly_profile.c.hour)
    ).first()
    if made is None:
        return False
    if warnings:
        conn.execute(
            insert(drift_warning),
            [
                {
                    "hour": profile.hour,
                    "kind": kind,
                    "label": label,
                    "words": words,
                    "found_at": at,
                }
                for kind, label, words in warnings
            ],
        )
    return True


def warnings_since(conn: Connection, since: datetime) -> list[WarningRow]:
    """Return the warnings about hours from `since` on, newest first."""
    row = drift_warning.c
    query = (
        select(row.hour, row.kind, row.label, row.words, row.found_at)
        .where(row.hour >= since)
        .order_by(row.hour.desc(), row.id)
    )
    return [WarningRow(**found._asdict()) for found in conn.execute(query)]
