"""A ledger as it looks after years: many handoffs, made by the server itself in one go.

Two years of handoffs, the newest just now; two in a hundred are open. Names and companies are
numbered. Every tenth lead more waits or stays with marketing. Whole decisions, as the shipped policy
makes them, stand behind the newest 20,000; older ones have a short one, so that a million fits on
a laptop's disk. The trail (effects, attempts, transitions, touches, answers) is that of the newest
tenth.
"""

# The statements are put together from constants.
from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from baton.decision.decide import decide
from baton.decision.inputs import gather
from baton.leads.enrichment import enrich
from baton.leads.facts import read_facts
from baton.ledger.database.engine import ledger_engine, transaction
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.loader import parse_policy, read_bundle, read_roster
from baton.routing.book import PoolBook

SHIPPED = Path(__file__).resolve().parents[1] / "include" / "policy"
SPAN = timedelta(days=730)
WHOLE = 20_000
_TEMPLATES = 40


def fill(url: str, count: int, now: datetime) -> float:
    """Fill an empty, migrated ledger with `count` handoffs. Return the seconds it took."""
    began = time.perf_counter()
    engine = ledger_engine(url)
    try:
        with transaction(engine) as conn:
            bundle, roster = read_bundle(SHIPPED), read_roster(SHIPPED / "roster.yaml")
            activate_policy(conn, bundle, by="benchmark", at=now - SPAN, parent=None)
            adopt_roster(conn, roster, by="benchmark", at=now - SPAN)
            _fill(conn, count, now, {"policy": bundle.hash, "roster": roster.hash})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))
    finally:
        engine.dispose()
    return time.perf_counter() - began


def _fill(conn: Connection, count: int, now: datetime, hashes: dict[str, str]) -> None:
    # The rows fit each other by construction; checking every reference takes most of the time.
    conn.execute(text("SET LOCAL session_replication_role = replica"))
    conn.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    indexes = _without_indexes(conn)
    values: dict[str, Any] = {
        "count": count,
        "more": max(10, count // 10),
        "now": now,
        "step": SPAN / count,
        "open": count - max(20, count // 50),
        "untouched": count - max(5, count // 500),
        "trail": count - max(20, count // 10),
        "whole": count - min(WHOLE, count // 2),
        **hashes,
    }
    _decided(conn, now)
    for statement in _STATEMENTS:
        named = {name: values[name] for name in values if f":{name}" in statement}
        conn.execute(text(statement), named)
    for definition in indexes:
        conn.exec_driver_sql(definition)


def _without_indexes(conn: Connection) -> list[str]:
    """Drop what would be kept up to date row by row, and return how to make it again."""
    rows = conn.execute(
        text(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE schemaname = 'public'"
            " AND tablename IN ('lead', 'person', 'snapshot', 'decision', 'handoff', 'hop',"
            " 'effect', 'attempt', 'transition', 'touch', 'disposition')"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"
        )
    ).all()
    for name, _definition in rows:
        conn.exec_driver_sql(f'DROP INDEX "{name}"')
    return [definition for _name, definition in rows]


def _decided(conn: Connection, now: datetime) -> None:
    """Keep some whole decisions for the newest handoffs to repeat."""
    from generated import contacts

    from baton.leads.model import LeadSnapshot

    policy = parse_policy(read_bundle(SHIPPED))
    roster = read_roster(SHIPPED / "roster.yaml")
    book, captured = PoolBook(), now - timedelta(seconds=5)

    def made() -> Any:
        for number, one in enumerate(contacts(1_000, now=now)):
            snapshot = LeadSnapshot(str(number), now, now, captured, one)
            facts = enrich(read_facts(snapshot, policy).facts, snapshot, policy).facts
            inputs = gather(
                policy, lead_key=f"L{number}", facts=facts, captured_at=captured, decided_at=now
            )
            decision = decide(inputs, policy, roster, book)
            if decision.outcome.value == "handoff":
                yield inputs, decision

    conn.execute(
        text(
            "CREATE TEMPORARY TABLE made (place integer, inputs jsonb, inputs_hash text,"
            " result jsonb, result_hash text) ON COMMIT DROP"
        )
    )
    rows = [
        {
            "place": place,
            "inputs": json.dumps(inputs.to_json()),
            "inputs_hash": inputs.hash,
            "result": json.dumps(decision.to_json()),
            "result_hash": decision.hash,
        }
        for place, (inputs, decision) in enumerate(islice(made(), _TEMPLATES))
    ]
    conn.execute(
        text(
            "INSERT INTO made VALUES (:place, CAST(:inputs AS jsonb), :inputs_hash,"
            " CAST(:result AS jsonb), :result_hash)"
        ),
        rows,
    )


_PEOPLE = """(ARRAY['amara.okafor','luis.ferreira','dana.whitfield','jonas.keller','mira.lindner',
    'priya.raman','oskar.nyberg','hiro.tanaka','asha.menon','helena.voss','marcus.bell',
    'sofia.ricci','tom.adeyemi','ines.moreau'])[1 + n % 14] || '@relay.test'"""
_POOLS = """(ARRAY['SDR North America','SDR North America','SDR North America','SDR DACH',
    'SDR DACH','SDR UK and Nordics','SDR UK and Nordics','SDR APAC','SDR APAC',
    'AE Enterprise EMEA','AE Enterprise Americas','AE Mid-market EMEA','AE Mid-market Americas',
    NULL])[1 + n % 14]"""
_BAND = "CASE WHEN n % 10 < 3 THEN 'hot' ELSE 'warm' END"
_AT = "(CAST(:now AS timestamptz) - (CAST(:count AS bigint) - n) * CAST(:step AS interval))"
_STATE = """CASE WHEN n > :untouched THEN 'notified'
    WHEN n > :open THEN (ARRAY['accepted','working','converted'])[1 + n % 3]
    ELSE (ARRAY['won','lost','recycled','recycled','disqualified'])[1 + n % 5] END"""
_RUN = "generate_series(CAST(1 AS bigint), CAST(:count AS bigint)) AS n"
_RECENT = "generate_series(CAST(:trail AS bigint) + 1, CAST(:count AS bigint)) AS n"

_STATEMENTS = (
    f"""INSERT INTO lead (id, hubspot_id, state, state_since, timer_at, timer_action, band,
        score_milli, cycle, created_at, last_content_hash) OVERRIDING SYSTEM VALUE
    SELECT n, 'c' || n, CASE WHEN n > :open THEN 'in_handoff' ELSE 'recycled' END, {_AT},
        CASE WHEN n > :open THEN NULL ELSE CAST(:now AS timestamptz) + interval '90 days' END,
        'return', {_BAND}, 50000 + n % 50000, 1, {_AT}, 'seen' FROM {_RUN}""",
    """INSERT INTO lead (id, hubspot_id, state, state_since, timer_at, timer_action, held_for,
        created_at) OVERRIDING SYSTEM VALUE
    SELECT :count + n, 'm' || n,
        CASE WHEN n % 200 = 0 THEN 'quarantined' WHEN n % 300 = 1 THEN 'held' ELSE 'nurture' END,
        :now, CAST(:now AS timestamptz) + interval '30 days', 'nurture',
        CASE WHEN n % 200 <> 0 AND n % 300 = 1 THEN 'nobody_available' END, :now
    FROM generate_series(CAST(1 AS bigint), CAST(:more AS bigint)) AS n""",
    f"""INSERT INTO person (lead_id, email, first_name, last_name, company_name)
    SELECT n, 'p' || n || '@firm' || n % 99991 || '.test', 'First' || n % 4999, 'Last' || n % 39989,
        'Firm ' || n % 99991 FROM {_RUN}""",
    f"""INSERT INTO snapshot (lead_id, hash, modified_at, seen_at, captured_at, content)
    SELECT n, 'seen', {_AT}, {_AT}, {_AT}, '{{}}' FROM {_RUN}""",
    f"""INSERT INTO decision (id, lead_id, snapshot_hash, policy_hash, roster_hash, decided_at,
        engine_version, position, inputs, inputs_hash, result, result_hash, outcome, band,
        score_milli, rule, owner_key, reason_code) OVERRIDING SYSTEM VALUE
    SELECT n, n, 'seen', :policy, :roster, {_AT}, '1', 0,
        CASE WHEN n > :whole THEN made.inputs ELSE '{{}}' END, made.inputs_hash,
        CASE WHEN n > :whole THEN made.result ELSE '{{"outcome": "handoff"}}' END,
        made.result_hash, 'handoff', {_BAND}, 50000 + n % 50000, 'sdr-dach', {_PEOPLE}, 'band'
    FROM {_RUN} JOIN made ON made.place = n % (SELECT count(*) FROM made)""",
    f"""INSERT INTO handoff (id, key, lead_id, cycle, decision_id, state, mode, band, trigger,
        score_milli, source, segment, territory, captured_at, seen_at, decided_at,
        owner_written_at, task_written_at, notified_at, accepted_at, first_touch_at,
        first_touch_grade, disposed_at, disposition_code, closed_at, amount_cents, opportunity_at,
        outcome, company_domain) OVERRIDING SYSTEM VALUE
    SELECT n, 'H' || n || '-1', n, 1, n, {_STATE}, 'live', {_BAND},
        CASE WHEN n % 3 = 0 THEN 'demo_request' END, 50000 + n % 50000,
        (ARRAY['Organic search','Paid search','Referral','Social','Direct'])[1 + n % 5],
        (ARRAY['Enterprise','Mid-market','Small business'])[1 + n % 3],
        (ARRAY['DACH','Americas','APAC'])[1 + n % 3], {_AT} - interval '6 seconds', {_AT}, {_AT},
        {_AT} + interval '1 second', {_AT} + interval '2 seconds', {_AT} + interval '3 seconds',
        CASE WHEN n <= :untouched THEN {_AT} + interval '1 hour' END,
        CASE WHEN n <= :untouched AND n % 11 <> 0 THEN {_AT} + (n % 97) * interval '53 seconds' END,
        CASE WHEN n <= :untouched AND n % 11 <> 0 THEN 3 END,
        CASE WHEN n <= :open THEN {_AT} + interval '9 days' END,
        CASE WHEN n <= :open THEN 'bad_timing' END,
        CASE WHEN n <= :open AND n % 5 < 2 THEN {_AT} + interval '30 days' END,
        CASE WHEN n <= :open AND n % 5 = 0 THEN 1200000 END,
        CASE WHEN n % 5 < 2 THEN {_AT} + interval '12 days' END,
        CASE WHEN n <= :open AND n % 5 IN (2, 3) THEN 'recycle'
             WHEN n <= :open AND n % 5 = 4 THEN 'disqualified' END, 'firm' || n % 99991 || '.test'
    FROM {_RUN}""",
    f"""INSERT INTO hop (handoff_id, number, owner_kind, owner_key, pool, change_owner,
        assigned_at, first_touch_due)
    SELECT n, 1, CASE WHEN n % 400 = 0 THEN 'queue' ELSE 'user' END,
        CASE WHEN n % 400 = 0 THEN 'Inbound triage' ELSE {_PEOPLE} END,
        CASE WHEN n % 400 = 0 THEN NULL ELSE {_POOLS} END, n % 14 <> 13, {_AT},
        {_AT} + interval '20 minutes' FROM {_RUN}""",
    f"""INSERT INTO hop (handoff_id, number, owner_kind, owner_key, pool, change_owner, assigned_at)
    SELECT n, 2, 'user', {_PEOPLE}, NULL, true, {_AT} + interval '2 hours'
    FROM generate_series(CAST(50 AS bigint), CAST(:count AS bigint), 50) AS n""",
    f"""INSERT INTO effect (key, kind, lead_id, handoff_id, hop, generation, state, attempts,
        created_at, done_at, next_attempt_at, last_error_code)
    SELECT 'H' || n || '-1.1.' || kind, kind, n, n, 1, 1,
        CASE WHEN n % 4999 = 0 THEN 'dead' WHEN n % 3989 = 0 THEN 'ambiguous' ELSE 'done' END, 1,
        {_AT}, CASE WHEN n % 4999 <> 0 AND n % 3989 <> 0 THEN {_AT} + interval '3 seconds' END,
        NULL, CASE WHEN n % 4999 = 0 THEN 'refused' END
    FROM {_RECENT}, unnest(ARRAY['salesforce_record','salesforce_task','slack_message']) AS kind""",
    """INSERT INTO attempt (effect_id, at, outcome)
    SELECT id, created_at, CASE WHEN state = 'done' THEN 'done' ELSE 'refused' END FROM effect""",
    f"""INSERT INTO transition (subject, subject_id, before, after, at, cause, by_whom)
    SELECT subject, n, NULL, CASE subject WHEN 'lead' THEN 'in_handoff' ELSE 'planned' END, {_AT},
        'decided', 'baton' FROM {_RECENT}, unnest(ARRAY['lead','handoff']) AS subject""",
    """INSERT INTO touch (handoff_id, external_id, at, kind, grade)
    SELECT id, 't' || id, first_touch_at, 'call', 3 FROM handoff
    WHERE id > :trail AND first_touch_at IS NOT NULL""",
    """INSERT INTO disposition (handoff_id, code, outcome, at, external_id)
    SELECT id, 'bad_timing', 'recycle', disposed_at, 'd' || id FROM handoff
    WHERE id > :trail AND disposed_at IS NOT NULL""",
    *(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
        for table in ("lead", "decision", "handoff")
    ),
)
