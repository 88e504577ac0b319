"""The custom objects and fields that Baton needs, read from the folder that deploys them.

``include/salesforce`` is the one description of the example org: what is deployed, what the
sandbox has, what `baton setup` and `baton doctor` look for. Nothing is said twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree as ET

import baton
from baton.errors import SettingsError

_NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
_SUFFIX = ".field-meta.xml"
_DESCRIBED = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Number": "double",
    "Checkbox": "boolean",
    "Date": "date",
    "DateTime": "datetime",
    "Picklist": "picklist",
    "Lookup": "reference",
}
"""Types of the metadata as describe calls them."""


@dataclass(frozen=True, slots=True)
class DeployedField:
    """A custom field as it is deployed. `type` is describe's word; `values` those of a picklist."""

    sobject: str
    name: str
    type: str
    unique: bool
    length: int
    values: tuple[str, ...]


def default_folder() -> Path:
    """Return the folder beside the package, where the repository and the image keep it."""
    return Path(baton.__file__).resolve().parents[1] / "salesforce"


@lru_cache(maxsize=4)
def deployed_fields(folder: Path | None = None) -> tuple[DeployedField, ...]:
    """Return every custom field of the folder by object and name. Raises SettingsError.

    Fields of activities are told as those of tasks.
    """
    where = folder or default_folder()
    if not (where / "sfdx-project.json").is_file():
        raise SettingsError(
            f"{where} is not the folder with Baton's Salesforce metadata: "
            "run Baton from its repository or image, where include/salesforce lies beside it"
        )
    paths = sorted(where.rglob(f"*{_SUFFIX}"))
    return tuple(sorted(map(_read, paths), key=lambda one: (one.sobject, one.name)))


def _read(path: Path) -> DeployedField:
    owner = path.parent.parent.name
    try:
        root = ET.parse(path).getroot()  # noqa: S314  # our own files, not a stranger's
    except ET.ParseError as error:
        raise SettingsError(f"{path.name} is not well-formed: {error}") from error
    kind = _text(root, "type")
    if kind not in _DESCRIBED:
        raise SettingsError(f"{path.name}: field type {kind!r} is not one that Baton knows")
    steps = "/".join(f"{_NAMESPACE}{one}" for one in ("valueSet", "valueSetDefinition", "value"))
    return DeployedField(
        sobject="Task" if owner == "Activity" else owner,
        name=_text(root, "fullName"),
        type=_DESCRIBED[kind],
        unique=_text(root, "unique") == "true",
        length=int(_text(root, "length") or 0),
        values=tuple(_text(node, "fullName") for node in root.findall(steps)),
    )


def _text(node: ET.Element, name: str) -> str:
    child = node.find(f"{_NAMESPACE}{name}")
    return "" if child is None or child.text is None else child.text.strip()
