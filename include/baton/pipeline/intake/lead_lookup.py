"""Finding a lead by whatever a person has at hand: a HubSpot id, an e-mail, a handoff, a record."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from sqlalchemy import Connection

from baton.errors import ConfigurationError
from baton.ledger.handoffs import handoffs
from baton.ledger.leads import leads, persons

_HANDOFF = re.compile(r"H\d+-\d+", re.IGNORECASE)
_RECORD = re.compile(r"00[Q3][0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?")
_SHORT_ID = 15
_WAYS = "give a HubSpot id, an e-mail, a handoff (H12-1), or the id of a Salesforce lead or contact"


@dataclass(frozen=True, slots=True)
class Found:
    """A lead of the ledger, and the decision of the handoff where one was named."""

    lead_id: int
    hubspot_id: str
    decision_id: int | None = None


def find_lead(conn: Connection, text: str) -> Found:
    """Return the lead that `text` names.

    Raises ConfigurationError with what can be typed and with ids that are nearly the same; an
    e-mail is never repeated, because messages end up in logs.
    """
    wanted = text.strip()
    if "@" in wanted:
        return _by_mail(conn, wanted)
    if _HANDOFF.fullmatch(wanted):
        return _by_handoff(conn, wanted.upper())
    if _RECORD.fullmatch(wanted):
        return _by_record(conn, wanted)
    row = leads.by_hubspot_ids(conn, [wanted]).get(wanted)
    if row is None:
        raise ConfigurationError(f"there is no lead '{wanted}'{_near(conn, wanted)}; {_WAYS}")
    return Found(row.id, row.hubspot_id)


def _by_mail(conn: Connection, address: str) -> Found:
    ids = persons.lead_ids_by_mail(conn, address)
    if not ids:
        raise ConfigurationError(
            "no lead has this e-mail address (it may have been erased or merged, or have changed "
            f"in HubSpot since); {_WAYS}"
        )
    found = [row for one in ids if (row := leads.get(conn, one)) is not None]
    if len(found) > 1:
        listed = ", ".join(row.hubspot_id for row in found)
        raise ConfigurationError(f"several leads have this e-mail address: {listed}; give one id")
    return Found(found[0].id, found[0].hubspot_id)


def _by_handoff(conn: Connection, key: str) -> Found:
    handoff = handoffs.by_keys(conn, [key]).get(key)
    if handoff is None:
        lead_id = int(key[1:].partition("-")[0])
        others = handoffs.of_leads(conn, [lead_id]).get(lead_id, [])
        listed = ", ".join(one.key for one in others)
        near = f"; that lead has {listed}" if listed else ""
        raise ConfigurationError(f"there is no handoff {key}{near}; {_WAYS}")
    lead = leads.get(conn, handoff.lead_id)
    if lead is None:
        raise ConfigurationError(f"the lead of handoff {key} is not in the ledger")
    return Found(lead.id, lead.hubspot_id, handoff.decision_id)


def _by_record(conn: Connection, record: str) -> Found:
    """Find by a Salesforce id of 15 or 18 characters; the first 15 name the record."""
    ids = leads.salesforce_ids_like(conn, record[:_SHORT_ID])
    found = next(iter(leads.by_salesforce_ids(conn, ids).values()), None)
    if found is None:
        raise ConfigurationError(f"no lead has the Salesforce record {record}; {_WAYS}")
    return Found(found.id, found.hubspot_id)


def _near(conn: Connection, wanted: str) -> str:
    """Return ids that are nearly the same, in words."""
    if not wanted or not wanted.isalnum():
        return ""
    candidates = leads.hubspot_ids_like(conn, wanted[: max(1, len(wanted) - 2)])
    close = difflib.get_close_matches(wanted, candidates, n=5, cutoff=0.7)
    return f"; there is {', '.join(close)}" if close else ""
