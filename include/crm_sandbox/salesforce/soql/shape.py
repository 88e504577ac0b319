"""How a row of a result looks as JSON: its fields, parents and children."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.table import Row
from crm_sandbox.salesforce.values import render

Children = Callable[[Row, str], Any]


@dataclass(slots=True)
class Shape:
    """What is shown of a record: own fields, parents by relationship, children by relationship.

    `order` keeps the names in the order of the query; `references` maps a parent to the field
    that holds its id. In a `mixed` shape, one of several kinds of object, `Type` is that kind.
    """

    mixed: bool = False
    order: list[str] = field(default_factory=list)
    references: dict[str, str] = field(default_factory=dict)
    parents: dict[str, Shape] = field(default_factory=dict)
    children: dict[str, Children] = field(default_factory=dict)

    def add(self, name: str) -> bool:
        """Show a field; False when it is shown already."""
        if name in self.order:
            return False
        self.order.append(name)
        return True

    def parent(self, name: str, reference: str, *, mixed: bool) -> Shape:
        """The shape of a parent, made when it is not there yet."""
        if name not in self.parents:
            self.order.append(name)
            self.references[name] = reference
            self.parents[name] = Shape(mixed=mixed)
        return self.parents[name]

    def add_children(self, name: str, show: Children) -> None:
        """Show child records under a name."""
        self.order.append(name)
        self.children[name] = show


def show(store: Store, shape: Shape, row: Row, base: str) -> dict[str, Any]:
    """The record as JSON; `base` is `/services/data/v62.0` or the like."""
    sobject = store.schema.by_id(row["Id"])
    name = sobject.name if sobject is not None else "Name"
    shown: dict[str, Any] = {"attributes": attributes(name, row["Id"], base)}
    for one in shape.order:
        if one in shape.parents:
            parent = store.by_id(row.get(shape.references[one]))
            nested = shape.parents[one]
            shown[one] = None if parent is None else show(store, nested, parent, base)
        elif one in shape.children:
            shown[one] = shape.children[one](row, base)
        elif shape.mixed and one == "Type":
            shown[one] = store.kind_of(row)
        else:
            shown[one] = render(row.get(one))
    return shown


def attributes(name: str, record_id: str, base: str) -> dict[str, str]:
    """The `attributes` of a record."""
    return {"type": name, "url": f"{base}/sobjects/{name}/{record_id}"}
