"""One lead as its page shows it: what happened, newest first, by key; and what was done outside."""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select, text

from baton.ledger.effects.effects import EffectRow, as_effect
from baton.ledger.tables.columns import among
from baton.ledger.tables.effects import attempt, effect
from baton.ledger.tables.record import batch, decision

MOST_EFFECTS: Final = 60
MOST_ATTEMPTS: Final = 8
_CURSOR = re.compile(r"(\d{1,17})\.(\d{1,2})\.(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a lead. `kind` says which fields there are in `told`."""

    at: datetime
    kind: str
    id: int
    told: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Return where the next page goes on: "microseconds.rank.id"."""
        return f"{_micro(self.at)}.{_KINDS.index(self.kind)}.{self.id}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to carry out an effect."""

    at: datetime
    outcome: str
    detail: str | None


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _micro(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


_KINDS: Final = (
    "action",
    "disposition",
    "touch",
    "override",
    "clock",
    "effect",
    "handoff",
    "hop",
    "lead",
    "decision",
)
"""What happened at one instant is told in this order, the latest consequence first."""

# Each gives at, id and what is told; `mine` are the lead's handoffs.
_PARTS: Final = {
    "action": (
        "SELECT at, id, jsonb_build_object('by', by_whom, 'action', action, 'reason', reason,"
        " 'result', result, 'words', words, 'subject', subject) FROM admin_action"
        " WHERE lead_id = :lead_id"
    ),
    "disposition": (
        "SELECT at, id, jsonb_build_object('by', by_whom, 'code', code, 'outcome', outcome,"
        " 'return_at', return_at, 'words', action ->> 'words') FROM disposition"
        " WHERE handoff_id IN (SELECT id FROM mine)"
    ),
    "touch": (
        "SELECT at, id, jsonb_build_object('by', by_whom, 'what', kind, 'grade', grade) FROM touch"
        " WHERE handoff_id IN (SELECT id FROM mine)"
    ),
    "override": (
        "SELECT at, id, jsonb_build_object('by', by_whom, 'field', field, 'ours', ours,"
        " 'theirs', theirs) FROM human_override WHERE lead_id = :lead_id"
    ),
    "clock": (
        "SELECT due_at, sla_event.id, jsonb_build_object('what', kind, 'owner', hop.owner_key,"
        " 'recorded_at', recorded_at) FROM sla_event JOIN hop ON hop.id = hop_id"
        " WHERE hop.handoff_id IN (SELECT id FROM mine)"
    ),
    "effect": (
        "SELECT t.at, t.id, jsonb_build_object('by', t.by_whom, 'what', e.kind, 'after', t.after,"
        " 'cause', t.cause, 'effect', e.id, 'hop', e.hop) FROM effect e JOIN transition t"
        " ON t.subject = 'effect' AND t.subject_id = e.id AND t.before IS NOT NULL"
        " AND t.after <> 'leased' WHERE e.lead_id = :lead_id"
    ),
    "handoff": (
        "SELECT t.at, t.id, jsonb_build_object('by', t.by_whom, 'before', t.before,"
        " 'after', t.after, 'cause', t.cause, 'key', mine.key) FROM mine JOIN transition t"
        " ON t.subject = 'handoff' AND t.subject_id = mine.id"
    ),
    "hop": (
        "SELECT assigned_at, hop.id, jsonb_build_object('number', number, 'owner', owner_key,"
        " 'owner_kind', owner_kind, 'pool', pool, 'due', first_touch_due, 'key', mine.key)"
        " FROM mine JOIN hop ON hop.handoff_id = mine.id"
    ),
    "lead": (
        "SELECT at, id, jsonb_build_object('by', by_whom, 'before', before, 'after', after,"
        " 'cause', cause) FROM transition WHERE subject = 'lead' AND subject_id = :lead_id"
    ),
    "decision": (
        "SELECT decided_at, id, jsonb_build_object('outcome', outcome, 'band', band,"
        " 'score_milli', score_milli, 'reason_code', reason_code, 'words', result ->> 'words')"
        " FROM decision WHERE lead_id = :lead_id"
    ),
}


def timeline(
    conn: Connection,
    lead_id: int,
    *,
    limit: int = 40,
    before: str = "",
    since: datetime | None = None,
) -> list[Event]:
    """Return what happened to a lead, newest first; `before` is the `key` of the last one shown.

    With `since` only what happened from then on. A `before` that is no key is left out of account.
    """
    found = _CURSOR.fullmatch(before)
    at, rank, last = (int(part) for part in found.groups()) if found else (None, 0, 0)
    branches = []
    for number, kind in enumerate(_KINDS):
        part = _PARTS[kind]
        branches.append(
            f"(SELECT * FROM (SELECT at, {number} AS rank, id, told FROM ({part})"
            " AS source (at, id, told)) AS ranked"
            " WHERE (CAST(:since AS timestamptz) IS NULL OR at >= :since)"
            " AND (CAST(:at AS timestamptz) IS NULL OR at < :at"
            " OR (at = :at AND (rank > :rank OR (rank = :rank AND id < :last))))"
            " ORDER BY at DESC, rank, id DESC LIMIT :limit)"
        )
    query = (
        "WITH mine AS (SELECT id, key FROM handoff WHERE lead_id = :lead_id) SELECT * FROM ("
        + " UNION ALL ".join(branches)
        + ") AS everything ORDER BY at DESC, rank, id DESC LIMIT :limit"
    )
    values = {
        "lead_id": lead_id,
        "since": since,
        "at": None if at is None else _EPOCH + timedelta(microseconds=at),
        "rank": rank,
        "last": last,
        "limit": limit,
    }
    return [
        Event(row.at, _KINDS[row.rank], row.id, row.told)
        for row in conn.execute(text(query), values)
    ]


def run_of_decision(conn: Connection, decision_id: int) -> str | None:
    """Return the Airflow run in which a decision was made, or None where it is not known."""
    query = (
        select(batch.c.run)
        .join(decision, decision.c.batch_id == batch.c.id)
        .where(decision.c.id == decision_id)
    )
    run: str | None = conn.execute(query).scalar_one_or_none()
    return run


def effects_of(conn: Connection, lead_id: int, *, limit: int = MOST_EFFECTS) -> list[EffectRow]:
    """Return the newest effects of a lead, of its handoffs and its own, newest first."""
    query = select(effect).where(effect.c.lead_id == lead_id).order_by(effect.c.id.desc())
    return [as_effect(row) for row in conn.execute(query.limit(limit))]


def attempts_of(
    conn: Connection, effect_ids: Iterable[int], *, most: int = MOST_ATTEMPTS
) -> dict[int, Sequence[Attempt]]:
    """Return the latest tries of these effects, newest first, by effect id."""
    place = func.row_number().over(partition_by=attempt.c.effect_id, order_by=attempt.c.id.desc())
    ranked = (
        select(attempt, place.label("place")).where(among(attempt.c.effect_id, effect_ids))
    ).subquery()
    found: dict[int, list[Attempt]] = {}
    query = select(ranked).where(ranked.c.place <= most).order_by(ranked.c.id.desc())
    for row in conn.execute(query):
        found.setdefault(row.effect_id, []).append(Attempt(row.at, row.outcome, row.detail))
    return dict(found)


def told_apart(conn: Connection, lead_id: int) -> frozenset[int]:
    """Return the leads of which somebody said that they are not this person."""
    query = text(
        "SELECT CASE WHEN d.lead_id = :lead THEN d.other_id ELSE d.lead_id END AS other"
        " FROM duplicate_link d JOIN admin_action a"
        " ON a.subject = 'duplicate ' || d.lead_id || '-' || d.other_id AND a.result = 'done'"
        " WHERE :lead IN (d.lead_id, d.other_id)"
    )
    return frozenset(conn.execute(query, {"lead": lead_id}).scalars())
