"""Runs queries over the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.schema import Field, SObject
from crm_sandbox.salesforce.soql.binding import Binder, Column
from crm_sandbox.salesforce.soql.conditions import Compiled, ConditionCompiler
from crm_sandbox.salesforce.soql.grouping import group
from crm_sandbox.salesforce.soql.ordering import Sorting, sort_rows
from crm_sandbox.salesforce.soql.parser import parse
from crm_sandbox.salesforce.soql.shape import Children, Shape, show
from crm_sandbox.salesforce.soql.syntax import (
    Aggregate,
    Query,
    SelectChildren,
    SelectFields,
    SelectPath,
    located,
    malformed,
)
from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.table import Row, Table

_FIELDS_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Result:
    """Records still to be shown: `show(record, base)` gives each as JSON."""

    total: int
    records: Sequence[Any]
    show: Callable[[Any, str], dict[str, Any]]


class Engine:
    """Runs SOQL text; holds nothing between queries."""

    def __init__(self, store: Store) -> None:
        """Query the rows of this store."""
        self._store = store

    def run(self, text: str, *, now: datetime, include_deleted: bool = False) -> Result:
        """Parse, check and run a query. Raises OrgFault with Salesforce's code for what is wrong.

        `now` settles date literals; `include_deleted` is what `queryAll` does.
        """
        return _Run(self._store, now, include_deleted=include_deleted).result(parse(text))


class _Run:
    def __init__(self, store: Store, now: datetime, *, include_deleted: bool) -> None:
        self._store = store
        self._today = now.date()
        self._include_deleted = include_deleted

    def result(self, query: Query) -> Result:
        sobject = self._sobject(query)
        binder = Binder(self._store, sobject, query)
        table = self._store.table(sobject.name)
        if query.counted:
            rows = _cut(self._matching(query, binder, table, None), query)
            return Result(len(rows), (), _unused)
        if query.grouped:
            rows = self._matching(query, binder, table, None)
            groups = _cut(group(query, binder, rows), query)
            return Result(len(groups), groups, _as_is)
        shape = self._shape(query, binder)
        rows = self._ordered(query, binder, table, None)
        store = self._store
        return Result(len(rows), rows, lambda row, base: show(store, shape, row, base))

    def _sobject(self, query: Query) -> SObject:
        found = self._store.schema.get(query.source)
        if found is None or not found.prefix:
            raise located(
                query.text,
                query.source_position,
                f"sObject type '{query.source}' is not supported. If you are attempting to use "
                "a custom object, be sure to append the '__c' after the entity name. Please "
                "reference your WSDL or the describe call for the appropriate names.",
                "INVALID_TYPE",
            )
        return found

    # -- rows ---------------------------------------------------------------------------------

    def _compile(self, query: Query, binder: Binder, table: Table) -> Compiled | None:
        if query.where is None:
            return None
        compiler = ConditionCompiler(binder, table, today=self._today, values_of=self._values_of)
        return compiler.compile(query.where)

    def _matching(
        self, query: Query, binder: Binder, table: Table, within: Iterable[str] | None
    ) -> list[Row]:
        return self._filtered(self._compile(query, binder, table), table, within)

    def _filtered(
        self, condition: Compiled | None, table: Table, within: Iterable[str] | None
    ) -> list[Row]:
        ids: Iterable[str] | None = within
        if ids is None and condition is not None and condition.candidates is not None:
            ids = sorted(condition.candidates)
        rows = table.rows() if ids is None else map(table.get, ids)
        kept = (row for row in rows if row is not None)
        if not self._include_deleted:
            kept = (row for row in kept if not row.get("IsDeleted"))
        if condition is None:
            return list(kept)
        matches = condition.matches
        return [row for row in kept if matches(row)]

    def _ordered(
        self, query: Query, binder: Binder, table: Table, within: Iterable[str] | None
    ) -> list[Row]:
        sorting = self._sorting(query, binder)
        return _cut(sort_rows(self._matching(query, binder, table, within), sorting), query)

    @staticmethod
    def _sorting(query: Query, binder: Binder) -> list[Sorting]:
        found: list[Sorting] = []
        for one in query.order_by:
            if isinstance(one.by, Aggregate):
                raise malformed("an aggregate in ORDER BY needs a grouped query")
            column = binder.sortable(one.by)
            found.append(
                Sorting(column.read, one.descending, one.nulls_last, exact=column.field.is_id)
            )
        return found

    def _values_of(self, query: Query) -> set[Any]:
        sobject = self._sobject(query)
        binder = Binder(self._store, sobject, query)
        table = self._store.table(sobject.name)
        if len(query.select) != 1 or not isinstance(query.select[0], SelectPath):
            raise malformed("a semi join subquery must select exactly one field")
        column = binder.column(query.select[0].path)
        if not column.field.is_id:
            raise malformed("a semi join subquery must select an id or reference field")
        rows = self._ordered(query, binder, table, None)
        return {value for value in map(column.read, rows) if value is not None}

    # -- the select list ----------------------------------------------------------------------

    def _shape(self, query: Query, binder: Binder) -> Shape:
        shape = Shape()
        for item in query.select:
            if isinstance(item, SelectPath):
                self._add_path(shape, item, binder)
            elif isinstance(item, SelectFields):
                _add_fields(shape, item, query, binder.sobject)
            elif isinstance(item, SelectChildren):
                self._add_children(shape, item.query, binder)
        return shape

    def _add_path(self, shape: Shape, item: SelectPath, binder: Binder) -> None:
        if item.alias is not None:
            raise malformed("only aggregate expressions use field aliasing")
        column = binder.column(item.path)
        target = self._nested(shape, column, binder)
        if not target.add(column.field.name):
            raise binder.fault(item.path, f"duplicate field selected: {item.path}")

    def _nested(self, shape: Shape, column: Column, binder: Binder) -> Shape:
        sobject: SObject | None = binder.sobject
        for name in column.parents:
            reference = sobject.parent(name) if sobject is not None else None
            if reference is None:
                raise malformed(f"the relationship {name} leads nowhere")
            targets = reference.references
            shape = shape.parent(name, reference.name, mixed=len(targets) > 1)
            sobject = self._store.schema.get(targets[0] if len(targets) == 1 else "Name")
        return shape

    def _add_children(self, shape: Shape, query: Query, binder: Binder) -> None:
        found = self._store.schema.child(binder.sobject.name, query.source)
        if found is None:
            raise located(
                query.text,
                query.source_position,
                f"Didn't understand relationship '{query.source}' in FROM part of query call. "
                "Please reference your WSDL or the describe call for the appropriate names.",
                "INVALID_TYPE",
            )
        if query.counted or query.grouped:
            raise malformed("a child subquery cannot be grouped or counted")
        child, reference = found
        shape.add_children(str(reference.children), self._children(child, reference, query))

    def _children(self, child: SObject, reference: Field, query: Query) -> Children:
        inner = Binder(self._store, child, query)
        table, store = self._store.table(child.name), self._store
        nested, sorting = self._shape(query, inner), self._sorting(query, inner)
        condition = self._compile(query, inner, table)

        def children(row: Row, base: str) -> Any:
            ids = sorted(table.matches(reference.name, [row["Id"]]))
            rows = _cut(sort_rows(self._filtered(condition, table, ids), sorting), query)
            if not rows:
                return None
            shown = [show(store, nested, one, base) for one in rows]
            return {"totalSize": len(shown), "done": True, "records": shown}

        return children


def _add_fields(shape: Shape, item: SelectFields, query: Query, sobject: SObject) -> None:
    if item.scope != "STANDARD" and (query.limit is None or query.limit > _FIELDS_LIMIT):
        raise OrgFault(
            "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200"
        )
    for field in sobject.fields.values():
        if item.scope == "ALL" or field.custom == (item.scope == "CUSTOM"):
            shape.add(field.name)


def _cut(rows: list[Any], query: Query) -> list[Any]:
    if query.limit is None and not query.offset:
        return rows
    end = None if query.limit is None else query.offset + query.limit
    return rows[query.offset : end]


def _as_is(record: Any, _base: str) -> dict[str, Any]:
    return dict(record)


def _unused(_record: Any, _base: str) -> dict[str, Any]:
    raise AssertionError("a counted query has no records to show")


__all__ = ["Engine", "Result"]
