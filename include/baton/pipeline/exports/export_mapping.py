"""Mapping files: how the columns of an export become HubSpot properties, written down once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails

from baton.errors import ConfigurationError, PolicyErrors
from baton.policy.bundle import read_text
from baton.policy.yaml_source import read_yaml

__all__ = ["MappingFile", "Source", "read_mapping"]

Read = Callable[[str], str]
"""Gives the cell of a column by its name, stripped."""

_IN_BRACES = re.compile(r"\{([^{}]+)\}")
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_MOMENTS = (
    "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y",
    "%d-%m-%Y", "%b %d, %Y", "%d %b %Y",
)  # fmt: skip


class Source(BaseModel):
    """Where a property's value comes from: exactly one of column, template and constant.

    `values` replaces texts (an empty one means: not known), `otherwise` stands for every text that
    `values` does not list, `type` says how the text is written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str | None = None
    template: str | None = None
    constant: str | None = None
    values: Mapping[str, str] = {}
    otherwise: str | None = None
    type: Literal["string", "datetime", "number"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, given: object) -> object:
        """A text alone names a column; YAML may have read a value as a number or as yes and no."""
        if isinstance(given, str):
            return {"column": given}
        if not isinstance(given, dict):
            return given
        read: dict[str, object] = {
            name: _as_text(value) if name in ("column", "constant", "otherwise") else value
            for name, value in given.items()
        }
        values = given.get("values")
        if isinstance(values, dict):
            read["values"] = {_as_text(key): _as_text(value) for key, value in values.items()}
        return read

    @model_validator(mode="after")
    def _one_of_three(self) -> Source:
        if [self.column, self.template, self.constant].count(None) != 2:
            raise ValueError("give exactly one of column, template and constant")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are read."""
        if self.column is not None:
            return (self.column,)
        return tuple(_IN_BRACES.findall(self.template or ""))

    def read(self, cell: Read) -> str:
        """Return the text for a row; empty when nothing is known."""
        if self.constant is not None:
            return self.constant
        if self.column is not None:
            text = cell(self.column)
        else:
            found = {name: cell(name) for name in self.columns}
            empty = bool(found) and not any(found.values())
            text = "" if empty else _IN_BRACES.sub(lambda m: found[m[1]], self.template or "")
        if self.values or self.otherwise is not None:
            text = self.values.get(text, text if self.otherwise is None else self.otherwise)
        if self.type == "number":
            return _number(text)
        return _moment(text) if self.type == "datetime" else text


class MappingFile(BaseModel):
    """What a mapping file holds: properties of the contact and of its company."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    properties: Mapping[str, Source]
    company: Mapping[str, Source] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """Return every column that is read, once."""
        sources = (*self.properties.values(), *self.company.values())
        return tuple(dict.fromkeys(name for source in sources for name in source.columns))


def read_mapping(path: Path) -> MappingFile:
    """Read a mapping file. Raises ConfigurationError (also PolicyError) with what is wrong."""
    if not path.is_file():
        raise ConfigurationError(f"there is no mapping file {path}")
    document = read_yaml(path.name, read_text(path.name, path))
    if document.errors:
        raise PolicyErrors(document.errors)
    value = document.value
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path} must have a section 'properties:'")
    try:
        return MappingFile.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        wrong = [f"  {'.'.join(str(part) for part in one['loc'])}: {_said(one)}" for one in found]
        raise ConfigurationError("\n".join([f"{path} is no mapping:", *wrong])) from None


def _said(error: ErrorDetails) -> str:
    known = {"missing": "is missing", "extra_forbidden": "is not known here"}
    return known.get(error["type"], str(error["msg"]).removeprefix("Value error, "))


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _number(text: str) -> str:
    plain = re.sub(r"[\s\u00a0$€£%]", "", text)
    return plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain


def _moment(text: str) -> str:
    """Return an instant as ISO 8601; what cannot be read stays as it is and becomes a problem."""
    if not text or re.match(r"\d{4}-", text) or text.isdecimal():
        return text
    for form in _MOMENTS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).isoformat()
        except ValueError:
            continue
    return text
