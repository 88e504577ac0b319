"""JSON and text as PostgreSQL takes them: it knows neither the character NUL nor lone surrogates.

Forms bring such characters now and then; one of them must not fail a batch of leads.
"""

from __future__ import annotations

import json
from typing import Any


def storable(value: str) -> str:
    """Return `value` without NUL, lone surrogates replaced by a question mark."""
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-8", "replace").decode()
    return value.replace("\x00", "")


def json_text(value: Any) -> str:
    """Return `value` as JSON text that can be stored. Raises ValueError for NaN and infinities."""
    dumped = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if "\\u0000" in dumped or storable(dumped) != dumped:
        return json.dumps(_cleaned(value), ensure_ascii=False, allow_nan=False)
    return dumped


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return value
