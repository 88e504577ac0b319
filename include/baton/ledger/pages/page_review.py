"""What waits for a person, by kind: paged by key, counted up to a bound, settled items left out."""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from baton.leads.states import FINAL_LEAD_STATES
from baton.ledger.tables.columns import one_of

COUNTED: Final = 1000
FAILED_STATES: Final = ("dead", "rejected", "invalid", "ambiguous")
_NEWEST: Final = 2**62
_FINAL: Final = one_of("state", tuple(state.value for state in sorted(FINAL_LEAD_STATES)))

_PERSON = "concat_ws(' ', p.first_name, p.last_name) AS name, p.company_name AS company"
_LAST_DECISION = (
    "LEFT JOIN LATERAL (SELECT result, outcome FROM decision WHERE lead_id = l.id"
    " ORDER BY id DESC LIMIT 1) AS last ON true"
)
# A held lead's name of the tab it is on; what is not listed is "unrouted".
_ACCOUNTS = ("ambiguous_account",)
_UNSEEN_OVERRIDE = (
    "NOT EXISTS (SELECT 1 FROM admin_action a WHERE a.subject = 'override ' || o.id"
    " AND a.result = 'done')"
)
_UNSETTLED_PAIR = (
    "NOT EXISTS (SELECT 1 FROM admin_action a WHERE a.subject = 'duplicate ' || d.lead_id || '-'"
    " || d.other_id AND a.result = 'done')"
    f" AND NOT EXISTS (SELECT 1 FROM lead f WHERE f.id IN (d.lead_id, d.other_id) AND f.{_FINAL})"
)

_COUNTS: Final = {
    "quarantine": "SELECT 1 FROM lead WHERE state = 'quarantined'",
    "unrouted": ("SELECT 1 FROM lead WHERE held_for IS NOT NULL AND held_for <> ALL(:accounts)"),
    "accounts": "SELECT 1 FROM lead WHERE held_for = ANY(:accounts)",
    "duplicates": (
        f"SELECT DISTINCT d.lead_id, d.other_id FROM duplicate_link d WHERE {_UNSETTLED_PAIR}"
    ),
    "overrides": f"SELECT 1 FROM human_override o WHERE {_UNSEEN_OVERRIDE}",
    "effects": "SELECT 1 FROM effect WHERE state = ANY(:failed)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLead:
    """A lead in quarantine or held. `words` say why, `waits_for` whom it waits for."""

    id: int
    hubspot_id: str
    state: str
    state_since: datetime
    timer_at: datetime | None
    timer_action: str | None
    band: str | None
    score_milli: int | None
    held_for: str | None
    waits_for: str | None
    name: str | None
    company: str | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPair:
    """Two contacts that may be one person, and by which signs."""

    lead_id: int
    other_id: int
    signs: tuple[str, ...]
    confidence: int
    found_at: datetime
    name: str | None
    company: str | None
    other_name: str | None
    other_company: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingOverride:
    """What somebody in sales changed after us."""

    id: int
    lead_id: int
    field: str
    ours: str | None
    theirs: str | None
    at: datetime
    by_whom: str | None
    name: str | None
    company: str | None
    handoff_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEffect:
    """Something that could not be done outside."""

    id: int
    kind: str
    state: str
    lead_id: int
    fence: int
    attempts: int
    last_error_code: str | None
    last_error: str | None
    created_at: datetime
    name: str | None
    company: str | None
    handoff_key: str | None
    params: Mapping[str, Any] = field(default_factory=dict)


def counts(conn: Connection) -> dict[str, int]:
    """Return how much waits of each kind, counted up to `COUNTED`."""
    parts = ", ".join(
        f"(SELECT count(*) FROM ({query} LIMIT :most) AS waiting) AS {name}"
        for name, query in _COUNTS.items()
    )
    values = {"most": COUNTED, "accounts": list(_ACCOUNTS), "failed": list(FAILED_STATES)}
    row = conn.execute(text(f"SELECT {parts}"), values).one()
    return {name: getattr(row, name) for name in _COUNTS}


def held_reasons(conn: Connection) -> list[tuple[str, int]]:
    """Return for what leads are held and how many, most first."""
    query = text(
        "SELECT held_for, count(*) AS many FROM lead WHERE held_for IS NOT NULL"
        " AND held_for <> ALL(:accounts) GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return [(row.held_for, row.many) for row in conn.execute(query, {"accounts": list(_ACCOUNTS)})]


def quarantined(conn: Connection, *, limit: int, before: int | None = None) -> list[WaitingLead]:
    """Return leads in quarantine with what is wrong, newest first."""
    return _leads(conn, "l.state = 'quarantined'", limit=limit, before=before)


def unrouted(
    conn: Connection, *, limit: int, before: int | None = None, reason: str = ""
) -> list[WaitingLead]:
    """Return leads that are held, for `reason` alone if given, newest first."""
    condition = "l.held_for = :reason" if reason else "l.held_for IS NOT NULL"
    return _leads(
        conn,
        f"{condition} AND l.held_for <> ALL(:accounts)",
        limit=limit,
        before=before,
        reason=reason,
    )


def ambiguous_accounts(
    conn: Connection, *, limit: int, before: int | None = None
) -> list[WaitingLead]:
    """Return leads of which nobody knows to which account they belong, newest first."""
    return _leads(conn, "l.held_for = ANY(:accounts)", limit=limit, before=before)


def _leads(
    conn: Connection, condition: str, *, limit: int, before: int | None, reason: str = ""
) -> list[WaitingLead]:
    query = text(
        "SELECT l.id, l.hubspot_id, l.state, l.state_since, l.timer_at, l.timer_action, l.band,"
        f" l.score_milli, l.held_for, l.waits_for, {_PERSON}, last.result FROM ("
        f"  SELECT * FROM lead l WHERE {condition} AND l.id < :before"
        "  ORDER BY l.id DESC LIMIT :limit) AS l"
        f" LEFT JOIN person p ON p.lead_id = l.id {_LAST_DECISION} ORDER BY l.id DESC"
    )
    values = {
        "before": _NEWEST if before is None else before,
        "limit": limit,
        "accounts": list(_ACCOUNTS),
        "reason": reason,
    }
    return [_waiting_lead(row) for row in conn.execute(query, values)]


def _waiting_lead(row: Row[Any]) -> WaitingLead:
    values = row._asdict()
    result = values.pop("result") or {}
    failures = [str(one.get("message") or one.get("label")) for one in result.get("failures", ())]
    words = failures if values["state"] == "quarantined" else [str(result.get("words") or "")]
    kept = tuple(dict.fromkeys(one for one in words if one))
    return WaitingLead(**{**values, "name": values["name"] or None, "words": kept})


def pairs(
    conn: Connection, *, limit: int, before: tuple[int, int] | None = None
) -> list[WaitingPair]:
    """Return contacts that may be one person and that nobody has told apart, newest leads first."""
    query = text(
        "SELECT d.*, concat_ws(' ', p.first_name, p.last_name) AS name, p.company_name AS company,"
        " concat_ws(' ', q.first_name, q.last_name) AS other_name,"
        " q.company_name AS other_company FROM ("
        "  SELECT d.lead_id, d.other_id, array_agg(d.sign ORDER BY d.confidence DESC) AS signs,"
        "   max(d.confidence) AS confidence, min(d.found_at) AS found_at FROM duplicate_link d"
        "  WHERE (d.lead_id, d.other_id) < (:lead_id, :other_id)"
        f"  AND {_UNSETTLED_PAIR} GROUP BY d.lead_id, d.other_id"
        "  ORDER BY d.lead_id DESC, d.other_id DESC LIMIT :limit) AS d"
        " LEFT JOIN person p ON p.lead_id = d.lead_id LEFT JOIN person q ON q.lead_id = d.other_id"
        " ORDER BY d.lead_id DESC, d.other_id DESC"
    )
    lead_id, other_id = before or (_NEWEST, _NEWEST)
    rows = conn.execute(query, {"lead_id": lead_id, "other_id": other_id, "limit": limit})
    return [WaitingPair(**{**row._asdict(), "signs": tuple(row.signs)}) for row in rows]


def overrides(conn: Connection, *, limit: int, before: int | None = None) -> list[WaitingOverride]:
    """Return what sales changed after us and nobody has looked at, newest first."""
    query = text(
        "SELECT o.id, o.lead_id, o.field, o.ours, o.theirs, o.at, o.by_whom,"
        f" {_PERSON}, h.key AS handoff_key FROM human_override o"
        " LEFT JOIN person p ON p.lead_id = o.lead_id LEFT JOIN handoff h ON h.id = o.handoff_id"
        f" WHERE o.id < :before AND {_UNSEEN_OVERRIDE} ORDER BY o.id DESC LIMIT :limit"
    )
    values = {"before": _NEWEST if before is None else before, "limit": limit}
    return [WaitingOverride(**row._asdict()) for row in conn.execute(query, values)]


def failed_effects(
    conn: Connection, *, limit: int, before: int | None = None, state: str = ""
) -> list[WaitingEffect]:
    """Return what could not be done outside, in one state or all, newest first."""
    # A branch for each state: so each reads its newest from the index on (state, id).
    branches = " UNION ALL ".join(
        "(SELECT id, kind, state, lead_id, handoff_id, fence, attempts, last_error_code, last_error,"
        f" created_at, params FROM effect WHERE state = '{one}' AND id < :before"
        " ORDER BY state, id DESC LIMIT :limit)"
        for one in FAILED_STATES
        if state in ("", one)
    )
    if not branches:
        return []
    query = text(
        "SELECT e.id, e.kind, e.state, e.lead_id, e.fence, e.attempts, e.last_error_code,"
        f" e.last_error, e.created_at, e.params, {_PERSON}, h.key AS handoff_key FROM ("
        f"SELECT * FROM ({branches}) AS some_of ORDER BY id DESC LIMIT :limit) AS e"
        " LEFT JOIN person p ON p.lead_id = e.lead_id LEFT JOIN handoff h ON h.id = e.handoff_id"
        " ORDER BY e.id DESC"
    )
    values = {"before": _NEWEST if before is None else before, "limit": limit}
    rows = conn.execute(query, values)
    return [WaitingEffect(**row._asdict()) for row in rows]
