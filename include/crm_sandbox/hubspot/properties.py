"""Property definitions of an object type, and the check of values against them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crm_sandbox.hubspot.errors import PropertyError, fault, invalid
from crm_sandbox.hubspot.records import instant, moment, parse_moment

TYPES = frozenset(
    {"string", "number", "bool", "enumeration", "date", "datetime", "phone_number", "json"}
)
_REQUIRED = ("name", "label", "type", "fieldType", "groupName")
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,99}$")
_EMAIL = re.compile(r"^[^@\s\"(),:;<>\[\]\\]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z]{2,24}$")
_MAX_UNIQUE = 10
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of an enumeration: `value` is stored, `label` is shown."""

    label: str
    value: str
    hidden: bool = False
    display_order: int = -1


@dataclass(frozen=True, slots=True)
class PropertyDefinition:
    """What a property is: type decides meaning, field type only display."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = "contactinformation"
    description: str = ""
    options: tuple[Option, ...] = ()
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    external_options: bool = False
    referenced_type: str | None = None
    hubspot_defined: bool = False
    created_at: datetime | None = None
    archived: bool = False

    @property
    def values(self) -> frozenset[str]:
        """The values that an enumeration allows."""
        return frozenset(option.value for option in self.options)

    def to_json(self) -> dict[str, Any]:
        """As the properties API shows it."""
        shown: dict[str, Any] = {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [_option_json(option) for option in self.options],
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "archived": self.archived,
            "hasUniqueValue": self.unique,
            "hidden": False,
            "hubspotDefined": self.hubspot_defined,
            "dataSensitivity": "non_sensitive",
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
            "formField": not self.read_only,
        }
        if self.referenced_type is not None:
            shown["referencedObjectType"] = self.referenced_type
        if self.created_at is not None:
            shown["createdAt"] = shown["updatedAt"] = instant(self.created_at)
        return shown


def _option_json(option: Option) -> dict[str, Any]:
    return {
        "label": option.label,
        "value": option.value,
        "displayOrder": option.display_order,
        "hidden": option.hidden,
    }


def read_definition(raw: Mapping[str, Any], *, at: datetime) -> PropertyDefinition:
    """A definition from the JSON of the properties API. Raises PortalFault 400."""
    missing = [name for name in _REQUIRED if not raw.get(name)]
    if missing:
        raise invalid(f"Invalid input JSON on line 1: some required fields were not set: {missing}")
    name, kind = str(raw["name"]), str(raw["type"])
    if not _NAME.match(name):
        raise invalid(
            f"Property name '{name}' is not valid: lower-case letters, digits and underscores, "
            "starting with a letter.",
            errors=[{"message": "invalid name", "code": "INVALID_PROPERTY_NAME"}],
        )
    if kind not in TYPES:
        raise invalid(f"Property type '{kind}' is not one of {sorted(TYPES)}")
    return PropertyDefinition(
        name=name,
        label=str(raw["label"]),
        type=kind,
        field_type=str(raw["fieldType"]),
        group=str(raw["groupName"]),
        description=str(raw.get("description") or ""),
        options=_read_options(raw.get("options") or ()),
        unique=bool(raw.get("hasUniqueValue", False)),
        external_options=bool(raw.get("externalOptions", False)),
        referenced_type=raw.get("referencedObjectType"),
        created_at=at,
    )


def _read_options(raw: Iterable[Mapping[str, Any]]) -> tuple[Option, ...]:
    options = []
    for position, item in enumerate(raw):
        if "value" not in item:
            raise invalid("Invalid input JSON: an option needs a value and a label")
        value = str(item["value"])
        order = int(item.get("displayOrder", position))
        hidden = bool(item.get("hidden", False))
        options.append(Option(str(item.get("label", value)), value, hidden, order))
    return tuple(options)


class PropertyBook:
    """The definitions and groups of one object type."""

    def __init__(
        self, definitions: Iterable[PropertyDefinition], groups: Mapping[str, str]
    ) -> None:
        """Start from the standard definitions and the standard groups (name to label)."""
        self._definitions = {definition.name: definition for definition in definitions}
        self.groups: dict[str, str] = dict(groups)

    def __contains__(self, name: str) -> bool:
        """True when a property of that name is defined and not archived."""
        found = self._definitions.get(name)
        return found is not None and not found.archived

    def all(self, *, archived: bool = False) -> list[PropertyDefinition]:
        """Every definition, archived ones only or the others only, by name."""
        chosen = (d for d in self._definitions.values() if d.archived == archived)
        return sorted(chosen, key=lambda definition: definition.name)

    def get(self, name: str) -> PropertyDefinition | None:
        """The definition in use under that name, or None."""
        found = self._definitions.get(name)
        return None if found is None or found.archived else found

    def unique_names(self) -> list[str]:
        """The custom properties whose value may occur once only."""
        return [d.name for d in self._definitions.values() if d.unique and not d.archived]

    def add(self, definition: PropertyDefinition) -> None:
        """Add a definition. Raises PortalFault: 409 when the name is taken, 400 otherwise."""
        if definition.name in self:
            raise fault(
                409,
                f"A property named '{definition.name}' already exists.",
                "OBJECT_ALREADY_EXISTS",
                subCategory="Properties.PROPERTY_EXISTS",
            )
        if definition.group not in self.groups:
            raise invalid(
                f"Property group '{definition.group}' does not exist.",
                errors=[{"message": "unknown group", "code": "PROPERTY_GROUP_DOESNT_EXIST"}],
            )
        if definition.unique and len(self.unique_names()) >= _MAX_UNIQUE:
            raise invalid(f"At most {_MAX_UNIQUE} properties may have unique values.")
        self._definitions[definition.name] = definition

    def change(self, name: str, raw: Mapping[str, Any]) -> PropertyDefinition:
        """Change label, description, field type, group or options of a custom property."""
        old = self.require(name)
        changed = replace(
            old,
            label=str(raw.get("label", old.label)),
            description=str(raw.get("description", old.description)),
            field_type=str(raw.get("fieldType", old.field_type)),
            group=str(raw.get("groupName", old.group)),
            options=_read_options(raw["options"]) if "options" in raw else old.options,
        )
        self._definitions[name] = changed
        return changed

    def archive(self, name: str) -> None:
        """Archive a custom property. Raises PortalFault 400 for one that HubSpot defines."""
        old = self.require(name)
        if old.hubspot_defined:
            raise invalid(f"Property '{name}' is defined by HubSpot and cannot be archived.")
        self._definitions[name] = replace(old, archived=True)

    def require(self, name: str) -> PropertyDefinition:
        """The definition in use, or PortalFault 404."""
        found = self.get(name)
        if found is None:
            raise fault(
                404,
                f"Property '{name}' does not exist.",
                "OBJECT_NOT_FOUND",
                context={"propertyName": [name]},
            )
        return found

    def normalise(self, values: Mapping[str, str | None]) -> dict[str, str | None]:
        """Values as they are stored: moments as ISO text, an empty text as None."""
        return {name: self._stored(name, value) for name, value in values.items()}

    def _stored(self, name: str, value: str | None) -> str | None:
        if value is None or value == "":
            return None
        definition = self._definitions.get(name)
        kind = definition.type if definition else "string"
        if kind in ("date", "datetime"):
            epoch = parse_moment(value)
            if epoch is None:
                return value
            text = instant(moment(epoch))
            return text if kind == "datetime" else text[:10]
        if name in ("email", "domain"):
            return value.strip().lower()
        return value

    def check(
        self, values: Mapping[str, str | None], *, allow_read_only: bool = False
    ) -> list[PropertyError]:
        """Everything HubSpot would refuse in these values; empty when all is well."""
        errors = []
        for name, value in values.items():
            definition = self.get(name)
            if definition is None:
                text = f'Property "{name}" does not exist'
                errors.append(PropertyError(name, "PROPERTY_DOESNT_EXIST", text))
                continue
            if definition.read_only and not allow_read_only:
                text = f'"{name}" is a read only property; its value cannot be set.'
                errors.append(PropertyError(name, "READ_ONLY_VALUE", text))
                continue
            refusal = _refuse(definition, value) if value else None
            if refusal is not None:
                errors.append(refusal)
        return errors

    def undefined(self, names: Iterable[str]) -> list[PropertyError]:
        """The names that are not defined, as errors."""
        return self.check({name: None for name in names if name not in self})


def _refuse(definition: PropertyDefinition, value: str) -> PropertyError | None:
    name = definition.name
    if definition.type == "enumeration":
        return _refuse_option(definition, value)
    if definition.type == "bool" and value not in ("true", "false"):
        return PropertyError(name, "INVALID_OPTION", f"{value} was not one of the allowed options")
    if definition.type == "number" and _number(value) is None:
        return PropertyError(name, "INVALID_INTEGER", f"{value} was not a valid number.")
    if definition.type in ("date", "datetime"):
        return _refuse_moment(definition, value)
    if name == "email" and not _EMAIL.match(value.strip().lower()):
        return PropertyError(name, "INVALID_EMAIL", f"Email address {value} is invalid")
    return None


def _number(value: str) -> float | None:
    try:
        return float(value) if "_" not in value else None
    except ValueError:
        return None


def _refuse_moment(definition: PropertyDefinition, value: str) -> PropertyError | None:
    epoch = parse_moment(value)
    if epoch is None:
        text = f"{value} was not a valid long."
        return PropertyError(definition.name, "INVALID_LONG", text)
    if definition.type == "date" and epoch % _DAY_MS:
        text = f"{value} is at {epoch % _DAY_MS} ms after midnight; a date must be midnight UTC."
        return PropertyError(definition.name, "INVALID_DATE", text)
    return None


def _refuse_option(definition: PropertyDefinition, value: str) -> PropertyError | None:
    if definition.external_options:
        return None
    chosen = value.split(";") if definition.field_type == "checkbox" else [value]
    wrong = [item for item in chosen if item and item not in definition.values]
    if not wrong:
        return None
    allowed = ", ".join(option.value for option in definition.options)
    text = f"{wrong[0]} was not one of the allowed options: [{allowed}]"
    return PropertyError(definition.name, "INVALID_OPTION", text)
