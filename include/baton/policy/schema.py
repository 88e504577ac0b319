"""The JSON Schema of a policy file as people write it, for editors.

It is worked out from the models, so it says what the loader says; what a reader turns into
something else (a length, a condition, a target) is described in `schema_forms`. A file of a policy
holds some of the sections, so each of them may be left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from baton.policy.actions import read_words
from baton.policy.models import Policy
from baton.policy.references import Named, Numbered
from baton.policy.schema_forms import (
    ADDED,
    EITHER,
    FORMS,
    INTERNAL,
    OVERRIDDEN,
    READERS,
    SHORT_WORDS,
    Schema,
    ref,
)
from baton.policy.schema_words import PARTS, SECTIONS

SCHEMA_FILE = "policy.schema.json"
DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest draft that the YAML extensions of editors understand in full."""

_PLAIN: Mapping[type, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    Decimal: {"type": "number"},
    date: {"type": "string", "format": "date"},
}
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_EXPLAINED = re.compile(r"`(\w+)`: ((?:[^.`]|`[^`]*`|\.\w)+\.)")


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"


def policy_schema() -> Schema:
    """Return the schema of one file of a policy."""
    return _Writer().whole()


def readers_without_form() -> frozenset[str]:
    """Return the readers of the models whose written form nobody has described."""
    writer = _Writer()
    writer.whole()
    return frozenset(writer.unknown)


class _Writer:
    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self.unknown: set[str] = set()

    def whole(self) -> Schema:
        sections = self.properties(Policy, None)
        for name, about in SECTIONS.items():
            if name in sections:
                sections[name] = _described(sections[name], about)
        return {
            "$schema": DIALECT,
            "title": "Policy",
            "description": "One file of the agreement between marketing and sales.",
            "type": "object",
            "additionalProperties": False,
            "properties": sections,
            "definitions": {**FORMS, **dict(sorted(self.definitions.items()))},
        }

    def model(self, model: type[BaseModel], key: str | None) -> Schema:
        """Return a reference to a model; `key` is what a map or a place in a list gives it."""
        name = model.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # begun, for a model that holds itself
            properties = self.properties(model, key)
            needed = [
                info.alias or field
                for field, info in model.model_fields.items()
                if info.is_required() and (info.alias or field) in properties
            ]
            self.definitions[name] = {
                "description": _first_sentence(model),
                "type": "object",
                "additionalProperties": False,
                "properties": properties,
                **(EITHER.get(name) or ({"required": needed} if needed else {})),
            }
        return ref(name)

    def properties(self, model: type[BaseModel], key: str | None) -> dict[str, Schema]:
        """Return the schema of each part that people write."""
        about = _explanations(model)
        hidden = INTERNAL.get(model.__name__, frozenset()) | ({key} if key else set())
        found: dict[str, Schema] = {}
        for name, info in model.model_fields.items():
            if name in hidden:
                continue
            schema = OVERRIDDEN.get(f"{model.__name__}.{name}") or self.part(info)
            written = info.alias or name
            text = PARTS.get(f"{model.__name__}.{written}") or about.get(name) or about.get(written)
            found[written] = _described(schema, text) if text else schema
        return {**found, **ADDED.get(model.__name__, {})}

    def part(self, info: FieldInfo) -> Schema:
        """Return the schema of one field of a model, with the bounds of numbers."""
        schema = self.read(info.annotation, info.metadata)
        if schema.get("type") not in {"integer", "number"}:
            return schema
        bounds = {
            theirs: float(value) if isinstance(value, Decimal) else value
            for rule in info.metadata
            for ours, theirs in _BOUNDS.items()
            if (value := getattr(rule, ours, None)) is not None
        }
        return {**schema, **bounds}

    def read(self, annotation: Any, metadata: list[Any]) -> Schema:
        """Return the schema of a type with its readers."""
        if not metadata and hasattr(annotation, "__metadata__"):
            return self.read(annotation.__origin__, list(annotation.__metadata__))
        readers = [one.func for one in metadata if isinstance(one, BeforeValidator)]
        named = next((one.attribute for one in readers if isinstance(one, Named)), None)
        if named is not None:
            return self.named(annotation, named)
        if any(isinstance(one, Numbered) for one in readers):
            (item, *_) = get_args(annotation)
            return {"type": "array", "items": self.plain(item)}
        for reader in readers:
            name = getattr(reader, "__name__", repr(reader))
            if reader is read_words:
                return _words(annotation)
            if name in READERS:
                return self.written(READERS[name], annotation)
            self.unknown.add(name)
            return {}
        return self.plain(annotation)

    def written(self, form: Schema, annotation: Any) -> Schema:
        """Return a written form, and define the model to which it refers, if it does."""
        model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        if model and ref(annotation.__name__) in form.get("anyOf", ()):
            self.model(annotation, None)
        return form

    def named(self, annotation: Any, attribute: str) -> Schema:
        """Return the schema of a map that gives each value its key."""
        model = get_args(annotation)[1]
        forms = [self.model(model, attribute)]
        if model.__name__ in SHORT_WORDS:
            forms.append(SHORT_WORDS[model.__name__])
        if "required" not in self.definitions[model.__name__]:
            forms.append({"type": "null"})
        values = forms[0] if len(forms) == 1 else {"anyOf": forms}
        return {"type": "object", "additionalProperties": values}

    def plain(self, annotation: Any) -> Schema:
        """Return the schema of a type without a reader of its own."""
        origin, inner = get_origin(annotation), get_args(annotation)
        if hasattr(annotation, "__metadata__"):
            return self.read(annotation, [])
        if origin in (Union, UnionType):
            parts = [self.read(part, []) for part in inner if part is not NoneType]
            return parts[0] if len(parts) == 1 else {"anyOf": parts}
        if origin is Literal:
            return {"enum": list(inner)}
        if origin is tuple:
            return {"type": "array", "items": self.read(inner[0], [])}
        if origin is not None and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.read(inner[1], [])}
        return self.simple(annotation)

    def simple(self, annotation: Any) -> Schema:
        """Return the schema of a class."""
        if annotation in _PLAIN:
            return dict(_PLAIN[annotation])
        if issubclass(annotation, StrEnum):
            return {"enum": [member.value for member in annotation]}
        if issubclass(annotation, BaseModel):
            return self.model(annotation, None)
        raise TypeError(f"no schema is known of {annotation!r}")


def _words(annotation: Any) -> Schema:
    """Return the words of an enumeration as people write them: "same rep"."""
    parts = [part for part in get_args(annotation) if part is not NoneType] or [annotation]
    return {"enum": [member.value.replace("_", " ") for part in parts for member in part]}


def _described(schema: Schema, text: str) -> Schema:
    # Beside a reference nothing else counts in this draft, except as part of a whole.
    if "$ref" in schema:
        return {"allOf": [schema], "description": text}
    return {**schema, "description": text}


def _first_sentence(model: type[BaseModel]) -> str:
    return _flat((model.__doc__ or "").split("\n\n")[0]).replace("``", "'")


def _explanations(model: type[BaseModel]) -> dict[str, str]:
    """Return what the docstring of a model says of its parts: "`at`: label of the instant."."""
    text = _flat(model.__doc__ or "").replace("``", "'")
    return {match[1]: match[2][0].upper() + match[2][1:] for match in _EXPLAINED.finditer(text)}


def _flat(text: str) -> str:
    return " ".join(text.split())
