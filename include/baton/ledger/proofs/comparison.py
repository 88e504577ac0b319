"""What the ledger holds of leads and handoffs, in the form in which the CRMs are compared with it."""

# Queries are put together from constants of this package, never from values.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, one_of

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything that is compared."""
_UNSETTLED = ("pending", "waiting", "leased", "ambiguous")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLead:
    """A lead with what HubSpot should show of it.

    `write_back` is the state of its newest write-back; None: nothing was ever to be written.
    `last_cause`: why it came into its present state.
    """

    id: int
    hubspot_id: str
    state: str
    merged_into: int | None
    last_modified_seen: datetime | None
    last_cause: str | None
    write_back: str | None
    band: str | None
    score_milli: int | None
    owner: str | None
    handoff: str | None
    handoff_state: str | None
    disposition: str | None

    @property
    def owner_key(self) -> str | None:
        """Return who owns its newest handoff."""
        return self.owner


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedHandoff:
    """An open handoff with its present hop, and what Salesforce should show of it.

    `record` and `task` are the states of the present hop's effects, None when there is none yet.
    `busy`: something of this handoff is still to be carried out, or being so. `override_to`: the
    owner whom a person gave it, as known. `refused`: the outcome given may not be given yet.
    """

    id: int
    key: str
    state: str
    lead_id: int
    hubspot_id: str
    email: str | None = field(repr=False)
    salesforce_lead_id: str | None
    salesforce_contact_id: str | None
    hop: int
    owner_kind: str
    owner_key: str
    change_owner: bool
    record: str | None
    task: str | None
    busy: bool
    override_to: str | None
    refused: bool

    @property
    def hop_key(self) -> str:
        """Return the key of its present hop, as it stands on the Salesforce record."""
        return f"{self.key}.{self.hop}"


_LEADS = """
    SELECT lead.id, lead.hubspot_id, lead.state, lead.merged_into, lead.last_modified_seen,
        last.cause AS last_cause, effect.state AS write_back, lead.band, lead.score_milli,
        newest.owner_key AS owner, newest.key AS handoff, newest.state AS handoff_state,
        newest.disposition_code AS disposition
    FROM lead
    LEFT JOIN LATERAL (
        SELECT cause FROM transition WHERE subject = 'lead' AND subject_id = lead.id
        ORDER BY id DESC LIMIT 1) last ON true
    LEFT JOIN LATERAL (
        SELECT state FROM effect WHERE effect.lead_id = lead.id AND kind = 'hubspot_state'
        ORDER BY id DESC LIMIT 1) effect ON true
    LEFT JOIN LATERAL (
        SELECT handoff.key, handoff.state, handoff.disposition_code, hop.owner_key FROM handoff
        JOIN hop ON hop.handoff_id = handoff.id WHERE handoff.lead_id = lead.id
        ORDER BY handoff.id DESC, hop.number DESC LIMIT 1) newest ON true
"""
_ORDER = "(length(lead.hubspot_id), lead.hubspot_id)"


def leads_by_hubspot_ids(conn: Connection, hubspot_ids: Iterable[str]) -> dict[str, ComparedLead]:
    """Return these leads, final ones included, by HubSpot id."""
    query = text(f"{_LEADS} WHERE lead.hubspot_id = ANY(:ids)")
    rows = conn.execute(query, {"ids": list(hubspot_ids)})
    return {row.hubspot_id: ComparedLead(**row._asdict()) for row in rows}


def leads_between(
    conn: Connection, after: str | None, until: str | None, *, limit: int
) -> list[ComparedLead]:
    """Return leads that are not final whose HubSpot id lies in (after, until], in its order.

    HubSpot ids are numbers written as text: a shorter one comes first. None: no bound.
    """
    query = text(
        f"{_LEADS} WHERE lead.state NOT IN ('merged', 'erased')"
        f" AND (:after = '' OR {_ORDER} > (length(:after), :after))"
        f" AND (:until = '' OR {_ORDER} <= (length(:until), :until))"
        " ORDER BY length(lead.hubspot_id), lead.hubspot_id LIMIT :limit"
    )
    values = {"after": after or "", "until": until or "", "limit": limit}
    return [ComparedLead(**row._asdict()) for row in conn.execute(query, values)]


def moved_since(conn: Connection, lead_ids: Iterable[int], since: datetime) -> set[int]:
    """Return those of these leads of which a handoff has moved on at or after `since`."""
    query = text(
        "SELECT DISTINCT handoff.lead_id FROM handoff JOIN transition ON subject = 'handoff'"
        " AND subject_id = handoff.id WHERE handoff.lead_id = ANY(:ids) AND transition.at >= :since"
    )
    return set(conn.scalars(query, {"ids": list(lead_ids), "since": since}))


_HANDOFFS = f"""
    SELECT handoff.id, handoff.key, handoff.state, lead.id AS lead_id, lead.hubspot_id,
        person.email, lead.salesforce_lead_id, lead.salesforce_contact_id, hop.number AS hop,
        hop.owner_kind, hop.owner_key, hop.change_owner,
        (SELECT state FROM effect WHERE effect.handoff_id = handoff.id AND effect.hop = hop.number
            AND kind = 'salesforce_record' ORDER BY id LIMIT 1) AS record,
        (SELECT state FROM effect WHERE effect.handoff_id = handoff.id AND effect.hop = hop.number
            AND kind = 'salesforce_task' ORDER BY id LIMIT 1) AS task,
        EXISTS (SELECT 1 FROM effect WHERE effect.handoff_id = handoff.id
            AND {one_of("effect.state", _UNSETTLED)}) AS busy,
        (SELECT theirs FROM human_override WHERE human_override.handoff_id = handoff.id
            AND field = 'owner' ORDER BY id DESC LIMIT 1) AS override_to,
        EXISTS (SELECT 1 FROM refused_disposition WHERE handoff_id = handoff.id
            AND settled_at IS NULL) AS refused
    FROM handoff
    JOIN lead ON lead.id = handoff.lead_id
    LEFT JOIN person ON person.lead_id = lead.id
    JOIN LATERAL (SELECT * FROM hop WHERE hop.handoff_id = handoff.id
        ORDER BY number DESC LIMIT 1) hop ON true
    WHERE {one_of("handoff.state", OPEN_HANDOFF_STATES)}
"""  # fmt: skip


def open_handoffs_after(conn: Connection, after: int, *, limit: int) -> list[ComparedHandoff]:
    """Return open handoffs with a higher id, in the order of their ids."""
    query = text(f"{_HANDOFFS} AND handoff.id > :after ORDER BY handoff.id LIMIT :limit")
    return _handoffs(conn.execute(query, {"after": after, "limit": limit}))


def open_handoffs_of(conn: Connection, lead_ids: Iterable[int]) -> list[ComparedHandoff]:
    """Return the open handoffs of these leads."""
    query = text(f"{_HANDOFFS} AND handoff.lead_id = ANY(:ids) ORDER BY handoff.id")
    return _handoffs(conn.execute(query, {"ids": list(lead_ids)}))


def handoffs_again(conn: Connection, ids: Sequence[int]) -> Mapping[int, ComparedHandoff]:
    """Return those of these handoffs that are still open, by id."""
    query = text(f"{_HANDOFFS} AND handoff.id = ANY(:ids)")
    return {one.id: one for one in _handoffs(conn.execute(query, {"ids": list(ids)}))}


def _handoffs(rows: Iterable[Any]) -> list[ComparedHandoff]:
    return [ComparedHandoff(**row._asdict()) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A handoff's key: how many hops it has had, and whose it is.

    `lead_ids` are its lead and those that this one went into, by whatever merges; `records` are the
    Salesforce records that the ledger holds for them.
    """

    key: str
    hops: int
    lead_ids: frozenset[int]
    records: frozenset[str]

    def is_of(self, lines: Iterable[int]) -> bool:
        """Tell whether the handoff is a lead's own, whose line of merges (`merge_lines`) this is."""
        return not self.lead_ids.isdisjoint(lines)


# Two of a line are one person once each, so that even a ring of merges comes to an end.
_LINE = """
    WITH RECURSIVE line (start, id) AS (
        {starts}
        UNION
        SELECT line.start, lead.merged_into FROM line JOIN lead ON lead.id = line.id
        WHERE lead.merged_into IS NOT NULL)
"""


def merge_lines(conn: Connection, lead_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """Return each of these leads with those that it went into, one merge after the other, by id.

    `merged_into` names the lead of the first merge, as HubSpot told it; that one may have gone on.
    """
    starts = "SELECT id, id FROM lead WHERE id = ANY(:ids)"
    query = text(
        f"{_LINE.format(starts=starts)} SELECT start, array_agg(id) AS ids FROM line GROUP BY start"
    )
    rows = conn.execute(query, {"ids": list(lead_ids)})
    return {row.start: frozenset(row.ids) for row in rows}


def known_keys(conn: Connection, keys: Iterable[str]) -> dict[str, KnownKey]:
    """Return those of these handoffs' keys that the ledger holds, by key."""
    starts = "SELECT DISTINCT lead_id, lead_id FROM handoff WHERE key = ANY(:keys)"
    query = text(
        f"""
        {_LINE.format(starts=starts)}
        SELECT handoff.key, array_agg(lead.id) AS lead_ids,
            (SELECT max(number) FROM hop WHERE hop.handoff_id = handoff.id) AS hops,
            array_remove(array_agg(lead.salesforce_lead_id)
                || array_agg(lead.salesforce_contact_id), NULL) AS records
        FROM handoff JOIN line ON line.start = handoff.lead_id JOIN lead ON lead.id = line.id
        WHERE handoff.key = ANY(:keys)
        GROUP BY handoff.id, handoff.key
        """
    )
    return {
        row.key: KnownKey(
            key=row.key,
            hops=row.hops or 0,
            lead_ids=frozenset(row.lead_ids),
            records=frozenset(row.records),
        )
        for row in conn.execute(query, {"keys": list(keys)})
    }
