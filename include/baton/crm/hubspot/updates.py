"""Writing a batch of contacts and learning the fate of each.

HubSpot answers a batch in one of four ways: all done (200); some done, some refused (207); the
whole batch refused because of one record (400); done, but with records silently left out, which
happens to contacts that were merged away. Each record ends with exactly one result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from baton.crm.hubspot.faults import BadRequestError, NotFoundError, record_error
from baton.crm.hubspot.rows import ContactUpdate
from baton.crm.results import WriteResult
from baton.errors import RecordError, RejectedRecordError

BATCH = 100


class ContactWrites(Protocol):
    """The two calls that write contacts."""

    def batch(self, inputs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Update many contacts."""
        ...

    def single(self, contact_id: str, properties: Mapping[str, str]) -> Mapping[str, Any]:
        """Update one contact; resolves the id of one that was merged away."""
        ...


def update_batch(
    writes: ContactWrites, updates: Sequence[ContactUpdate], *, conn_id: str = "hubspot_default"
) -> dict[str, WriteResult]:
    """Write at most 100 contacts and return a result for each, by the id given."""
    try:
        answer = writes.batch([_input(update) for update in updates])
    except BadRequestError as error:
        return _halves(writes, updates, error, conn_id)
    results: dict[str, WriteResult] = {}
    for raw in answer.get("results") or ():
        done = str(raw["id"])
        results[done] = WriteResult(done, ok=True, id=done, created=False)
    refused = _refused(answer, conn_id)
    for update in updates:
        if update.id in results:
            continue
        if update.id in refused:
            results[update.id] = WriteResult(update.id, ok=False, error=refused[update.id])
        else:
            results[update.id] = _alone(writes, update)
    wanted = {update.id for update in updates}
    return {key: result for key, result in results.items() if key in wanted}


def _input(update: ContactUpdate) -> dict[str, Any]:
    # Without a trace id HubSpot refuses the whole batch for one bad record.
    return {
        "id": update.id,
        "objectWriteTraceId": update.id,
        "properties": dict(update.properties),
    }


def _halves(
    writes: ContactWrites,
    updates: Sequence[ContactUpdate],
    error: BadRequestError,
    conn_id: str,
) -> dict[str, WriteResult]:
    """Find the records that make HubSpot refuse a batch by cutting it in two."""
    if len(updates) == 1:
        only = updates[0]
        return {only.id: WriteResult(only.id, ok=False, error=error.record)}
    middle = len(updates) // 2
    first = update_batch(writes, updates[:middle], conn_id=conn_id)
    return first | update_batch(writes, updates[middle:], conn_id=conn_id)


def _alone(writes: ContactWrites, update: ContactUpdate) -> WriteResult:
    """Write a contact that the batch left out: under a single call an old id still resolves."""
    try:
        raw = writes.single(update.id, update.properties)
    except NotFoundError:
        gone = RejectedRecordError("OBJECT_NOT_FOUND", f"contact {update.id} does not exist")
        return WriteResult(update.id, ok=False, error=gone)
    except BadRequestError as error:
        return WriteResult(update.id, ok=False, error=error.record)
    return WriteResult(update.id, ok=True, id=str(raw["id"]), created=False)


def _refused(answer: Mapping[str, Any], conn_id: str) -> dict[str, RecordError]:
    refused: dict[str, RecordError] = {}
    for raw in answer.get("errors") or ():
        context = raw.get("context") or {}
        ids = (*(context.get("objectWriteTraceId") or ()), *(context.get("ids") or ()))
        if raw.get("category") == "OBJECT_NOT_FOUND":
            continue  # may have been merged away: tried alone
        for one in ids:
            refused[str(one)] = record_error(raw, conn_id)
    return refused
