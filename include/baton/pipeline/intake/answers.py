"""Progressive profiling between ledger and facts: what a lead said earlier, and what is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from baton.decision.canonical import fact_from_json, fact_to_json
from baton.leads.profile import Answer
from baton.ledger.leads import answers
from baton.policy.models import Policy


def earlier_answers(
    conn: Connection, policy: Policy, hubspot_ids: Iterable[str]
) -> dict[str, tuple[Answer, ...]]:
    """Return what these contacts answered earlier, by HubSpot id."""
    if not policy.profile.keep:
        return {}
    return {
        key: tuple(
            Answer(label, fact_from_json(value), said_at, said_in)
            for label, value, said_at, said_in in rows
        )
        for key, rows in answers.of_contacts(conn, hubspot_ids).items()
    }


def keep_answers(conn: Connection, policy: Policy, news: Mapping[int, Sequence[Answer]]) -> None:
    """Store new answers by lead id; personal ones go where they can be forgotten."""
    personal = frozenset(label for label, field in policy.fields.items() if field.personal)
    answers.record(
        conn,
        {
            lead_id: [
                (one.label, fact_to_json(one.value), one.said_at, one.said_in) for one in told
            ]
            for lead_id, told in news.items()
            if told
        },
        personal,
    )
