"""Moments as people name them on the command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from baton.clock import SystemClock
from baton.errors import ConfigurationError
from baton.leads.values import read_instant

__all__ = ["beginning", "instant", "lacks_zone"]

_MOST = 100_000
"""The longest length, in whatever unit: eleven years of hours."""


def instant(text: str | None, option: str) -> datetime:
    """Return the instant that an option names, now for None. Raises ConfigurationError."""
    if text is None:
        return SystemClock().now()
    found = read_instant(text)
    if found is None or text.strip().isdecimal():
        raise ConfigurationError(
            f"{option} '{text}' is no date or time; write, for example, 2026-11-20T10:00Z"
        )
    return found


def lacks_zone(text: str) -> bool:
    """Tell whether a moment is written without a zone: it is read as UTC then."""
    told = text.strip()
    return not told.isdecimal() and not re.search(r"(Z|[+-]\d{2}(:?\d{2})?)$", told[10:], re.I)


def beginning(text: str, now: datetime) -> datetime:
    """Return the instant that `--since` names. Raises ConfigurationError."""
    units = {"h": "hours", "d": "days", "w": "weeks"}
    told = text.strip().lower()
    number, unit = told[:-1].strip(), told[-1:]
    if told.startswith("-"):
        raise ConfigurationError(f"--since '{text}' is negative; write, for example, 90d")
    if unit in units and number.isdecimal():
        if not 0 < int(number) <= _MOST:
            raise ConfigurationError(f"--since '{text}' must be from 1 to {_MOST}")
        return now - timedelta(**{units[unit]: int(number)})
    if told.isdecimal():
        raise ConfigurationError(f"--since '{text}' lacks its unit; write {told}d for days")
    found = instant(text, "--since")
    if found >= now:
        raise ConfigurationError(f"--since '{text}' lies in the future")
    return found
