"""Reading single values from the text that a CRM gives. None means: not readable as that kind."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_MILLIS = re.compile(r"-?\d{11,14}")
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")
_DOTTED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+")
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_LONGEST = 64
_YES, _NO = frozenset({"true", "yes", "y", "1"}), frozenset({"false", "no", "n", "0"})


def read_instant(text: str | None) -> datetime | None:
    """Read ISO 8601 or milliseconds since 1970, as an aware UTC instant between 1900 and 2200.

    Text without a zone counts as UTC: HubSpot stores instants so.
    """
    told = (text or "").strip()
    if not told or len(told) > _LONGEST:
        return None
    try:
        if _EPOCH_MILLIS.fullmatch(told):
            at = _EPOCH + timedelta(milliseconds=int(told))
        else:
            at = datetime.fromisoformat(told)
            at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return at if _EARLIEST <= at < _LATEST else None


def read_date(text: str | None) -> date | None:
    """Read a day. An instant gives its day in UTC: HubSpot keeps days as midnight UTC."""
    at = read_instant(text)
    return at.date() if at else None


def read_number(text: str | None) -> Decimal | None:
    """Read a finite number of at most 64 characters; thousands may be set apart by commas."""
    told = (text or "").strip()
    if not told.isascii() or len(told) > _LONGEST or not _NUMBER.fullmatch(told):
        return _scientific(told)
    return Decimal(told.replace(",", ""))


def _scientific(told: str) -> Decimal | None:
    """Read ``1.2E7``, as HubSpot writes large numbers, within twenty digits."""
    if not re.fullmatch(r"[+-]?\d{1,20}(\.\d{1,20})?[eE][+-]?\d{1,2}", told, re.ASCII):
        return None
    try:
        number = Decimal(told)
    except InvalidOperation:
        return None
    return number if abs(number) < Decimal("1e20") else None


def read_integer(text: str | None) -> int | None:
    """Read a whole number ("120", "120.0"), but not "1.000": a thousand to some, one to others."""
    if _DOTTED.fullmatch((text or "").strip()):
        return None
    number = read_number(text)
    return int(number) if number is not None and number == number.to_integral_value() else None


def read_boolean(text: str | None) -> bool | None:
    """Read yes or no."""
    told = (text or "").strip().lower()
    return True if told in _YES else False if told in _NO else None


def read_list(text: str | None) -> tuple[str, ...]:
    """Read values set apart by semicolons, each once, in their order."""
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(";") if part.strip()))


_HEADCOUNT = re.compile(r"(?P<low>\d[\d,]*)\s*(?:(?:-|–|to)\s*\d[\d,]*|\+)\s*(?:employees|people)?")


def is_range(text: str) -> bool:
    """Tell whether a text states a size as a range, of which `read_headcount` takes the lower end."""
    return not text.isdigit() and _HEADCOUNT.fullmatch(text.strip().lower()) is not None


def read_headcount(text: str | None) -> int | None:
    """Read a stated size such as "51-200" or "5000+" as its lower end, the cautious reading."""
    match = _HEADCOUNT.fullmatch((text or "").strip().lower())
    return read_integer(match["low"]) if match and len(match["low"]) < 12 else None
