"""GROUP BY and the aggregate functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm_sandbox.salesforce.schema import NUMBER_TYPES
from crm_sandbox.salesforce.soql.binding import Binder, Column
from crm_sandbox.salesforce.soql.ordering import Sorting, sort_rows
from crm_sandbox.salesforce.soql.syntax import Aggregate, Order, Query, SelectPath, malformed
from crm_sandbox.salesforce.table import Row
from crm_sandbox.salesforce.values import render

Output = Callable[[tuple[Any, ...], list[Row]], Any]
_MAX_GROUPS = 2000


def group(query: Query, binder: Binder, rows: list[Row]) -> list[dict[str, Any]]:
    """One record for each group, in the order asked for (else in that of its first row).

    Without GROUP BY all rows are one group, also when there are none. Raises OrgFault when a
    selected field is neither grouped nor aggregated.
    """
    keys = [binder.groupable(path) for path in query.group_by]
    groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
    for row in rows:
        groups.setdefault(tuple(column.read(row) for column in keys), []).append(row)
    if len(groups) > _MAX_GROUPS:
        raise malformed(f"Aggregate query has too many rows for direct assignment: {len(groups)}")
    outputs = _outputs(query, binder, keys)
    sorting = [_sorting(one, binder, keys) for one in query.order_by]
    ordered = sort_rows(list(groups.items()), sorting)
    return [
        {
            "attributes": {"type": "AggregateResult"},
            **{name: render(output(key, members)) for name, output in outputs.items()},
        }
        for key, members in ordered
    ]


def _outputs(query: Query, binder: Binder, keys: list[Column]) -> dict[str, Output]:
    outputs: dict[str, Output] = {}
    unnamed = 0
    for item in query.select:
        if isinstance(item, Aggregate):
            name = item.alias
            if name is None:
                name, unnamed = f"expr{unnamed}", unnamed + 1
            output = _aggregate(item, binder)
        elif isinstance(item, SelectPath):
            column = binder.column(item.path)
            name = item.alias or column.field.name
            output = _grouped(item, column, keys)
        else:
            raise malformed("a grouped query can select only fields and aggregates")
        if name in outputs:
            raise malformed(f"duplicate alias: {name}")
        outputs[name] = output
    return outputs


def _grouped(item: SelectPath, column: Column, keys: list[Column]) -> Output:
    position = _position(column, keys)
    if position is None:
        raise malformed(f"Field must be grouped or aggregated: {item.path}")
    return lambda key, _members: key[position]


def _position(column: Column, keys: list[Column]) -> int | None:
    for position, key in enumerate(keys):
        if key.field.name == column.field.name and key.parents == column.parents:
            return position
    return None


def _aggregate(item: Aggregate, binder: Binder) -> Output:
    column = binder.groupable(item.path)
    if item.function in ("SUM", "AVG") and column.field.type not in NUMBER_TYPES:
        raise malformed(f"field {item.path} does not support aggregate operator {item.function}")
    function, read = _FUNCTIONS[item.function], column.read

    def output(_key: tuple[Any, ...], members: list[Row]) -> Any:
        return function([value for value in map(read, members) if value is not None])

    return output


def _sorting(order: Order, binder: Binder, keys: list[Column]) -> Sorting:
    if isinstance(order.by, Aggregate):
        output = _aggregate(order.by, binder)
    else:
        output = _grouped(SelectPath(order.by), binder.sortable(order.by), keys)
    return Sorting(lambda one: output(*one), order.descending, order.nulls_last)


def _average(values: list[Any]) -> float | None:
    return sum(values) / len(values) if values else None


_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len(set(values)),
    "MAX": lambda values: max(values, default=None),
    "MIN": lambda values: min(values, default=None),
    "SUM": lambda values: sum(values) if values else None,
    "AVG": _average,
}
