"""Turns what pydantic reports into sentences for the person who edits the policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from baton.policy.reading import did_you_mean
from baton.policy.yaml_source import Path

SECTION_FILES = {
    "agreed": "agreement.yaml",
    "stages": "agreement.yaml",
    "commitments": "agreement.yaml",
    "work": "agreement.yaml",
    "timers": "agreement.yaml",
    "fields": "fields.yaml",
    "score": "scoring.yaml",
    "bands": "scoring.yaml",
    "route": "routing.yaml",
    "calendars": "routing.yaml",
    "sla": "sla.yaml",
    "dispositions": "dispositions.yaml",
}
"""The sections that every policy needs, and where people look for them."""

_SPECIAL = {
    "then": "each reason code needs an action (no dead ends)",
    "timers": "every state that is not final needs a timer",
}
_EXPECTED = {
    "string": "a text",
    "int": "a whole number",
    "decimal": "a number",
    "bool": "true or false",
    "date": "a date such as 2026-11-03",
    "datetime": "an instant such as 2026-11-03T08:00+01:00",
    "mapping": "a map of names and values",
    "dict": "a map of names and values",
    "model": "a map of names and values",
    "tuple": "a list",
    "list": "a list",
}


def message_of(model: type[BaseModel], detail: ErrorDetails) -> tuple[str, str | None, Path]:
    """Return (message, hint or None, path) of one error in the document of `model`."""
    context: dict[str, Any] = detail.get("ctx") or {}
    path: Path = tuple(detail["loc"])
    match detail["type"]:
        case "policy":
            return str(context["message"]), context.get("hint"), (*path, *context.get("path", ()))
        case "missing" if len(path) == 1 and path[0] in SECTION_FILES:
            return _missing_section(str(path[0])), _where_expected(str(path[0])), ()
        case "missing":
            return f"'{path[-1]}' is missing", _why_needed(path), path[:-1]
        case "extra_forbidden":
            names = tuple(name for name in _names(model, path[:-1]) if name != "hash")
            hint = did_you_mean(str(path[-1]), names) or _use_one_of(names)
            if ":" in str(path[-1]):
                hint = "a blank belongs after the colon"
            return f"'{path[-1]}' is not known here", hint, path
        case "enum" | "literal_error":
            return _not_a_choice(detail, context, path)
        case "value_error":
            error = context.get("error", detail["msg"])
            return str(error), getattr(error, "hint", None), path
    return _general(detail), None, path


def _missing_section(name: str) -> str:
    return f"the policy has no section '{name}'"


def _where_expected(name: str) -> str:
    why = f"{_SPECIAL[name]}; " if name in _SPECIAL else ""
    return f"{why}one would expect it in {SECTION_FILES[name]}, but any file of the policy will do"


def _why_needed(path: Path) -> str | None:
    if path[-1] in _SPECIAL:
        return _SPECIAL[str(path[-1])]
    return _SPECIAL["timers"] if path[:1] == ("timers",) else None


def _not_a_choice(
    detail: ErrorDetails, context: dict[str, Any], path: Path
) -> tuple[str, str | None, Path]:
    shown = str(context.get("expected", "")).replace("'", "").replace("_", " ")
    choices = shown.replace(" or ", ", ").split(", ")
    given = str(detail["input"]).replace("_", " ")
    return f"'{given}' is not one of {shown}", did_you_mean(given, choices), path


def _general(detail: ErrorDetails) -> str:
    kind = detail["type"].split("_")[0]
    if detail["type"].endswith(("_type", "_parsing", "_attributes_type")) and kind in _EXPECTED:
        return f"{_EXPECTED[kind]} is expected here, not {_shown(detail['input'])}"
    text = detail["msg"].removeprefix("Input should be ")
    return f"{_shown(detail['input'])} does not fit: it should be {text}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"'{str(value).lower()}'"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    return f"'{str(value)[:60]}'"


def _use_one_of(names: tuple[str, ...]) -> str | None:
    return f"known are: {', '.join(names)}" if names else None


def _names(model: type[BaseModel], path: Path) -> Iterator[str]:
    """Yield the YAML names that the part at `path` of a document of `model` may hold."""
    for found in _models_at([model], path):
        for name, info in found.model_fields.items():
            yield info.alias or name


def _models_at(models: list[type[BaseModel]], path: Path) -> list[type[BaseModel]]:
    for step in path:
        below: list[type[BaseModel]] = []
        for model in models:
            for name, info in model.model_fields.items():
                if step in (name, info.alias):
                    below += _models_in(info.annotation)
        # A step that is no field is the key of a map or the place in a list: stay.
        models = below or models
    return models


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
