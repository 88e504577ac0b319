"""Reading a window of changed contacts by keyset on the record id.

Why by id: paging by offset loses rows that are modified during the scan (they leave the window and
shift others onto pages already read), and paging by time never ends when more contacts than a
query may return share one timestamp, which HubSpot's own month-end jobs bring about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from baton.crm.hubspot.rows import Changed, ChangesRead, instant, milliseconds
from baton.errors import InvariantError

PAGE = 200
_FLOOR = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
"""A search from the very epoch makes HubSpot fail."""

Search = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def read_window(
    search: Search,
    *,
    since: datetime,
    until: datetime,
    by: str = "lastmodifieddate",
    after_id: str = "0",
    limit_pages: int | None = None,
    thorough: bool = False,
) -> ChangesRead:
    """Read the contacts whose instant `by` lies within [since, until], up to whole milliseconds.

    See HubSpotGateway.read_changes.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise InvariantError("a window of changes needs aware instants")
    since = max(since, _FLOOR)
    rows: list[Changed] = []
    if until < since:
        return ChangesRead(())
    last, pages = int(after_id), 0
    while limit_pages is None or pages < limit_pages:
        answer = search(_query(since, until, last, by))
        pages += 1
        results = answer.get("results") or ()
        rows += _within(results, until, by)
        highest = max((int(raw["id"]) for raw in results), default=last)
        if highest <= last:
            return ChangesRead(tuple(rows))
        last = highest
        if not thorough and len(results) < PAGE and int(answer.get("total") or 0) <= len(results):
            return ChangesRead(tuple(rows))
    return ChangesRead(tuple(rows), next_id=str(last))


def _query(since: datetime, until: datetime, last: int, by: str) -> dict[str, Any]:
    return {
        "filterGroups": [
            {
                "filters": [
                    {
                        "propertyName": by,
                        "operator": "BETWEEN",
                        "value": str(milliseconds(since)),
                        "highValue": str(milliseconds(until)),
                    },
                    {"propertyName": "hs_object_id", "operator": "GT", "value": str(last)},
                ]
            }
        ],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": [by],
        "limit": PAGE,
    }


def _within(results: Any, until: datetime, by: str) -> list[Changed]:
    rows = []
    for raw in results:
        text = (raw.get("properties") or {}).get(by) or raw.get("updatedAt")
        modified = instant(text) or until
        if modified <= until:
            rows.append(Changed(str(raw["id"]), modified))
    return rows
