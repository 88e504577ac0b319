"""Reads a deployable metadata folder (SFDX source format) as an org would when it is deployed.

Understood are custom objects and fields, the values of standard picklists, queues and the field
mapping of lead conversion; other files are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from crm_sandbox.salesforce.schema import Field, FieldType, PicklistValue, Schema
from crm_sandbox.salesforce.standard_objects import custom_object

_NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
_TYPES = {
    "Text": FieldType.STRING,
    "TextArea": FieldType.TEXTAREA,
    "LongTextArea": FieldType.TEXTAREA,
    "Number": FieldType.DOUBLE,
    "Currency": FieldType.CURRENCY,
    "Percent": FieldType.PERCENT,
    "Checkbox": FieldType.BOOLEAN,
    "Date": FieldType.DATE,
    "DateTime": FieldType.DATETIME,
    "Email": FieldType.EMAIL,
    "Phone": FieldType.PHONE,
    "Url": FieldType.URL,
    "Picklist": FieldType.PICKLIST,
    "Lookup": FieldType.REFERENCE,
}
_REFERENCE_LENGTH = 18
_ACTIVITY = {"Activity": ("Task", "Event")}
_VALUE_SETS = {
    "LeadStatus": ("Lead", "Status"),
    "LeadSource": ("Lead", "LeadSource"),
    "Industry": ("Lead", "Industry"),
    "TaskStatus": ("Task", "Status"),
    "OpportunityStage": ("Opportunity", "StageName"),
}


class MetadataError(ValueError):
    """A metadata file that cannot be read; the text names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue and the objects that it may own."""

    developer_name: str
    name: str
    sobjects: tuple[str, ...]


@dataclass(slots=True)
class Metadata:
    """What a folder deploys."""

    objects: list[str] = field(default_factory=list)
    """Custom objects, in the order of their names."""
    fields: dict[str, list[Field]] = field(default_factory=dict)
    value_sets: dict[tuple[str, str], tuple[PicklistValue, ...]] = field(default_factory=dict)
    queues: list[Queue] = field(default_factory=list)
    conversion: dict[str, dict[str, str]] = field(default_factory=dict)

    def apply(self, schema: Schema) -> Schema:
        """The schema after deployment. Raises ValueError for an object that is not there."""
        made = [
            custom_object(name, f"a{number:02}", plural=name.replace("__c", "s__c"))
            for number, name in enumerate(self.objects)
        ]
        return schema.with_objects(made).extended(self.fields, self.value_sets)


def default_metadata_dir() -> Path | None:
    """The `salesforce` folder beside the package, where the repository keeps it; else None."""
    beside = Path(__file__).resolve().parents[2] / "salesforce"
    return beside if (beside / "sfdx-project.json").is_file() else None


def read_metadata(folder: Path) -> Metadata:
    """Read every known file below `folder`. Raises MetadataError with the file's name."""
    if not folder.is_dir():
        raise MetadataError(f"{folder} is not a folder")
    found = Metadata()
    for path in sorted(folder.rglob("*-meta.xml")):
        _read_one(path, found)
    return found


def _read_one(path: Path, found: Metadata) -> None:
    try:
        root = ET.parse(path).getroot()  # noqa: S314 - our own files, not a stranger's
    except ET.ParseError as error:
        raise MetadataError(f"{path.name} is not well-formed: {error}") from error
    if path.name.endswith(".field-meta.xml"):
        owner = path.parent.parent.name
        one = _field(root, path.name)
        for name in _ACTIVITY.get(owner, (owner,)):
            found.fields.setdefault(name, []).append(one)
    elif path.name.endswith("__c.object-meta.xml"):
        found.objects.append(path.parent.name)
    elif path.name.endswith(".standardValueSet-meta.xml"):
        target = _VALUE_SETS.get(path.name.split(".", 1)[0])
        if target is not None:
            found.value_sets[target] = tuple(_values(root, "standardValue"))
    elif path.name.endswith(".queue-meta.xml"):
        found.queues.append(_queue(root, path.name))
    elif path.name.endswith(".LeadConvertSetting-meta.xml"):
        found.conversion.update(_conversion(root))


def _text(node: ET.Element, name: str, default: str = "") -> str:
    child = node.find(f"{_NAMESPACE}{name}")
    return default if child is None or child.text is None else child.text.strip()


def _flag(node: ET.Element, name: str) -> bool:
    return _text(node, name) == "true"


def _number(node: ET.Element, name: str) -> int:
    return int(_text(node, name, "0"))


def _field(root: ET.Element, file: str) -> Field:
    kind = _text(root, "type")
    if kind not in _TYPES:
        raise MetadataError(f"{file}: field type {kind!r} is not one the sandbox knows")
    values = tuple(_values(root, "valueSet/valueSetDefinition/value"))
    return Field(
        name=_text(root, "fullName"),
        type=_TYPES[kind],
        label=_text(root, "label"),
        length=_length(root, kind),
        precision=_number(root, "precision"),
        scale=_number(root, "scale"),
        required=_flag(root, "required"),
        unique=_flag(root, "unique"),
        external_id=_flag(root, "externalId"),
        id_lookup=_flag(root, "externalId"),
        case_sensitive=_flag(root, "caseSensitive"),
        values=values,
        restricted=_restricted(root),
        default=_default(root, values),
        tracked=_flag(root, "trackHistory"),
        custom=True,
        **_lookup(root, kind),
    )


def _length(root: ET.Element, kind: str) -> int:
    if kind == "Lookup":
        return _REFERENCE_LENGTH
    return _number(root, "length") or (255 if kind in ("Picklist", "TextArea") else 0)


def _lookup(root: ET.Element, kind: str) -> dict[str, Any]:
    if kind != "Lookup":
        return {}
    name = _text(root, "fullName")
    return {
        "references": (_text(root, "referenceTo"),),
        "relationship": name.replace("__c", "__r"),
        "children": f"{_text(root, 'relationshipName')}__r",
    }


def _restricted(root: ET.Element) -> bool:
    value_set = root.find(f"{_NAMESPACE}valueSet")
    return value_set is not None and _flag(value_set, "restricted")


def _default(root: ET.Element, values: tuple[PicklistValue, ...]) -> str | bool | None:
    if _text(root, "type") == "Checkbox":
        return _text(root, "defaultValue") == "true"
    return next((one.value for one in values if one.default), None)


def _values(root: ET.Element, path: str) -> Iterator[PicklistValue]:
    steps = "/".join(f"{_NAMESPACE}{step}" for step in path.split("/"))
    for node in root.findall(steps):
        yield PicklistValue(
            _text(node, "fullName"),
            default=_flag(node, "default"),
            converted=_flag(node, "converted"),
        )


def _queue(root: ET.Element, file: str) -> Queue:
    sobjects = tuple(_text(node, "sobjectType") for node in root.iter(f"{_NAMESPACE}queueSobject"))
    return Queue(file.split(".", 1)[0], _text(root, "name"), sobjects)


def _conversion(root: ET.Element) -> dict[str, dict[str, str]]:
    mapping: dict[str, dict[str, str]] = {}
    for one in root.findall(f"{_NAMESPACE}objectMapping"):
        pairs = mapping.setdefault(_text(one, "outputObject"), {})
        for node in one.findall(f"{_NAMESPACE}mappingFields"):
            pairs[_text(node, "inputField")] = _text(node, "outputField")
    return mapping
