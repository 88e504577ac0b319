"""Terms as they are stored with a hop."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from baton.sla.terms import Terms


def terms_to_json(terms: Terms) -> dict[str, Any]:
    """Return terms as plain JSON values."""
    value: dict[str, Any] = _adapter().dump_python(terms, mode="json")
    return value


def terms_from_json(value: Mapping[str, Any]) -> Terms:
    """Read what `terms_to_json` gave."""
    return _adapter().validate_python(dict(value))


@cache
def _adapter() -> TypeAdapter[Terms]:
    return TypeAdapter(Terms)
