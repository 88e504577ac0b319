"""Which column of a CSV fills which property, and how its text becomes a value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

COMPANY_PREFIX = "company."
_KEPT_BY_HUBSPOT = frozenset(
    {
        "hs_object_id",
        "lastmodifieddate",
        "hs_lastmodifieddate",
        "hs_createdate",
        "associatedcompanyid",
        "hs_merged_object_ids",
        "hs_calculated_merged_vids",
        "hs_additional_emails",
        "hs_object_source",
        "hs_object_source_label",
        "hs_object_source_detail_1",
        "hubspot_owner_assigneddate",
    }
)
_MOMENT_FORMATS = (
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%b %d, %Y",
    "%d %b %Y",
)


class LoadError(Exception):
    """A load that cannot start; the text says what to do."""


class Source(BaseModel):
    """Where one property's value comes from: exactly one of column, template and constant.

    `values` replaces texts (an empty replacement leaves the property unset), `otherwise` stands
    for every text that `values` does not list; `type` says how to read the text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str | None = None
    template: str | None = None
    constant: str | None = None
    values: dict[str, str] = {}
    otherwise: str | None = None
    type: Literal["string", "datetime", "number"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, raw: Any) -> Any:
        """A bare text names a column; scalars in YAML may be numbers or booleans."""
        if isinstance(raw, str):
            return {"column": raw}
        if not isinstance(raw, dict):
            return raw
        read = {
            name: _text(value) if name in ("constant", "otherwise") else value
            for name, value in raw.items()
        }
        if isinstance(raw.get("values"), dict):
            read["values"] = {_text(k): _text(v) or "" for k, v in raw["values"].items()}
        return read

    @model_validator(mode="after")
    def _exactly_one(self) -> Source:
        given = [n for n in ("column", "template", "constant") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of column, template and constant")
        return self

    def columns(self) -> list[str]:
        """The columns it reads."""
        if self.column is not None:
            return [self.column]
        return [name for _, name, _, _ in Formatter().parse(self.template or "") if name]

    def read(self, row: Mapping[str, str]) -> str:
        """The text for a row; empty when the property is to stay unset.

        A template is empty when every column in it is.
        """
        if self.constant is not None:
            return self.constant
        if self.column is not None:
            text = row.get(self.column, "").strip()
        else:
            names = self.columns()
            values = {name: row.get(name, "").strip() for name in names}
            text = _fill(self.template or "", values) if any(values.values()) or not names else ""
        if self.values or self.otherwise is not None:
            text = self.values.get(text, text if self.otherwise is None else self.otherwise)
        return text


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into the braces. Column names may hold anything but braces."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template


class MappingFile(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    properties: dict[str, Source]
    company: dict[str, Source] = {}


def read_mapping_file(path: Path) -> MappingFile:
    """Read a mapping file. Raises LoadError with the place and what is wrong there."""
    try:
        raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LoadError(f"Cannot read the mapping file {path}: {error.strerror}") from error
    except YAMLError as error:
        raise LoadError(f"The mapping file {path} is not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise LoadError(f"The mapping file {path} must have a `properties:` section.")
    try:
        return MappingFile.model_validate(raw)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise LoadError(f"The mapping file {path} is wrong:\n" + "\n".join(lines)) from error


@dataclass(frozen=True, slots=True)
class Definition:
    """What the loader needs of a property's definition."""

    name: str
    label: str
    type: str
    external_options: bool = False
    options: Mapping[str, str] | None = None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Definition:
        """From the properties API; `options` maps folded labels and values to values."""
        options = {}
        for option in raw.get("options") or ():
            options[option["label"].casefold()] = option["value"]
        for option in raw.get("options") or ():
            options[option["value"].casefold()] = option["value"]
        if raw.get("fieldType") == "booleancheckbox":
            options.update({"yes": "true", "no": "false"})
        return cls(
            raw["name"],
            raw["label"],
            raw["type"],
            bool(raw.get("externalOptions")),
            options or None,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything settled before the first row: sources, new properties, and remarks to show."""

    properties: Mapping[str, Source]
    company: Mapping[str, Source]
    new_properties: Mapping[str, Definition]
    new_company_properties: Mapping[str, Definition]
    remarks: tuple[str, ...]


def make_plan(
    headers: Sequence[str],
    *,
    definitions: Mapping[str, Definition],
    company_definitions: Mapping[str, Definition],
    mapping: MappingFile | None,
    maps: Iterable[str],
) -> Plan:
    """Settle what fills what. Raises LoadError for a missing column or a --map that is wrong."""
    given = [_read_map(text, headers) for text in maps]
    remarks: list[str] = []
    if mapping is not None:
        properties, company = dict(mapping.properties), dict(mapping.company)
    else:
        taken = {column for column, _ in given}
        rest = [header for header in headers if header not in taken]
        properties, company = _by_headers(rest, definitions, remarks), {}
    for column, target in given:
        if target.startswith(COMPANY_PREFIX):
            company[target.removeprefix(COMPANY_PREFIX)] = Source(column=column)
        else:
            properties[target] = Source(column=column)
    _require_columns({**properties, **{COMPANY_PREFIX + n: s for n, s in company.items()}}, headers)
    remarks.extend(_left_out([*properties.values(), *company.values()], headers, mapping))
    new = _new_definitions(properties, definitions, "contact", remarks)
    new_company = _new_definitions(company, company_definitions, "company", remarks)
    return Plan(properties, company, new, new_company, tuple(remarks))


def _read_map(text: str, headers: Sequence[str]) -> tuple[str, str]:
    column, found, target = text.rpartition("=")
    if not found or not column or not target:
        raise LoadError(f"--map {text!r} must look like 'Column name=property'")
    if column not in headers:
        raise LoadError(f"--map: there is no column {column!r}.{did_you_mean(column, headers)}")
    return column, target.strip()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that offers the closest of the known words, or lists them."""
    words = list(known)
    folded = {item.casefold(): item for item in words}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {folded[close[0]]!r}?"
    return f" There are: {', '.join(words[:40])}"


def _by_headers(
    headers: Sequence[str], definitions: Mapping[str, Definition], remarks: list[str]
) -> dict[str, Source]:
    """Match headers to properties by internal name, then by label; others become new ones."""
    by_label = {d.label.casefold(): d.name for d in definitions.values()}
    found: dict[str, Source] = {}
    kept, twice = [], []
    for header in headers:
        folded = header.strip().casefold()
        name = folded if folded in definitions else by_label.get(folded, _slug(header))
        if name in _KEPT_BY_HUBSPOT:
            kept.append(header)
        elif name in found:
            twice.append(header)
        elif header.strip():
            found[name] = Source(column=header)
    if kept:
        remarks.append(f"left out, because HubSpot sets them itself: {', '.join(kept)}")
    if twice:
        remarks.append(
            f"left out, because another column fills the same property: {', '.join(twice)}"
        )
    return found


def _slug(header: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")
    if not name or not name[0].isalpha():
        name = f"column_{name}"
    return name[:100]


def _require_columns(sources: Mapping[str, Source], headers: Sequence[str]) -> None:
    for name, source in sources.items():
        for column in source.columns():
            if column not in headers:
                raise LoadError(
                    f"The mapping of {name} needs a column {column!r}, which the file does not "
                    f"have.{did_you_mean(column, headers)}"
                )


def _left_out(
    sources: Iterable[Source], headers: Sequence[str], mapping: MappingFile | None
) -> list[str]:
    if mapping is None:
        return []
    used = {column for source in sources for column in source.columns()}
    unused = [header for header in headers if header not in used]
    return [f"columns the mapping does not use: {', '.join(unused)}"] if unused else []


def _new_definitions(
    sources: Mapping[str, Source],
    definitions: Mapping[str, Definition],
    what: str,
    remarks: list[str],
) -> dict[str, Definition]:
    new = {}
    for name, source in sources.items():
        if name in definitions:
            continue
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name):
            raise LoadError(
                f"{name!r} cannot be the name of a property: lower-case letters, digits and "
                "underscores, starting with a letter."
            )
        label = source.column or name.replace("_", " ").capitalize()
        new[name] = Definition(name, label, source.type or "string")
    if new:
        shown = ", ".join(f"{d.name} ({d.type})" for d in new.values())
        remarks.append(f"created as custom {what} properties: {shown}")
    return new


def as_value(text: str, source: Source, definition: Definition) -> str:
    """The text as HubSpot wants it; text that cannot be read is passed on and will be refused."""
    kind = source.type or definition.type
    if not text:
        return ""
    if kind == "number":
        return _as_number(text)
    if kind in ("datetime", "date"):
        return _as_moment(text, date=definition.type == "date")
    if definition.options and not definition.external_options:
        parts = (definition.options.get(p.strip().casefold(), p.strip()) for p in text.split(";"))
        return ";".join(parts)
    return text


def _as_number(text: str) -> str:
    plain = re.sub(r"[\s\u00a0$€£%]", "", text)
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    return plain


def _as_moment(text: str, *, date: bool) -> str:
    at = _parse_moment(text)
    if at is None:
        return text
    return at.strftime("%Y-%m-%d") if date else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse_moment(text: str) -> datetime | None:
    """Read a moment; one without a zone is taken as UTC."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except ValueError:
        pass
    for form in _MOMENT_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
