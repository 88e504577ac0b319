"""Texts from a CRM, made fit to be kept: no control characters, no placeholders."""

from __future__ import annotations

import re

from baton.policy.fields import Field, FieldType

LONGEST_TEXT = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MARKS_ONLY = re.compile(r"[\W_]+")
_PLACEHOLDERS = frozenset(
    {"n/a", "n.a.", "none", "null", "nil", "unknown", "undefined", "select", "please select", "tbd"}
)


def tidy(text: object) -> str:
    """Return the text without control characters and outer blanks, of at most LONGEST_TEXT."""
    return _CONTROL.sub("", str(text)[:LONGEST_TEXT]).strip() if text is not None else ""


def is_placeholder(text: str, field: Field) -> bool:
    """Tell whether a text stands for nothing ("n/a", "???").

    Words count as placeholders only where they cannot be real: somebody is called Null.
    """
    if _MARKS_ONLY.fullmatch(text):
        return field.type is not FieldType.LIST
    return not field.personal and text.casefold() in _PLACEHOLDERS
