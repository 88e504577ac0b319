"""Marks: values of CRM fields in a form in which two systems' ways of writing them are equal.

``75.0`` and ``75``, an instant as epoch milliseconds and as ISO text, lines that end in CR LF and in
LF: the same mark. A long or personal text becomes a digest: good for comparing, no copy of it.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from decimal import Decimal

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_EPOCH = re.compile(r"\d{13}")
_LONGEST_PLAIN = 80


def mark(value: object, *, plain: bool = True) -> str | None:
    """Return the mark of a value; None for an empty one.

    `plain`: a short text is its own mark; else every text is a digest.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return f"{Decimal(str(value)).normalize():f}"
    if isinstance(value, datetime):
        return _instant(value)
    text = "\n".join(map(str.rstrip, str(value).strip().splitlines()))
    if not text:
        return None
    if text[0].isdigit():
        if _EPOCH.fullmatch(text):
            return _instant(datetime.fromtimestamp(int(text) / 1000, UTC))
        if _INSTANT.match(text):
            return _read_instant(text)
    if plain and len(text) <= _LONGEST_PLAIN and "\n" not in text:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _read_instant(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return _instant(at if at.tzinfo else at.replace(tzinfo=UTC))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
