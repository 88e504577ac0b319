"""Canonical JSON: one value, one sequence of bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from baton.errors import InvariantError
from baton.policy.facts import FactValue


def canonical_bytes(value: object) -> bytes:
    """Return plain JSON values as UTF-8 with sorted keys and no blanks."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def hash_of(content: bytes) -> str:
    """Return the SHA-256 of `content`, in hex."""
    return hashlib.sha256(content).hexdigest()


def fact_to_json(value: FactValue) -> object:
    """Return a fact as a JSON value that tells its kind, so that it is read back as the same."""
    if isinstance(value, Decimal):
        return {"number": str(value)}
    if isinstance(value, datetime):
        return {"instant": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, tuple):
        return list(value)
    return value


def fact_from_json(value: object) -> FactValue:
    """Read what `fact_to_json` gave; InvariantError for anything else."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    if isinstance(value, Mapping) and len(value) == 1:
        kind, text = next(iter(value.items()))
        match kind:
            case "number":
                return Decimal(str(text))
            case "instant":
                return datetime.fromisoformat(str(text))
            case "day":
                return date.fromisoformat(str(text))
    raise InvariantError("a stored fact is of no known kind")
