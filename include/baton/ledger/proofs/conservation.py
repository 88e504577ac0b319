"""The conservation check: no lead lost, none handed over twice, nothing waiting for nobody.

Each check is one query that finds what must not be. A finding names its cause and its repair in
words; nothing here repairs anything.
"""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Column, Connection, func, select, text

from baton.ledger.tables.columns import (
    DATED_LEAD_STATES,
    FINAL_LEAD_STATES,
    OPEN_HANDOFF_STATES,
    one_of,
)
from baton.ledger.tables.effects import effect
from baton.ledger.tables.handoffs import handoff
from baton.ledger.tables.leads import lead

MOST_FINDINGS = 200
"""Of each kind; the count goes on."""


class Severity(StrEnum):
    """`broken`: a promise does not hold. `attention`: nothing is lost, but a person must look."""

    BROKEN = "broken"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not be: which, why, and what mends it."""

    code: str
    severity: Severity
    subject: str
    subject_id: int
    cause: str
    repair: str


@dataclass(frozen=True, slots=True)
class ConservationReport:
    """What the check saw. Counts are by state; `totals` counts findings by code."""

    at: datetime
    leads: Mapping[str, int]
    handoffs: Mapping[str, int]
    effects: Mapping[str, int]
    findings: tuple[Finding, ...]
    totals: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """Whether every promise holds; what needs attention does not count."""
        return self.residual == 0

    @property
    def residual(self) -> int:
        """How many broken things there are. Must be 0."""
        broken = {each.code for each in self.findings if each.severity is Severity.BROKEN}
        return sum(count for code, count in self.totals.items() if code in broken)


@dataclass(frozen=True, slots=True)
class _Check:
    code: str
    severity: Severity
    subject: str
    sql: str
    """Must return the column `id`."""
    cause: str
    repair: str


_OPEN = one_of("state", OPEN_HANDOFF_STATES)
_PRESENT = (
    "NOT EXISTS (SELECT 1 FROM hop later"
    " WHERE later.handoff_id = hop.handoff_id AND later.number > hop.number)"
)

_CHECKS = (
    _Check(
        "lead_state_unrecorded",
        Severity.BROKEN,
        "lead",
        """SELECT lead.id FROM lead LEFT JOIN LATERAL (
             SELECT after FROM transition WHERE subject = 'lead' AND subject_id = lead.id
             ORDER BY id DESC LIMIT 1) last ON true
           WHERE last.after IS DISTINCT FROM lead.state""",
        "its state is not the one that its record of changes ends with",
        "find who wrote to the table by hand, and set the state again with a recorded change",
    ),
    _Check(
        "lead_without_timer",
        Severity.BROKEN,
        "lead",
        f"""SELECT id FROM lead WHERE NOT {one_of("state", FINAL_LEAD_STATES)} AND (
              timer_action IS NULL
              OR (timer_at IS NULL AND {one_of("state", DATED_LEAD_STATES)}))""",
        "its state is not final, and nothing would ever happen to it",
        "have it judged again, which sets the timer of its state",
    ),
    _Check(
        "lead_timer_overdue",
        Severity.ATTENTION,
        "lead",
        "SELECT id FROM lead WHERE timer_at < :overdue",
        "its timer is long due, and nobody has acted on it",
        "look whether the Dags that act on timers run (ledger_upkeep, lead_handoff)",
    ),
    _Check(
        "lead_in_handoff_without_one",
        Severity.BROKEN,
        "lead",
        f"""SELECT id FROM lead WHERE state = 'in_handoff' AND 1 <> (
              SELECT count(*) FROM handoff WHERE handoff.lead_id = lead.id AND {_OPEN})""",
        "it is in handoff, but has not exactly one open handoff",
        "have it judged again, or move it to the state that its last outcome asks for",
    ),
    _Check(
        "handoff_open_for_lead_elsewhere",
        Severity.BROKEN,
        "handoff",
        f"""SELECT handoff.id FROM handoff JOIN lead ON lead.id = handoff.lead_id
            WHERE {one_of("handoff.state", OPEN_HANDOFF_STATES)} AND lead.state <> 'in_handoff'""",
        "it is open, but its lead is not in handoff",
        "end the handoff, or move the lead back into it",
    ),
    _Check(
        "handoff_without_owner",
        Severity.BROKEN,
        "handoff",
        """SELECT handoff.id FROM handoff LEFT JOIN hop ON hop.handoff_id = handoff.id
           GROUP BY handoff.id
           HAVING count(hop.id) = 0 OR max(hop.number) <> count(hop.id)""",
        "it was never assigned to anybody, or one of its assignments is missing",
        "assign it (a new hop), so that somebody owns it",
    ),
    _Check(
        "handoff_written_but_planned",
        Severity.BROKEN,
        "handoff",
        """SELECT id FROM handoff WHERE state = 'planned'
           AND (owner_written_at IS NOT NULL OR task_written_at IS NOT NULL)""",
        "owner or task was written, but it still counts as planned",
        "move it to assigned",
    ),
    _Check(
        "handoff_assigned_but_unwritten",
        Severity.BROKEN,
        "handoff",
        """SELECT id FROM handoff WHERE state IN ('assigned', 'notified')
           AND owner_written_at IS NULL AND task_written_at IS NULL""",
        "it counts as assigned, but neither owner nor task was seen to be written",
        "read the record and its tasks in Salesforce and stamp what is there",
    ),
    _Check(
        "handoff_without_effects",
        Severity.BROKEN,
        "handoff",
        f"""SELECT handoff.id FROM handoff JOIN hop ON hop.handoff_id = handoff.id AND {_PRESENT}
            WHERE handoff.state = 'planned' AND NOT EXISTS (
              SELECT 1 FROM effect
              WHERE effect.handoff_id = handoff.id AND effect.hop = hop.number)""",
        "it was decided, but nothing was planned to be done for its present owner",
        "plan the effects of its present hop again: their keys keep them single",
    ),
    # A Lead that sales converted is followed to its Contact: one of each kind is one person.
    _Check(
        "effect_doubled",
        Severity.BROKEN,
        "handoff",
        """SELECT handoff_id AS id FROM effect
           WHERE state = 'done' AND handoff_id IS NOT NULL
             AND kind IN ('salesforce_record', 'salesforce_task', 'slack_message')
           GROUP BY handoff_id, hop, kind
           HAVING count(DISTINCT result ->> 'id')
               > greatest(1, count(DISTINCT result ->> 'sobject'))
             OR (kind <> 'salesforce_record'
                 AND count(*) FILTER (WHERE params ->> 'refresh' IS NULL) > 1)""",
        "the same thing was made twice for one hop",
        "find the second one by its key, remove what it made, and report the bug",
    ),
    _Check(
        "effect_lease_stuck",
        Severity.BROKEN,
        "effect",
        "SELECT id FROM effect WHERE state = 'leased' AND lease_until < :stuck",
        "its worker is gone, and no other has taken it over",
        "look whether anything delivers (lead_handoff); the next delivery takes it over",
    ),
    _Check(
        "effect_lease_missing",
        Severity.BROKEN,
        "effect",
        """SELECT id FROM effect WHERE (state = 'leased') <> (lease_until IS NOT NULL)""",
        "it is being carried out without a lease",
        "settle it by hand after reading back whether it was carried out",
    ),
    _Check(
        "effect_waits_for_failed",
        Severity.ATTENTION,
        "effect",
        """SELECT effect.id FROM effect JOIN effect first ON first.id = effect.depends_on
           WHERE effect.state IN ('pending', 'waiting')
             AND first.state IN ('rejected', 'invalid', 'dead', 'withheld')""",
        "it waits for another effect that failed or is withheld",
        "mend and release the one it waits for",
    ),
    _Check(
        "effect_failed",
        Severity.ATTENTION,
        "effect",
        "SELECT id FROM effect WHERE state IN ('rejected', 'invalid', 'dead')",
        "it could not be carried out",
        "mend what its error names, then release it",
    ),
    _Check(
        "effect_ambiguous",
        Severity.ATTENTION,
        "effect",
        "SELECT id FROM effect WHERE state = 'ambiguous' AND next_attempt_at IS NULL",
        "nobody knows whether it was carried out, and it cannot be read back",
        "look at the other side and settle it as done or dead",
    ),
    _Check(
        "effect_not_delivered",
        Severity.ATTENTION,
        "effect",
        """SELECT effect.id FROM effect LEFT JOIN effect first ON first.id = effect.depends_on
           WHERE effect.state IN ('pending', 'waiting') AND effect.created_at < :overdue
             AND coalesce(effect.next_attempt_at, effect.created_at) < :overdue
             AND (first.id IS NULL OR first.state IN ('done', 'superseded'))""",
        "it has been ready for long, and nobody carries it out",
        "look whether anything delivers, and whether the kill switch is on",
    ),
    _Check(
        "merged_into_nobody",
        Severity.BROKEN,
        "lead",
        "SELECT id FROM lead WHERE state = 'merged' AND merged_into IS NULL",
        "it was merged, but not into any lead",
        "read the contact in HubSpot and record which one it was merged into",
    ),
    _Check(
        "person_of_gone_lead",
        Severity.BROKEN,
        "lead",
        f"""SELECT lead.id FROM lead JOIN person ON person.lead_id = lead.id
            WHERE {one_of("lead.state", FINAL_LEAD_STATES)}""",
        "the lead is gone, but personal data of it are still here",
        "delete its row in `person`",
    ),
)


def check(
    conn: Connection,
    *,
    now: datetime,
    overdue_after: timedelta = timedelta(hours=2),
    stuck_after: timedelta = timedelta(minutes=10),
) -> ConservationReport:
    """Look for everything that must not be. Reads only.

    `overdue_after`: how long something may be due before somebody should look. `stuck_after`: how
    long after its end a lease may stay with nobody taking the effect over.
    """
    times = {"overdue": now - overdue_after, "stuck": now - stuck_after}
    findings: list[Finding] = []
    totals: dict[str, int] = {}
    for each in _CHECKS:
        used = {name: value for name, value in times.items() if f":{name}" in each.sql}
        rows = conn.execute(
            text(
                f"SELECT id, count(*) OVER () AS total FROM ({each.sql}) found"
                f" ORDER BY id LIMIT {MOST_FINDINGS}"
            ),
            used,
        ).all()
        if rows:
            totals[each.code] = rows[0].total
        findings += [
            Finding(each.code, each.severity, each.subject, row.id, each.cause, each.repair)
            for row in rows
        ]
    return ConservationReport(
        at=now,
        leads=_by_state(conn, lead.c.state),
        handoffs=_by_state(conn, handoff.c.state),
        effects=_by_state(conn, effect.c.state),
        findings=tuple(findings),
        totals=totals,
    )


def _by_state(conn: Connection, column: Column[str]) -> dict[str, int]:
    query = select(column, func.count()).group_by(column).order_by(column)
    return {row[0]: row[1] for row in conn.execute(query)}
