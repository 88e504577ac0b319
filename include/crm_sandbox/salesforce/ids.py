"""Salesforce record ids: 15 case-sensitive characters, or 18 with a checksum."""

from __future__ import annotations

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_POD = "Bt0"


def make_id(prefix: str, number: int) -> str:
    """The 18-character id of the `number`-th record under a three-character key prefix.

    Ids of one prefix sort in the order of their numbers.
    """
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return to_18(f"{prefix}{_POD}{digits:0>9}")


def to_18(short: str) -> str:
    """Add the checksum: per block of five, one bit for each capital letter."""
    suffix = ""
    for start in (0, 5, 10):
        block = short[start : start + 5]
        suffix += _CHECKSUM[sum(1 << k for k, char in enumerate(block) if "A" <= char <= "Z")]
    return short + suffix


def normalise_id(value: str) -> str | None:
    """The 18-character form of an id given with 15 or 18 characters; None if it is not an id."""
    if not _SHAPE.fullmatch(value):
        return None
    return to_18(value[:15])
