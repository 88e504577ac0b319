"""What objects and fields the org has.

Standard objects come from `standard_objects`, custom fields from the deployable metadata folder
(see `metadata`). Everything that checks or describes data asks the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class FieldType(StrEnum):
    """Field types by their names in a describe result."""

    ID = "id"
    STRING = "string"
    TEXTAREA = "textarea"
    PICKLIST = "picklist"
    REFERENCE = "reference"
    BOOLEAN = "boolean"
    INT = "int"
    DOUBLE = "double"
    CURRENCY = "currency"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"


TEXT_TYPES = frozenset(
    {
        FieldType.STRING,
        FieldType.TEXTAREA,
        FieldType.PICKLIST,
        FieldType.EMAIL,
        FieldType.PHONE,
        FieldType.URL,
    }
)
NUMBER_TYPES = frozenset({FieldType.INT, FieldType.DOUBLE, FieldType.CURRENCY, FieldType.PERCENT})
LONG_TEXT = 255
"""Text areas longer than this can be neither filtered, sorted nor grouped."""


@dataclass(frozen=True, slots=True)
class PicklistValue:
    """One entry of a picklist; `converted` marks a lead status that only conversion sets."""

    value: str
    default: bool = False
    converted: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    `length` counts characters, `precision` and `scale` digits. `relationship` is the name of the
    path to the parent, `children` the name under which the parent lists its children. `tracked`
    fields leave rows in the object's history. `default` is set on insert when nothing is given.
    """

    name: str
    type: FieldType
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    createable: bool = True
    updateable: bool = True
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    case_sensitive: bool = False
    filterable: bool = True
    values: tuple[PicklistValue, ...] = ()
    restricted: bool = False
    references: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    default: Any = None
    tracked: bool = False
    custom: bool = False
    also_indexed: bool = False

    @property
    def is_id(self) -> bool:
        """True when the field holds a record's id; case tells ids apart."""
        return self.type in (FieldType.ID, FieldType.REFERENCE)

    @property
    def long_text(self) -> bool:
        """True for a text area too long to filter, sort or group by."""
        return self.type is FieldType.TEXTAREA and self.length > LONG_TEXT

    @property
    def searchable(self) -> bool:
        """True when a WHERE clause may name the field."""
        return self.filterable and not self.long_text

    @property
    def is_key(self) -> bool:
        """True when records can be addressed by this field."""
        return self.external_id or self.id_lookup

    @property
    def indexed(self) -> bool:
        """True when the org keeps an index on the field."""
        if self.type is FieldType.REFERENCE:
            return self.name not in ("CreatedById", "LastModifiedById")
        return self.is_key or self.unique or self.also_indexed or self.type is FieldType.EMAIL


@dataclass(frozen=True, slots=True)
class SObject:
    """One object. `prefix` starts every id of its records."""

    name: str
    prefix: str
    fields: Mapping[str, Field]
    label: str = ""
    plural: str = ""
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    _by_lower: dict[str, Field] = field(default_factory=dict, repr=False, compare=False)
    _by_relationship: dict[str, Field] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        name: str,
        prefix: str,
        fields: Iterable[Field],
        *,
        plural: str = "",
        createable: bool = True,
        updateable: bool = True,
        deletable: bool = True,
    ) -> SObject:
        """Build an object from its fields."""
        by_name = {one.name: one for one in fields}
        return cls(
            name,
            prefix,
            by_name,
            label=name,
            plural=plural or f"{name}s",
            createable=createable,
            updateable=updateable,
            deletable=deletable,
            _by_lower={key.lower(): one for key, one in by_name.items()},
            _by_relationship={
                one.relationship.lower(): one for one in by_name.values() if one.relationship
            },
        )

    def with_fields(self, extra: Iterable[Field]) -> SObject:
        """The object with further or replaced fields."""
        merged = {**self.fields, **{one.name: one for one in extra}}
        return SObject.of(
            self.name,
            self.prefix,
            merged.values(),
            plural=self.plural,
            createable=self.createable,
            updateable=self.updateable,
            deletable=self.deletable,
        )

    def field(self, name: str) -> Field | None:
        """The field of that name, in any case; None if there is none."""
        return self._by_lower.get(name.lower())

    def parent(self, relationship: str) -> Field | None:
        """The reference field behind a relationship name such as `Owner`."""
        return self._by_relationship.get(relationship.lower())


class Schema:
    """All objects of the org."""

    def __init__(self, objects: Iterable[SObject]) -> None:
        """Keep the objects by name; names compare without case."""
        self._objects = {one.name.lower(): one for one in objects}
        self._by_prefix = {one.prefix: one for one in self._objects.values() if one.prefix}

    def __iter__(self) -> Iterator[SObject]:
        """The objects in the order of their names."""
        return iter(sorted(self._objects.values(), key=lambda one: one.name))

    def get(self, name: str) -> SObject | None:
        """The object of that name, in any case; None if there is none."""
        return self._objects.get(name.lower())

    def by_id(self, record_id: str) -> SObject | None:
        """The object whose records' ids start like this one."""
        return self._by_prefix.get(record_id[:3])

    def child(self, parent: str, relationship: str) -> tuple[SObject, Field] | None:
        """The child object and its reference field behind a name such as `Lead.Tasks`."""
        for child, reference in self.children(parent):
            if str(reference.children).lower() == relationship.lower():
                return child, reference
        return None

    def children(self, parent: str) -> Iterator[tuple[SObject, Field]]:
        """Every child object of `parent` that has a named relationship to it."""
        for child in self:
            for one in child.fields.values():
                if one.children and parent in one.references:
                    yield child, one

    def with_objects(self, extra: Iterable[SObject]) -> Schema:
        """The schema with further objects."""
        return Schema([*self._objects.values(), *extra])

    def extended(
        self,
        custom: Mapping[str, Iterable[Field]],
        value_sets: Mapping[tuple[str, str], tuple[PicklistValue, ...]],
    ) -> Schema:
        """The schema with custom fields by object, and other values for standard picklists.

        Raises ValueError for an object or field that is not there.
        """
        objects = dict(self._objects)
        for name, fields in custom.items():
            objects[name.lower()] = self._require(objects, name).with_fields(fields)
        for (name, field_name), values in value_sets.items():
            old = self._require(objects, name)
            known = old.field(field_name)
            if known is None:
                raise ValueError(f"{name} has no field {field_name}")
            objects[name.lower()] = old.with_fields([_with_values(known, values)])
        return Schema(objects.values())

    @staticmethod
    def _require(objects: Mapping[str, SObject], name: str) -> SObject:
        known = objects.get(name.lower())
        if known is None:
            raise ValueError(f"the org has no object {name}")
        return known


def _with_values(known: Field, values: tuple[PicklistValue, ...]) -> Field:
    default = next((one.value for one in values if one.default), known.default)
    return replace(known, values=values, default=default)
