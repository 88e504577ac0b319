"""From the fields of a request to the values of a row."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from crm_sandbox.salesforce.errors import OrgFault, no_such_column
from crm_sandbox.salesforce.schema import Field, SObject
from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.values import clean


def accept(
    store: Store,
    sobject: SObject,
    fields: Mapping[str, Any],
    *,
    creating: bool,
    besides: Container[str] = (),
) -> dict[str, Any]:
    """The checked values by their schema names.

    A parent may be given by relationship and key (`{"Owner": {"Username": "…"}}`). `besides`
    names read-only fields that this user may give. Raises OrgFault for an unknown or read-only
    field and for a value its type refuses.
    """
    values: dict[str, Any] = {}
    forbidden: list[str] = []
    for name, given in fields.items():
        if name == "attributes":
            continue
        field, value = _resolve(store, sobject, name, given)
        open_to_all = field.createable if creating else field.updateable
        if not open_to_all and field.name not in besides:
            forbidden.append(field.name)
            continue
        values[field.name] = clean(field, value)
    if forbidden:
        raise _read_only(forbidden)
    return values


def _resolve(store: Store, sobject: SObject, name: str, given: Any) -> tuple[Field, Any]:
    """The field a name means, and its value: a parent named by key becomes its id."""
    field = sobject.field(name)
    if field is not None:
        return field, given
    reference = sobject.parent(name)
    if reference is None or not isinstance(given, dict):
        raise no_such_column(name, sobject.name)
    return reference, _parent_id(store, reference, given)


def _read_only(names: list[str]) -> OrgFault:
    return OrgFault(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the security "
        "settings of this field and verify that it is read/write for your profile or "
        "permission set.",
        names,
    )


def _parent_id(store: Store, field: Field, keys: Mapping[str, Any]) -> str:
    """The id behind `{"Username": "…"}`; several possible kinds need `attributes.type`."""
    given = dict(keys)
    attributes = given.pop("attributes", {})
    kind_name = attributes.get("type") if isinstance(attributes, dict) else None
    kind = store.sobject(str(kind_name or field.references[0]))
    if kind.name not in field.references or len(given) != 1:
        raise OrgFault("INVALID_FIELD", f"{field.relationship}: one key of the parent is needed")
    [(name, value)] = given.items()
    key = kind.field(name)
    if key is None or not key.is_key:
        raise OrgFault("INVALID_FIELD", f"{name} is not an external id of {kind.name}")
    found = list(store.equal(kind, key.name, value))
    if len(found) != 1:
        raise OrgFault(
            "INVALID_FIELD",
            f"Foreign key external ID: value not found for field {key.name} in entity {kind.name}",
            [key.name],
        )
    return str(found[0]["Id"])
