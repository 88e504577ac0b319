"""How the parts of a policy are written that a reader turns into something else: for editors.

Beside each reader of `policy` stands here the JSON Schema of what it takes. What a schema cannot
say (that a label exists, that a pattern ends) is left to the loader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baton.policy.conditions import Operator
from baton.policy.targets import TargetKind

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """Return a reference to a form."""
    return {"$ref": f"#/definitions/{name}"}


_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_NUMBER_OR_DATE: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "format": "date"}]}
_CSV: Schema = {
    "type": "string",
    "pattern": r"\.csv$",
    "description": "the name of a CSV list of the policy; its first column counts",
}
_SEVERAL: Schema = {"anyOf": [_CSV, {"type": "array", "items": _SCALAR, "minItems": 1}]}
_LENGTH = r"^\s*\d{1,9}\s+((working|wall)\s+(second|minute|hour)s?|(wall\s+)?(second|minute|hour|day|week)s?)\s*$"
_TIMES = r"^\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}\s*$"
_DAY = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)"

_ABOUT_OPERATORS: Mapping[Operator, tuple[str, Schema]] = {
    Operator.IS: ("it is that; upper and lower case are alike", _SCALAR),
    Operator.IS_NOT: ("it is known, and is not that", _SCALAR),
    Operator.IN: ("it is one of these", _SEVERAL),
    Operator.NOT_IN: ("it is known, and none of these", _SEVERAL),
    Operator.BETWEEN: (
        "from the first to the second, both included",
        {"type": "array", "items": _NUMBER_OR_DATE, "minItems": 2, "maxItems": 2},
    ),
    Operator.AT_LEAST: ("that or more", _NUMBER_OR_DATE),
    Operator.AT_MOST: ("that or less", _NUMBER_OR_DATE),
    Operator.ABOVE: ("more than that", _NUMBER_OR_DATE),
    Operator.BELOW: ("less than that", _NUMBER_OR_DATE),
    Operator.CONTAINS: (
        "the text or list contains one of these",
        {"anyOf": [_CSV, _SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]},
    ),
    Operator.MATCHES: (
        "the regular expression is found in it, upper and lower case alike",
        {"type": "string", "format": "regex", "maxLength": 500},
    ),
    Operator.WITHIN_DAYS: (
        "it happened within the last so many days",
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"days?$"}]},
    ),
    Operator.EXISTS: ("true: it is known; false: it is not", {"type": "boolean"}),
}
_GROUPS: Mapping[str, str] = {
    "all": "every one of these",
    "any": "at least one of these",
    "none": "not one of these",
}
_NOT_OWNERS = {"pool", "queue", "person", "wait", "go_on"}
_OWNERS = sorted(kind.value.replace("_", " ") for kind in TargetKind if kind not in _NOT_OWNERS)

FORMS: Mapping[str, Schema] = {
    "condition": {
        "description": "A field with what it must be; several fields must all hold. The label of a "
        "yes/no field alone asks whether it is yes.",
        "anyOf": [
            {"type": "string", "description": "the label of a yes/no field"},
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"not": {"enum": [operator.value for operator in Operator]}},
                "properties": {
                    name: {
                        "description": about,
                        "type": "array",
                        "items": ref("condition"),
                        "minItems": 1,
                    }
                    for name, about in _GROUPS.items()
                },
                "additionalProperties": ref("test"),
            },
        ],
    },
    "test": {
        "description": "What a field must be: a value, one of several, or an operator.",
        "anyOf": [
            _SCALAR,
            {"type": "array", "items": _SCALAR, "minItems": 1},
            {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {
                    operator.value: {**schema, "description": about}
                    for operator, (about, schema) in _ABOUT_OPERATORS.items()
                },
            },
        ],
    },
    "length": {
        "description": "A length of time: a number and a unit, with 'working' for the hours in "
        "which the owner works.",
        "type": "string",
        "pattern": _LENGTH,
        "examples": ["5 working minutes", "3 minutes", "90 days"],
    },
    "lengthOrNever": {"anyOf": [ref("length"), {"enum": ["never", None]}]},
    "whom": {
        "description": "Somebody: a pool, queue or person by name, or the owner of something.",
        "anyOf": [
            {"enum": _OWNERS},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {
                    "pool": {"type": "string"},
                    "queue": {"type": "string"},
                    "person": {"type": "string", "format": "email"},
                },
            },
        ],
    },
    "action": {
        "description": "What follows from a reason code.",
        "anyOf": [
            {
                "enum": [
                    "accept",
                    "keep working",
                    "recycle",
                    "remove from marketing",
                    "disqualify",
                ]
            },
            {"type": "string", "pattern": r"^recycle for \d+ (days?|weeks?)$"},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {
                    "nurture": {"type": "string", "description": "a HubSpot list"},
                    "recycle": ref("length"),
                },
            },
        ],
    },
    "week": {
        "description": "Working hours by day or stretch of days.",
        "type": "object",
        "propertyNames": {"pattern": rf"^{_DAY}\w*(\s*-\s*{_DAY}\w*)?$"},
        "additionalProperties": {
            "anyOf": [
                {"type": "string", "pattern": _TIMES},
                {"type": "array", "items": {"type": "string", "pattern": _TIMES}},
            ]
        },
    },
    "timeOfDay": {
        "description": "A time of day, in quotes.",
        "type": "string",
        "pattern": r"^\s*([01]?\d|2[0-3]):[0-5]\d\s*$",
        "examples": ["20:00"],
    },
}
"""The forms that several parts share, by name."""

_LABELLED_TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}

READERS: Mapping[str, Schema] = {
    "read_condition": ref("condition"),
    "parse_duration": ref("length"),
    "parse_duration_or_never": ref("lengthOrNever"),
    "read_target": ref("whom"),
    "read_action": ref("action"),
    "read_email": {"type": "string", "format": "email"},
    "read_names": _CSV,
    "read_territories": {"anyOf": [_CSV, _LABELLED_TEXTS]},
    "read_named_accounts": _CSV,
    "read_aliases": _CSV,
    "read_week": ref("week"),
    "read_minute": ref("timeOfDay"),
    "_read_time": ref("timeOfDay"),
    "read_zone": {"type": "string", "examples": ["owner's", "Europe/Berlin"]},
    "_values_or_list": {
        "anyOf": [ref("DriftValues"), {"type": "array", "items": {"type": "string"}}]
    },
    "read_if_nobody": {"anyOf": [{"enum": ["wait", "go on"]}, ref("whom")]},
    "read_returns": {
        "anyOf": [
            {"enum": ["on that date", "on a new hand raise"]},
            {"type": "string", "pattern": r"^after \d+ (days?|weeks?)$"},
        ]
    },
    "read_allowed_after": {
        "type": "string",
        "pattern": r"^\s*\d+\s+touch(es)?\s+(over|in)\s+\d+\s+days?\s*$",
        "examples": ["6 touches over 10 days"],
    },
}
"""What each reader takes, by its name."""

OVERRIDDEN: Mapping[str, Schema] = {
    "EnrichmentStep.fills": {
        "anyOf": [_LABELLED_TEXTS, {"type": "array", "items": {"type": "string"}}]
    },
}
"""Parts whose written form stands in a validator of their model."""

INTERNAL: Mapping[str, frozenset[str]] = {
    "Policy": frozenset({"hash"}),
    "RouteRule": frozenset({"fallback"}),
    "ScoreRule": frozenset({"kind"}),
}
"""What the models hold and nobody writes."""

ADDED: Mapping[str, Mapping[str, Schema]] = {
    "RouteRule": {
        "otherwise": {**ref("whom"), "description": "Ends the ladder: who gets all the rest."}
    },
}
"""What people write and the models hold under another name."""

EITHER: Mapping[str, Schema] = {
    "RouteRule": {"anyOf": [{"required": ["to"]}, {"required": ["otherwise"]}]},
}
"""What must be there, where it is not simply all that has no default."""

SHORT_WORDS: Mapping[str, Schema] = {"Band": {"enum": ["rest"]}}
"""A word that may stand for a whole model."""
