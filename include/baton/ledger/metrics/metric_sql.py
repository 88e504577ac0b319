"""The SQL of the figures. What each means is said in `metrics` and in `baton.audit.metrics`."""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from sqlalchemy import text

DIMENSIONS = ("band", "source", "segment", "territory", "trigger", "owner", "mode")


def _seconds(later: str, earlier: str) -> str:
    """Return SQL for the seconds between two instants, NULL unless both are known.

    Never below 0: a rep may act before our stamp, and clocks of two systems differ by a little.
    """
    passed = f"date_part('epoch', {later} - {earlier})"
    return f"CASE WHEN {later} < {earlier} THEN 0 ELSE {passed} END"


FACT = {
    **{name: f"h.{name}" for name in ("band", "source", "segment", "territory", "trigger")},
    **{name: f"h.{name}" for name in ("mode", "state", "amount_cents")},
    **{name: f"h.{name}" for name in ("first_touch_at", "captured_at", "decided_at", "meeting_at")},
    "owner": "first.owner_key",
    "is_notified": "h.notified_at IS NOT NULL",
    "is_asked": "h.origin = 'buyer'",
    "to_touch": f"""CASE WHEN h.origin = 'buyer'
            THEN {_seconds("h.first_touch_at", "h.captured_at")} END""",
    "to_answer": _seconds("h.first_touch_at", "coalesce(h.owner_written_at, first.assigned_at)"),
    "to_message": f"""CASE WHEN h.mode = 'live' AND h.origin = 'buyer'
            THEN {_seconds("h.notified_at", "h.captured_at")} END""",
    "to_meeting": _seconds("h.meeting_at", "h.captured_at"),
    "is_accepted": """h.accepted_at IS NOT NULL OR h.outcome = 'accepted'
            OR h.state IN ('accepted', 'working', 'converted', 'won', 'lost')""",
    "is_refused": """h.outcome IN ('recycle', 'disqualified')
            OR h.state IN ('recycled', 'disqualified')""",
    "is_queue": "first.owner_kind = 'queue'",
    "due": "first.first_touch_due",
    "moves": "(SELECT max(number) FROM hop WHERE handoff_id = h.id) - 1",
    "is_contacted": "EXISTS (SELECT 1 FROM touch t WHERE t.handoff_id = h.id AND t.grade >= 3)",
    "is_opportunity": """h.opportunity_at IS NOT NULL
            OR h.state IN ('converted', 'won', 'lost')""",
}
"""What is known of a handoff that counts: SQL by name."""


def facts(*names: str, within: bool = False) -> str:
    """Return the query of the handoffs that count, decided in [:start, :end), with some of FACT.

    `within`: their ids lie in [:least, :most], as the caller found out. PostgreSQL cannot know
    that what was decided in a stretch of time has ids that stand together, and would read every
    hop there is to find theirs.
    """
    columns = ",\n        ".join(f"{FACT[name]} AS {name}" for name in names)
    narrower = " AND first.handoff_id BETWEEN :least AND :most" if within else ""
    return f"""
    SELECT {columns}
    FROM handoff h JOIN hop first ON first.handoff_id = h.id AND first.number = 1{narrower}
    WHERE h.mode <> 'observe' AND h.state <> 'cancelled' AND h.origin <> 'test'
      AND h.decided_at >= :start AND h.decided_at < :end
"""


FACTS = facts(*FACT)

COHORT = text(
    f"""
    WITH facts AS ({FACTS})
    SELECT {", ".join(DIMENSIONS)}, grouping({", ".join(DIMENSIONS)}) AS grouped,
        count(*) AS handoffs,
        count(*) FILTER (WHERE is_asked) AS asked,
        count(to_touch) AS touched,
        count(*) FILTER (WHERE is_asked) - count(to_touch) AS untouched,
        count(to_answer) AS answered,
        count(*) FILTER (WHERE to_touch <= 60) AS touched_1,
        count(*) FILTER (WHERE to_touch <= 300) AS touched_5,
        count(*) FILTER (WHERE to_touch <= 3600) AS touched_60,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY to_touch) AS touch_p50,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY to_touch) AS touch_p90,
        avg(to_touch) AS touch_mean,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY to_answer) AS rep_p50,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY to_answer) AS rep_p90,
        count(to_message) AS notified_live,
        count(*) FILTER (WHERE to_message <= 120) AS notified_120,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY to_message) AS system_p50,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY to_message) AS system_p95,
        count(to_meeting) AS meetings,
        count(*) FILTER (WHERE to_meeting <= extract(epoch FROM CAST(:meeting_within AS interval)))
            AS met,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY to_meeting) AS meeting_p50,
        count(*) FILTER (WHERE due < coalesce(first_touch_at, :now)) AS breached,
        count(*) FILTER (WHERE due < :now OR (due IS NOT NULL AND first_touch_at IS NOT NULL))
            AS clock_decided,
        count(*) FILTER (WHERE is_accepted) AS accepted,
        count(*) FILTER (WHERE is_accepted OR is_refused) AS verdicts,
        count(*) FILTER (WHERE is_accepted OR is_refused OR due < :expired_before)
            AS verdicts_or_expired,
        count(*) FILTER (WHERE is_contacted) AS contacted,
        count(*) FILTER (WHERE is_opportunity) AS opportunities,
        count(*) FILTER (WHERE state = 'won') AS won,
        count(*) FILTER (WHERE state IN ('won', 'lost')) AS closed,
        count(*) FILTER (WHERE is_queue) AS to_queue,
        coalesce(sum(moves), 0) AS reassignments
    FROM facts
    GROUP BY GROUPING SETS ((), {", ".join(f"({name})" for name in DIMENSIONS)})
    """
)

RECYCLED = text(
    """
    SELECT 'all' AS dimension, count(DISTINCT back.lead_id) AS denominator,
        count(DISTINCT again.lead_id) AS numerator
    FROM handoff back
    LEFT JOIN handoff again ON again.lead_id = back.lead_id AND again.id > back.id
        AND (again.opportunity_at IS NOT NULL OR again.state IN ('converted', 'won', 'lost'))
        AND again.decided_at < back.disposed_at + interval '12 months'
    WHERE back.state = 'recycled' AND back.mode <> 'observe' AND back.origin <> 'test'
      AND back.disposed_at >= :start AND back.disposed_at < :end
    """
)

DECIDED = text(
    """
    SELECT 'outcome:' || outcome AS dimension, count(DISTINCT lead_id) AS value
    FROM decision WHERE decided_at >= :start AND decided_at < :end
      AND result ->> 'origin' IS DISTINCT FROM 'test'
    GROUP BY outcome ORDER BY outcome
    """
)

DISPOSED = text(
    """
    SELECT 'code:' || d.code AS dimension, count(*) AS value
    FROM disposition d JOIN handoff h ON h.id = d.handoff_id
    WHERE h.mode <> 'observe' AND h.origin <> 'test' AND d.at >= :start AND d.at < :end
    GROUP BY d.code ORDER BY d.code
    """
)

REVENUE = text(
    """
    SELECT CASE WHEN grouping(source) = 1 THEN 'all' ELSE 'source:' || coalesce(source, 'unknown')
           END AS dimension, sum(coalesce(amount_cents, 0)) AS value
    FROM handoff
    WHERE state = 'won' AND mode <> 'observe' AND origin <> 'test' AND closed_at >= :start AND closed_at < :end
    GROUP BY GROUPING SETS ((), (source)) ORDER BY 1
    """
)

CHAIN = text(
    f"""
    WITH facts AS ({FACTS}), seen AS (
        SELECT id, state FROM lead
        WHERE state NOT IN ('merged', 'erased') AND EXISTS (
            SELECT 1 FROM snapshot s WHERE s.lead_id = lead.id
              AND s.captured_at >= :start AND s.captured_at < :end)
          AND NOT EXISTS (
            SELECT 1 FROM handoff h WHERE h.lead_id = lead.id AND h.origin = 'test')
    ), leads AS (
        SELECT count(*) AS captured,
            count(*) FILTER (WHERE EXISTS (
                SELECT 1 FROM decision d WHERE d.lead_id = seen.id)) AS judged,
            count(*) FILTER (WHERE state = 'quarantined') AS quarantined,
            count(*) FILTER (WHERE state = 'suppressed') AS suppressed,
            count(*) FILTER (WHERE state = 'nurture') AS nurture,
            count(*) FILTER (WHERE state = 'held') AS held,
            count(*) FILTER (WHERE state = 'customer') AS customers
        FROM seen
    ), passed AS (
        SELECT count(*) AS handed_off,
            count(*) FILTER (WHERE is_notified) AS notified,
            count(to_touch) AS touched,
            count(*) FILTER (WHERE is_asked) - count(to_touch) AS never_touched,
            count(*) FILTER (WHERE is_accepted) AS accepted,
            count(*) FILTER (WHERE meeting_at IS NOT NULL) AS meeting,
            count(*) FILTER (WHERE is_opportunity) AS opportunity,
            count(*) FILTER (WHERE state = 'won') AS won,
            count(*) FILTER (WHERE state = 'lost') AS lost,
            count(*) FILTER (WHERE state = 'recycled') AS recycled,
            count(*) FILTER (WHERE state = 'disqualified') AS disqualified,
            coalesce(sum(amount_cents) FILTER (WHERE state = 'won'), 0) AS won_cents,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY to_message) AS notify_median,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY to_message) AS notify_p90,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY to_touch) AS touch_median,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY to_touch) AS touch_p90,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY to_answer) AS response_median,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY to_answer) AS response_p90,
            CAST(avg(CASE WHEN to_touch <= 60 THEN 1 ELSE 0 END) FILTER (WHERE is_asked)
                AS double precision)
                AS within_1_minute,
            CAST(avg(CASE WHEN to_touch <= 300 THEN 1 ELSE 0 END) FILTER (WHERE is_asked)
                AS double precision)
                AS within_5_minutes,
            CAST(avg(CASE WHEN to_touch <= 3600 THEN 1 ELSE 0 END) FILTER (WHERE is_asked)
                AS double precision)
                AS within_60_minutes
        FROM facts
    )
    SELECT * FROM leads CROSS JOIN passed
    """
)
