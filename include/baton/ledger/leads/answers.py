"""Answers that leads gave over time: public ones in `lead_answer`, personal ones in `person`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, text

from baton.ledger.database.bulk import insert_rows
from baton.ledger.database.json_text import json_text
from baton.ledger.tables.around_leads import lead_answer
from baton.ledger.tables.columns import among
from baton.ledger.tables.leads import lead, person

Row = tuple[str, Any, datetime, str]
"""(label, value as JSON, said at, said in)."""


def of_contacts(conn: Connection, hubspot_ids: Iterable[str]) -> dict[str, list[Row]]:
    """Return the answers of these contacts by HubSpot id, personal ones too."""
    found: dict[str, list[Row]] = {}
    wanted = among(lead.c.hubspot_id, hubspot_ids)
    public = (
        select(lead.c.hubspot_id, lead_answer)
        .join(lead, lead.c.id == lead_answer.c.lead_id)
        .where(wanted)
    )
    for row in conn.execute(public):
        found.setdefault(row.hubspot_id, []).append(
            (row.label, row.value, row.said_at, row.said_in)
        )
    private = (
        select(lead.c.hubspot_id, person.c.profile)
        .join(person, person.c.lead_id == lead.c.id)
        .where(wanted, person.c.profile != text("'{}'::jsonb"))
    )
    for row in conn.execute(private):
        found.setdefault(row.hubspot_id, []).extend(_told(row.profile))
    return found


def record(conn: Connection, news: Mapping[int, Sequence[Row]], personal: frozenset[str]) -> None:
    """Add answers by lead id; those to `personal` labels go into the person table."""
    insert_rows(
        conn,
        lead_answer,
        [
            {
                "lead_id": lead_id,
                "label": label,
                "said_at": said_at,
                "said_in": said_in,
                "value": value,
            }
            for lead_id, rows in sorted(news.items())
            for label, value, said_at, said_in in rows
            if label not in personal
        ],
        on_conflict="DO NOTHING",
    )
    for lead_id, rows in sorted(news.items()):
        private = [row for row in rows if row[0] in personal]
        if private:
            _add_private(conn, lead_id, private)


def inherit(conn: Connection, winner_id: int, loser_ids: Sequence[int]) -> None:
    """Give the answers of leads that were merged away to the one that is kept."""
    conn.execute(
        text(
            "INSERT INTO lead_answer (lead_id, label, said_at, said_in, value)"
            " SELECT :winner, label, said_at, said_in, value FROM lead_answer"
            " WHERE lead_id = ANY(:losers) ORDER BY lead_id ON CONFLICT DO NOTHING"
        ),
        {"winner": winner_id, "losers": list(loser_ids)},
    )
    conn.execute(
        text("DELETE FROM lead_answer WHERE lead_id = ANY(:losers)"), {"losers": list(loser_ids)}
    )
    profiles = conn.execute(
        select(person.c.profile)
        .where(among(person.c.lead_id, loser_ids))
        .order_by(person.c.lead_id)
    ).scalars()
    private = [row for profile in profiles for row in _told(profile)]
    if private:
        _add_private(conn, winner_id, private)


def _add_private(conn: Connection, lead_id: int, rows: Sequence[Row]) -> None:
    query = (
        select(person.c.profile)
        .where(person.c.lead_id == lead_id, person.c.erased_at.is_(None))
        .with_for_update()
    )
    held: Mapping[str, Any] | None = conn.execute(query).scalar_one_or_none()
    if held is None:
        return
    profile = {label: list(told) for label, told in held.items()}
    for label, value, said_at, said_in in rows:
        told = profile.setdefault(label, [])
        stamp = said_at.astimezone(UTC).isoformat()
        if all(one["said_at"] != stamp for one in told):
            told.append({"value": value, "said_at": stamp, "said_in": said_in})
    conn.execute(
        text("UPDATE person SET profile = CAST(:profile AS jsonb) WHERE lead_id = :lead"),
        {"profile": json_text(profile), "lead": lead_id},
    )


def _told(profile: Mapping[str, Any]) -> list[Row]:
    return [
        (label, one["value"], datetime.fromisoformat(one["said_at"]), one["said_in"])
        for label, told in profile.items()
        for one in told
    ]
