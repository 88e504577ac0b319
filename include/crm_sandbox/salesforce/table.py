"""The rows of one object, with their indexes.

A row is never changed in place: each change stores a new dict. A row that was handed out, a
query's cursor or an undo entry therefore keeps showing what it showed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from crm_sandbox.salesforce.ids import make_id
from crm_sandbox.salesforce.schema import Field, FieldType, SObject

Row = dict[str, Any]


def index_key(field: Field, value: Any) -> Any:
    """What an index compares: text without case unless the field is case-sensitive."""
    if isinstance(value, str) and not field.case_sensitive and not field.is_id:
        return value.casefold()
    return value


class Table:
    """Rows by id, deleted ones included, in the order in which they were made."""

    def __init__(self, sobject: SObject) -> None:
        """Start empty, with an index for each field that the schema marks as indexed."""
        self.sobject = sobject
        self._rows: dict[str, Row] = {}
        self._made = 0
        self._indexed = {
            one.name: one
            for one in sobject.fields.values()
            if one.indexed and one.type is not FieldType.ID
        }
        self.stamp_field = "SystemModstamp" if "SystemModstamp" in sobject.fields else "CreatedDate"
        self._stamps: list[tuple[datetime, str]] = []
        self._index: dict[str, dict[Any, dict[str, None]]] = {name: {} for name in self._indexed}

    def __len__(self) -> int:
        """How many rows there are, deleted ones included."""
        return len(self._rows)

    def next_id(self) -> str:
        """A new id; never given twice, even when the insert is rolled back."""
        self._made += 1
        return make_id(self.sobject.prefix, self._made)

    def get(self, record_id: str) -> Row | None:
        """The row of that 18-character id, deleted or not."""
        return self._rows.get(record_id)

    def rows(self) -> Iterator[Row]:
        """Every row; the table may change while this runs."""
        return iter(list(self._rows.values()))

    def is_indexed(self, name: str) -> bool:
        """True when `matches` can answer for this field."""
        return name == "Id" or name in self._indexed

    def matches(self, name: str, values: Iterable[Any]) -> dict[str, None]:
        """The ids of the rows whose indexed field equals one of the values, ordered."""
        if name == "Id":
            return {one: None for one in values if one in self._rows}
        field, index = self._indexed[name], self._index[name]
        found: dict[str, None] = {}
        for value in values:
            found.update(index.get(index_key(field, value), {}))
        return found

    def since(self, at: datetime) -> dict[str, None] | None:
        """Ids among which are all rows stamped at or after `at`; None when that is most rows."""
        start = bisect_left(self._stamps, (at, ""))
        if (len(self._stamps) - start) * 2 > len(self._rows):
            return None
        return {record_id: None for _, record_id in self._stamps[start:]}

    def put(self, record_id: str, row: Row | None) -> Row | None:
        """Store a row, or remove it (None); returns what was there before."""
        before = self._rows.get(record_id)
        for name, field in self._indexed.items():
            old = None if before is None else before.get(name)
            new = None if row is None else row.get(name)
            if old != new:
                self._move(self._index[name], field, record_id, (old, new))
        if row is None:
            self._rows.pop(record_id, None)
        else:
            self._rows[record_id] = row
            self._note_stamp(before, row)
        return before

    def _note_stamp(self, before: Row | None, row: Row) -> None:
        stamp = row.get(self.stamp_field)
        if stamp is not None and (before is None or before.get(self.stamp_field) != stamp):
            # Outdated entries stay: readers compare the row itself.
            insort(self._stamps, (stamp, row["Id"]))

    @staticmethod
    def _move(
        index: dict[Any, dict[str, None]], field: Field, record_id: str, change: tuple[Any, Any]
    ) -> None:
        old, new = change
        if old is not None:
            key = index_key(field, old)
            index[key].pop(record_id, None)
            if not index[key]:
                del index[key]
        if new is not None:
            index.setdefault(index_key(field, new), {})[record_id] = None
