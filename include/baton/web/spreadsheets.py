"""Values that a spreadsheet shows and does not run.

A cell that begins with = + - @ or a control character is taken for a formula by spreadsheet
programs, which may then fetch or send data (CSV injection, see owasp.org). Such a text gets an
apostrophe in front of it; a number stays a number.
"""

from __future__ import annotations

from typing import Final

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(value: object) -> object:
    """Return `value` as it may stand in a CSV file; None is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(_DANGEROUS):
        return f"'{value}"
    return value
