"""All tables of an org, and the undo log that makes several changes one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crm_sandbox.salesforce.errors import no_such_object
from crm_sandbox.salesforce.schema import FieldType, Schema, SObject
from crm_sandbox.salesforce.table import Row, Table, index_key


class Store:
    """Rows of every object. Knows nothing of Salesforce's rules."""

    def __init__(self, schema: Schema) -> None:
        """One empty table for each object of the schema."""
        self.schema = schema
        self._tables = {one.name: Table(one) for one in schema}
        self._undo: list[tuple[Table, str, Row | None]] | None = None

    def sobject(self, name: str) -> SObject:
        """The object of that name. Raises OrgFault NOT_FOUND."""
        found = self.schema.get(name)
        if found is None or not found.prefix:
            raise no_such_object(name)
        return found

    def table(self, name: str) -> Table:
        """The table of that object, named as the schema spells it."""
        return self._tables[name]

    def put(self, name: str, record_id: str, row: Row | None) -> None:
        """Store a row, or remove it (None)."""
        table = self._tables[name]
        before = table.put(record_id, row)
        if self._undo is not None:
            self._undo.append((table, record_id, before))

    def by_id(self, record_id: str | None) -> Row | None:
        """The row of an id of any object, deleted ones included."""
        sobject = self.schema.by_id(record_id) if record_id else None
        if sobject is None or record_id is None:
            return None
        return self._tables[sobject.name].get(record_id)

    def kind_of(self, row: Row) -> str:
        """What `Owner.Type` or `Who.Type` says of a record: its object, or Queue."""
        sobject = self.schema.by_id(row["Id"])
        if sobject is None or (sobject.name == "Group" and row["Type"] == "Queue"):
            return "Queue"
        return sobject.name

    def equal(self, sobject: SObject, name: str, value: object) -> Iterator[Row]:
        """Live rows whose field equals the value (text without case unless case-sensitive)."""
        field = sobject.fields[name]
        table = self._tables[sobject.name]
        if value is not None and table.is_indexed(name):
            rows = [table.get(one) for one in table.matches(name, [value])]
        else:
            key = index_key(field, value)
            rows = [row for row in table.rows() if index_key(field, row[name]) == key]
        return (row for row in rows if row is not None and not row.get("IsDeleted"))

    def blank(self, sobject: SObject) -> Row:
        """A row with every field at its default."""
        return {
            one.name: False if one.type is FieldType.BOOLEAN and one.default is None
            else one.default
            for one in sobject.fields.values()
        }  # fmt: skip

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside are undone when an exception leaves the block. May be nested."""
        outermost = self._undo is None
        log = self._undo = [] if self._undo is None else self._undo
        mark = len(log)
        try:
            yield
        except BaseException:
            while len(log) > mark:
                table, record_id, before = log.pop()
                table.put(record_id, before)
            raise
        finally:
            if outermost:
                self._undo = None
