"""Writing records by collections of 200, and learning the fate of each.

Results come in the order of the request; a result list of another length is an answer that cannot
be trusted. The same key twice in one request is refused by Salesforce, so doubles are joined first.
Records go in the order of what Salesforce locks for them, which is the same for every worker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from baton.crm.results import WriteResult, write_in_batches
from baton.crm.salesforce.faults import record_error
from baton.errors import AmbiguousOutcomeError, InvariantError

COLLECTION = 200
_NAME = re.compile(r"\w+")
_ONCE_MORE = frozenset({"DUPLICATE_VALUE", "UNABLE_TO_LOCK_ROW"})
"""Lost a race for a key, or met a lock: the second attempt usually finds the way free."""

Send = Callable[[list[dict[str, Any]]], Any]


def write_collection(
    conn_id: str,
    sobject: str,
    key_field: str,
    records: Sequence[Mapping[str, Any]],
    send: Send,
) -> dict[str, WriteResult]:
    """Send `records` by collections and return a result for each value of `key_field`."""
    if not (_NAME.fullmatch(sobject) and _NAME.fullmatch(key_field)):
        raise InvariantError("object and field names must be plain API names")
    joined: dict[str, dict[str, Any]] = {}
    for record in records:
        key = record.get(key_field)
        if not key:
            raise InvariantError(f"a {sobject} record to write has no {key_field}")
        joined.setdefault(str(key), {}).update(record)
    ordered = sorted(joined.items(), key=lambda pair: (_parent(pair[1]), pair[0]))
    rows = [{"attributes": {"type": sobject}} | row for _, row in ordered]

    def write(batch: Sequence[dict[str, Any]]) -> dict[str, WriteResult]:
        results = _results(conn_id, key_field, batch, send(list(batch)))
        again = [row for row in batch if _worth_again(results[str(row[key_field])])]
        if again:
            results |= _results(conn_id, key_field, again, send(again))
        return results

    return write_in_batches(rows, COLLECTION, lambda row: str(row[key_field]), write)


def _parent(row: Mapping[str, Any]) -> str:
    """Return the record that Salesforce locks beside the one written.

    In this order two workers that write for the same people queue behind each other; in another,
    each would hold what the other one waits for.
    """
    return str(row.get("WhoId") or row.get("AccountId") or "")


def _worth_again(result: WriteResult) -> bool:
    return getattr(result.error, "code", None) in _ONCE_MORE


def _results(
    conn_id: str, key_field: str, batch: Sequence[Mapping[str, Any]], answer: Any
) -> dict[str, WriteResult]:
    if not isinstance(answer, list) or len(answer) != len(batch):
        raise AmbiguousOutcomeError(
            conn_id, f"{len(batch)} records were sent, another number was answered"
        )
    results = {}
    for index, row in enumerate(batch):
        key, raw = str(row[key_field]), answer[index]
        if raw.get("success"):
            results[key] = WriteResult(
                key, ok=True, id=raw.get("id"), created=bool(raw.get("created", False))
            )
        else:
            error = record_error(raw.get("errors") or (), conn_id)
            results[key] = WriteResult(key, ok=False, id=raw.get("id"), error=error)
    return results
