"""Looks up the names of a query in the schema, and reads the columns they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.schema import Field, SObject
from crm_sandbox.salesforce.soql.syntax import Path, Query, located, malformed
from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.table import Row

MAX_HOPS = 5
Read = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A field that a path leads to.

    `parents` are the relationship names on the way, spelt as in the schema; `read` gives the
    value for a row of the query's object, None when a parent is missing.
    """

    field: Field
    parents: tuple[str, ...]
    read: Read


class Binder:
    """Looks names up for one query over one object."""

    def __init__(self, store: Store, sobject: SObject, query: Query) -> None:
        """`query` gives the alias and the text that errors quote."""
        self._store = store
        self._query = query
        self.sobject = sobject

    def column(self, path: Path) -> Column:
        """The column of a path. Raises OrgFault INVALID_FIELD when there is none."""
        parts = self._without_alias(path.parts)
        if len(parts) - 1 > MAX_HOPS:
            raise malformed(f"the path {path} goes over more than {MAX_HOPS} relationships")
        sobject, parents, hops = self.sobject, [], []
        for name in parts[:-1]:
            reference = sobject.parent(name)
            if reference is None:
                raise self._no_relationship(path, name)
            parents.append(str(reference.relationship))
            hops.append(reference.name)
            sobject = self._target(reference)
        field = sobject.field(parts[-1])
        if field is None:
            raise self._no_column(path, parts[-1], sobject)
        return Column(field, tuple(parents), self._reader(hops, field, sobject))

    def searchable(self, path: Path) -> Column:
        """The column of a path in WHERE. Raises OrgFault when it cannot be filtered."""
        return self._checked(path, "filtered", lambda field: field.searchable)

    def sortable(self, path: Path) -> Column:
        """The column of a path in ORDER BY. Raises OrgFault when it cannot be sorted."""
        return self._checked(path, "sorted", lambda field: not field.long_text)

    def groupable(self, path: Path) -> Column:
        """The column of a path in GROUP BY. Raises OrgFault when it cannot be grouped."""
        return self._checked(path, "grouped", lambda field: not field.long_text)

    def fault(self, path: Path, message: str, code: str = "INVALID_FIELD") -> OrgFault:
        """An error at the place of the path."""
        return located(self._query.text, path.position, message, code)

    def _checked(self, path: Path, verb: str, allowed: Callable[[Field], bool]) -> Column:
        column = self.column(path)
        if not allowed(column.field):
            raise self.fault(path, f"field '{path}' can not be {verb} in a query call")
        return column

    def _without_alias(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        prefixes = {self._query.source.lower(), (self._query.alias or "").lower()}
        if len(parts) > 1 and parts[0].lower() in prefixes and not self.sobject.parent(parts[0]):
            return parts[1:]
        return parts

    def _target(self, reference: Field) -> SObject:
        name = reference.references[0] if len(reference.references) == 1 else "Name"
        found = self._store.schema.get(name)
        if found is None:
            raise malformed(f"the relationship {reference.relationship} leads nowhere")
        return found

    def _reader(self, hops: list[str], field: Field, sobject: SObject) -> Read:
        if not hops:
            return itemgetter(field.name)
        store, name = self._store, field.name
        kind = sobject.name == "Name" and name == "Type"

        def read(row: Row) -> Any:
            current: Row | None = row
            for hop in hops:
                current = store.by_id(current.get(hop)) if current is not None else None
            if current is None:
                return None
            return store.kind_of(current) if kind else current.get(name)

        return read

    def _no_relationship(self, path: Path, name: str) -> OrgFault:
        return self.fault(
            path,
            f"Didn't understand relationship '{name}' in field path. If you are attempting to "
            "use a custom relationship, be sure to append the '__r' after the custom "
            "relationship name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        )

    def _no_column(self, path: Path, name: str, sobject: SObject) -> OrgFault:
        return self.fault(
            path,
            f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use "
            "a custom field, be sure to append the '__c' after the custom field name. Please "
            "reference your WSDL or the describe call for the appropriate names.",
        )
